"""The largest number of bytes that any window of a given length saw."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["peak_bytes"]

_Array = npt.NDArray[Any]


def peak_bytes(at: _Array, seconds: _Array, sent: _Array, window: float) -> tuple[float, float]:
    """Return the most bytes in any ``window`` seconds, and when that window begins.

    A transfer's bytes are spread evenly over its ``seconds``; with none (0) all go out at once. One
    of the window's two ends belongs to it, whichever makes it fuller: of what goes out at once every
    second, a second holds one. Exact: what a window holds is piecewise linear in its start, so the
    largest is found where either of its ends meets the begin or the end of a transfer.

    >>> peak_bytes(np.array([0.0, 0.5, 3.0]), np.zeros(3), np.array([1.0, 2.0, 2.0]), 1.0)
    (3.0, 0.0)
    >>> peak_bytes(np.array([0.0]), np.array([10.0]), np.array([50.0]), 2.0)[0]
    10.0
    >>> peak_bytes(np.arange(9.0), np.zeros(9), np.ones(9), 1.0)[0]
    1.0
    """
    if not at.size:
        return 0.0, 0.0
    origin = float(at.min())
    begin = at - origin
    end = begin + seconds
    edges = np.unique(np.concatenate([begin, end]))
    starts = np.concatenate([edges, edges - window])
    spread = end > begin
    knots, total = _bytes_by_then(begin[spread], end[spread], sent[spread])
    held = np.interp(starts + window, knots, total) - np.interp(starts, knots, total)
    # t + w - w need not be t again, and a large clock has coarse steps
    hair = max(1e-9 * max(window, 1e-3), 4 * float(np.spacing(np.abs(at).max())))
    once = begin[~spread], sent[~spread], window, hair
    held += np.concatenate(
        [_at_once(*once, starts=edges), _at_once(*once, starts=edges - window, to_the_end=True)]
    )
    best = int(np.argmax(held))
    return float(held[best]), float(starts[best] + origin)


def _bytes_by_then(begin: _Array, end: _Array, sent: _Array) -> tuple[_Array, _Array]:
    """Return the bytes sent by then, at each time where the rate changes."""
    if not begin.size:
        return np.zeros(1), np.zeros(1)
    rate = sent / (end - begin)
    times = np.concatenate([begin, end])
    change = np.concatenate([rate, -rate])
    order = np.argsort(times, kind="stable")
    times, rates = times[order], np.cumsum(change[order])
    grown = np.concatenate([[0.0], np.cumsum(rates[:-1] * np.diff(times))])
    return times, np.asarray(grown)


def _at_once(
    begin: _Array,
    sent: _Array,
    window: float,
    hair: float,
    *,
    starts: _Array,
    to_the_end: bool = False,
) -> _Array:
    """Return what windows hold of what goes out at once: their begin is in them, or their end."""
    order = np.argsort(begin, kind="stable")
    times = begin[order]
    total = np.concatenate([[0.0], np.cumsum(sent[order])])
    off = hair if to_the_end else -hair
    last = np.searchsorted(times, starts + window + off, "left")
    first = np.searchsorted(times, starts + off, "left")
    return np.asarray(total[last] - total[first])
