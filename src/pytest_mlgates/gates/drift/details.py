"""What a comparison of reference and current rows records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from pytest_mlgates.core.details import Count
from pytest_mlgates.core.fields import Limit
from pytest_mlgates.stats.betting import Sums

__all__ = ["Alarm", "Compared", "Kind", "Moments", "Seen"]

#: what one number, one category, and all numbers together are compared by
Kind = Literal["number", "category", "shape"]
Amount = Annotated[float, Limit(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """The sums of bounded observations: all that a bet on their mean needs."""

    n: Count
    total: float
    squares: Amount
    least: float
    most: float

    def __post_init__(self) -> None:
        if self.least > self.most or self.squares * self.n < self.total**2 * (1 - 1e-6):
            raise ValueError("these are not the sums of observations")

    @classmethod
    def of(cls, x: npt.ArrayLike) -> Moments:
        """Return the sums of observations."""
        seen = np.asarray(x, float)
        if not seen.size:
            return cls(n=0, total=0.0, squares=0.0, least=0.0, most=0.0)
        total, squares = float(seen.sum()), float((seen**2).sum())
        return cls(
            n=seen.size,
            total=total,
            squares=squares,
            least=float(seen.min()),
            most=float(seen.max()),
        )

    @property
    def sums(self) -> Sums:
        """The same as the statistics take them."""
        return Sums(self.n, self.total, self.squares, self.least, self.most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """The largest log evidence of a stream's e-detector, at which row, and where the change began."""

    log_e: float
    at: Count
    begin: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One feature, or all numbers together, in the reference and in (a stretch of) the current rows.

    ``distance`` is what the whole of both shows, and ``log_e_beyond`` the log evidence, by a third of
    the rows on the others, that it is more than ``tolerance``. ``reference_squares`` and ``current_squares`` are those of the squared numbers, all of them.
    ``bins`` counts both by the reference's deciles, or by category.
    """

    name: str
    kind: Kind
    rows: tuple[Count, Count]
    distance: Amount
    tolerance: float | None = None
    log_e_beyond: float = 0.0
    reference_squares: Moments | None = None
    current_squares: Moments | None = None
    bins: tuple[tuple[Count, Count], ...] | None = None
    stretch: Count | None = None
    alarm: Alarm | None = None

    def __post_init__(self) -> None:
        if (self.kind == "number") != (self.reference_squares is not None):
            raise ValueError(f"the squares of {self.name!r} do not fit its kind")
        if self.log_e_beyond and (self.tolerance is None or self.distance == 0):
            raise ValueError(f"{self.name!r} has evidence of what it is beyond, and no distance")

    @property
    def where(self) -> str:
        """The feature, in words."""
        of = f" in stretch {self.stretch}" if self.stretch is not None else ""
        return f"{self.name}{of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of both sides; ``unusable`` names features that can't be compared.

    ``of_rows`` is false where the age of the model alone was asked for.
    """

    of_rows: bool
    features: tuple[Compared, ...]
    shapes: tuple[Compared, ...] = ()
    reference_rows: Count
    current_rows: Count
    stream: bool
    same: bool = False
    #: rows of the reference that equal an earlier one, and current rows that equal any before them
    copies: tuple[Count, Count] | None = None
    only_reference: tuple[str, ...] = ()
    only_current: tuple[str, ...] = ()
    unusable: tuple[str, ...] = ()
    age_days: float | None = None
    findings: tuple[str, ...] = ()
