"""What a gate can show of a measurement: plain data, drawn by whoever writes a report."""

from __future__ import annotations

import dataclasses

__all__ = ["Histogram", "Intervals", "Lines", "Picture", "Point", "Shares"]


@dataclasses.dataclass(frozen=True, slots=True)
class Point:
    """A named number; ``low`` and ``high`` are the ends of its interval, where it has one."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    bad: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Intervals:
    """Numbers of one unit, one a row, against the limits (a forest plot)."""

    title: str
    points: tuple[Point, ...]
    unit: str = ""
    limits: tuple[float, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between ``edges`` (one more than counts); ``marks`` are numbers on the same axis."""

    title: str
    edges: tuple[float, ...]
    counts: tuple[float, ...]
    unit: str = ""
    limit: float | None = None
    marks: tuple[Point, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Shares:
    """Parts of a whole side by side, those that are ``bad`` hatched; the whole is held against the limit."""

    title: str
    parts: tuple[Point, ...]
    unit: str = ""
    limit: float | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Lines:
    """One number as it went, with its interval, against the limits: by look, by run, by week.

    The points stand ``at`` these numbers of ``along``, or evenly and named by their labels where
    there are none.
    """

    title: str
    points: tuple[Point, ...]
    unit: str = ""
    limits: tuple[float, ...] = ()
    at: tuple[float, ...] = ()
    along: str = ""


#: what :meth:`pytest_mlgates.core.Gate.pictures` returns any number of
Picture = Intervals | Histogram | Shares | Lines
