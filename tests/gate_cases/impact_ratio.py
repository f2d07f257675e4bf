"""What the shared suites ask of ``impact_ratio``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.impact_ratio import ImpactRatio

SECRETS = ("ada.lovelace@example.org", "4111-1111-1111-1111")

GATE = ImpactRatio(
    min_ratio=0.8,
    max_parity_gap=0.15,
    max_odds_gap=0.2,
    categories=("sex=female",),
    left_out_below=0.01,
    reason_left_out="too few applicants for a rate",
)
PLAIN = ImpactRatio()
N = 12_000
GROUPS = [
    {
        "sex": "female" if n % 2 else "male",
        "race": ("black", "white", "asian", "white")[n // 2 % 4] if n % 150 > 1 else SECRETS[n % 2],
    }
    for n in range(N)
]
RIGHT = [n * 7919 % 100 < 50 for n in range(N)]
EVEN = [n * 7919 % 100 < 45 for n in range(N)]
MEN_FIRST = [n * 7919 % 100 < (20 if n % 2 else 60) for n in range(N)]


def sound() -> Evidence:
    """Return the evidence on decisions that do not depend on the group."""
    return GATE.run(EVEN, GROUPS, RIGHT)


def flawed() -> Evidence:
    """Return the evidence on decisions that take three men for each woman."""
    return GATE.run(MEN_FIRST, GROUPS, RIGHT)


def _of(value: Any) -> list[Any]:
    return [value] * N


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no applicants": lambda: PLAIN.run([], []),
    "nothing handed in": lambda: PLAIN.run(None, None),
    "no groups": lambda: PLAIN.run(EVEN, []),
    "groups forgotten": lambda: PLAIN.run(EVEN),
    "one group only": lambda: PLAIN.run(EVEN, _of("female")),
    "one sex and two races": lambda: PLAIN.run(
        EVEN, [{"sex": "f", "race": row["race"]} for row in GROUPS]
    ),
    "nobody selected": lambda: PLAIN.run(_of(False), GROUPS),
    "everybody selected": lambda: PLAIN.run(_of(True), GROUPS),
    "the same score for all": lambda: PLAIN.run(_of(0.7), GROUPS),
    "most scores the highest": lambda: PLAIN.run([0.9] * (N - 9) + [0.1] * 9, GROUPS),
    "NaN": lambda: PLAIN.run([*EVEN[1:], math.nan], GROUPS),
    "None": lambda: PLAIN.run([*EVEN[1:], None], GROUPS),
    "infinite": lambda: PLAIN.run([*EVEN[1:], math.inf], GROUPS),
    "all unknown": lambda: PLAIN.run(EVEN, _of(None)),
    "most unknown": lambda: PLAIN.run(
        EVEN, [row["sex"] if n % 3 else "Prefer not to say" for n, row in enumerate(GROUPS)]
    ),
    "groups of one person": lambda: PLAIN.run([True, False], ["a", "b"]),
    "one person each": lambda: PLAIN.run(EVEN, [f"group {n}" for n in range(N)]),
    "one more person": lambda: PLAIN.run([*EVEN, True], [*(r["sex"] for r in GROUPS), "x"]),
    "three selected of three": lambda: PLAIN.run([*EVEN, *[True] * 3], [*_of("a"), *"bbb"]),
    "few applicants": lambda: PLAIN.run(EVEN[:200], GROUPS[:200]),
    "fewer groups than applicants": lambda: PLAIN.run(EVEN, GROUPS[:-1]),
    "one applicant many times": lambda: PLAIN.run(
        EVEN, [row["sex"] for row in GROUPS], unit_of=[n % 4 for n in range(N)]
    ),
    "a category that must be there": lambda: GATE.run(
        EVEN, [row | {"sex": "male" if n % 3 else "other"} for n, row in enumerate(GROUPS)], RIGHT
    ),
    "texts": lambda: PLAIN.run(["hired", "rejected"] * (N // 2), GROUPS),
    "a text for a list": lambda: PLAIN.run("selected", GROUPS),
    "an attribute that is not there": lambda: ImpactRatio(attributes=("gender",)).run(EVEN, GROUPS),
    "no labels": lambda: GATE.run(EVEN, GROUPS),
    "labels all right": lambda: GATE.run(EVEN, GROUPS, _of(True)),
    "scores said to be decisions": lambda: ImpactRatio(basis="selection").run(
        [n / N for n in range(N)], GROUPS
    ),
}
