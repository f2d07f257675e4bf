"""JSON Lines in, JSON Lines out: one answer for each line, in order, as soon as it is ready."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from reference_systems.parts.commands import BadLine, lines, record

__all__ = ["answers"]

#: lines that are answered together, where they have come already
_MOST = 2_000
_LONGEST = 1 << 20

Line = dict[str, Any]
Answers = Sequence[Line | BadLine]


def answers(stream: BinaryIO, answer: Callable[[list[Line]], Answers]) -> Iterator[Line]:
    """Yield the answer to each line of ``stream``; ``answer`` takes those that have come.

    Who writes one line and waits gets its answer; who writes thousands has them answered together.
    """
    for batch in _batches(stream):
        parsed = [_parsed(text) for text in batch]
        good = [line for line in parsed if isinstance(line, dict)]
        found = iter(answer(good) if good else ())
        for line in parsed:
            if line is None:
                continue
            result = next(found) if isinstance(line, dict) else line
            told = {"error": str(result)} if isinstance(result, BadLine) else dict(result)
            head = {"id": line.get("id")} if isinstance(line, dict) else {"id": None}
            yield {**head, **told}


def _batches(stream: BinaryIO) -> Iterator[list[bytes | BadLine]]:
    """Read in a thread of its own, so that what has come is answered while more is on its way."""
    coming: queue.Queue[bytes | BadLine | None] = queue.Queue(4 * _MOST)

    def read() -> None:
        try:
            for line in lines(stream, _LONGEST):
                coming.put(line)
        except OSError as error:
            coming.put(BadLine(f"can't be read: {error.strerror}"))
        coming.put(None)

    threading.Thread(target=read, daemon=True).start()
    ended = False
    while not ended:
        batch = [coming.get()]
        while batch[-1] is not None and len(batch) < _MOST:
            try:
                batch.append(coming.get_nowait())
            except queue.Empty:
                break
        if batch[-1] is None:
            ended = True
        yield [text for text in batch if text is not None]


def _parsed(text: bytes | BadLine) -> Line | BadLine | None:
    """Return a line, what is wrong with it, or None where it is blank."""
    if isinstance(text, BadLine):
        return text
    if not text.strip():
        return None
    try:
        return record(text, '{"id": 1, "customer_id": 123}')
    except BadLine as fault:
        return fault
