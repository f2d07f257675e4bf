"""The digest of a file or a folder, as OpenSSF model signing has it.

Every file is digested with SHA-256; the digest of the whole is the SHA-256 of these digests as
bytes, in the order of the files' paths by their parts. The subject of a model signature
(``model_signing``, v1) has this digest, so that gate evidence and a model's signature name the
same thing. Anyone can make it again:

    sha256( sha256(file 1) || sha256(file 2) || … )

Source: https://github.com/sigstore/model-transparency (OMS, in-toto subject of a model signature).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pytest_mlgates.core.plain import FileFault, open_plain

__all__ = ["digest_of_path", "files_in", "sha256_of"]

#: what a signature leaves out: git's own
IGNORED = frozenset({".git", ".gitattributes", ".github", ".gitignore"})
_BLOCK = 1 << 20


def digest_of_path(path: Path) -> str:
    """Return ``sha256:`` and the manifest digest of a file or folder; raises FileFault or OSError.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "weights.bin")
    >>> _ = file.write_bytes(b"abc")
    >>> digest_of_path(file)[:19] == digest_of_path(file.parent)[:19]
    True
    """
    whole = hashlib.sha256()
    for _, file in sorted(files_in(path)):
        whole.update(bytes.fromhex(sha256_of(file)))
    return f"sha256:{whole.hexdigest()}"


def files_in(path: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """Yield each file of a folder with its place in it, or the file itself.

    A link, a pipe or a device raises :class:`FileFault`: nobody could tell what was signed.
    """
    if not path.is_dir():
        yield PurePosixPath("."), path
        return
    for folder, folders, names in os.walk(path):
        here = Path(folder).relative_to(path)
        top = here == Path()
        folders[:] = sorted(one for one in folders if not (top and one in IGNORED))
        for name in [*names, *folders]:
            full = Path(folder, name)
            if full.is_symlink():
                raise FileFault(f"{full}: is a link: give the files themselves")
        for name in names:
            if not (top and name in IGNORED):
                yield PurePosixPath((here / name).as_posix()), Path(folder, name)


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a plain file's bytes."""
    digest = hashlib.sha256()
    with open_plain(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
