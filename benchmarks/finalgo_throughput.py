"""`finalgo_fraud` at 50,000 transactions a second over 64 connections, incident and fix in one run.

A minute of load after a minute that fills the local table, over a store of a million cards that is
5 ms away in both builds. `--quick`: ten seconds each. With real-time priority where permitted; the
load average stands in the result, and where the load itself lagged the row says so.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

from pytest_mlgates.load.collector import collector_paused
from pytest_mlgates.load.priority import realtime_priority
from reference_systems.finalgo_fraud.load import load
from reference_systems.finalgo_fraud.running import served
from reference_systems.parts.realtime import realtime

COLUMNS = {
    "offered_per_s": "offered/s",
    "answered_per_s": "answered/s",
    "unanswered": "unanswered",
    "p50_ms": "P50 ms",
    "p99_ms": "P99 ms",
    "worst_second_p99_ms": "worst second P99 ms",
    "hit_rate": "hit rate",
    "mean_lookup_ms": "mean look-up ms",
    "degraded_share": "answered without history",
    "cpu_us": "scorer CPU us each",
    "lag_p99_ms": "load's lag P99 ms",
    "load_average": "load average",
}


def measure(build: str, options: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Serve a build, fill its table, offer the load, and return the figures."""
    words = ["--delay-ms", str(options.delay_ms), "--cards", str(options.table)]
    with (
        served(build, folder / build, *words, prefix=realtime()) as running,
        realtime_priority(wanted=True),
        collector_paused(),
    ):
        arguments = (running.address, options.rate, options.connections)
        if build == "fixed":  # the incident has no table to fill, and a queue would stay
            load(*arguments, options.warmup, seed=1, cards=options.cards)
        told, sent = load(*arguments, options.seconds, seed=2, cards=options.cards)
        average = os.getloadavg()[0]
    work = running.told
    scored = max(1.0, work.get("scored", 0.0))
    return {
        **told,
        "offered_per_s": round(len(sent.due) / options.seconds, 1),
        "hit_rate": round(work.get("hit_rate", 0.0), 4),
        "mean_lookup_ms": round(work.get("mean_lookup_ms", 0.0), 3),
        "degraded_share": round(work.get("degraded", 0) / scored, 5),
        "cpu_us": round(1e6 * work.get("cpu_s", 0.0) / scored, 1),
        "load_average": round(average, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rate", type=float, default=50_500)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warmup", type=float, default=60)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--cards", type=int, default=1_000_000)
    parser.add_argument("--table", type=int, default=500_000)
    parser.add_argument("--delay-ms", type=float, default=5.0)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.warmup = 10.0, 10.0
    print("| build | " + " | ".join(COLUMNS.values()) + " |\n|---" + "|---" * len(COLUMNS) + "|")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for build in ("fixed", "incident"):
            found[build] = measure(build, options, Path(folder))
            row = " | ".join(f"{found[build][name]:g}" for name in COLUMNS)
            late = " (the load lagged: no verdict)" if found[build]["lag_p99_ms"] > 2 else ""
            print(f"| {build}{late} | {row} |", flush=True)
    if options.out:
        options.out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
