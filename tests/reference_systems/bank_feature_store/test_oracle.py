"""History and serving against another engine: DuckDB's ASOF join over the same files."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

import pandas as pd
import pytest

from reference_systems.bank_feature_store import inputs

duckdb = pytest.importorskip("duckdb", reason="the extra systems-bank")


def questions(ids, start, end, count, seed, exact=()):
    """Random keys and times, the times of events among them."""
    rng = random.Random(seed)
    span = (end - start).total_seconds()
    for number in range(count):
        when = start + timedelta(seconds=rng.randrange(int(span)))
        if exact and number % 3 == 0:
            when = rng.choice(exact)
        yield {"id": number, "customer_id": rng.choice(ids), "event_timestamp": when.isoformat()}


def same(ours, theirs):
    if theirs is None or (isinstance(theirs, float) and math.isnan(theirs)):
        return ours is None
    return ours is not None and math.isclose(ours, theirs, rel_tol=1e-9)


def answers_of(sql, asked, **tables):
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        for name, table in tables.items():
            db.register(name, table)
        frame = pd.DataFrame(asked)
        frame["event_timestamp"] = pd.to_datetime(
            frame["event_timestamp"], utc=True, format="ISO8601"
        )
        db.register("asked", frame)
        rows = db.execute(sql).fetchall()
    return {row[0]: row[1:] for row in rows}


LAST = """
    SELECT a.id, c.age, c.tenure FROM asked a ASOF LEFT JOIN customers c
    ON a.customer_id = c.customer_id AND a.event_timestamp >= c.event_timestamp"""
WINDOW = """
    SELECT a.id,
      CASE WHEN count(p.at) = 0 THEN NULL
           WHEN count(p.at) FILTER (p.at > a.event_timestamp - INTERVAL 30 DAY) = 0 THEN 0
           ELSE sum(p.amount) FILTER (p.at > a.event_timestamp - INTERVAL 30 DAY) END,
      CASE WHEN count(p.at) = 0 THEN NULL
           ELSE count(p.at) FILTER (p.at > a.event_timestamp - INTERVAL 30 DAY) END
    FROM asked a LEFT JOIN payments p
    ON a.customer_id = p.customer_id AND p.at <= a.event_timestamp
    GROUP BY a.id"""


@pytest.fixture(scope="module")
def tables(bank):
    """The sources, read by DuckDB and not by the store."""
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'America/New_York'")
        customers = db.execute(f"FROM '{bank / 'customers.parquet'}'").df()
        payments = db.execute(
            "SELECT customer_id, paid_at::TIMESTAMPTZ AS at, TRY_CAST(amount AS DOUBLE) AS amount"
            f" FROM read_csv('{bank / 'payments.csv'}', types={{'paid_at': 'VARCHAR'}})"
        ).df()
    return {"customers": customers, "payments": payments}


@pytest.mark.parametrize("seed", [1, 2])
def test_history_is_that_of_an_asof_join(program, tables, seed):
    exact = [t.to_pydatetime() for t in tables["payments"]["at"][:400]]
    exact += [t + timedelta(days=30) for t in exact]
    exact += [t.to_pydatetime() for t in tables["customers"]["event_timestamp"][:400]]
    start, end = datetime.fromisoformat("2025-06-01T00:00Z"), datetime.fromisoformat(inputs.AS_OF)
    asked = list(questions(range(95, 405), start, end, 3_000, seed, exact))
    found = program.lines("history", asked)
    last, window = (answers_of(sql, asked, **tables) for sql in (LAST, WINDOW))
    seen = 0
    for line in found:
        values = list(line["values"].values())
        wanted = [*last[line["id"]], *window[line["id"]]]
        assert all(map(same, values, wanted)), (line, wanted)
        seen += sum(value is not None for value in values)
    assert seen > 6_000


def test_serving_is_that_of_an_asof_join(program, tables):
    asked = [{"id": n, "customer_id": n, "event_timestamp": inputs.AS_OF} for n in range(95, 405)]
    found = program.lines("get", [{"id": a["id"], "customer_id": a["id"]} for a in asked])
    last, window = (answers_of(sql, asked, **tables) for sql in (LAST, WINDOW))
    for line in found:
        wanted = [*last[line["id"]], *window[line["id"]]]
        assert all(map(same, line["values"].values(), wanted)), (line, wanted)


DRIVERS = """\
from datetime import timedelta
from feast import Entity, FeatureView, Field, FileSource
from feast.types import Float32, Int64
driver = Entity(name="driver", join_keys=["driver_id"])
stats = FileSource(path="{path}", timestamp_field="event_timestamp", created_timestamp_column="created")
driver_stats = FeatureView(name="driver_stats", entities=[driver], ttl=timedelta(days=7), source=stats,
    schema=[Field(name="conv_rate", dtype=Float32), Field(name="avg_daily_trips", dtype=Int64)])
"""


@pytest.mark.skipif(inputs.demo() is None, reason="MLGATES_DATA is not set")
def test_real_drivers(fresh):
    path = inputs.demo() / "driver_stats.parquet"
    (fresh.folder / "drivers.py").write_text(DRIVERS.format(path=path))
    assert fresh.run("onboard", fresh.folder / "drivers.py")[0] == 0
    table = pd.read_parquet(path)
    start, end = table["event_timestamp"].min(), table["event_timestamp"].max()
    ids = sorted(table["driver_id"].unique().tolist())
    exact = [t.to_pydatetime() for t in table["event_timestamp"][:300]]
    asked = [
        {**{k: v for k, v in one.items() if k != "customer_id"}, "driver_id": one["customer_id"]}
        for one in questions(ids, start - timedelta(days=2), end, 2_000, 5, exact)
    ]
    found = fresh.lines("history", asked)
    held = "CASE WHEN c.event_timestamp >= a.event_timestamp - INTERVAL 7 DAY THEN {} END"
    names = ", ".join(map(held.format, ("c.conv_rate", "c.avg_daily_trips")))
    sql = f"""SELECT a.id, {names} FROM asked a ASOF LEFT JOIN drivers c
             ON a.driver_id = c.driver_id AND a.event_timestamp >= c.event_timestamp"""
    # rows that agree in key and time: the last one counts
    table = table.drop_duplicates(["driver_id", "event_timestamp"], keep="last")
    wanted = answers_of(sql, asked, drivers=table)
    for line in found:
        assert all(map(same, line["values"].values(), wanted[line["id"]]))


@pytest.mark.skipif(inputs.demo() is None, reason="MLGATES_DATA is not set")
def test_the_real_credit_demo_can_be_onboarded(fresh):
    """Its key is a date of birth with four digits of a social security number: a text."""
    text = f"""\
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Int64
person = Entity(name="person", join_keys=["dob_ssn"], value_type=ValueType.STRING)
credit = FileSource(path="{inputs.demo() / "credit_history_sample.csv"}",
    timestamp_field="event_timestamp", created_timestamp_column="created_timestamp")
credit_view = FeatureView(name="credit", entities=[person], source=credit,
    schema=[Field(name="hard_pulls", dtype=Int64), Field(name="bankruptcies", dtype=Int64)])
"""
    (fresh.folder / "credit.py").write_text(text)
    fresh.ask("onboard", fresh.folder / "credit.py")
    (line,) = fresh.lines("get", [{"dob_ssn": "19530219_5179"}])
    assert line["values"] == {"credit:hard_pulls": 0, "credit:bankruptcies": 0}
