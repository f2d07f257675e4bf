"""Full SHA-256 digests, and streams that are hashed on their way in bounded memory."""

from __future__ import annotations

import contextlib
import hashlib
import queue
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from reference_systems.model_registry.errors import Refused

__all__ = ["BLOCK", "blocks_of", "copy_hashed", "digest_of_blocks", "full_digest", "short"]

#: bytes read at a time
BLOCK = 1 << 20
#: bytes up to which a stream is hashed in the thread that reads it, and blocks that may wait
_ALONE = 4 << 20
_BEHIND = 4

_FULL = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.IGNORECASE)


def full_digest(text: str) -> str:
    """Return the 64 hex digits of a SHA-256, or raise :class:`Refused`.

    A prefix is for people: two artifacts that share the first 12 digits can be made in a minute.

    >>> full_digest("sha256:" + 64 * "A")[:4]
    'aaaa'
    >>> full_digest("7f66ec695d3d")
    Traceback (most recent call last):
        ...
    reference_systems.model_registry.errors.Refused: '7f66ec695d3d' is not a digest: give all 64 hex digits of the SHA-256
    """
    found = _FULL.fullmatch(text.strip())
    if found is None:
        told = text if len(text) <= 80 else f"{text[:77]}..."
        raise Refused(f"{told!r} is not a digest: give all 64 hex digits of the SHA-256")
    return found[1].lower()


def short(digest: str) -> str:
    """Return the first 12 digits, for people.

    >>> short(64 * "a")
    'aaaaaaaaaaaa'
    """
    return digest[:12]


def blocks_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a stream in blocks of at most 1 MiB."""
    while block := stream.read(BLOCK):
        yield block


def digest_of_blocks(blocks: Iterable[bytes]) -> str:
    """Return the hex SHA-256 over blocks of bytes.

    >>> digest_of_blocks([])[:12]
    'e3b0c44298fc'
    """
    sha = hashlib.sha256()
    for block in blocks:
        sha.update(block)
    return sha.hexdigest()


def copy_hashed(blocks: Iterable[bytes], target: BinaryIO) -> tuple[str, int]:
    """Write blocks to ``target``; return the hex SHA-256 and the number of bytes written.

    A long stream is hashed in a thread beside the reading and writing, a few blocks behind.
    """
    sha, size = hashlib.sha256(), 0
    with contextlib.ExitStack() as stack:
        hash_block = sha.update
        for block in blocks:
            if size <= _ALONE < size + len(block):
                hash_block = stack.enter_context(_beside(sha.update))
            hash_block(block)
            target.write(block)
            size += len(block)
    return sha.hexdigest(), size


@contextlib.contextmanager
def _beside(update: Callable[[bytes], None]) -> Iterator[Callable[[bytes], None]]:
    """Give what hands blocks to ``update`` in a thread; on the way out all have been handed over."""
    waiting: queue.Queue[bytes | None] = queue.Queue(_BEHIND)

    def work() -> None:
        while (block := waiting.get()) is not None:
            update(block)

    thread = threading.Thread(target=work, name="sha256", daemon=True)
    thread.start()
    try:
        yield waiting.put
    finally:
        waiting.put(None)
        thread.join()
