"""Whether what goes over an uplink stays inside its budget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pytest_mlgates.core import Headline, Measurement, Needs, StatisticalGate, Verdict
from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.gates.bandwidth_budget.details import Seen
from pytest_mlgates.gates.bandwidth_budget.judge import Limits, headline, judge

if TYPE_CHECKING:
    import os

    from pytest_mlgates.gates.bandwidth_budget.transfers import Transfer

__all__ = ["BandwidthBudget"]


@dataclass(frozen=True, kw_only=True)
class BandwidthBudget(StatisticalGate):
    """Judges the byte counters of an uplink by up to three limits; each that is set must hold.

    All are facts about these transfers, which can't be wrong: ``max_ratio`` is a ratio of sums, not
    a mean of ratios. With ``max_source_bytes``, what a source's link can carry in the time covered,
    the ratio is a claim about the fleet that the sources are drawn from, with the source as the
    unit: bounds by betting, in which a source heavier than any that was seen has its place. That
    takes sources that are independent of each other: a common route or release makes them alike.

    >>> gate = BandwidthBudget(max_ratio=0.001)
    >>> fleet = [
    ...     {"sent_bytes": 400 + n, "raw_bytes": 10**6, "source": f"truck-{n}"} for n in range(50)
    ... ]
    >>> gate.run(fleet).outcome.value
    'pass'
    >>> gate.run([{**record, "sent_bytes": 10**6} for record in fleet]).outcome.value
    'fail'

    Not seen: traffic that no counter has, and what a route or a release in common does to all
    sources at once.

    To mend: begin with the source and the window that are named: send results in place of raw
    data, on change, or sampled.

    Source: Waudby-Smith and Ramdas 2024 (means of bounded variables by betting).
    """

    name: ClassVar[str] = "bandwidth_budget"
    extra: ClassVar[str | None] = "scale"

    max_ratio: Annotated[
        float | None,
        Limit(tighten="down", gt=0),
        "bytes sent over raw bytes, all sources together, is at most this",
    ] = None
    max_mbps: Annotated[
        float | None,
        Limit(tighten="down", gt=0, unit="Mbit/s"),
        "highest rate of an uplink, mean over any window_s (10^6 bits)",
    ] = None
    max_bytes: Annotated[
        int | None,
        Limit(tighten="down", gt=0, unit="bytes"),
        "most bytes that an uplink sends in all transfers given",
    ] = None
    shared_uplink: Annotated[
        bool, "all sources send over one uplink; false where each source has its own"
    ] = True
    window_s: Annotated[
        float, Limit(gt=0, le=86_400, unit="s"), "length of the window that a rate is taken over"
    ] = 1.0
    totals: Annotated[
        bool,
        "a record without `seconds` is the total since the one before of its source, as a counter"
        " gives that is read now and then; false where its bytes go out at once",
    ] = False
    max_source_bytes: Annotated[
        int | None,
        Limit(gt=0, unit="bytes"),
        "most bytes that a source can send in the time covered (rate of its link x time); with it"
        " the ratio is a claim about the fleet",
    ] = None
    max_source_raw_bytes: Annotated[
        int | None,
        Limit(gt=0, unit="bytes"),
        "most raw bytes that a source can have, for a FAIL of that claim; by default ten times the"
        " most seen",
    ] = None
    min_sources: Annotated[
        int, Limit(tighten="up", ge=10), "fewest sources that the ratio is judged on"
    ] = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_ratio is None and self.max_mbps is None and self.max_bytes is None:
            raise FieldError("", "sets no limit: give max_ratio, max_mbps or max_bytes")
        if self.max_source_bytes is None and self.max_source_raw_bytes is not None:
            raise FieldError("max_source_raw_bytes", "needs max_source_bytes")

    def needs(self) -> Needs:
        """Return the sources that a verdict on the ratio takes; the other limits are facts."""
        least = self.min_sources if self.max_ratio is not None else 1
        return Needs(to_pass=least, to_fail=least, unit="sources")

    def measure(
        self,
        transfers: Iterable[Transfer | dict[str, Any]] | str | os.PathLike[str] | Any,
    ) -> Measurement:
        """Add up the counters: records, a DataFrame, or the path of a CSV or Parquet file.

        A record has ``sent_bytes``; ``raw_bytes`` and ``source`` for max_ratio; ``at`` (when it
        began) and ``seconds`` (how long it took; where absent, see ``totals``) for max_mbps.
        """
        from pytest_mlgates.gates.bandwidth_budget.measure import Plan, measure_transfers

        plan = Plan(
            ratio=self.max_ratio is not None,
            rate=self.max_mbps is not None,
            shared_uplink=self.shared_uplink,
            window_s=self.window_s,
            totals=self.totals,
            by_source=self.max_source_bytes is not None,
            headline=self.limit_field(),
        )
        return measure_transfers(transfers, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(
            measurement.read(Seen), measurement.n, self.limit_field(), measurement.interval
        )

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a limit is broken, PASS where each that is set holds."""
        seen = measurement.read(Seen)
        counted = (seen.shared_uplink, seen.window_s, seen.totals)
        if counted != (self.shared_uplink, self.window_s, self.totals):
            raise Unfit(
                f"bytes were counted over windows of {seen.window_s:g} s (shared uplink:"
                f" {seen.shared_uplink}, totals: {seen.totals}), the policy says {self.window_s:g} s"
                f" ({self.shared_uplink}, {self.totals}): measure again"
            )
        limits = Limits(
            ratio=self.max_ratio,
            mbps=self.max_mbps,
            bytes=self.max_bytes,
            source_bytes=self.max_source_bytes,
            source_raw_bytes=self.max_source_raw_bytes,
            min_sources=self.min_sources,
            alpha=self.alpha,
            beta=self.beta,
        )
        return judge(seen, measurement.n, limits, measurement.interval)
