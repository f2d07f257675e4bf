"""How long cost_budget takes to add up a bill, beside SQL that checks the same.

A made-up FOCUS bill of 1,000,000 lines of 24 columns, written to a temporary folder as CSV and as
Parquet. The rivals are DuckDB's and polars' own queries with the checks of the gate: exact decimals
of at most 18 places, currency, category, times, order of times, equal lines, days that are
covered, sums by team, day and kind; one thread each. Each reader runs in a process of its own, in
rounds; the least CPU of each is shown, without its imports. Run: python benchmarks/cost_speed.py
"""

from __future__ import annotations

import argparse
import csv
import importlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LINES = 1_000_000
COLUMNS = (
    "ProviderName", "BillingAccountId", "SubAccountId", "BillingPeriodStart", "BillingPeriodEnd",
    "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ChargeClass", "ChargeDescription",
    "ChargeFrequency", "BilledCost", "EffectiveCost", "ListCost", "BillingCurrency",
    "ConsumedQuantity", "ConsumedUnit", "ServiceName", "ServiceCategory", "SkuId", "ResourceId",
    "RegionId", "AvailabilityZone", "Tags",
)  # fmt: skip
FORMATS = ("csv", "parquet")
READERS = ("cost_budget", "duckdb", "polars", "pandas, a sum of floats")
IMPORTS = {
    "cost_budget": ("duckdb", "pyarrow.parquet", "pytest_mlgates.gates.cost_budget.measure"),
    "duckdb": ("duckdb",),
    "polars": ("polars",),
    "pandas, a sum of floats": ("pandas", "pyarrow"),
}
CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
PLAIN = r"[+-]?[0-9]{1,15}(\.[0-9]{0,18})?"


def write(path: Path, lines: int) -> None:
    draw = random.Random(1)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for n in range(lines):
            day, hour = n % 30 + 1, n // 30 % 24
            start = f"2026-11-{day:02}T{hour:02}:00:00Z"
            end = f"2026-11-{day:02}T{hour + 1:02}:00:00Z" if hour < 23 else ""
            if not end:
                end = f"2026-11-{day + 1:02}T00:00:00Z" if day < 30 else "2026-12-01T00:00:00Z"
            cost = f"{draw.random():.10f}"
            writer.writerow((
                "AWS", "100000000001", f"2000000000{n % 40:02}", "2026-11-01T00:00:00Z",
                "2026-12-01T00:00:00Z", start, end, "Usage", "", "on-demand hours", "Usage-Based",
                cost, cost, cost, "USD", f"{draw.random():.4f}", "Hours", f"Service {n % 30}",
                "Compute", f"SKU-{n % 500}", f"i-{n // 720:016x}", "us-west-2", "us-west-2a",
                f'{{"team": "t{n % 20}", "env": "prod"}}',
            ))  # fmt: skip


def read(which: str, bill: Path) -> str:
    """Run one reader, and say what it took."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    for module in IMPORTS[which]:
        importlib.import_module(module)
    start = time.process_time()
    {"cost_budget": gated, "duckdb": by_duckdb, "polars": by_polars}.get(which, by_pandas)(bill)
    return f"{time.process_time() - start:.2f} {_memory():.0f}"


def gated(bill: Path) -> None:
    from pytest_mlgates.gates.cost_budget import CostBudget

    evidence = CostBudget(currency="USD", max_cost=1e9, by="tag:team").run(bill)
    assert evidence.outcome == "pass", evidence.verdict


def by_duckdb(bill: Path) -> None:
    import duckdb

    source = f"read_parquet('{bill}')"
    if bill.suffix == ".csv":
        source = f"read_csv('{bill}', all_varchar=true, header=true)"
    names = ", ".join(COLUMNS)
    db = duckdb.connect(config={"threads": "1"})
    db.execute(
        f"""CREATE TABLE line AS SELECT
            CASE WHEN regexp_full_match(BilledCost, '{PLAIN}')
                 THEN CAST(BilledCost AS DECIMAL(38,18)) END AS cost,
            epoch(try_cast(ChargePeriodStart AS TIMESTAMP))::BIGINT AS s,
            epoch(try_cast(ChargePeriodEnd AS TIMESTAMP))::BIGINT AS e,
            epoch(try_cast(BillingPeriodStart AS TIMESTAMP))::BIGINT AS b,
            BillingCurrency AS currency, ChargeCategory AS category, ChargeClass AS class,
            ChargeFrequency AS frequency, Tags AS tags, hash({names}) AS h FROM {source}"""
    )
    [(lines, bad)] = db.execute(
        f"""SELECT count(*), count(*) FILTER (cost IS NULL OR s IS NULL OR e IS NULL OR e < s
            OR s NOT BETWEEN 946684800 AND 4102444800 OR currency <> 'USD'
            OR category NOT IN {CATEGORIES}) FROM line"""
    ).fetchall()
    [(twice,)] = db.execute(
        "SELECT count(h) - count(DISTINCT h) FROM line WHERE cost <> 0"
    ).fetchall()
    days = db.execute("SELECT DISTINCT s // 86400 FROM line WHERE e - s <= 90000").fetchall()
    sums = db.execute(
        """WITH team AS (SELECT tags, json_extract_string(tags, '$.team') AS team
                         FROM (SELECT DISTINCT tags FROM line))
           SELECT team, greatest(s, b) // 86400 AS day,
             e - s <= 90000 AND category = 'Usage' AND cost >= 0 AND class IS NULL AS flow,
             sum(cost), count(*)
           FROM line JOIN team USING (tags) GROUP BY ALL"""
    ).fetchall()
    assert (bad, twice, len(days), len(sums), lines > 0) == (0, 0, 30, 60, True)


def by_polars(bill: Path) -> None:
    import polars as pl

    csv_ = bill.suffix == ".csv"
    lines = pl.read_csv(bill, infer_schema=False) if csv_ else pl.read_parquet(bill)

    def time_of(name: str) -> pl.Expr:
        return pl.col(name).str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False)

    plain = pl.col("BilledCost").str.contains(f"^{PLAIN}$")
    read_ = lines.with_columns(
        cost=pl.when(plain).then(pl.col("BilledCost")).cast(pl.Decimal(38, 18), strict=False),
        s=time_of("ChargePeriodStart"),
        e=time_of("ChargePeriodEnd"),
        b=time_of("BillingPeriodStart"),
        h=lines.hash_rows(),
    )
    bad = read_.filter(
        pl.col("cost").is_null()
        | pl.col("s").is_null()
        | pl.col("e").is_null()
        | (pl.col("e") < pl.col("s"))
        | (pl.col("BillingCurrency") != "USD")
        | ~pl.col("ChargeCategory").is_in(CATEGORIES)
    ).height
    costly = read_.filter(pl.col("cost") != 0)["h"]
    flow = (pl.col("ChargeCategory") == "Usage") & (pl.col("cost") >= 0)
    sums = read_.group_by(
        pl.col("Tags").str.json_path_match("$.team"),
        pl.max_horizontal("s", "b").dt.date(),
        flow.alias("flow"),
    ).agg(pl.col("cost").sum(), pl.len())
    days = read_["s"].dt.date().n_unique()
    assert (bad, costly.len() - costly.n_unique(), days, sums.height) == (0, 0, 30, 60)


def by_pandas(bill: Path) -> None:
    import pandas

    load = pandas.read_csv if bill.suffix == ".csv" else pandas.read_parquet
    frame = load(bill)
    frame.BilledCost.astype(float).groupby(frame.ServiceName).sum()


def _memory() -> float:
    """Return the most megabytes that this process held (Linux)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    most = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(most.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the lines, one round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    parser.add_argument("--bill", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read is not None:
        print(read(options.read, options.bill))
        return
    import duckdb

    lines = LINES // 10 if options.quick else LINES
    with tempfile.TemporaryDirectory() as folder:
        bill = Path(folder, "bill.csv")
        write(bill, lines)
        duckdb.execute(
            f"COPY (SELECT * FROM read_csv('{bill}', all_varchar=true, header=true))"
            f" TO '{bill.with_suffix('.parquet')}'"
        )
        took: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for _ in range(1 if options.quick else options.rounds):
            for kind in FORMATS:
                for reader in READERS:
                    own = bill.with_suffix(f".{kind}")
                    again = [sys.executable, __file__, "--read", reader, "--bill", str(own)]
                    said = subprocess.run(again, check=True, capture_output=True, text=True).stdout
                    seconds, memory = map(float, said.split())
                    took.setdefault((reader, kind), []).append((seconds, memory))
        print(
            f"| {lines:,} lines, {bill.stat().st_size / 1e6:.0f} MB of CSV | CPU | of duckdb's | memory |"
        )
        print("|---|---|---|---|")
        for (reader, kind), rounds in sorted(took.items(), key=lambda item: item[0][1]):
            least, rival = min(rounds), min(took["duckdb", kind])
            print(
                f"| {reader}, {kind} | {least[0]:.1f} s | {least[0] / rival[0]:.2f} |"
                f" {max(m for _, m in rounds):.0f} MB |"
            )


if __name__ == "__main__":
    main()
