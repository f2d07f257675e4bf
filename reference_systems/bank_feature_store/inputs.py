"""The bank's own data, by seed: master data of customers, and their card payments.

With MLGATES_DATA the demo of Feast's repository stands beside it: :func:`demo` gives its folder.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["AS_OF", "DEFINITION", "demo", "write"]

#: when values are asked for online: midnight, at which windows end and days begin
AS_OF = "2026-06-30T00:00:00+00:00"
_START = datetime(2025, 7, 1, tzinfo=UTC)

DEFINITION = '''\
"""The bank's customers: ten lines for the master data, and their payments of the last 30 days."""
from datetime import timedelta
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, Float64, Int64
customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
customers = FileSource(path="customers.parquet", timestamp_field="event_timestamp")
customer_view = FeatureView(
    name="customer", entities=[customer], ttl=timedelta(days=3650), source=customers,
    schema=[Field(name="age", dtype=Int64), Field(name="tenure", dtype=Float32)],
)
payments = FileSource(path="payments.csv", timestamp_field="paid_at",
                      tags={"timezone": "America/New_York"})
payment_view = FeatureView(
    name="payments", entities=[customer], ttl=timedelta(days=365), source=payments,
    schema=[
        Field(name="spend_30d", dtype=Float64, tags={"sum": "amount", "days": "30"}),
        Field(name="count_30d", dtype=Int64, tags={"count": "amount", "days": "30"}),
    ],
)
'''


def write(folder: Path, customers: int, seed: int, payments: int = 12) -> Path:
    """Write the sources and the definition into a folder; return the path of the definition.

    ``payments`` is how many there are for each customer, on the mean.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng((20261130, seed))
    _customers(customers, rng).to_parquet(folder / "customers.parquet", index=False)
    _payments(customers, payments * customers, rng).to_csv(folder / "payments.csv", index=False)
    path = folder / "customer.py"
    path.write_text(DEFINITION, encoding="utf-8")
    return path


def _customers(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Give each customer a row when one opens an account, and one each time master data changes.

    One in twelve has not said how old one is. Rows come at midnight and during the day, and after
    AS_OF too: who asks for a day in the past must not see them.
    """
    frames = []
    for month in range(0, 15, 3):
        some = np.arange(n)[rng.random(n) < (1.0 if month == 0 else 0.6)]
        age = rng.integers(18, 95, n)[some].astype(float)
        age[rng.random(len(some)) < 1 / 12] = np.nan
        hours = rng.integers(0, 90 * 24, len(some)) * (rng.random(len(some)) < 0.8)
        days = month * 30 + hours / 24
        frames.append(
            pd.DataFrame(
                {
                    "customer_id": 100 + some,
                    "event_timestamp": [_START + timedelta(days=float(d)) for d in days],
                    "age": pd.array(age, dtype="Int64"),
                    "tenure": np.round(rng.gamma(2.0, 4.0, len(some)), 2).astype("float32"),
                }
            )
        )
    found = pd.concat(frames, ignore_index=True)
    return found.astype({"event_timestamp": "datetime64[us, UTC]"})


def _payments(n: int, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Give card payments in the wall clock of the branches; some amounts are not known yet.

    Some fall on the very hour at which a window of 30 days ends at AS_OF, some come after it.
    """
    as_of = datetime.fromisoformat(AS_OF)
    when = [_START + timedelta(hours=float(h)) for h in rng.integers(0, 370 * 24, count)]
    for at in np.flatnonzero(rng.random(count) < 0.02):
        when[at] = as_of - timedelta(days=30)
    for at in np.flatnonzero(rng.random(count) < 0.02):
        when[at] = as_of
    local = pd.Series(when).dt.tz_convert("America/New_York")
    amount = np.round(rng.lognormal(3.5, 1.0, count), 2).astype(object)
    amount[rng.random(count) < 0.04] = ""
    rows = pd.DataFrame(
        {
            "customer_id": 100 + rng.integers(0, n, count),
            "paid_at": local.map(lambda at: at.isoformat()),
            "amount": amount,
        }
    )
    # most are written without the offset; where that would be unclear they have it
    naive = local.dt.tz_localize(None)
    clear = naive.dt.tz_localize("America/New_York", ambiguous="NaT", nonexistent="NaT").notna()
    rows.loc[clear, "paid_at"] = naive[clear].map(lambda at: at.isoformat())
    return rows


def demo() -> Path | None:
    """Return the folder of Feast's demo data under MLGATES_DATA, or None."""
    root = os.environ.get("MLGATES_DATA")
    folder = Path(root, "bank_feature_store") if root else None
    return folder if folder is not None and folder.is_dir() else None
