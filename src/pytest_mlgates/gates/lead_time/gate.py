"""Whether a feature gets served by one person alone, in time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pytest_mlgates.core import Gate, Headline, Look, Measurement, Verdict
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Picture, Point, Shares
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.lead_time.details import Seen
from pytest_mlgates.gates.lead_time.judge import Limits, headline, judge

__all__ = ["LeadTime"]


@dataclass(frozen=True, kw_only=True)
class LeadTime(Gate):
    """Can a data scientist get a feature served alone, and in time?

    ``steps`` are callables or commands, which the gate runs one after the other by its own clock, or
    the records of a log, which the verdict then says. The time is from the begin of the first step to
    the end of the last, waiting included. It is that of the machine where the gate runs the steps:
    what a person needs to read and write is not in it, and commands are not turned into minutes.
    Hand-offs, steps that are somebody else's than the step before, are counted apart.

    The last step must give values of features by name (a mapping, what has ``to_dict``, JSON on the
    last line of a command's output with ``values`` or ``served``, a log's ``served``). A ``probe``
    asks by itself, before the first step and after the last: what was served already was not
    onboarded. One run is one observation, so there is no alpha.

    >>> gate = LeadTime(max_minutes=1, max_handoffs=0)
    >>> store = {}
    >>> gate.run([lambda: store.update(age=71), lambda: store], probe=lambda: store).outcome.value
    'pass'
    >>> gate.run([lambda: None]).outcome.value
    'fail'

    Not seen: how long a person reads, thinks and waits for an answer, and whether the next
    feature takes as long.

    To mend: take out the step that took longest, or that is another person's: one definition
    that is tested and served by one command.
    """

    name: ClassVar[str] = "lead_time"
    subject: ClassVar[str] = "steps"

    max_minutes: Annotated[
        float,
        Limit(tighten="down", gt=0, unit="min"),
        "longest time from the first step to a served feature",
    ]
    max_handoffs: Annotated[
        int | None,
        Limit(tighten="down", ge=0),
        "most steps that are somebody else's than the step before",
    ] = None
    features: Annotated[
        tuple[str, ...], "features that must be served after the last step: by default any"
    ] = ()
    timeout_s: Annotated[float, Limit(gt=0, unit="s"), "a step that takes longer is stopped"] = (
        600.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(set(self.features)) < len(self.features) or not all(map(str.strip, self.features)):
            raise FieldError("features", "holds a name twice, or a blank one")

    def measure(
        self, steps: object, *, probe: Callable[[], object] | None = None
    ) -> Generator[Look, object, None]:
        """Run or read ``steps``; ``probe`` returns what is served, and raises where nothing is."""
        from pytest_mlgates.gates.lead_time.measure import measure_lead_time

        if probe is not None and not callable(probe):
            raise Unmeasurable(f"probe is {a(type(probe).__name__)}, not a callable")
        yield from measure_lead_time(steps, probe, self.timeout_s)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen))

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where it took too long or too many people, or where nothing is served after it."""
        limits = Limits(
            minutes=self.max_minutes, handoffs=self.max_handoffs, features=self.features
        )
        return judge(measurement.read(Seen), measurement.value, limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw the steps side by side, the waiting between them hatched, against the limit."""
        seen = measurement.read(Seen)
        parts, at = [], 0.0
        for step in seen.steps:
            if step.begin_s is None or step.end_s is None:
                continue
            if step.begin_s - at > 1e-3 * max(seen.elapsed_s, 1e-9):
                parts.append(Point(f"before {step.name}", (step.begin_s - at) / 60, bad=True))
            parts.append(Point(step.name, (step.end_s - step.begin_s) / 60))
            at = step.end_s
        if parts:
            yield Shares("Where the time went", tuple(parts), "min", self.max_minutes)
