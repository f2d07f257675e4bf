"""What the shared suites ask of ``feature_parity``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.feature_parity import FeatureParity

SECRETS = ("ada.lovelace@example.org", "4111-1111-1111-1111")

GATE = FeatureParity(max_mismatch_rate=0.01, max_staleness=86_400.0)
EXACT = FeatureParity(max_mismatch_rate=0)
AT = datetime(2026, 6, 30, tzinfo=UTC)
ENTITIES = [{"customer": f"{SECRETS[0]} {n}", "event_timestamp": AT} for n in range(900)]


def _row(n: int, age: object, hours: float = 1.0) -> dict[str, Any]:
    known = AT - timedelta(hours=hours)
    return {"age": age, "card": f"{SECRETS[1]} {n}", "age__ts": known, "card__ts": known}


OFFLINE = [{**entity, **_row(n, n % 70)} for n, entity in enumerate(ENTITIES)]
ONLINE = [{"customer": e["customer"], **_row(n, float(n % 70))} for n, e in enumerate(ENTITIES)]
FLAWED = [{**row, "age": row["age"] or None} for row in ONLINE[:600]]
NULLS = [{**row, "age": None, "card": None} for row in ONLINE]


def sound() -> Evidence:
    """Return the evidence on two sides that agree, one in floats and in another order."""
    return GATE.run(OFFLINE, ONLINE[::-1], ENTITIES)


def flawed() -> Evidence:
    """Return the evidence on a serving store that lacks a third of the rows, and fills nulls."""
    return GATE.run(OFFLINE, FLAWED, ENTITIES)


def _raises(row: Any) -> Any:
    raise ValueError(str(row))


def _breaks() -> Iterator[Any]:
    yield ENTITIES[0]
    raise ValueError(SECRETS[0])


def _renamed(old: str, new: str) -> list[dict[str, Any]]:
    return [{new if k == old else k: v for k, v in row.items()} for row in ONLINE]


def _drop(*names: str) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k not in names} for row in ONLINE]


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no entities": lambda: EXACT.run(OFFLINE, ONLINE, []),
    "an empty offline side": lambda: EXACT.run([], ONLINE, ENTITIES),
    "an empty online side": lambda: EXACT.run(OFFLINE, [], ENTITIES),
    "both sides empty": lambda: EXACT.run([], [], []),
    "an exhausted iterator": lambda: EXACT.run(OFFLINE, iter(()), ENTITIES),
    "one object on both sides": lambda: EXACT.run(OFFLINE, OFFLINE, ENTITIES),
    "a feature of one side": lambda: EXACT.run(OFFLINE, _drop("age"), ENTITIES),
    "a renamed feature": lambda: EXACT.run(OFFLINE, _renamed("age", "years"), ENTITIES),
    "a renamed key": lambda: EXACT.run(OFFLINE, _renamed("customer", "client"), ENTITIES),
    "no common feature": lambda: EXACT.run(OFFLINE, _drop("age", "card"), ENTITIES),
    "all null": lambda: EXACT.run([{**row, **NULLS[0], **ENTITIES[n]} for n, row in
                                   enumerate(OFFLINE)], NULLS, ENTITIES),
    "no key of entities is there": lambda: EXACT.run(
        OFFLINE, [{**row, "customer": n} for n, row in enumerate(ONLINE)], ENTITIES
    ),
    "too few for the limit": lambda: GATE.run(OFFLINE[:9], ONLINE[:9], ENTITIES[:9]),
    "no times where staleness counts": lambda: GATE.run(
        OFFLINE, _drop("age__ts", "card__ts"), ENTITIES
    ),
    "no event times where staleness counts": lambda: GATE.run(
        [{k: v for k, v in row.items() if k != "event_timestamp"} for row in OFFLINE],
        ONLINE,
        [{"customer": e["customer"]} for e in ENTITIES],
    ),
    "online answers nothing": lambda: EXACT.run(OFFLINE, lambda entity: None, ENTITIES),
    "online answers no mapping": lambda: EXACT.run(OFFLINE, lambda entity: 7, ENTITIES),
    "online raises": lambda: EXACT.run(OFFLINE, _raises, ENTITIES),
    "rows that break off": lambda: EXACT.run(OFFLINE, ONLINE, _breaks()),
    "a null key": lambda: EXACT.run(OFFLINE, ONLINE, [{**ENTITIES[0], "customer": None}]),
    "an event without a time": lambda: EXACT.run(
        OFFLINE, ONLINE, [{**ENTITIES[0], "event_timestamp": None}]
    ),
    "one record": lambda: EXACT.run(OFFLINE, ONLINE, ENTITIES[0]),
    "rows of another kind": lambda: EXACT.run(OFFLINE, ONLINE, [1, 2]),
    "values of an unknown type": lambda: EXACT.run(
        OFFLINE, [{**row, "age": object()} for row in ONLINE], ENTITIES
    ),
    "a file that is not there": lambda: EXACT.run("no-such/offline.csv", ONLINE, ENTITIES),
}  # fmt: skip
