"""Whether every slice is present in a data set."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pytest_mlgates.core import Evidence, Gate, Judged, Measurement, Outcome, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.reading.slices import label, unique_labels

if TYPE_CHECKING:
    import os

__all__ = ["SliceCoverage"]

_NAMED = 200
_DRAWN = 20
_TOLD = 5


@dataclass(frozen=True, kw_only=True)
class SliceCoverage(Gate):
    """Counts the rows of a training set by slice; each slice must be there often enough.

    What is counted is a fact about this data set, so there is no alpha; nothing is claimed about
    the population it was drawn from. ``slices`` are those that must occur: one that does not FAILs.
    ``min_share`` and ``min_count`` hold for each of them and for each other slice that occurs.
    Several columns make a slice of each combination. Rows without the name of a slice count among
    all rows and belong to none.

    >>> gate = SliceCoverage(min_share=0.05, slices=("left_turn",))
    >>> drives = [{"turn": "highway"}] * 95 + [{"turn": "left_turn"}] * 5
    >>> gate.run(drives, "turn").outcome.value
    'pass'
    >>> print(gate.run(drives[:97], "turn").verdict.reason)
    the slice 'left_turn' is 2 of 97 rows, 2.06 % (min_share 5 %)
    """

    name: ClassVar[str] = "slice_coverage"
    worse: ClassVar[Literal["up", "down"]] = "down"

    min_share: Annotated[
        float | None,
        Limit(tighten="up", gt=0, lt=1),
        "smallest share of the rows that a slice must have",
    ] = None
    min_count: Annotated[
        int | None, Limit(tighten="up", ge=1), "fewest rows that a slice must have"
    ] = None
    slices: Annotated[tuple[str, ...], "slices that must occur"] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_share is None and self.min_count in (None, 1) and not self.slices:
            raise FieldError("", "sets no limit: give slices, min_share or min_count above 1")
        if len(set(self.slices)) < len(self.slices) or not all(n.strip() for n in self.slices):
            raise FieldError("slices", "names a slice twice, or none")

    def measure(
        self,
        rows: Iterable[Any] | str | os.PathLike[str] | Any,
        slice_of: str | Sequence[str] | Callable[[Any], Any],
    ) -> Measurement:
        """Count ``rows``: records, a DataFrame, or the path of a CSV, Parquet or JSON file.

        ``slice_of`` is a column, several columns (each combination is a slice, named
        "turn=left & rain=yes"), a name for each row, or a callable; a list or set it returns names
        several slices.
        """
        from pytest_mlgates.gates.slice_coverage.measure import count_slices

        seen = count_slices(rows, slice_of)
        raw = {**dict.fromkeys(map(label, self.slices), 0), **seen.counts}
        names = unique_labels(raw)
        counts = {names[name]: count for name, count in raw.items()}
        smallest = sorted(counts.items(), key=lambda item: (item[1], item[0]))
        kept = {**{name: counts[name] for name in self.wanted}, **dict(smallest[:_NAMED])}
        least = smallest[0][1] if smallest else 0
        by_share = self.min_share is not None
        return Measurement(
            value=least / max(1, seen.rows) if by_share else least,
            unit="of rows" if by_share else "rows",
            n=seen.rows,
            details={
                "wanted": self.wanted,
                "slices": tuple({"slice": name, "rows": count} for name, count in kept.items()),
                "occur": len(seen.counts),
                "unnamed": seen.unnamed,
                "findings": _findings(smallest, seen.rows, seen.unnamed) + seen.notes,
            },
        )

    @property
    def wanted(self) -> tuple[str, ...]:
        """The slices that must occur, as slices are named in a record."""
        return tuple(unique_labels(map(label, self.slices)).values())

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a slice is missing or too small, PASS where none is."""
        details: Any = measurement.details
        if measurement.n == 0:
            return Verdict(Outcome.INCONCLUSIVE, "there was no row, so nothing is known")
        try:
            if tuple(details["wanted"]) != self.wanted:
                return Verdict(
                    Outcome.ERROR, "rows were counted for another list of slices: count again"
                )
            counts = {str(row["slice"]): _count(row["rows"]) for row in details["slices"]}
            occur, unnamed = _count(details["occur"]), _count(details["unnamed"])
            return self._judge(measurement.n, counts, occur, unnamed)
        except (TypeError, ValueError, LookupError, ArithmeticError) as error:
            wrong = f"its details do not fit together ({type(error).__name__})"
            return Verdict(Outcome.ERROR, f"the measurement can't be judged: {wrong}")

    def _judge(self, n: int, counts: dict[str, int], occur: int, unnamed: int) -> Verdict:
        there = sum(count > 0 for count in counts.values())
        if unnamed > n or there > occur or any(count > n for count in counts.values()):
            raise ValueError
        if set(self.wanted) - set(counts) or (occur and not there):
            raise ValueError
        faults = [fault for name, count in counts.items() if (fault := self._fault(name, count, n))]
        if faults:
            more = f"; and {len(faults) - 1} more slice(s)" if len(faults) > 1 else ""
            return Verdict(Outcome.FAIL, faults[0] + more)
        if not occur:
            return Verdict(
                Outcome.INCONCLUSIVE, f"none of {n} rows has the name of a slice: is it the column?"
            )
        if occur == 1 and not self.slices:
            return Verdict(
                Outcome.INCONCLUSIVE,
                f"all {n} rows are in one slice, {next(iter(counts))!r}: name those that must occur"
                " in `slices`",
            )
        name, least = min(counts.items(), key=lambda item: item[1])
        also = f"; {unnamed} rows have no slice" if unnamed else ""
        return Verdict(
            Outcome.PASS,
            f"the smallest of {occur} slices, {name!r}, is {least} of {n} rows,"
            f" {100 * least / n:.3g} % ({self._limits()}){also}",
        )

    def _fault(self, name: str, count: int, n: int) -> str:
        if count == 0:
            return f"the slice {name!r} is in none of {n} rows"
        small = self.min_share is not None and count / n < self.min_share
        if small or count < (self.min_count or 1):
            return (
                f"the slice {name!r} is {count} of {n} rows, {100 * count / n:.3g} %"
                f" ({self._limits()})"
            )
        return ""

    def _limits(self) -> str:
        share = "" if self.min_share is None else f"min_share {100 * self.min_share:g} %"
        count = "" if self.min_count is None else f"min_count {self.min_count}"
        return ", ".join(filter(None, (share, count))) or "each must occur"

    def evidence(self, judged: Judged, **about: Any) -> Evidence:
        """Name the limit that the measured value is held against: the first that is set."""
        limits = ("min_share", "min_count")
        limit = next((name for name in limits if getattr(self, name) is not None), "min_count")
        return dataclasses.replace(super().evidence(judged, **about), limit=limit)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Return the smallest slices against the limits."""
        n = measurement.n
        rows: Any = measurement.details["slices"]
        if not (n and rows):
            return
        limits = [100 * self.min_share] if self.min_share is not None else []
        limits += [100 * self.min_count / n] if self.min_count is not None else []
        points = [
            Point(row["slice"], 100 * row["rows"] / n, bad=bool(self._fault("", row["rows"], n)))
            for row in sorted(rows, key=lambda row: row["rows"])[:_DRAWN]
        ]
        yield Intervals(
            f"The smallest slices of {n} rows", tuple(points), "% of rows", tuple(limits)
        )


def _findings(smallest: list[tuple[str, int]], n: int, unnamed: int) -> tuple[str, ...]:
    lines = [f"{name}: {count} rows, {100 * count / n:.3g} %" for name, count in smallest if n]
    if len(lines) > 2 * _TOLD:
        middle = f"… {len(lines) - 2 * _TOLD} slices between …"
        lines = [*lines[:_TOLD], middle, *lines[-_TOLD:]]
    if unnamed:
        lines.append(f"{unnamed} of {n} rows have no slice")
    return tuple(lines)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError
    return value
