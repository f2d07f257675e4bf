"""When to look at a growing sample, and how much of the error each look may spend.

Group-sequential tests with the error spent over the looks (Bonferroni over the looks; Pocock,
Biometrika 64, 1977; Lan and DeMets, Biometrika 70, 1983): exact at every look whatever the
dependence between looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

__all__ = ["Schedule", "quantile_schedule"]

_LOOKS = (300, 500, 1000, 2000, 5000, 10000, 20000)
#: looks before these, at which what is slow from the first call on need not be waited for
_AT_ONCE = (20, 50)
_FLOOR = 5000
_BLOCK = 100


@dataclass(frozen=True, slots=True)
class Schedule:
    """The numbers of observations at which a verdict may fall.

    ``block`` is the block length for design effects; ``early`` are looks that may only reject what
    fails for most of the observations.
    """

    looks: tuple[int, ...]
    floor: int
    block: int
    early: tuple[int, ...]

    @property
    def pass_looks(self) -> tuple[int, ...]:
        """The looks that may end in a PASS."""
        return tuple(n for n in self.looks if n >= self.floor)

    def fail_error(self, alpha: float) -> float:
        """Return what each look may spend of ``alpha``."""
        return alpha / len(self.looks)

    def pass_error(self, beta: float) -> float:
        """Return what each look that may PASS spends of ``beta``."""
        return beta / max(1, len(self.pass_looks))

    def after(self, n: int) -> int | None:
        """Return the first look beyond ``n``."""
        return next((look for look in self.looks if look > n), None)


@cache
def quantile_schedule(quantile: float, most: int, least: int = 0) -> Schedule:
    """Return the looks of a test of one tail quantile, ending at ``most`` observations.

    No PASS rests on fewer than ``least``, nor on fewer than 5,000 for P99.

    The higher the quantile, the rarer what it is about: the looks grow as 1 / (1 - quantile), but
    never below a fifth of those of P99, so that a block outlasts a burst of 20.

    >>> quantile_schedule(0.99, 20_000).looks
    (20, 50, 300, 500, 1000, 2000, 5000, 10000, 20000)
    >>> quantile_schedule(0.99, 20_000).pass_looks
    (5000, 10000, 20000)
    >>> quantile_schedule(0.99, 140_000).looks[-3:]
    (50000, 100000, 140000)
    >>> quantile_schedule(0.999, 60_000).looks
    (20, 50, 3000, 5000, 10000, 20000, 50000, 60000)
    """
    if not (0 < quantile < 1 and most >= 1):
        raise ValueError(f"no looks for quantile {quantile!r} and {most!r} observations")
    scale = max(0.2, 0.01 / (1.0 - quantile))
    due = [*_AT_ONCE, *(round(n * scale) for n in _LOOKS)]
    while due[-1] < most:  # 5, 10, 20, 50 and so on
        due.append(round(due[-1] * (2.5 if str(round(due[-1] / scale))[0] == "2" else 2)))
    early = tuple(n for n in due[: len(_AT_ONCE) + 1] if n < most)
    looks = (*(n for n in due if n < most), most)
    floor = max(round(_FLOOR * scale), least)
    return Schedule(looks, floor, min(1000, round(_BLOCK * scale)), early)
