"""The files of the data sets: folders, globs and single files, wherever they lie, in a fixed order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlgates.audit.storage import Address, is_remote, why_refused
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.pii import scrub

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo

__all__ = ["DataFile", "data_files"]

_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file as it was listed: what it is called in findings, and the size and time it had then.

    ``name`` holds nothing that identifies a person: where that of the file does, it is masked.
    """

    url: str
    name: str
    size: int
    mtime_ns: int

    @property
    def stamp(self) -> str:
        """What changes where the file is written again."""
        return f"{self.size}-{self.mtime_ns}"


def data_files(datasets: Sequence[str], skip: Sequence[str] = ()) -> list[DataFile]:
    """Return the files of all data sets, each once, sorted; those that ``skip`` fits are left out.

    Raises :class:`UsageError` where a data set is not there or holds no file.
    """
    left_out = [_pattern(glob) for glob in skip]
    found: dict[str, DataFile] = {}
    for dataset in datasets:
        count = 0
        for base, info in _infos(dataset):
            address = Address(base.scheme, info.path)
            inside = info.path.removeprefix(base.path).lstrip("/")
            if any(p.fullmatch(inside) or p.fullmatch(info.base_name) for p in left_out):
                continue
            count += 1
            name = _masked(inside or info.base_name)
            file = DataFile(address.text, name, max(info.size or 0, 0), info.mtime_ns or 0)
            found.setdefault(file.url, file)
        if not count:
            raise UsageError(f"{scrub(dataset)}: no file is there")
    return _named_apart(sorted(found.values(), key=lambda file: file.url))


def now_stamp(file: DataFile) -> str:
    """Return the stamp that a file has now; empty where it is gone."""
    address = Address.of(file.url)
    info = address.filesystem.get_file_info(address.path)
    return f"{max(info.size or 0, 0)}-{info.mtime_ns or 0}" if info.is_file else ""


def _infos(dataset: str) -> Iterator[tuple[Address, FileInfo]]:
    """Yield the folder that names are told from, and each file."""
    from pyarrow.fs import FileSelector, FileType

    whole = Address.of(dataset)
    try:
        info = whole.filesystem.get_file_info(whole.path)
        if info.type == FileType.File:
            folder = Address(whole.scheme, whole.path.rpartition("/")[0])
            yield folder, info
            return
        base, wanted = whole, None
        if info.type == FileType.NotFound and (first := _GLOB.search(whole.path)):
            base = Address(whole.scheme, whole.path[: whole.path.rfind("/", 0, first.start())])
            wanted = _pattern(whole.path[len(base.path) + 1 :])
        elif info.type == FileType.NotFound:
            raise UsageError(f"{scrub(dataset)}: there is no such file or folder")
        for inside in base.filesystem.get_file_info(FileSelector(base.path, recursive=True)):
            if inside.type == FileType.File and (
                wanted is None or wanted.fullmatch(inside.path[len(base.path) + 1 :])
            ):
                yield base, inside
    except OSError as error:
        raise UsageError(f"{scrub(dataset)}: can't be listed: {why_refused(error)}") from None


def _pattern(glob: str) -> re.Pattern[str]:
    """Return a glob as a pattern: ``*`` stays within a folder, ``**`` does not.

    >>> bool(_pattern("**/*.csv").fullmatch("a/b/c.csv")), bool(_pattern("*.csv").fullmatch("a/b.csv"))
    (True, False)
    >>> bool(_pattern("**/*.csv").fullmatch("c.csv"))
    True
    """
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", glob)
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile(
        "".join(
            known.get(part)
            or (part.replace("[!", "[^") if part[:1] == "[" and len(part) > 2 else re.escape(part))
            for part in parts
        ),
        re.DOTALL,
    )


def _masked(name: str) -> str:
    """Return a name in which nothing identifies a person, also not before its ending.

    >>> _masked("mail/jo@example.org.txt"), _masked("part-0.parquet")
    ('mail/<EMAIL_ADDRESS>.txt', 'part-0.parquet')
    """
    stem, dot, ending = name.rpartition(".")
    return scrub(f"{scrub(stem)}{dot}{ending}")


def _named_apart(files: list[DataFile]) -> list[DataFile]:
    """Return the files, numbered where they would be called alike."""
    seen: dict[str, int] = {}
    for file in files:
        seen[file.name] = seen.get(file.name, 0) + 1
    taken: dict[str, int] = {}
    named = []
    for file in files:
        name = file.name
        if seen[name] > 1:
            taken[name] = taken.get(name, 0) + 1
            name = f"{name} ({taken[name]})"
        named.append(DataFile(file.url, name, file.size, file.mtime_ns))
    return named


def local_path(file: DataFile) -> Path | None:
    """Return the path of a file of this machine."""
    return None if is_remote(file.url) else Path(file.url)
