"""What a place that keeps bytes has to be able to do; a folder and an S3 bucket can.

Keys are paths of ASCII letters, digits, ``.``, ``_``, ``-`` and ``/``. A place may keep several
versions of a key (S3) or one (a folder). It knows nothing of digests: who asks for bytes checks
them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol

__all__ = ["Backend", "Version"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of one key; ``deleted`` is a marker that hides the versions before it.

    ``modified`` is in seconds since 1970 by the clock of the place.
    """

    key: str
    version: str
    size: int
    modified: float
    latest: bool = True
    deleted: bool = False


class Backend(Protocol):
    """A place that keeps bytes under keys.

    Every method may raise :class:`~reference_systems.model_registry.errors.Unreachable`.
    """

    #: how the place is named in messages
    where: str

    def spool(self) -> AbstractContextManager[BinaryIO]:
        """Give a scratch file that is gone afterwards; what is put is written there first."""

    def writing(self) -> AbstractContextManager[None]:
        """Hold off removals for the length of a put (any number of puts may hold at once)."""

    def create(self, key: str, source: BinaryIO, size: int) -> str | None:
        """Store a spooled file under a key that is free and return its version.

        Returns None where the key is taken, and nothing changed. Never overwrites. Once it
        returns, the bytes outlive a crash.
        """

    def replace(self, key: str, source: BinaryIO, size: int) -> str:
        """Store a spooled file over a damaged one and return its version."""

    def renew(self, version: Version) -> bool:
        """Start the grace period of a version anew; False where it is gone meanwhile."""

    def versions(self, key: str) -> list[Version]:
        """Return the versions of a key, the newest first; none where it was never stored."""

    def under(self, prefix: str) -> Iterator[Version]:
        """Yield all versions of all keys that start with ``prefix``, in the order of the keys."""

    def blocks(self, key: str, version: str | None = None) -> Iterator[bytes]:
        """Yield the bytes of a version, by default the newest; unverified.

        Raises :class:`~reference_systems.model_registry.errors.NotThere` where there is none.
        """

    def remove(self, version: Version, older_than: float) -> bool:
        """Remove a version for good if it is older than ``older_than`` seconds even now.

        False where it is younger by now, locked, or gone.
        """

    def tidy(self, older_than: float) -> Iterator[str]:
        """Remove what broken-off puts left behind, and yield the name of each."""
