"""Names that point at artifacts, with a history that can only grow.

Each promotion is an entry of its own, numbered without gaps; it holds the SHA-256 of the entry
before it and is written only where its number is free. So an entry that was changed, left out or
put in shows. That the *last* entries were removed does not show in a folder; on S3 the object lock
refuses it, and an entry with a second version or a delete marker is called tampered with.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pytest_mlgates.core.canonical import canonical, parse
from reference_systems.model_registry.digests import full_digest
from reference_systems.model_registry.errors import Damaged, NotThere, Refused

if TYPE_CHECKING:
    from reference_systems.model_registry.backend import Version
    from reference_systems.model_registry.store import ContentStore

__all__ = ["Entry", "Pointers", "pointer_name"]

_SCHEMA = "urn:pytest-mlgates:model-registry:pointer:v1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_LARGEST = 1 << 20
_ROUNDS = 50


def pointer_name(text: str) -> str:
    """Return a name that may point, or raise :class:`Refused`.

    >>> pointer_name("fraud/v1")
    Traceback (most recent call last):
        ...
    reference_systems.model_registry.errors.Refused: 'fraud/v1' is not a name: letters, digits and . _ - (up to 100, a letter or digit first)
    """
    if not _NAME.fullmatch(text):
        told = text if len(text) <= 80 else f"{text[:77]}..."
        raise Refused(
            f"{told!r} is not a name: letters, digits and . _ - (up to 100, a letter or digit first)"
        )
    return text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One promotion: which artifact, in which stored version, when, by which signed report."""

    name: str
    sequence: int
    digest: str
    version: str
    manifest: str
    when: str
    report: str
    signer: str
    gates: tuple[str, ...]
    previous: str

    def to_bytes(self) -> bytes:
        """Return the canonical JSON (RFC 8785)."""
        return canonical({"schema": _SCHEMA, **dataclasses.asdict(self)})

    @classmethod
    def read(cls, data: bytes) -> Entry:
        """Read what :meth:`to_bytes` wrote; ValueError, TypeError or KeyError where it is not."""
        plain: dict[str, Any] = dict(parse(data))
        if plain.pop("schema") != _SCHEMA:
            raise ValueError("another schema")
        entry = cls(**{**plain, "gates": tuple(plain["gates"])})
        full_digest(entry.digest)
        if entry.to_bytes() != data:
            raise ValueError("not canonical")
        return entry


class Pointers:
    """The histories of a store."""

    def __init__(self, store: ContentStore) -> None:
        self._store, self._backend = store, store.backend

    def history(self, name: str) -> list[Entry]:
        """Return all entries of a name, the oldest first, each held against the one before.

        Raises :class:`NotThere` for a name that never pointed, :class:`Damaged` where the history
        is not as it was written.
        """
        entries = [entry for entry, _ in self._read(pointer_name(name))]
        if not entries:
            raise NotThere(f"{self._backend.where}: {name} points at nothing: promote first")
        return entries

    def append(self, name: str, **facts: Any) -> Entry:
        """Add an entry after the last one; where another writer was first, after theirs."""
        for _ in range(_ROUNDS):
            known = list(self._read(pointer_name(name)))
            previous = known[-1][1] if known else ""
            number = len(known) + 1
            entry = Entry(name=name, sequence=number, previous=previous, **facts)
            if self._store.put_under(_key(name, number), entry.to_bytes()) is not None:
                return entry
        raise Refused(f"{name}: other promotions were first {_ROUNDS} times: try again")

    def names(self) -> list[str]:
        """Return all names that point, in order."""
        found = self._backend.under("pointers/")
        return sorted({version.key.split("/")[1] for version in found})

    def _read(self, name: str) -> Iterator[tuple[Entry, str]]:
        """Yield each entry with the SHA-256 of its bytes."""
        previous = ""
        found = _by_key(self._backend.under(f"pointers/{name}/"))
        for number, versions in enumerate(found, 1):
            where = f"{self._backend.where}: the history of {name} was tampered with: "
            if versions[0].key != _key(name, number):
                raise Damaged(f"{where}entry {number} is not there")
            if len(versions) > 1 or versions[0].deleted:
                raise Damaged(f"{where}entry {number} has been written or deleted again")
            if versions[0].size > _LARGEST:
                raise Damaged(f"{where}entry {number} is too large")
            data = b"".join(self._backend.blocks(versions[0].key, versions[0].version))
            try:
                entry = Entry.read(data)
            except (ValueError, TypeError, KeyError, RecursionError, Refused):
                raise Damaged(f"{where}entry {number} can't be read") from None
            if (entry.name, entry.sequence, entry.previous) != (name, number, previous):
                raise Damaged(f"{where}entry {number} does not follow the one before it")
            previous = hashlib.sha256(data).hexdigest()
            yield entry, previous


def _key(name: str, number: int) -> str:
    return f"pointers/{name}/{number:08d}"


def _by_key(found: Iterator[Version]) -> Iterator[list[Version]]:
    group: list[Version] = []
    for version in found:
        if group and version.key != group[0].key:
            yield group
            group = []
        group.append(version)
    if group:
        yield group
