"""Whether what goes over an uplink stays inside its budget."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pytest_mlgates.core import (
    Evidence,
    Judged,
    Measurement,
    Needs,
    Outcome,
    StatisticalGate,
    Verdict,
)
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.stats.ratio import RatioMoments, ratio_bounds

if TYPE_CHECKING:
    import os

    from pytest_mlgates.gates.bandwidth_budget.transfers import Transfer

__all__ = ["BandwidthBudget"]

#: byte counts are added up as floats
_ROUNDING = 1 + 1e-9


@dataclass(frozen=True, kw_only=True)
class BandwidthBudget(StatisticalGate):
    """Judges the byte counters of an uplink by up to three limits; each that is set must hold.

    ``max_bytes`` and ``max_mbps`` are about what was sent and can't be wrong. ``max_ratio`` is a
    claim about the fleet: of all bytes that came up, the share sent (a ratio of sums, not a mean
    of ratios), with a bound over sources, so that one vehicle's many transfers count once. A few
    sources may send nearly all: their share is a finding, and a PASS must also hold if one source
    more had come, twice as heavy as the heaviest. Sources are independent and alike; a tail so
    heavy that no source has shown it yet is not seen.

    >>> gate = BandwidthBudget(max_ratio=0.001)
    >>> fleet = [
    ...     {"sent_bytes": 400 + n, "raw_bytes": 10**6, "source": f"truck-{n}"} for n in range(50)
    ... ]
    >>> gate.run(fleet).outcome.value
    'pass'
    >>> gate.run([{**record, "sent_bytes": 10**6} for record in fleet]).outcome.value
    'fail'

    Sources: Fieller 1954 (ratio of means), Hall 1992 (skewness).
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
    min_sources: Annotated[
        int, Limit(tighten="up", ge=10), "fewest sources that a claim about the ratio rests on"
    ] = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_ratio is None and self.max_mbps is None and self.max_bytes is None:
            raise FieldError("", "sets no limit: give max_ratio, max_mbps or max_bytes")

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
        began) and ``seconds`` (how long it took, 0 where absent) for max_mbps.
        """
        from pytest_mlgates.gates.bandwidth_budget.measure import account

        return account(self, transfers)

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a limit is broken, PASS where each that is set holds."""
        details: Any = measurement.details
        if measurement.n == 0:
            return Verdict(Outcome.INCONCLUSIVE, "there was no transfer, so nothing is known")
        try:
            taken = (details["shared_uplink"], float(details["window_s"]))
            if taken != (self.shared_uplink, self.window_s):
                return Verdict(
                    Outcome.ERROR,
                    f"bytes were counted over windows of {taken[1]:g} s (shared uplink: {taken[0]}),"
                    f" the policy says {self.window_s:g} s ({self.shared_uplink}): measure again",
                )
            sent = _count(details["sent_bytes"])
            if sent == 0:
                return Verdict(
                    Outcome.INCONCLUSIVE,
                    f"not one byte was sent in {measurement.n} transfers: was the uplink up?",
                )
            verdicts = [*self._facts(details), *self._claim(details)]
        except (TypeError, ValueError, LookupError, ArithmeticError) as error:
            wrong = f"its details do not fit together ({type(error).__name__})"
            return Verdict(Outcome.ERROR, f"the measurement can't be judged: {wrong}")
        for outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS):
            reasons = [verdict.reason for verdict in verdicts if verdict.outcome == outcome]
            if reasons:
                return Verdict(outcome, "; ".join(reasons))
        return Verdict(Outcome.ERROR, "no limit was judged")

    def evidence(self, judged: Judged, **about: Any) -> Evidence:
        """Name the limit that the measured value is held against: the first that is set."""
        return dataclasses.replace(super().evidence(judged, **about), limit=self.first_limit)

    @property
    def first_limit(self) -> str:
        """The name of the first limit that is set."""
        names = ("max_ratio", "max_mbps", "max_bytes")
        return next(name for name in names if getattr(self, name) is not None)

    def _facts(self, details: Any) -> list[Verdict]:
        """Judge what was counted."""
        link = "the uplink" if self.shared_uplink else "the busiest uplink"
        found = []
        if self.max_mbps is not None:
            rate = _count(details["peak_mbps"])
            bad = rate > self.max_mbps * _ROUNDING
            found.append(
                Verdict(
                    Outcome.FAIL if bad else Outcome.PASS,
                    f"{link} carried {rate:.4g} Mbit/s in its busiest {self.window_s:g} s"
                    f" (limit {self.max_mbps:g})",
                )
            )
        if self.max_bytes is not None:
            most = _count(details["most_bytes"])
            bad = most > self.max_bytes
            found.append(
                Verdict(
                    Outcome.FAIL if bad else Outcome.PASS,
                    f"{link} sent {most:,.0f} bytes (limit {self.max_bytes:,})",
                )
            )
        return found

    def _claim(self, details: Any) -> list[Verdict]:
        """Judge the ratio, as a claim about the fleet that the sources stand for."""
        if self.max_ratio is None:
            return []
        moments = RatioMoments.read(details["moments"])
        ratio, n = moments.x / moments.y, moments.n
        head = f"{_g(ratio)} of the raw bytes were sent"
        limit = f"limit {_g(self.max_ratio)}"
        if n < self.min_sources:
            return [
                Verdict(
                    Outcome.INCONCLUSIVE,
                    f"{head} ({limit}), but by {n} source(s): a claim takes {self.min_sources}",
                )
            ]
        heavier = RatioMoments.read(details["moments_one_heavier"])
        low, high = ratio_bounds(moments, heavier, self.alpha, self.beta)
        if low > self.max_ratio * _ROUNDING:
            text = f"{head}, surely more than {_g(low)} ({limit}), over {n} sources"
            return [Verdict(Outcome.FAIL, text)]
        if high is not None and high <= self.max_ratio * _ROUNDING:
            text = f"{head}, surely less than {_g(high)} ({limit}), over {n} sources"
            return [Verdict(Outcome.PASS, text)]
        reach = "there is no upper bound" if high is None else f"it could be {_g(high)}"
        text = f"{head} and {reach} ({limit}), over {n} sources: more sources would tell"
        return [Verdict(Outcome.INCONCLUSIVE, text)]


def _count(value: Any) -> float:
    """Return a recorded number >= 0; ValueError otherwise."""
    number = float(value)
    if isinstance(value, (bool, str)) or not (number >= 0 and math.isfinite(number)):
        raise ValueError("no count")
    return number


def _g(number: float) -> str:
    return f"{number:.3g}"
