"""Whether every slice is present in a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pytest_mlgates.core import Gate, Headline, Measurement, Outcome, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.slice_coverage.details import Seen
from pytest_mlgates.gates.slice_coverage.judge import Limits, headline, judge
from pytest_mlgates.reading.slices import recorded

if TYPE_CHECKING:
    import os

__all__ = ["SliceCoverage"]

#: slices that a picture shows
MAX_DRAWN = 20


@dataclass(frozen=True, kw_only=True)
class SliceCoverage(Gate):
    """Counts the rows of a training set by slice; each slice must be there often enough.

    What is counted is a fact about this data set, so there is no alpha; nothing is claimed about
    the population it was drawn from. ``slices`` are those that must occur: one that does not FAILs.
    ``min_share`` and ``min_count`` hold for each of them and for each other slice that occurs.
    Several columns make a slice of each combination; one that never occurs is missed only where it
    stands in ``slices``. Rows without the name of a slice belong to none, and more than
    ``max_unnamed`` of them leave it open. Where rows hang together (frames of a clip, copies), name
    the column that tells them apart in ``unit``: its distinct values are counted.

    >>> gate = SliceCoverage(min_share=0.05, slices=("left_turn",))
    >>> drives = [{"turn": "highway"}] * 95 + [{"turn": "left_turn"}] * 5
    >>> gate.run(drives, "turn").outcome.value
    'pass'
    >>> print(gate.run(drives[:97], "turn").verdict.reason)
    the slice 'left_turn' is 2 of 97 rows, 2.06 % (min_share 5 %)

    Not seen: whether the rows of a slice are any good, and copies where no ``unit`` is named.

    To mend: collect rows of the slice that is named, or look for them in what is stored.
    Weights add none.
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
    max_unnamed: Annotated[
        float,
        Limit(tighten="down", ge=0, lt=1),
        "largest share of rows without the name of a slice",
    ] = 0.0
    unit: Annotated[
        str | None, "the column whose distinct values are counted, a clip's, say; null counts rows"
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_share is None and self.min_count in (None, 1) and not self.slices:
            raise FieldError("", "sets no limit: give slices, min_share or min_count above 1")
        if len(set(self.slices)) < len(self.slices) or not all(n.strip() for n in self.slices):
            raise FieldError("slices", "holds a slice twice, or a blank name")

    def measure(
        self,
        rows: Iterable[object] | str | os.PathLike[str] | Any,
        slice_of: str | Sequence[str] | Callable[[Any], object],
        *,
        unit: str | Callable[[Any], object] | None = None,
    ) -> Measurement:
        """Count ``rows``: records, a DataFrame, or the path of a CSV, Parquet or JSON file.

        ``slice_of`` is a column, several columns (each combination is a slice, named
        "turn=left & rain=yes"), a name for each row, or a callable; a list or set it returns names
        several slices. ``unit`` is a column or a callable, in place of the policy's.
        """
        from pytest_mlgates.gates.slice_coverage.measure import count_slices

        by_share = self.min_share is not None
        unit = self.unit if unit is None else unit
        return count_slices(rows, slice_of, self.slices, by_share=by_share, unit=unit)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen), measurement.n, by_share=self.min_share is not None)

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a slice is missing or too small, PASS where none is."""
        if measurement.n == 0:
            return Verdict(Outcome.INCONCLUSIVE, "there was no row, so nothing is known")
        seen = measurement.read(Seen)
        if seen.wanted != recorded(self.slices):
            return Verdict(
                Outcome.ERROR, "rows were counted for another list of slices: count again"
            )
        return judge(seen, measurement.n, self._limits)

    def limit_field(self) -> str:
        """Return the limit in the unit of what is measured."""
        return "min_count" if self.min_share is None else "min_share"

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Return the smallest slices against the limits."""
        n, limits = measurement.n, []
        seen = measurement.read(Seen)
        if not (n and seen.slices):
            return
        if self.min_share is not None:
            limits.append(100 * self.min_share)
        if self.min_count is not None:
            limits.append(100 * self.min_count / n)
        points = tuple(
            Point(row.slice, 100 * row.rows / n, bad=bool(self._limits.reason_to_fail(row, n)))
            for row in sorted(seen.slices, key=lambda row: row.rows)[:MAX_DRAWN]
        )
        yield Intervals(
            f"The smallest slices of {n} {seen.noun}", points, f"% of {seen.noun}", tuple(limits)
        )

    @property
    def _limits(self) -> Limits:
        return Limits(self.min_share, self.min_count, self.max_unnamed)
