"""What the shared suites ask of ``drift``."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.drift import Drift

SECRETS = ("ada.lovelace@example.org", "4111 1111 1111 1111")

GATE = Drift(max_distance=0.3, max_age=7, max_psi=0.2, max_shape=0.4)
ONLY = Drift(max_distance=0.3)
AGE = Drift(max_age=7)


def rows(
    n: int, seed: int, shift: float = 0.0, weights: tuple[int, ...] = (5, 3, 2)
) -> list[dict[str, Any]]:
    """Draw payments; what a card or a person is called must not be recorded."""
    draw = random.Random(seed)
    return [
        {
            "amount": math.exp(draw.gauss(3 + shift, 0.5)),
            "hour": draw.gauss(14, 4),
            "kind": draw.choices([SECRETS[0], "pos", SECRETS[1]], weights)[0],
        }
        for _ in range(n)
    ]


REFERENCE = rows(6000, 1)


def sound() -> Evidence:
    """Return the evidence on payments of the same kind and a model of yesterday."""
    return GATE.run(REFERENCE, rows(3000, 2), trained_at=datetime.now(UTC) - timedelta(days=1))


def flawed() -> Evidence:
    """Return the evidence on payments that moved, and a model of last month."""
    moved = rows(3000, 2, shift=0.5, weights=(1, 1, 8))
    return GATE.run(REFERENCE, moved, trained_at=datetime.now(UTC) - timedelta(days=30))


def _breaks() -> Iterator[Any]:
    yield {"amount": 1.0}
    raise ValueError(SECRETS[0])


def _column(value: object) -> list[dict[str, object]]:
    return [{"amount": value}] * 500


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "nothing": ONLY.run,
    "no rows": lambda: ONLY.run([], []),
    "no current rows": lambda: ONLY.run(REFERENCE, []),
    "no reference rows": lambda: ONLY.run([], REFERENCE),
    "an exhausted iterator": lambda: ONLY.run(REFERENCE, iter(())),
    "the same object twice": lambda: ONLY.run(REFERENCE, REFERENCE),
    "a copy": lambda: ONLY.run(REFERENCE, [dict(row) for row in reversed(REFERENCE)]),
    "too few rows": lambda: ONLY.run(REFERENCE, REFERENCE[:49]),
    "no feature in common": lambda: ONLY.run(
        REFERENCE, [{"sum": row["amount"]} for row in REFERENCE]
    ),
    "a feature that one side lacks": lambda: ONLY.run(
        REFERENCE, [{k: v for k, v in row.items() if k != "kind"} for row in rows(3000, 2)]
    ),
    "a feature that is nowhere": lambda: Drift(max_distance=1, features=("x",)).run(
        REFERENCE, rows(3000, 2)
    ),
    "all NaN": lambda: ONLY.run(_column(math.nan), _column(math.nan)),
    "all None": lambda: ONLY.run(_column(None), _column(None)),
    "a constant": lambda: ONLY.run(_column(1.0), _column(1.0)),
    "names of rows": lambda: ONLY.run(
        [{"id": f"a{n}"} for n in range(500)], [{"id": f"b{n}"} for n in range(500)]
    ),
    "one record for a list": lambda: ONLY.run({"amount": 1}, {"amount": 1}),
    "not rows": lambda: ONLY.run(7, 7),
    "rows that break": lambda: ONLY.run(REFERENCE, _breaks()),
    "age without a time": AGE.run,
    "age of words": lambda: AGE.run(trained_at="last week"),
    "age from the future": lambda: AGE.run(trained_at=datetime.now(UTC) + timedelta(days=1)),
    "age of NaN": lambda: AGE.run(trained_at=math.nan),
    "age as a boolean": lambda: AGE.run(trained_at=True),
    "shape of one number": lambda: Drift(max_shape=0.5).run(
        [{"a": row["amount"]} for row in REFERENCE], [{"a": row["amount"]} for row in rows(3000, 2)]
    ),
    "PSI with empty bins": lambda: Drift(max_psi=0.2).run(REFERENCE[:80], rows(80, 2)),
}
