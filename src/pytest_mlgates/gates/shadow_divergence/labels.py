"""Gold labels: which of the two models is right where they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.shadow_divergence.compare import Broken, Comparison, plain
from pytest_mlgates.gates.shadow_divergence.feed import Case
from pytest_mlgates.gates.shadow_divergence.models import Answer
from pytest_mlgates.gates.shadow_divergence.tally import Tally
from pytest_mlgates.reading.records import pool
from pytest_mlgates.reading.slices import field_of

__all__ = ["Labels"]


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels by input; None and NaN are none."""

    look_up: Callable[[Case], object] | None

    @classmethod
    def of(cls, labels: object, total: int | None) -> Labels:
        """Return labels from a callable, a column or a sequence parallel to the inputs."""
        if labels is None:
            return cls(None)
        if callable(labels):
            return cls(lambda case: labels(case.item))
        if isinstance(labels, str):
            return cls(lambda case: field_of(case.item, labels, case.index))
        gold = pool(labels, "labels", values=True)
        if isinstance(gold, Iterator):
            gold = list(gold)
        if total is not None and len(gold) != total:
            raise Unmeasurable(f"there are {len(gold)} labels for {total} inputs")
        return cls(lambda case: _at(gold, case.index))

    def right(
        self, same: Comparison, case: Case, control: object, reply: Answer, tally: Tally
    ) -> str:
        """Return which model alone the label confirms, ``"shadow"`` or ``"control"``, or nothing."""
        if self.look_up is None:
            return ""
        gold = plain(self.look_up(case))
        if gold is None or (isinstance(gold, float) and gold != gold):  # noqa: PLR0124  (NaN)
            return ""
        tally.labelled += 1
        confirmed = [
            _agree(same, gold, control),
            not reply.fault and _agree(same, gold, reply.value),
        ]
        if confirmed == [True, False]:
            return "control"
        return "shadow" if confirmed == [False, True] else ""


def _at(labels: Any, index: int) -> Any:
    try:
        return labels[index]
    except (IndexError, KeyError):
        raise Unmeasurable(f"there is no label for input {index}") from None


def _agree(same: Comparison, gold: object, answer: object) -> bool:
    try:
        return same(gold, answer) is None
    except Broken:
        return False
