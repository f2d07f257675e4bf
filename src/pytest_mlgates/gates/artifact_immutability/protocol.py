"""What a store has to offer to be gated, and what it may offer so that more can be looked for."""

from __future__ import annotations

from typing import BinaryIO, Protocol, runtime_checkable

__all__ = ["OFFERS", "Store", "offered"]

#: methods that a store may offer: what can't be looked for without them
OFFERS = {
    "reopen": "whether a store that remembers nothing still has it",
    "delete": "deletion, and a put after it",
    "list": "whether the list names all that is stored",
    "rename": "renaming onto a name that is taken",
    "damage": "bits that flip, files that are cut, lengthened, emptied or swapped",
    "cut_reads": "reads that are cut off on the way",
    "kill_put": "a put that the system kills",
}


@runtime_checkable
class Store(Protocol):
    """A store of artifacts. Any object with ``put`` and ``get`` will do; wrap yours in a few lines.

    A *reference* is whatever ``put`` gives back: a digest, a key with its version, a name. What is
    held against the store is that a reference, once given, stands for the bytes it was given for,
    for ever. Whatever a method raises is a refusal, and that is always allowed but where the store
    has acknowledged the artifact and nothing happened to it.

    Beyond these two, a store may have any of

    * ``reopen() -> Store``: a new store over the same storage that remembers nothing, as after a
      restart. Without it a store can't be told from a cache, and nothing passes.
    * ``delete(reference)``, ``list() -> iterable of references``
    * ``rename(reference, name) -> reference``: under a new name
    * ``damage(reference, change)``: replace the stored bytes, in every copy, by ``change(bytes)``,
      behind the store's back
    * ``cut_reads(keep)``: from now on what is read from the storage ends after ``keep`` bytes;
      ``cut_reads(None)`` ends that
    * ``kill_put(content, name, at)``: begin a put of these bytes in a process of its own and kill
      that process; ``at`` from 0 to 1 says how far on

    What is not offered is named in the verdict as not looked for.
    """

    def put(self, stream: BinaryIO, name: str, /) -> str:
        """Store what the stream gives and return the reference it is acknowledged under."""

    def get(self, reference: str, /) -> bytes:
        """Return the artifact, or raise."""


def offered(store: object) -> tuple[str, ...]:
    """Return which of :data:`OFFERS` a store has."""
    return tuple(name for name in OFFERS if callable(getattr(store, name, None)))
