"""``score``: transactions from standard input, answered in their order."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from reference_systems.finalgo_fraud.arriving import arriving
from reference_systems.finalgo_fraud.engine import PipelinedEngine

if TYPE_CHECKING:
    from typing import BinaryIO

    from reference_systems.finalgo_fraud.engine import Engine

__all__ = ["Asker", "answer_all", "score"]

_ROWS = 256


class Asker:
    """One line that was asked, and its answer once there is one."""

    __slots__ = ("out", "owed")

    def __init__(self) -> None:
        self.out: list[bytes] = []
        self.owed = 0


def answer_all(engine: Engine, lines: list[bytes | None], seconds: float = 10.0) -> list[bytes]:
    """Return the answers to lines, in their order."""
    askers = []
    for line in lines:
        asker = Asker()
        askers.append(asker)
        engine.read(asker, [line], time.perf_counter())
    deadline = time.perf_counter() + seconds
    while any(not asker.out for asker in askers):
        now = time.perf_counter()
        if isinstance(engine, PipelinedEngine):
            engine.lookup.connect(now)
            engine.settle(now)
            for cards, profiles in engine.lookup.step(now):
                engine.arrived(cards, profiles, now)
        engine.settle(now)
        if now > deadline:
            raise TimeoutError(f"an answer took longer than {seconds:g} s")
        time.sleep(0.0002)
    engine.touched.clear()
    return [asker.out[0] for asker in askers]


def score(engine: Engine, source: BinaryIO) -> None:
    """Answer every line of ``source`` on standard output."""
    for lines in arriving(source):
        for start in range(0, len(lines), _ROWS):
            answers = answer_all(engine, lines[start : start + _ROWS])
            sys.stdout.buffer.write(b"".join(answers))
            sys.stdout.buffer.flush()
