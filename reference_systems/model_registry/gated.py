"""The stores as ``artifact_immutability`` asks for them: each with what can be done to it from behind."""

from __future__ import annotations

import copy
import dataclasses
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from reference_systems.model_registry.faulty_line import FaultyLine
from reference_systems.model_registry.folder import FolderBackend
from reference_systems.model_registry.incident import NamedFiles
from reference_systems.model_registry.prefix import PrefixFiles
from reference_systems.model_registry.s3 import S3Backend, client_for
from reference_systems.model_registry.s3_address import Address
from reference_systems.model_registry.store import ContentStore

__all__ = ["Forgetful", "InFolder", "NamedOnS3", "OnS3", "Overwriting", "Prefixed", "Unverified"]

Change = Callable[[bytes], bytes]
_KILLED = Path(__file__).with_name("killed.py")


class _ByDigest:
    """What both backends of the fixed build have in common."""

    store: ContentStore

    def put(self, stream: BinaryIO, name: str) -> str:  # noqa: ARG002  (the digest is the name)
        return self.store.put(stream).digest

    def get(self, reference: str) -> bytes:
        return self.store.read(reference)

    def list(self) -> Iterator[str]:
        for digest, version in self.store.objects():
            if not version.deleted:
                yield digest


class InFolder(_ByDigest):
    """The fixed build in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = ContentStore(FolderBackend(root))

    def reopen(self) -> InFolder:
        """Open it as another process would."""
        return InFolder(self.root)

    def delete(self, reference: str) -> None:
        """Remove the file, as whoever may write the folder can."""
        (self.root / self.store.key(reference)).unlink()

    def damage(self, reference: str, change: Change) -> None:
        """Change the file."""
        _change(self.root / self.store.key(reference), change)

    def kill_put(self, content: bytes, name: str, at: float) -> None:  # noqa: ARG002
        """Begin a put in a process that kills itself: while it reads, before or after the link."""
        words = [sys.executable, str(_KILLED), str(self.root), str(at)]
        done = subprocess.run(words, input=content, check=False, capture_output=True)  # noqa: S603
        if done.returncode >= 0:
            raise RuntimeError(f"the process ended by itself: {done.stderr[-300:]!r}")


class OnS3(_ByDigest):
    """The fixed build on S3, without a lock, so that the gate can reach every copy.

    ``line`` is a line to the same server that can be cut.
    """

    def __init__(self, address: Address, line: FaultyLine, s3: S3Backend | None = None) -> None:
        self._address, self._line = address, line
        self._s3 = s3 or S3Backend(address, grace=timedelta(0))
        self.store = ContentStore(self._s3)
        self._raw = client_for(address)
        bad = dataclasses.replace(address, endpoint=line.endpoint)
        client = client_for(bad, attempts=1, timeout_s=5)
        self._cut = S3Backend(bad, grace=timedelta(0), client=client)

    def reopen(self) -> OnS3:
        """Open it anew, over the same connections: they remember no content."""
        again = copy.copy(self)
        again.store = ContentStore(self._s3)
        return again

    def delete(self, reference: str) -> None:
        """Delete as any client does: a marker hides what was there."""
        self._raw.delete_object(Bucket=self._address.bucket, Key=self._key(reference))

    def damage(self, reference: str, change: Change) -> None:
        """Lay changed bytes over an object and remove every version below them."""
        where = {"Bucket": self._address.bucket, "Key": self._key(reference)}
        before = self.store.backend.versions(self.store.key(reference))
        data = self._raw.get_object(**where)["Body"].read()
        self._raw.put_object(**where, Body=change(data))
        for version in before:
            self._raw.delete_object(**where, VersionId=version.version)

    def cut_reads(self, keep: int | None) -> None:
        """Read over a line that ends every answer early, or over the good one again."""
        self._line.clear()
        if keep is None:
            self._s3 = S3Backend(self._address, grace=timedelta(0), client=self._raw)
        else:
            self._line.keep = keep
            self._line.plan("GET", *(200 * ["cut"]))
            self._s3 = self._cut
        self.store = ContentStore(self._s3)

    def _key(self, reference: str) -> str:
        return self._address.prefix + self.store.key(reference)


class Overwriting:
    """The incident build."""

    def __init__(self, root: Path) -> None:
        self._files = NamedFiles(root)

    def put(self, stream: BinaryIO, name: str) -> str:
        """Store under the name."""
        self._files.put(stream, name)
        return name

    def get(self, reference: str) -> bytes:
        """Give what lies there."""
        return self._files.read(reference)

    def reopen(self) -> Overwriting:
        """Open it as another process would."""
        return Overwriting(self._files.root)

    def delete(self, reference: str) -> None:
        """Remove the file."""
        self._files.delete(reference)

    def list(self) -> list[str]:
        """Give the names."""
        return list(self._files.names())


class NamedOnS3:
    """The incident build on S3: a bucket without versions, keys that are written over."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._raw = client_for(address)
        if address.bucket not in {b["Name"] for b in self._raw.list_buckets()["Buckets"]}:
            self._raw.create_bucket(Bucket=address.bucket)

    def put(self, stream: BinaryIO, name: str) -> str:
        """Store under the name."""
        self._raw.put_object(Bucket=self._address.bucket, Key=name, Body=stream.read())
        return name

    def get(self, reference: str) -> bytes:
        """Give what lies there."""
        answer = self._raw.get_object(Bucket=self._address.bucket, Key=reference)
        return answer["Body"].read()

    def reopen(self) -> NamedOnS3:
        """Open it as another process would."""
        return NamedOnS3(self._address)


class Prefixed:
    """Half a fix: the first twelve digits, overwritten."""

    digits = 12

    def __init__(self, root: Path) -> None:
        self._files = PrefixFiles(root, self.digits)

    def put(self, stream: BinaryIO, name: str) -> str:  # noqa: ARG002
        """Store under a prefix of the digest."""
        return self._files.put(stream)

    def get(self, reference: str) -> bytes:
        """Give what lies there."""
        return self._files.read(reference)

    def reopen(self) -> Prefixed:
        """Open it as another process would."""
        return type(self)(self._files.root)


class Unverified(Prefixed):
    """Another half: all sixty-four digits, and nobody reads the digest again."""

    digits = 64

    def damage(self, reference: str, change: Change) -> None:
        """Change the file."""
        _change(self._files.path(reference), change)


class Forgetful:
    """A trivial store: it acknowledges everything, and keeps the newest fifty artifacts."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def put(self, stream: BinaryIO, name: str) -> str:
        """Keep it for a while."""
        if name in self._kept:
            raise FileExistsError(name)
        self._kept[name] = stream.read()
        while len(self._kept) > 50:
            self._kept.popitem(last=False)
        return name

    def get(self, reference: str) -> bytes:
        """Give it while it is kept."""
        return self._kept[reference]

    def reopen(self) -> Forgetful:
        """Give itself: there is no storage behind it."""
        return self


def _change(path: Path, change: Change) -> None:
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(change(data))
