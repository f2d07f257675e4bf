"""What the shared suites ask of ``blocked_features``."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.blocked_features import BlockedFeatures

SECRETS = ("ada.lovelace@example.org", "4111-1111-1111-1111")

GATE = BlockedFeatures(blocked=("gender", "name"), max_proxy_auc=0.7, permutations=20)
NAMES = BlockedFeatures(blocked=("gender",))
N = 600
_random = Random(3)
SEX = [_random.choice("fm") for _ in range(N)]
FAIR = [
    {
        "years": _random.randrange(20),
        "grade": round(_random.gauss(3, 0.3), 1),
        "degree": _random.choice(("Bachelor", "Master")),
        "contact": _random.choice(SECRETS),
    }
    for _ in range(N)
]
TOLD = [
    row | {"club": "rugby" if sex == "m" else "choir"} for row, sex in zip(FAIR, SEX, strict=True)
]


def sound() -> Evidence:
    """Return the evidence on features that tell nothing."""
    return GATE.run(FAIR, SEX)


def flawed() -> Evidence:
    """Return the evidence on features with a proxy that tells all."""
    return GATE.run(TOLD, SEX)


def _columns(value: Any) -> list[dict[str, Any]]:
    return [{"years": value, "grade": value}] * N


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no rows": lambda: GATE.run([], []),
    "no rows, names only": lambda: NAMES.run([]),
    "nothing handed in": lambda: GATE.run(None, None),
    "attributes forgotten": lambda: GATE.run(FAIR),
    "features forgotten": GATE.run,
    "no columns": lambda: GATE.run([{}] * N, SEX),
    "no columns, names only": lambda: NAMES.run([{}] * N),
    "features that never differ": lambda: GATE.run(_columns(1), SEX),
    "features that are all missing": lambda: GATE.run(_columns(None), SEX),
    "NaN": lambda: GATE.run(_columns(math.nan), SEX),
    "one group only": lambda: GATE.run(FAIR, ["f"] * N),
    "nobody's group is known": lambda: GATE.run(FAIR, [None] * N),
    "most groups unknown": lambda: GATE.run(
        FAIR, [s if n % 3 else None for n, s in enumerate(SEX)]
    ),
    "a second group of one": lambda: GATE.run(FAIR, [*["f"] * (N - 1), "m"]),
    "few applicants": lambda: GATE.run(FAIR[:60], SEX[:60]),
    "one applicant many times": lambda: GATE.run(
        FAIR[:2] * 300, SEX[:2] * 300, unit_of=[1, 2] * 300
    ),
    "fewer attributes than rows": lambda: GATE.run(FAIR, SEX[:-1]),
    "an attribute that is not there": lambda: BlockedFeatures(
        max_proxy_auc=0.7, attributes=("race",)
    ).run(FAIR, [{"sex": sex} for sex in SEX]),
    "vectors without names, names only": lambda: NAMES.run([[1.0, 2.0]] * N),
    "texts, names only": lambda: NAMES.run(["a résumé"] * N),
    "a misspelt name": lambda: NAMES.run([row | {"gendre": 1} for row in FAIR]),
    "objects": lambda: GATE.run([object()] * N, SEX),
    "a text for a table": lambda: GATE.run("features", SEX),
    "one applicant with two groups": lambda: GATE.run(FAIR, SEX, unit_of=[n % 9 for n in range(N)]),
}
