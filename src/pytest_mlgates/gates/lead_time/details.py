"""What a run of ``lead_time`` records: the steps with their times, and what is served after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pytest_mlgates.core.details import Count
from pytest_mlgates.core.fields import Limit

__all__ = ["Clock", "Seen", "Step"]

#: whose clock the times are of: the gate's own, or that of whoever wrote a log
Clock = Literal["gate", "log"]
Seconds = Annotated[float, Limit(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step: seconds since the first one began; None where nothing says that it was run.

    ``by`` names who did it, empty where that is not known; ``handoff`` says that it was handed over
    though the name is the same.
    """

    name: str
    by: str
    handoff: bool
    begin_s: Seconds | None = None
    end_s: Seconds | None = None
    exit_status: int | None = None

    def __post_init__(self) -> None:
        if (self.begin_s is None) != (self.end_s is None):
            raise ValueError(f"the step {self.name!r} has one of begin and end")
        if self.begin_s is not None and self.end_s is not None and self.end_s < self.begin_s:
            raise ValueError(f"the step {self.name!r} ends before it begins")

    @property
    def was_run(self) -> bool:
        """Whether it has times and an exit status."""
        return self.end_s is not None and self.exit_status is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The steps in order; ``served`` features have a value after the last one, ``null`` have none.

    ``before`` were served before the first step, as a probe found; ``planned`` counts the steps that
    there are, of which those after a failure are not run.
    """

    clock: Clock
    steps: tuple[Step, ...]
    planned: Count
    served: tuple[str, ...]
    null: tuple[str, ...]
    before: tuple[str, ...]
    probed: bool
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.steps) > self.planned:
            raise ValueError(f"{len(self.steps)} of {self.planned} steps were run")
        ends = 0.0
        for step in self.steps:
            if step.begin_s is None or step.end_s is None:
                continue
            if step.begin_s < ends - 1e-6:
                raise ValueError(f"the step {step.name!r} begins before the one before it ends")
            ends = step.end_s

    @property
    def elapsed_s(self) -> float:
        """Seconds from the begin of the first step to the end of the last, waiting included."""
        return max((step.end_s or 0.0 for step in self.steps), default=0.0)

    @property
    def busy_s(self) -> float:
        """Seconds in steps, without the waiting between them."""
        return sum((step.end_s or 0.0) - (step.begin_s or 0.0) for step in self.steps)

    @property
    def handoffs(self) -> int:
        """How often a step was somebody else's than the step before it."""
        before = ("", *(step.by for step in self.steps))
        return sum(
            step.handoff or (bool(last) and bool(step.by) and step.by != last)
            for last, step in zip(before, self.steps, strict=False)
        )

    @property
    def failed(self) -> Step | None:
        """The first step that failed, and that no later step of its name made good."""
        for at, step in enumerate(self.steps):
            later = (other for other in self.steps[at + 1 :] if other.name == step.name)
            if step.exit_status and not any(other.exit_status == 0 for other in later):
                return step
        return None
