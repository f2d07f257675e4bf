"""Incident and fix side by side, measured on this machine.

``python -m reference_systems.finalgo_fraud compare [--seconds 10] [--rates 150,2000,50000]``
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlgates.load.collector import collector_paused
from pytest_mlgates.load.priority import realtime_priority
from reference_systems.finalgo_fraud.load import load
from reference_systems.finalgo_fraud.running import served
from reference_systems.finalgo_fraud.weeks import week_by_week
from reference_systems.parts.realtime import realtime

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["compare"]


def compare(rates: Sequence[float], seconds: float, connections: int, seed: int) -> None:
    """Print a table for people: figures of both builds at several rates, then week by week."""
    prefix = realtime()
    say = sys.stdout.write
    priority = "with real-time priority" if prefix else "without real-time priority"
    say(f"{connections} connections, {seconds:g} s each, store 5 ms away in both builds, ")
    say(f"{priority}, load average {os.getloadavg()[0]:.1f}\n\n")
    say("| build | offered/s | answered/s | P50 ms | P99 ms | worst second P99 | hit rate | "
        "mean look-up ms | scorer CPU us each |\n|---|---|---|---|---|---|---|---|---|\n")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for build in ("incident", "fixed"):
            for rate in rates:
                with (
                    served(build, Path(folder, build), prefix=prefix) as running,
                    realtime_priority(wanted=True),
                    collector_paused(),
                ):
                    told, _ = load(running.address, rate, connections, seconds, seed=seed)
                work = running.told
                cpu = 1e6 * work.get("cpu_s", 0.0) / max(1, work.get("scored", 0))
                say(f"| {build} | {rate:g} | {told['answered_per_s']} | {told['p50_ms']} | "
                    f"{told['p99_ms']} | {told['worst_second_p99_ms']} | "
                    f"{work.get('hit_rate', 0):.3f} | {work.get('mean_lookup_ms', 0):.2f} | "
                    f"{cpu:.1f} |\n")  # fmt: skip
                sys.stdout.flush()
    say("\n| week | frauds | AUPRC weekly batch | AUPRC online | |\n|---|---|---|---|---|\n")
    for week in week_by_week(seed):
        say(f"| {week.number} | {week.frauds} | {week.weekly:.3f} | {week.online:.3f} | "
            f"{'fraud changed its ways' if week.shifted else ''} |\n")  # fmt: skip
