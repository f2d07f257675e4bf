"""Where a bucket is, as people write it on a command line."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import urlsplit

from reference_systems.model_registry.errors import Refused

__all__ = ["Address"]

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_FORMS = "s3://BUCKET/PREFIX or http://HOST:PORT/BUCKET/PREFIX"
_PREFIX = re.compile(r"(?:[A-Za-z0-9._-]+/)*")


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """A bucket, a prefix in it (empty, or ending with a slash) and the server, None for AWS's own."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None

    @classmethod
    def parse(cls, text: str) -> Address | None:
        """Read ``s3://BUCKET[/PREFIX]`` or ``http://HOST:PORT/BUCKET[/PREFIX]``.

        None where it is no address but a folder; raises :class:`Refused` where it is a wrong one.
        An endpoint for ``s3://`` comes from ``AWS_ENDPOINT_URL`` where that is set.

        >>> Address.parse("http://127.0.0.1:8333/models/team")
        Address(bucket='models', prefix='team/', endpoint='http://127.0.0.1:8333')
        >>> Address.parse("models") is None
        True
        """
        scheme, mark, _ = text.partition("://")
        if not mark:
            return None
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError as error:
            raise Refused(f"{text}: is no address: {error}") from None
        if parts.username or parts.password:
            raise Refused(
                "the address holds credentials: put them into AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY"
            )
        path = parts.path.strip("/")
        if scheme not in ("s3", "http", "https"):
            raise Refused(f"{text}: {scheme}:// is not known: {_FORMS}, or a folder")
        if scheme == "s3":
            bucket, rest, endpoint = parts.netloc, path, None
        else:
            bucket, _, rest = path.partition("/")
            endpoint = f"{scheme}://{parts.netloc}"
        prefix = f"{rest}/" if rest else ""
        if not _BUCKET.fullmatch(bucket) or not _PREFIX.fullmatch(prefix):
            raise Refused(
                f"{text}: expected {_FORMS}: a bucket has 3 to 63 small letters, digits and . -, "
                "a prefix letters, digits and . _ -"
            )
        return cls(bucket, prefix, endpoint)

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, so that no proxy stands between."""
        host = urlsplit(self.endpoint or "").hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")

    def __str__(self) -> str:
        base = f"{self.endpoint}/{self.bucket}" if self.endpoint else f"s3://{self.bucket}"
        return f"{base}/{self.prefix}".rstrip("/")
