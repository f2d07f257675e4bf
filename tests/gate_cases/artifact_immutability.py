"""What the shared suites ask of ``artifact_immutability``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.artifact_immutability import ArtifactImmutability

SECRETS = ("ada.lovelace@example.org", "4111-1111-1111-1111")

GATE = ArtifactImmutability(sequences=100)
ALL_FAULTS = ArtifactImmutability(
    sequences=100, faults=("flip", "cut", "lengthen", "empty", "swap", "cut read")
)


class Sound:
    """A store in memory as a store should be: by digest, checked and mended."""

    def __init__(self, disk: dict[str, bytes] | None = None) -> None:
        self.disk: dict[str, bytes] = {} if disk is None else disk

    def put(self, stream: BinaryIO, name: str) -> str:
        content = stream.read()
        reference = self.key(content, name)
        self.disk[reference] = content
        return reference

    def key(self, content: bytes, name: str) -> str:
        return hashlib.sha256(content).hexdigest()

    def get(self, reference: str) -> bytes:
        content = self.disk[reference]
        if hashlib.sha256(content).hexdigest() != reference:
            raise ValueError(f"damaged: {SECRETS[0]}")
        return content

    def reopen(self) -> Sound:
        return type(self)(self.disk)

    def delete(self, reference: str) -> None:
        del self.disk[reference]

    def list(self) -> list[str]:
        return list(self.disk)

    def damage(self, reference: str, change: Callable[[bytes], bytes]) -> None:
        self.disk[reference] = change(self.disk[reference])


class Named(Sound):
    """By name, written over."""

    def key(self, content: bytes, name: str) -> str:
        return f"{SECRETS[1]}/{name}"

    def get(self, reference: str) -> bytes:
        return self.disk[reference]


class Mute(Sound):
    def put(self, stream: BinaryIO, name: str) -> str:
        raise PermissionError(SECRETS[0])


class Once(Sound):
    """Takes one artifact for each ten, and refuses the rest."""

    asked = 0

    def put(self, stream: BinaryIO, name: str) -> str:
        Once.asked += 1
        if Once.asked % 10:
            raise PermissionError(SECRETS[0])
        return super().put(stream, name)


class NoReopen:
    def __init__(self) -> None:
        self._inner = Sound()
        self.put, self.get = self._inner.put, self._inner.get


class Cached(Sound):
    """Answers from a copy in memory that no fault reaches, and outlives a new handle."""

    memory: ClassVar[dict[str, bytes]] = {}

    def put(self, stream: BinaryIO, name: str) -> str:
        reference = super().put(stream, name)
        Cached.memory[reference] = self.disk[reference]
        return reference

    def get(self, reference: str) -> bytes:
        return Cached.memory[reference]


class Undamaged(Sound):
    """Says that it damages, and does not."""

    def damage(self, reference: str, change: Callable[[bytes], bytes]) -> None:
        change(self.disk[reference])


class Awaited(Sound):
    async def put(self, stream: BinaryIO, name: str) -> str:  # type: ignore[override]
        return super().put(stream, name)


class Numbers(Sound):
    def put(self, stream: BinaryIO, name: str) -> Any:
        return len(super().put(stream, name))


class Words(Sound):
    def get(self, reference: str) -> Any:
        return super().get(reference).decode("latin-1")


def sound() -> Evidence:
    """Return the evidence on a store that verifies and mends."""
    return GATE.run(Sound())


def flawed() -> Evidence:
    """Return the evidence on a store that overwrites."""
    return GATE.run(Named())


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no store": lambda: GATE.run(None),
    "a folder's name": lambda: GATE.run("models/"),
    "an object without get": lambda: GATE.run(object()),
    "a store that refuses every put": lambda: GATE.run(Mute()),
    "a store that refuses most puts": lambda: GATE.run(Once()),
    "a store that can't be opened anew": lambda: GATE.run(NoReopen()),
    "a cache that no fault reaches": lambda: GATE.run(Cached()),
    "a damage that does nothing": lambda: GATE.run(Undamaged()),
    "faults that can't be done": lambda: ALL_FAULTS.run(Sound()),
    "an asynchronous store": lambda: GATE.run(Awaited()),
    "references that are numbers": lambda: GATE.run(Numbers()),
    "artifacts as text": lambda: GATE.run(Words()),
}
