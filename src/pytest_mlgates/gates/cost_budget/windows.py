"""Times in which a resource was of no use, and what is known of the resources of a bill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

__all__ = ["GAP", "IDLE", "OPEN", "UNATTACHED", "Inventory", "Window", "without"]

IDLE, UNATTACHED = "idle_gpu_pods", "unattached_volumes"
#: the end of what has not ended
OPEN = 1 << 40
#: observations that are this close follow each other, in seconds
GAP = 60


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which a resource was of no use.

    Its cost is that of the first of ``resources`` that the charges know; else ``share`` of what
    ``node`` costs, or ``pool_share`` of ``pool``, with which the node is billed. A share is None
    where that cost can't be split.
    """

    rule: str
    name: str
    resources: tuple[str, ...]
    start: int
    end: int
    why: str
    gpus: float = 0
    node: str = ""
    share: Fraction | None = None
    pool: str = ""
    pool_share: Fraction | None = None

    def until(self, through: int) -> int:
        """Return the end, or ``through`` where it has not ended."""
        return min(self.end, through)


@dataclass(slots=True)
class Inventory:
    """What is known of the resources in a bill; ``sources`` are what collectors read it from."""

    kinds: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    namespaces: dict[str, str] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    gpu_pods: int = 0
    sources: list[str] = field(default_factory=list)
    example: str = ""

    def priced(self) -> set[str]:
        """Return the ids whose charges are needed."""
        ids = {name for window in self.windows for name in window.resources}
        return ids | {n for window in self.windows for n in (window.node, window.pool) if n}


def without(
    idle: Iterable[tuple[int, int, str]], busy: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int, str]]:
    """Yield idle times without the busy ones.

    >>> list(without([(0, 10, "idle")], [(4, 6)]))
    [(0, 4, 'idle'), (6, 10, 'idle')]
    """
    cuts = sorted(busy)
    for start, end, why in idle:
        left = start
        for begin, finish in cuts:
            if finish <= left or begin >= end:
                continue
            if left < begin:
                yield left, begin, why
            left = max(left, finish)
        if left < end:
            yield left, end, why
