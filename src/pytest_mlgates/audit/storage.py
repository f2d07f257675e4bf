"""Files wherever they lie: a path, ``s3://``, ``gs://``, ``abfs://``, through pyarrow's file systems.

Nothing goes online but for the addresses that were handed in. S3 is asked again where it throttles
or does not answer (pyarrow's standard strategy); where an address still refuses, :func:`renewed`
builds the file system again with the credentials of that moment, since those of a long job end.
An endpoint of one's own is taken from ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import install

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

__all__ = ["Address", "is_remote", "renewed", "why_refused"]

_SCHEMES = {"s3": "s3", "gs": "gs", "gcs": "gs", "abfs": "abfs", "abfss": "abfss"}
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]+)://(?P<rest>.*)", re.DOTALL)
#: attempts and seconds of one request; a partition that still fails is read again as a whole
_ATTEMPTS, _CONNECT_S, _REQUEST_S = 6, 10, 60
_CODE = re.compile(r"AWS Error (?P<code>[A-Z_]+)")


@dataclass(frozen=True, slots=True)
class Address:
    """A place in a file system; ``path`` is as pyarrow wants it, ``scheme`` empty for local files.

    >>> Address.of("s3://logs/2026/").path, Address.of("data.csv").is_local
    ('logs/2026', True)
    """

    scheme: str
    path: str

    @classmethod
    def of(cls, text: str) -> Address:
        """Return the address that a user wrote."""
        if not is_remote(text):
            local = text.removeprefix("file://")
            return cls("", str(Path(local).absolute()))
        found = _URL.fullmatch(text)
        if found is None or found["scheme"] not in _SCHEMES:
            known = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
            raise UsageError(
                f"a path or one of {known} is wanted, not {text.partition('://')[0]}://"
            )
        if not found["rest"].strip("/"):
            raise UsageError(f"{text} names no bucket: write {found['scheme']}://BUCKET/PREFIX")
        return cls(_SCHEMES[found["scheme"]], found["rest"].rstrip("/"))

    @property
    def is_local(self) -> bool:
        """Whether it is a path of this machine, or of what is mounted here."""
        return not self.scheme

    @property
    def text(self) -> str:
        """The address as it is written."""
        return f"{self.scheme}://{self.path}" if self.scheme else self.path

    @property
    def filesystem(self) -> FileSystem:
        """What reads and writes there; made once a process."""
        return _filesystem(self.scheme, self.path.partition("/")[0] if self.scheme else "")

    def joined(self, more: str) -> Address:
        """Return a place further down."""
        return Address(self.scheme, f"{self.path.rstrip('/')}/{more}")

    def exists(self) -> bool:
        """Tell whether a file or folder is there."""
        info = self.filesystem.get_file_info(self.path)
        return bool(info.type.name != "NotFound")

    def read(self) -> bytes:
        """Return what the file holds."""
        with self.filesystem.open_input_stream(self.path, compression=None) as stream:
            return bytes(stream.read())

    def write(self, data: bytes) -> None:
        """Write a whole file in one step: a reader sees all of it or none."""
        if not self.is_local:
            with self.filesystem.open_output_stream(self.path, compression=None) as stream:
                stream.write(data)
            return
        from pytest_mlgates.core.files import put

        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        put(Path(self.path), data)

    def delete(self) -> None:
        """Delete the file where it is there."""
        if self.exists():
            self.filesystem.delete_file(self.path)


def is_remote(text: str) -> bool:
    """Tell whether a text is a URL of object storage.

    >>> is_remote("s3://bucket/a"), is_remote("C:/a"), is_remote("file:///a")
    (True, False, False)
    """
    found = _URL.fullmatch(text)
    return found is not None and found["scheme"] != "file"


def renewed() -> None:
    """Forget the file systems, so that the next use asks for the credentials anew."""
    _filesystem.cache_clear()


def why_refused(error: OSError) -> str:
    """Return in words why a file can't be read or written; an address or a key is never in it.

    >>> why_refused(OSError("When reading 'k' in 'b': AWS Error SLOW_DOWN during GetObject: x"))
    'the storage answered SLOW_DOWN'
    """
    if found := _CODE.search(str(error)):
        return f"the storage answered {found['code']}"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return os.strerror(error.errno) if error.errno else type(error).__name__


@lru_cache(maxsize=64)
def _filesystem(scheme: str, bucket: str) -> FileSystem:
    try:
        from pyarrow import fs
    except ImportError:
        raise UsageError(f"reading data sets needs pyarrow: {install('scan')}") from None
    if not scheme:
        return fs.LocalFileSystem()
    if scheme == "s3":
        return fs.S3FileSystem(**_s3_options())
    found, _ = fs.FileSystem.from_uri(f"{scheme}://{bucket}")
    return found


def _s3_options() -> dict[str, object]:
    from pyarrow.fs import AwsStandardS3RetryStrategy

    options: dict[str, object] = {
        "retry_strategy": AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        "connect_timeout": _seconds("CONNECT", _CONNECT_S),
        "request_timeout": _seconds("REQUEST", _REQUEST_S),
    }
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if region:
        options["region"] = region
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        scheme, _, host = endpoint.rpartition("://")
        options |= {"endpoint_override": host.rstrip("/"), "scheme": scheme or "https"}
    return options | _credentials()


def _seconds(which: str, default: float) -> float:
    text = os.environ.get(f"MLGATES_{which}_TIMEOUT_S", "")
    try:
        return float(text) if text else default
    except ValueError:
        raise UsageError(f"MLGATES_{which}_TIMEOUT_S is no number: write seconds") from None


def _credentials() -> dict[str, object]:
    """Return those of this moment, by botocore where it is there: it knows roles, SSO and files.

    Without it the chain of pyarrow is asked, which reads a file of credentials once.
    """
    try:
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session
    except ImportError:
        return {}
    try:
        found = Session().get_credentials()
        if found is None:
            return {}
        now = found.get_frozen_credentials()
    except BotoCoreError:
        return {}
    keys: dict[str, object] = {"access_key": now.access_key, "secret_key": now.secret_key}
    return keys | ({"session_token": now.token} if now.token else {})
