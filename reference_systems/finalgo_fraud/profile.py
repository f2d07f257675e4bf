"""What is known of a card, and what a transaction looks like against it.

A profile has a fixed layout of 36 bytes, in the local table and in the store alike. A transaction
becomes ``COLUMNS`` whole numbers, each the place of a weight: the same for scoring, for the log of
decisions and for learning, so that what is learned is exactly what was scored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COLUMNS", "PLACES", "PROFILE", "observe"]

PROFILE = np.dtype(
    [
        ("last", "<f8"),  # when its last transaction was, seconds since 1970
        ("seen", "<u8"),  # merchants seen, a bit for each of 64 groups
        ("n", "<f4"),  # transactions seen
        ("mean", "<f4"),  # of the logarithm of the amount, moving
        ("var", "<f4"),
        ("hour", "<f4"),  # transactions, decaying with an hour
        ("day", "<f4"),  # amount, decaying with a day
    ]
)
#: sizes of the columns: amount, deviation, gap, count, sum, hour, merchant, new merchant, and crosses
_SIZES = (16, 16, 16, 16, 16, 24, 256, 8, 64, 32, 64, 1024)
COLUMNS = len(_SIZES)
PLACES = sum(_SIZES)
_STARTS = np.cumsum((0, *_SIZES[:-1])).astype(np.int64)[:, None]
#: a clock that goes back by more than this has jumped: the gap is unknown
_JUMP = 3600.0


def observe(
    rows: NDArray[np.void],
    amount: NDArray[np.float64],
    time: NDArray[np.float64],
    merchant: NDArray[np.int64],
) -> NDArray[np.uint16]:
    """Return places of shape (n, COLUMNS) and bring ``rows``, one for each, up to date.

    Every row is another card; the same card twice takes two calls, in order.

    >>> rows = np.zeros(1, PROFILE)
    >>> observe(rows, np.array([9.0]), np.array([60.0]), np.array([5])).shape, float(rows["n"][0])
    ((1, 12), 1.0)
    """
    n, seen = rows["n"], rows["seen"]
    log = np.log1p(amount)
    first = n == 0
    gap = time - rows["last"]
    unknown = first | (gap < -_JUMP)
    gap = np.maximum(gap, 0.0)
    gap[unknown] = 0.0
    hour = rows["hour"] * np.exp(gap / -3600.0)
    day = rows["day"] * np.exp(gap / -86400.0)
    off = log - rows["mean"]
    size = np.minimum(log * 1.6, 15).astype(np.int64)
    deviation = np.clip((off / np.sqrt(rows["var"] + 0.05) + 4) * 2, 0, 15).astype(np.int64)
    deviation[first] = 8
    apart = np.minimum(np.log2(gap + 1) * 0.8, 14).astype(np.int64)
    apart[unknown] = 15
    count = np.minimum(np.log2(hour + 1) * 3, 15).astype(np.int64)
    spent = np.minimum(np.log1p(day) * 1.6, 15).astype(np.int64)
    clock = (time // 3600 % 24).astype(np.int64)
    group = merchant & 255
    bit = np.left_shift(np.uint64(1), (merchant >> 8 & 63).astype(np.uint64))
    new = ((seen & bit) == 0).astype(np.int64)
    places = np.empty((COLUMNS, len(rows)), np.int64)
    places[:6] = size, deviation, apart, count, spent, clock
    places[6] = group
    places[7] = new * 4 + np.minimum(np.log2(n + 1), 3).astype(np.int64)
    places[8] = clock // 6 * 16 + size
    places[9] = new * 16 + size
    places[10] = apart // 2 * 8 + count // 2
    places[11] = group * 4 + size // 4
    places += _STARTS
    share = np.maximum(1 / (n + 1.0), 0.05)
    rows["mean"] += share * off
    rows["var"] = (1 - share) * (rows["var"] + share * off * off)
    rows["hour"], rows["day"] = hour + 1, np.minimum(day + amount, 1e30)
    rows["seen"] = seen | bit
    rows["last"] = np.where(unknown, time, np.maximum(time, rows["last"]))
    rows["n"] = np.minimum(n + 1, 1e6)
    return places.T.astype(np.uint16)
