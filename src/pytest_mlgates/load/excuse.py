"""Which late calls others on the machine can have made late, from who used the cores meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Calls", "others_doing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """When calls were due and ended, in seconds on the clock of the samples, in order of due.

    ``answered`` tells which ended with a right answer, ``lag`` how late each was begun.
    """

    due: NDArray[np.float64]
    end: NDArray[np.float64]
    answered: NDArray[np.bool_]
    lag: NDArray[np.float64]


def others_doing(
    calls: Calls, over: NDArray[np.bool_], limit_s: float, samples: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which calls over the limit others can have made late.

    A call is excused where its overshoot is no more than what others can have taken of its own
    time, and of the time of those that it queued behind. What it inherits of them is no more than
    what each of them was late beyond the quickest answer of all: a subject that is always slow
    inherits nothing.

    What others can have taken is the time that the subject's threads and the load's were ready to
    run and did not, and never more than the CPU that others used, nor than the time itself.
    ``samples`` are rows of a ``Sampler``.
    """
    if not over.any():
        return np.zeros(len(over), bool)
    times, taken = samples[:, 0], _taken(samples)
    due, end = calls.due, calls.end
    at_due, at_end = np.interp(due, times, taken), np.interp(end, times, taken)
    # outwards to whole intervals: what samples can't place may lie inside
    first = np.maximum(np.searchsorted(times, due, "right") - 1, 0)
    last = np.minimum(np.searchsorted(times, end, "left"), len(times) - 1)
    slack = (taken[last] - at_end) + (at_due - taken[first])
    known = calls.answered
    quickest = float((end - due)[known].min()) if known.any() else 0.0
    held = _inherited(due.tolist(), end.tolist(), at_due.tolist(), at_end.tolist(), quickest)
    found: NDArray[np.bool_] = over & (end - due - limit_s <= held + slack + calls.lag)
    return found


def _inherited(
    due: list[float],
    end: list[float],
    at_due: list[float],
    at_end: list[float],
    quickest: float,
) -> NDArray[np.float64]:
    """Return for each request what others took of its time and of the queue ahead of it."""
    found = np.empty(len(due))
    before = excuse = late = -1.0  # of the request ahead that ended last: end, excuse, lateness
    taken = 0.0
    for i, (start, stop, mine, done) in enumerate(zip(due, end, at_due, at_end, strict=True)):
        own = done - mine
        if start < before:
            own = max(own, min(excuse, late) + max(0.0, done - taken))
        found[i] = own
        if stop >= before:
            before, excuse, late, taken = stop, own, max(0.0, stop - start - quickest), done
    return found


def _taken(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seconds that others can have taken up to each sample.

    The kernel books a wait when it ends, so what is more than an interval holds goes back to those
    before it.
    """
    steps = np.maximum(np.diff(samples, axis=0), 0.0)
    span, delay, own, others, steal = (steps[:, i] for i in (0, 2, 3, 4, 5))
    # the clock of /proc/stat ticks a hundred times a second
    room = np.minimum(span, others + steal + 0.01).tolist()
    waits = (delay + own + steal).tolist()
    taken = np.zeros(len(room))
    spilt = 0.0
    for i in range(len(room) - 1, -1, -1):
        wanted = waits[i] + spilt
        taken[i] = min(wanted, room[i])
        spilt = wanted - taken[i]
    return np.concatenate([[0.0], np.cumsum(taken)])
