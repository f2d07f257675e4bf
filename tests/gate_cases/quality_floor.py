"""What the shared suites ask of ``quality_floor``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.quality_floor import QualityFloor

SECRETS = ("ada.lovelace@example.org", "4111-1111-1111-1111")

GATE = QualityFloor(metric="accuracy", min_value=0.9)
RECALL = QualityFloor(metric="recall", min_value=0.9)
AUROC = QualityFloor(metric="auroc", min_value=0.8)
DROP = QualityFloor(metric="accuracy", max_drop=0.02)
INPUTS = [{"n": n, "of": f"{SECRETS[0]} {n % 4} {SECRETS[1]}"} for n in range(1000)]


def truth(item: Any) -> bool:
    return item["n"] % 3 == 0


def good(item: Any) -> bool:
    return truth(item) != (item["n"] % 50 == 7)


def poor(item: Any) -> bool:
    return truth(item) != (item["n"] % 4 == 1)


def sound() -> Evidence:
    """Return the evidence on a subject that is right 49 times in 50."""
    return GATE.run(good, INPUTS, truth, slice_of="of")


def flawed() -> Evidence:
    """Return the evidence on a subject that is wrong on all inputs of one slice."""
    return GATE.run(poor, INPUTS, truth, slice_of="of")


def _raises(item: Any) -> bool:
    raise ValueError(item["of"])


def _yields(item: Any) -> Iterator[bool]:
    yield truth(item)


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no inputs": lambda: GATE.run(good, [], []),
    "no labels": lambda: GATE.run(good, INPUTS, []),
    "labels forgotten": lambda: GATE.run(good, INPUTS),
    "few inputs": lambda: GATE.run(good, INPUTS[:20], truth),
    "one input many times": lambda: GATE.run(good, INPUTS[:1] * 1000, truth),
    "one text for a list": lambda: GATE.run(good, "inputs", truth),
    "a constant": lambda: GATE.run(lambda _: True, INPUTS, lambda _: True),
    "a constant where one label is rare": lambda: GATE.run(
        lambda item: item["n"] == 0, INPUTS, lambda item: item["n"] % 40 == 0
    ),
    "always yes for recall": lambda: RECALL.run(lambda _: True, INPUTS, truth),
    "no positive": lambda: RECALL.run(good, INPUTS, lambda _: False),
    "one class only": lambda: AUROC.run(lambda item: item["n"], INPUTS, lambda _: True),
    "NaN": lambda: AUROC.run(lambda _: float("nan"), INPUTS, truth),
    "a generator": lambda: GATE.run(_yields, INPUTS, truth),
    "an exception": lambda: GATE.run(_raises, INPUTS, truth),
    "no callable": lambda: GATE.run(None, INPUTS, truth),
    "a slice that does not occur": lambda: QualityFloor(
        metric="accuracy", min_value=0.9, slices=("night",)
    ).run(good, INPUTS, truth, slice_of=lambda _: "day"),
    "inputs of no slice": lambda: GATE.run(good, INPUTS, truth, slice_of=lambda _: None),
    "no baseline": lambda: DROP.run(good, INPUTS, truth),
    "a limit on a drop, and a baseline that fails": lambda: DROP.run(
        good, INPUTS, truth, baseline=_raises
    ),
}
