"""Latencies as HdrHistograms: exact to three digits, and what several wrote can be added up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Histogram", "merged", "of_seconds", "quantile_s"]

#: in microseconds: what is quicker counts as one, what is slower than a day as a day
_LEAST, _MOST, _DIGITS = 1, 86_400_000_000, 3


class Histogram(Protocol):
    """What is used of an HdrHistogram."""

    total_count: int

    def record_value(self, value: int, count: int = 1) -> bool:
        """Count a value."""

    def get_value_at_percentile(self, percentile: float) -> float:
        """Return the value that so many percent do not exceed."""

    def decode_and_add(self, encoded: bytes) -> None:
        """Add what another one wrote."""

    def encode(self) -> bytes:
        """Return it in the format that all HdrHistograms read."""


def _empty() -> Histogram:
    from hdrh.histogram import HdrHistogram

    return cast("Histogram", HdrHistogram(_LEAST, _MOST, _DIGITS))


def of_seconds(values: NDArray[np.float64]) -> Histogram:
    """Return times in seconds as a histogram in microseconds."""
    found = _empty()
    whole = np.clip(np.ceil(values * 1e6), _LEAST, _MOST).astype(np.int64)
    for value, count in zip(*np.unique(whole, return_counts=True), strict=True):
        found.record_value(int(value), int(count))
    return found


def quantile_s(histogram: Histogram, q: float) -> float:
    """Return the value in seconds that a share ``q`` does not exceed, to three digits.

    By whole ranks, as for values themselves; the histogram's own percentiles round them.
    """
    count = histogram.total_count
    rank = max(1, int(np.ceil(q * count - 1e-9)))
    return histogram.get_value_at_percentile(100 * rank / max(1, count)) / 1e6


def merged(encoded: Iterable[str]) -> Histogram:
    """Return what several histograms hold together."""
    found = _empty()
    for one in encoded:
        found.decode_and_add(one.encode())
    return found
