"""From numbers to places on a picture, and the round numbers written under them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

__all__ = ["Axis"]

#: from this ratio of largest to smallest on, an axis of positive numbers is logarithmic
_WIDE = 40.0


@dataclasses.dataclass(frozen=True, slots=True)
class Axis:
    """An axis from ``low`` to ``high`` over ``left`` to ``right`` on the picture.

    >>> axis = Axis.over([0.2, 9.0], 0, 100)
    >>> axis.log, axis.ticks()
    (True, [0.2, 0.5, 1.0, 2.0, 5.0, 10.0])
    >>> Axis.over([0, 30], 0, 100).place(15)
    50.0
    """

    low: float
    high: float
    left: float
    right: float
    log: bool = False

    @classmethod
    def over(
        cls, values: Iterable[float], left: float, right: float, *, zero: bool = False
    ) -> Axis:
        """Return an axis that all ``values`` fit on, and zero where asked for or near."""
        numbers = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
        low, high = min(numbers), max(numbers)
        if not zero and low > 0 and high / low > _WIDE:
            return cls(
                _rounded_up(low, up=False), _rounded_up(high, up=True), left, right, log=True
            )
        if zero or (low >= 0 and low < high / 2):
            low, high = min(low, 0.0), max(high, 0.0)
        if low == high:
            low, high = (low, low + 1.0) if low == 0 else sorted((0.0, 2.0 * low))
        step = _tick_step(high - low)
        return cls(math.floor(low / step) * step, math.ceil(high / step) * step, left, right)

    def place(self, value: float) -> float:
        """Return where a number stands; one beyond an end stands at that end."""
        value = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(self.left + share * (self.right - self.left), 1)

    def ticks(self) -> list[float]:
        """Return some round numbers from end to end."""
        if not self.log:
            step = _tick_step(self.high - self.low)
            count = round((self.high - self.low) / step)
            # the multiples of a step are not exact: 3 * 0.1 is not 0.3
            return [float(f"{self.low + i * step:.12g}") for i in range(count + 1)]
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        digits = (1, 2, 5) if last - first <= 3 else (1,)
        every = max(1, (last - first) // 6)
        marks = [d * 10.0**power for power in range(first, last + 1, every) for d in digits]
        return [mark for mark in marks if self.low <= mark * 1.0001 and mark <= self.high * 1.0001]


def _tick_step(span: float) -> float:
    """Return a round step that divides a span into about five."""
    rough = span / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return next(d * power for d in (1.0, 2.0, 5.0, 10.0) if d * power >= rough * 0.999)


def _rounded_up(value: float, *, up: bool) -> float:
    """Return the next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    marks = [d * power for d in (1.0, 2.0, 5.0, 10.0)]
    if up:
        return next(mark for mark in marks if mark >= value * (1 - 1e-9))
    return next(mark for mark in reversed(marks) if mark <= value * (1 + 1e-9))
