"""How long cost_budget takes to add up a bill, beside a sum of floats in pandas.

A made-up FOCUS bill of 1,000,000 lines of 24 columns, written to a temporary folder as CSV and as
Parquet; each reader runs in a process of its own. Run: python benchmarks/cost_speed.py
"""

from __future__ import annotations

import argparse
import csv
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
READERS = ("cost_budget, CSV", "cost_budget, Parquet", "pandas, CSV, all columns", "pandas, CSV, 2")


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


def read(which: int, folder: Path) -> str:
    """Run one reader, and say what it took."""
    start = time.process_time()
    bill = folder / "bill.csv"
    if which < 2:
        from pytest_mlgates.gates.cost_budget import CostBudget

        gate = CostBudget(currency="USD", max_cost=1e9, by="tag:team")
        evidence = gate.run(bill if which == 0 else folder / "bill.parquet")
        assert evidence.outcome == "pass", evidence.verdict
    else:
        import pandas

        columns = None if which == 2 else ["BilledCost", "ServiceName"]
        frame = pandas.read_csv(bill, usecols=columns)
        frame.groupby("ServiceName").BilledCost.sum()
    seconds = time.process_time() - start
    return f"| {READERS[which]} | {seconds:.1f} s | {_memory()} |"


def _memory() -> str:
    """Return the most that this process held (Linux)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return "-"
    most = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return f"{int(most.split()[1]) / 1024:,.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the lines")
    parser.add_argument("--read", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read is not None:
        print(read(options.read, options.folder))
        return
    import pyarrow.csv
    import pyarrow.parquet

    lines = LINES // 10 if options.quick else LINES
    with tempfile.TemporaryDirectory() as folder:
        bill = Path(folder, "bill.csv")
        write(bill, lines)
        pyarrow.parquet.write_table(pyarrow.csv.read_csv(bill), Path(folder, "bill.parquet"))
        print(f"| {lines:,} lines, {bill.stat().st_size / 1e6:.0f} MB | CPU | memory |")
        print("|---|---|---|", flush=True)
        for which in range(len(READERS)):
            again = [sys.executable, __file__, "--read", str(which), "--folder", folder]
            subprocess.run(again, check=True)


if __name__ == "__main__":
    main()
