"""Training against serving: what is one value, which rows are one row, and what a bound says."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.feature_parity import FeatureParity
from pytest_mlgates.gates.feature_parity.values import difference, plain_value

EXACT = FeatureParity(max_mismatch_rate=0)
AT = pd.Timestamp("2026-06-30", tz="UTC")


def sides(n=200):
    """Two sides that agree, and the rows asked for."""
    entities = pd.DataFrame({"id": range(n), "event_timestamp": AT})
    offline = entities.assign(age=np.arange(n) % 70, tenure=np.arange(n) / 8)
    return offline, offline.drop(columns="event_timestamp").sample(frac=1, random_state=1), entities


def kinds(evidence):
    return {f["name"]: dict(f["kinds"]) for f in evidence.measurement.details["features"]}


@pytest.mark.parametrize(
    ("offline", "online", "kind"),
    [
        (np.float32(0.1), 0.1, ""),
        (np.float32(0.1), float(np.float32(0.1)), ""),
        (7, 7.0, ""),
        (np.int64(7), Decimal(7), ""),
        (0.0, -0.0, ""),
        (math.inf, math.inf, ""),
        (math.nan, None, ""),
        (pd.NA, math.nan, ""),
        (pd.NaT, None, ""),
        (AT, AT.to_pydatetime(), ""),
        (AT, AT.tz_convert("Europe/Zurich"), ""),
        (np.array([1, 2]), [1.0, 2.0], ""),
        ({"a": 1}, {"a": 1.0}, ""),
        ("a", "a", ""),
        (b"a", b"a", ""),
        (0, None, "null"),
        ("", None, "null"),
        (math.nan, 0, "null"),
        (False, None, "null"),
        (7, "7", "type"),
        (1, True, "type"),
        ("a", b"a", "type"),
        (AT, "2026-06-30", "type"),
        ([1], 1, "type"),
        (7, 8, "value"),
        (2**53, 2**53 + 1, "value"),
        (1.0, 1.0 + 1e-5, "value"),
        (math.inf, 1e308, "value"),
        (0.0, 1e-12, "value"),
        ("a", "A", "value"),
        (AT, AT + timedelta(microseconds=1), "value"),
        ([1, 2], [1], "value"),
        ([1, None], [1, 0], "value"),
        ({"a": 1}, {"b": 1}, "value"),
    ],
)
def test_values(offline, online, kind):
    for pair in ((offline, online), (online, offline)):
        assert difference(*map(plain_value, pair), 1e-6) == kind


CELLS = st.one_of(
    st.none(), st.integers(), st.floats(), st.text(), st.booleans(), st.datetimes(),
    st.lists(st.floats(allow_nan=False), max_size=3),
)  # fmt: skip


@given(CELLS, CELLS)
def test_a_value_is_itself_and_differences_have_no_direction(x, y):
    x, y = plain_value(x), plain_value(y)
    assert difference(x, x, 0) == ""
    assert difference(x, y, 0) == difference(y, x, 0)


def test_sides_that_agree_in_any_order_and_container(tmp_path):
    offline, online, entities = sides()
    evidence = EXACT.run(offline, online, entities)
    assert evidence.outcome == Outcome.PASS
    assert "a leak into both sides is not seen" in evidence.verdict.reason
    assert evidence.measurement.n == 200
    online.to_csv(tmp_path / "online.csv", index=False)
    offline.to_parquet(tmp_path / "offline.parquet")
    entities.to_csv(tmp_path / "entities.csv", index=False)
    for a, b, e in (
        (tmp_path / "offline.parquet", tmp_path / "online.csv", entities),
        (offline, online.to_dict("records"), tmp_path / "entities.csv"),
        (offline.to_dict("records")[::-1], tmp_path / "online.csv", entities[::-1]),
    ):
        found = EXACT.run(a, b, e)
        assert found.outcome == Outcome.PASS, found.verdict.reason


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda t: t[t["id"] != 5], {"age": {"dropped": 1}, "tenure": {"dropped": 1}}),
        (lambda t: t.assign(age=t["age"].where(t["id"] != 5)), {"age": {"null": 1}, "tenure": {}}),
        (
            lambda t: t.assign(tenure=t["tenure"] + (t["id"] == 5)),
            {"age": {}, "tenure": {"value": 1}},
        ),
        (lambda t: t.astype({"age": str}), {"age": {"type": 200}, "tenure": {}}),
        (
            lambda t: pd.concat([t, t[t["id"] == 5]]),
            {"age": {}, "tenure": {}},  # values of now, twice and the same
        ),
    ],
)
def test_one_row_is_found(change, found):
    offline, online, entities = sides()
    for a, b in ((offline, change(online)), (change(offline), online)):
        evidence = EXACT.run(a, b, entities)
        got = kinds(evidence)
        if not any(found.values()) and a is not offline:
            found = {name: {"duplicate": 1} for name in found}  # a join that fanned out
        assert got == found
        wanted = Outcome.FAIL if any(found.values()) else Outcome.PASS
        assert evidence.outcome == wanted


def test_two_online_rows_that_differ_are_ambiguous():
    offline, online, entities = sides()
    twice = pd.concat([online, online[online["id"] == 5].assign(age=99)])
    assert kinds(EXACT.run(offline, twice, entities))["age"] == {"duplicate": 1}


def test_an_entity_asked_for_twice():
    offline, online, entities = sides(3)
    again = pd.concat([entities, entities[:1]])
    assert EXACT.run(pd.concat([offline, offline[:1]]), online, again).outcome == Outcome.PASS
    dropped = EXACT.run(offline, online, again)  # Feast's file store drops one of two equal rows
    assert kinds(dropped)["age"] == {"dropped": 1}


def test_each_event_of_an_entity_has_its_row():
    entities = pd.DataFrame({"id": [1, 1, 2], "event_timestamp": [AT, AT - timedelta(days=1), AT]})
    offline = entities.assign(age=[30, 29, 40])
    swapped = entities.assign(age=[29, 30, 40])
    assert EXACT.run(offline, entities.assign(age=[30, 29, 40]), entities).outcome == Outcome.PASS
    assert kinds(EXACT.run(offline, swapped, entities))["age"] == {"value": 2}
    zone = entities.assign(event_timestamp=entities["event_timestamp"].dt.tz_convert("Asia/Tokyo"))
    assert (
        EXACT.run(zone.assign(age=[30, 29, 40]), offline.copy(), entities).outcome == Outcome.PASS
    )


def test_a_value_from_after_the_event_fails_however_rare():
    offline, online, entities = sides(1000)
    known = offline.assign(age__ts=AT - timedelta(hours=1), tenure__ts=AT)
    gate = FeatureParity(max_mismatch_rate=0.5)
    there = online.merge(known[["id", "age__ts", "tenure__ts"]])
    passed = gate.run(known, there, entities)
    assert passed.outcome == Outcome.PASS
    assert "no value is from after its event, the oldest is 3,600 s old" in passed.verdict.reason
    known.loc[17, "age__ts"] = AT + timedelta(seconds=1)
    evidence = gate.run(known, there, entities)
    assert evidence.outcome == Outcome.FAIL
    assert "age leaks from the future: 1 of 2,000 values" in evidence.verdict.reason
    assert any("entities row 17" in line for line in evidence.findings)
    assert "1" not in str(evidence.findings).replace("entities row 17", "").replace("1,000", "")


def test_times_of_feast_and_of_rows():
    offline, online, entities = sides(50)
    seconds = int(AT.timestamp())
    for column, value in (
        ("age__ts", seconds), ("age__ts", str(seconds)), ("feature_timestamp", AT.isoformat()),
    ):  # fmt: skip
        evidence = EXACT.run(offline.assign(**{column: value}), online, entities)
        assert evidence.measurement.details["features"][0]["timed"] == 50
    assert EXACT.run(offline.assign(age__ts="soon"), online, entities).outcome == Outcome.ERROR
    assert EXACT.run(offline.assign(age__ts=0), online, entities).outcome == Outcome.PASS  # unknown


def test_staleness():
    offline, online, entities = sides(50)
    known = {"feature_timestamp": AT - timedelta(days=1)}
    for limit, wanted in ((86_400, Outcome.PASS), (86_399, Outcome.FAIL)):
        gate = FeatureParity(max_mismatch_rate=0, max_staleness=limit)
        evidence = gate.run(offline.assign(**known), online.assign(**known), entities)
        assert evidence.outcome == wanted, evidence.verdict.reason
    assert gate.run(offline, online, entities).outcome == Outcome.INCONCLUSIVE


def test_callables_are_asked_with_keys():
    offline, _, entities = sides(20)
    seen = []

    def get(entity):
        seen.append(entity)
        return {"age": [entity["id"] % 70], "tenure": [entity["id"] / 8]}

    assert EXACT.run(offline, get, entities).outcome == Outcome.PASS
    assert seen == [{"id": n} for n in range(20)]

    def history(entity):
        assert set(entity) == {"id", "event_timestamp"}
        return {"age": entity["id"] % 70, "tenure": entity["id"] / 8}

    assert EXACT.run(history, get, entities).outcome == Outcome.PASS

    async def later(entity):
        return None if entity["id"] == 3 else get(entity)

    assert kinds(EXACT.run(history, later, entities))["age"] == {"dropped": 1}


def test_features_and_keys_can_be_named():
    offline, online, entities = sides(20)
    labelled = entities.assign(label=1)
    evidence = EXACT.run(offline, online, labelled)
    assert "lacks the entity column 'label'" in evidence.verdict.reason
    assert FeatureParity(max_mismatch_rate=0, keys=("id",)).run(
        offline, online, labelled
    ).outcome == Outcome.PASS  # fmt: skip
    named = FeatureParity(max_mismatch_rate=0, features=("age",))
    assert named.run(offline, online.drop(columns="tenure"), entities).outcome == Outcome.PASS
    gone = named.run(offline, online.drop(columns="age"), entities)
    assert kinds(gone)["age"] == {"missing": 20}
    assert gone.outcome == Outcome.FAIL
    for policy in ({"features": ("a", "a")}, {"keys": ("a", "a")}):
        with pytest.raises(FieldError, match="twice"):
            FeatureParity(max_mismatch_rate=0, **policy)


def test_bounds_with_a_limit_above_zero():
    offline, online, entities = sides(5000)
    wrong = online.assign(age=online["age"] + (online["id"] < 25))
    for limit, wanted in (
        (0.05, Outcome.PASS), (0.006, Outcome.INCONCLUSIVE), (0.001, Outcome.FAIL),
    ):  # fmt: skip
        evidence = FeatureParity(max_mismatch_rate=limit).run(offline, wrong, entities)
        assert evidence.outcome == wanted, evidence.verdict.reason
        assert evidence.measurement.value == 0.005
        low, high = evidence.measurement.interval
        assert low < 0.005 < high


def test_rows_of_one_entity_are_not_independent():
    """A thousand rows of ten entities say as much as ten entities do."""
    entities = pd.DataFrame(
        {
            "id": np.repeat(range(10), 100),
            "event_timestamp": pd.date_range(AT, periods=1000, freq="h"),
        }
    )
    offline, online = entities.assign(age=1), entities.assign(age=1)
    gate = FeatureParity(max_mismatch_rate=0.01)
    assert gate.run(offline, online, entities).outcome == Outcome.INCONCLUSIVE
    entities["id"] = range(1000)
    offline, online = entities.assign(age=1), entities.assign(age=1)
    assert gate.run(offline, online, entities).outcome == Outcome.PASS


def test_half_the_rows_of_each_entity():
    entities = pd.DataFrame(
        {
            "id": np.repeat(range(300), 4),
            "event_timestamp": list(pd.date_range(AT, periods=4)) * 300,
        }
    )
    offline = entities.assign(age=1)
    online = entities.assign(age=np.tile([1, 1, 2, 2], 300))
    evidence = FeatureParity(max_mismatch_rate=0.1).run(offline, online, entities)
    assert evidence.outcome == Outcome.FAIL
    assert evidence.measurement.value == 0.5


def test_the_tolerance_is_that_of_the_policy():
    offline, online, entities = sides(20)
    seen = FeatureParity(max_mismatch_rate=0, tolerance=0.1).run(
        offline, online.assign(tenure=online["tenure"] * 1.05), entities
    )
    assert seen.outcome == Outcome.PASS
    assert EXACT.decide(seen.measurement).outcome == Outcome.ERROR


def test_a_column_of_an_unknown_kind_of_key():
    offline, online, entities = sides(5)
    texts = online.assign(id=online["id"].astype(str))
    assert "are the keys of one type" in EXACT.run(offline, texts, entities).verdict.reason


def test_entities_without_times():
    rows = [{"id": n, "age": n} for n in range(9)]
    assert EXACT.run(rows, [dict(r) for r in rows], [{"id": n} for n in range(9)]).outcome == (
        Outcome.PASS
    )
    plain = datetime(2026, 1, 1, tzinfo=UTC)
    mixed = [{"id": 1, "event_timestamp": plain}, {"id": 2, "event_timestamp": "2026-01-01"}]
    assert EXACT.run(rows, [dict(r) for r in rows], mixed).outcome == Outcome.PASS


def test_another_type_is_told_by_its_two_types():
    """A text against a number, and no value of either."""
    rows = [{"customer": n, "age": n % 70} for n in range(50)]
    texts = [{**row, "age": "unknown" if row["customer"] == 7 else row["age"]} for row in rows]
    found = FeatureParity(max_mismatch_rate=0).run(
        rows, texts, [{"customer": n} for n in range(50)]
    )
    (line,) = [line for line in found.findings if "entities row" in line]
    assert "number offline" in line or "int offline" in line
    assert "text online" in line or "str online" in line
    assert "unknown" not in line
