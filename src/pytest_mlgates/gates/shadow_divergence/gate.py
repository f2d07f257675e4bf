"""Where, and how often, a new model leaves the one in charge."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from math import ceil, log
from typing import Annotated, Any, ClassVar, Literal

from pytest_mlgates.core import (
    Headline,
    Look,
    Measurement,
    Needs,
    Outcome,
    StatisticalGate,
    Verdict,
)
from pytest_mlgates.core.canonical import Json, freeze
from pytest_mlgates.core.errors import Unfit, Unmeasurable
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.shadow_divergence.details import Row, Seen
from pytest_mlgates.gates.shadow_divergence.judge import Limits, headline, judge, leaving
from pytest_mlgates.reading.slices import recorded
from pytest_mlgates.stats.rate import fewest_clean, over

__all__ = ["ShadowDivergence"]

#: slices that a picture shows
MAX_DRAWN = 20


@dataclass(frozen=True, kw_only=True)
class ShadowDivergence(StatisticalGate):
    """Runs a shadow beside the control on the same inputs and counts, by slice, where they differ.

    The limit holds for each slice: a rare one that is off can't hide in the overall rate. FAIL where
    the evidence of any slice (or of all inputs together) is over the limit by e-BH at ``alpha``,
    whatever the look; the slices are named at the false discovery rate ``q``. PASS where *every*
    slice has shown that it is below, each at ``beta`` (all must, so no split is needed). A slice too
    thin for either is INCONCLUSIVE, by name, with what it lacks.

    The shadow's answer goes nowhere: each model gets its own copy of an input, and the control has
    answered before the shadow is asked. An exception, a time-out, NaN or another shape of the
    shadow is a divergence; of the control it is an ERROR. A divergence counts also where gold labels
    say that the shadow is right: the text tells the direction, and ``allow_improvement`` lets
    divergences through that a label confirms.

    What is taken for granted: inputs are independent draws of what the shadow will meet (a clip,
    not each of its frames), and the models keep no state that the other reads.

    >>> gate = ShadowDivergence(max_rate=0.05, tolerance=0.1)
    >>> frames = [{"speed": i / 10, "road": "city" if i % 4 else "ramp"} for i in range(1600)]
    >>> v1 = lambda frame: 0.1 * frame["speed"]
    >>> gate.run(v1, lambda f: v1(f) + 0.01, frames, slice_of="road").outcome.value
    'pass'
    >>> aggressive = lambda f: v1(f) * (2 if f["road"] == "ramp" else 1)
    >>> print(gate.run(v1, aggressive, frames, slice_of="road").verdict.reason[:48])
    the shadow left the control in the slice 'ramp':

    Not seen: which of the two is right where no label says it, state that both models share in
    the process, and slices that nobody named.

    To mend: look at the inputs that are shown, in the slice that is named; add such inputs to
    the training data. Where labels say that the shadow is right, ``allow_improvement`` lets it
    through.

    Sources: Wang and Ramdas 2022 (e-BH), Howard et al. 2021 (evidence at any look).
    """

    name: ClassVar[str] = "shadow_divergence"
    cap: ClassVar[str] = "max_inputs"
    subject: ClassVar[str] = "shadow"

    max_rate: Annotated[
        float,
        Limit(tighten="down", gt=0, le=0.5),
        "share of inputs that may diverge, in each slice and over all",
    ] = 0.02
    tolerance: Annotated[
        float, Limit(tighten="down", ge=0), "numbers and vectors this close agree"
    ] = 0.0
    relative_tolerance: Annotated[
        float,
        Limit(tighten="down", ge=0, lt=1),
        "so do those this close relative to the larger one, for rounding",
    ] = 1e-6
    text_tolerance: Annotated[
        float,
        Limit(tighten="down", ge=0, lt=1),
        "texts agree with up to this share of the words edited; 0: only where they are equal",
    ] = 0.0
    norm: Annotated[
        Literal["max", "l2"], "how a vector's difference is measured: largest element, or length"
    ] = "max"
    outputs: Annotated[
        Literal["auto", "label"], "label: answers agree where they are equal, numbers too"
    ] = "auto"
    slices: Annotated[tuple[str, ...], "slices that must occur"] = ()
    min_share: Annotated[
        float,
        Limit(tighten="down", ge=0, lt=1),
        "a PASS does not wait for slices rarer than this; a FAIL may rest on them",
    ] = 0.0
    q: Annotated[
        float, Limit(ge=1e-9, le=0.1), "expected share of wrongly named slices among those named"
    ] = 0.01
    oversample: Annotated[
        bool, "take rare slices as often as common ones; false: run inputs in the order given"
    ] = True
    discover: Annotated[
        bool, "search slices nobody named on one half of the inputs, test them on the other"
    ] = False
    allow_improvement: Annotated[
        bool, "a divergence does not count where the label confirms the shadow alone"
    ] = False
    nan_agrees: Annotated[bool, "NaN of both at the same place agrees"] = False
    repeats_count: Annotated[bool, "an input that repeats is a draw of its own"] = False
    max_inputs: Annotated[int, Limit(ge=1), "largest number of inputs run"] = 100_000
    timeout_s: Annotated[float, Limit(gt=0, unit="s"), "a call that takes longer is stopped"] = 60.0
    concurrency: Annotated[
        int, Limit(ge=1, le=1000), "calls at a time of models whose answers are awaited"
    ] = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.slices)) < len(self.slices) or not all(n.strip() for n in self.slices):
            raise FieldError("slices", "holds a slice twice, or a blank name")

    def needs(self) -> Needs:
        """Return the inputs of each slice that a PASS and a FAIL take at least."""
        bar = log(max(1, len(self.slices) + 1) / min(self.alpha, self.q))
        to_fail = next(n for n in range(1, 10_000) if over(n, n, self.max_rate) >= bar)
        clean = fewest_clean(self.max_rate, self.beta)
        return Needs(to_pass=clean, to_fail=to_fail, unit="inputs of each slice")

    def measure(
        self,
        control: Callable[[Any], object],
        shadow: Callable[[Any], object],
        inputs: object,
        slice_of: object = None,
        labels: object = None,
        *,
        distance: Callable[[Any, Any], object] | None = None,
        features: Callable[[Any], Mapping[str, object]] | None = None,
        batch: int | None = None,
        seed: int = 0,
        key: bytes | None = None,
    ) -> Generator[Look, Any, None]:
        """Run both models on ``inputs``: a list, an array, a DataFrame (rows as dicts), a generator.

        ``slice_of`` is a callable (a list or set it returns names several slices), a column, a
        tuple of columns (each, and their intersections) or a name for each input. ``labels`` is a
        callable, a column or a sequence. ``distance(control_answer, shadow_answer)`` replaces the
        comparison. With ``batch`` both models take a list of that many inputs. ``key`` adds a keyed
        digest to the inputs named.
        """
        from pytest_mlgates.gates.shadow_divergence.compare import Comparison
        from pytest_mlgates.gates.shadow_divergence.measure import Plan, Run

        if self.allow_improvement and labels is None:
            raise Unmeasurable("allow_improvement takes labels: they tell what an improvement is")
        comparison = Comparison(
            tolerance=self.tolerance,
            relative_tolerance=self.relative_tolerance,
            text_tolerance=self.text_tolerance,
            norm=self.norm,
            exact=self.outputs == "label",
            nan_agrees=self.nan_agrees,
            distance=distance,
        )
        plan = Plan(
            limits=self._limits,
            comparison=comparison,
            measured_with=self._measured_with,
            order="given" if not self.oversample else "shuffled" if self.discover else "routed",
            required=self.slices,
            repeats_count=self.repeats_count,
            allow_improvement=self.allow_improvement,
            max_inputs=self.max_inputs,
            timeout_s=self.timeout_s,
            concurrency=self.concurrency,
            batch=batch,
            seed=seed,
        )
        run = Run(plan, control, shadow, features, key)
        return run.looks(inputs, slice_of, labels)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen), self._limits)

    def decide(self, measurement: Measurement, /) -> Verdict:
        """Judge the counts by slice."""
        if measurement.n == 0:
            return Verdict(
                Outcome.INCONCLUSIVE,
                f"there was no input: a PASS takes {self.needs().to_pass} of each slice",
            )
        seen = measurement.read(Seen)
        if seen.inputs_run != measurement.n:
            raise Unfit(f"details.run: {seen.inputs_run} of {measurement.n} inputs")
        if dict(seen.measured_with) != self._measured_with:
            return Verdict(
                Outcome.ERROR,
                "answers were compared under another policy (tolerances, slices): measure again",
            )
        return judge(seen, self._limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Return the rate of each slice against the limit, those that leave it first."""
        if not measurement.n:
            return
        seen = measurement.read(Seen)
        named = leaving(seen, self._limits)[1]
        rows = [row for row in seen.rows if row.name and row.n]
        rows.sort(key=lambda row: (row not in named, -row.log_e_above(self.max_rate)))
        points = [self._point(row, bad=row in named) for row in rows[: MAX_DRAWN - 1]]
        points.append(self._point(seen.overall, bad=seen.overall in named))
        title = f"Divergence by slice ({ceil(100 * (1 - self.beta)):d} % bounds at any look)"
        yield Intervals(title, tuple(points), "%", (100 * self.max_rate,))

    @property
    def _limits(self) -> Limits:
        return Limits(
            max_rate=self.max_rate,
            alpha=self.alpha,
            beta=self.beta,
            q=self.q,
            required=recorded(self.slices),
            min_share=self.min_share,
            discover=self.discover,
        )

    @property
    def _measured_with(self) -> dict[str, Json]:
        """What of the policy the counts depend on."""
        names = (
            *("tolerance", "relative_tolerance", "text_tolerance", "norm", "outputs", "slices"),
            *("min_share", "allow_improvement", "nan_agrees", "repeats_count", "discover"),
        )
        return {name: freeze(getattr(self, name)) for name in names}

    def _point(self, row: Row, *, bad: bool) -> Point:
        low, high = self._limits.bounds(row)
        return Point(row.name, 100 * row.rate, 100 * low, 100 * high, bad)
