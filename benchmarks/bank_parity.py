"""What `feature_parity` finds: plants in frames made by seed, and 100,000 rows of Feast against each other.

Each seed draws two sides of 1,000 rows that agree (one in float64, shuffled), and plants one fault in
one of them. Beside the gate stands what people write first: the means of each feature compared with a
tolerance of 1 %. ``--store`` onboards 100,000 customers with Feast (the extra systems-bank), compares
offline with online, and times the onboarding of ten lines.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.feature_parity import FeatureParity

AT = datetime(2026, 6, 30, tzinfo=UTC)
ROWS = 1_000
GATE = FeatureParity(max_mismatch_rate=0)
Rows = list[dict[str, Any]]


def sides(rng: np.random.Generator) -> tuple[Rows, Rows, Rows]:
    """Return what training and serving hold, and the rows asked for."""
    entities = [{"customer_id": n, "event_timestamp": AT} for n in range(ROWS)]
    age = rng.integers(18, 95, ROWS)
    spend = rng.lognormal(3.5, 1.0, ROWS).astype(np.float32)
    hours = rng.integers(0, 30 * 24, ROWS)
    offline, online = [], []
    for n, entity in enumerate(entities):
        null = rng.random() < 0.05
        known = AT - timedelta(hours=int(hours[n]))
        row = {"age": None if null else int(age[n]), "spend": float(spend[n]), "hour": known.hour}
        times = {f"{name}__ts": known for name in row}
        offline.append({**entity, **row, **times})
        now = {**row, "age": math.nan if null else float(age[n]), "spend": spend[n]}
        online.append({"customer_id": n, **now, **times})
    rng.shuffle(online)
    return offline, online, entities


def leak(rng: np.random.Generator, offline: Rows, online: Rows) -> None:
    """Train on a value from after the event; serving shares it, so only its time tells."""
    row = offline[int(rng.integers(ROWS))]
    later = row["spend"] * 1.5
    row["spend"], row["spend__ts"] = later, AT + timedelta(hours=1)
    next(r for r in online if r["customer_id"] == row["customer_id"])["spend"] = later


def hour(rng: np.random.Generator, _offline: Rows, online: Rows) -> None:
    """Shift 0.1 % of the rows by an hour."""
    for n in rng.choice(ROWS, ROWS // 1000, replace=False):
        online[int(n)]["hour"] = (online[int(n)]["hour"] + 1) % 24


def zero(rng: np.random.Generator, _offline: Rows, online: Rows) -> None:
    """Fill the nulls of serving with 0."""
    nulls = [row for row in online if row["age"] != row["age"]]
    nulls[int(rng.integers(len(nulls)))]["age"] = 0.0


def drop(rng: np.random.Generator, offline: Rows, _online: Rows) -> None:
    """Drop a row of training, as a point-in-time join does before the first event."""
    offline.pop(int(rng.integers(ROWS)))


def nothing(_rng: np.random.Generator, _offline: Rows, _online: Rows) -> None:
    """Plant nothing."""


PLANTS: dict[str, Callable[[np.random.Generator, Rows, Rows], None]] = {
    "nothing (a false alarm)": nothing,
    "a value from after the event, on both sides": leak,
    "an hour's shift in 0.1 % of the rows": hour,
    "one null that became 0": zero,
    "one row dropped": drop,
}


def by_means(offline: Rows, online: Rows) -> bool:
    """Tell whether the mean of any feature is off by more than 1 %: what one would write first."""
    for name in ("age", "spend", "hour"):
        means = [
            np.nanmean([np.nan if row[name] is None else row[name] for row in side])
            for side in (offline, online)
        ]
        if abs(means[0] - means[1]) > 0.01 * abs(means[0]):
            return True
    return False


def found_in(seeds: range) -> tuple[Counter[str], Counter[str], float]:
    """Return how often each plant was found, by the gate and by the means, and the CPU seconds."""
    found: Counter[str] = Counter()
    naive: Counter[str] = Counter()
    start = time.process_time()
    for seed in seeds:
        for name, plant in PLANTS.items():
            rng = np.random.default_rng((20261130, seed))
            offline, online, entities = sides(rng)
            plant(rng, offline, online)
            outcome = GATE.judge(offline, online, entities).verdict.outcome
            assert outcome in (Outcome.PASS, Outcome.FAIL)
            found[name] += outcome == Outcome.FAIL
            naive[name] += by_means(offline, online)
    return found, naive, time.process_time() - start


def planted(seeds: int, jobs: int) -> dict[str, Any]:
    """Return how often each plant was found."""
    parts = [range(job, seeds, jobs) for job in range(jobs)]
    with ProcessPoolExecutor(jobs) as pool:
        results = list(pool.map(found_in, parts))
    found = sum((result[0] for result in results), Counter())
    naive = sum((result[1] for result in results), Counter())
    print(f"| planted in {ROWS:,} rows, {seeds:,} seeds | `feature_parity` | means within 1 % |")
    print("|---|---:|---:|")
    for name in PLANTS:
        print(f"| {name} | {found[name]:,} | {naive[name]:,} |", flush=True)
    return {
        "seeds": seeds,
        "found": {name: found[name] for name in PLANTS},
        "by_means": {name: naive[name] for name in PLANTS},
        "cpu_s": round(sum(result[2] for result in results), 1),
    }


def store(customers: int) -> dict[str, Any]:
    """Onboard so many customers with Feast, compare, and time what a data scientist types."""
    from pytest_mlgates.gates.lead_time import LeadTime
    from reference_systems.bank_feature_store import inputs
    from reference_systems.bank_feature_store.builds import Store, commands

    with tempfile.TemporaryDirectory() as name:
        bank = Store(Path(name), customers, seed=0, payments=2)
        start = time.process_time()
        offline, online = bank.offline("fixed"), bank.online("fixed")
        asked = time.process_time() - start
        start = time.process_time()
        evidence = GATE.run(offline, online, bank.entities)
        judged = time.process_time() - start
    print(f"\n{evidence.outcome}: {evidence.verdict.reason}")
    print(f"asking both sides {asked:.1f} CPU s, the gate {judged:.1f} CPU s")
    with tempfile.TemporaryDirectory() as name:
        inputs.write(Path(name), 200, 0)
        steps = commands(Path(name))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        lead = LeadTime(max_minutes=30, max_handoffs=0).run(steps)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"onboarding: {lead.outcome}: {lead.verdict.reason}")
    print(f"{len(steps)} commands, {cpu:.1f} CPU s")
    return {
        "customers": customers,
        "parity": evidence.verdict.reason,
        "outcome": str(evidence.outcome),
        "onboarding": lead.verdict.reason,
        "onboarding_cpu_s": round(cpu, 1),
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer seeds, fewer customers")
    parser.add_argument("--store", action="store_true", help="with Feast, too")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes for the seeds")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures as JSON")
    options = parser.parse_args()
    figures = {"planted": planted(20 if options.quick else 1_000, options.jobs)}
    if options.store:
        figures["store"] = store(2_000 if options.quick else 100_000)
    if options.out:
        options.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
