"""Verdicts of `p99_latency` under real noise on this machine, beside `numpy.percentile`.

    python benchmarks/latency_real_noise.py [--quick] [--reps N] [--anyway] [--out FILE]

A subject with a known quiet P99 (about 1 ms, work drawn from a seeded list) is traced while
neighbours make noise; each trace is then judged against limits T with true P99 / T = r. Also a
subject whose own thread holds the interpreter for 3 ms at a time, and one with a slow path, both
over their limit. Run it on a machine that is otherwise idle: the quiet reference is checked.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from pytest_mlgates.core import Measurement, Outcome
from pytest_mlgates.gates.p99_latency import P99Latency
from pytest_mlgates.latency.calibration import calibrate, stored_quiet
from pytest_mlgates.latency.counters import MachineUse
from pytest_mlgates.latency.report import counted
from pytest_mlgates.latency.session import Plan, Session, observe
from pytest_mlgates.latency.trace import Trace
from pytest_mlgates.stats.sequential import quantile_schedule

CALLS, NAIVE_CALLS, Q = 5000, 1000, 0.99
PLAN = quantile_schedule(Q, CALLS)
RATIOS = (0.67, 0.83, 0.96, 1.0, 1.04, 1.25)
BAD_RATIO = 0.83  # the limit of the stalling and the slow-path subject, from the base subject
ARRAYS = ("wall", "cpu", "process", "delay", "switches", "spin")

# neighbours: each ends when its parent is gone, and in any case after LIFE_S
LIFE_S = 120
_HEAD = f"import os, time\nup = os.getppid(); end = time.monotonic() + {LIFE_S}\n"
_HEAD += "def on(): return os.getppid() == up and time.monotonic() < end\n"
BUSY = _HEAD + "while on():\n    sum(range(20000))\n"
BURSTS = (
    _HEAD
    + "import random\nwhile on():\n    stop = time.monotonic() + random.uniform(.005, .1)\n"
    + "    while time.monotonic() < stop: sum(range(2000))\n    time.sleep(random.uniform(.1, .9))\n"
)
MEMORY = (
    _HEAD
    + "import numpy as np\na = np.ones(8_000_000); b = np.ones(8_000_000)\n"
    + "while on():\n    np.copyto(a, b); b += a\n"
)
FORKS = _HEAD + "import subprocess\nwhile on():\n    subprocess.run(['true'], check=False)\n"
CONDITIONS: dict[str, tuple[list[str], int]] = {
    "quiet": ([], 0),
    "1 busy": ([BUSY], 0),
    "2 busy": ([BUSY] * 2, 0),
    "4 busy": ([BUSY] * 4, 0),
    "bursts": ([BURSTS] * 2, 0),
    "memory": ([MEMORY], 0),
    "forks": ([FORKS], 0),
    "niced": ([BUSY], 10),
}


# the subject, in a process of its own


def work_list() -> list[int]:
    """Return steps of work: log-normal with a P99 of about a millisecond, the same list every time."""
    rng = np.random.default_rng(7)
    steps = 30_000 * np.exp(0.35 * (rng.standard_normal(CALLS) - 2.326))
    return [int(step) for step in steps]


def work(steps: int) -> int:
    total = 0
    for step in range(steps):
        total += step
    return total


def stalling() -> Callable[[int], int]:
    """Have an own thread hold the interpreter for 3 ms, 15 times a second."""

    def hold() -> None:
        while True:
            time.sleep(0.06)
            stop = time.perf_counter() + 0.003
            while time.perf_counter() < stop:
                pass

    threading.Thread(target=hold, daemon=True).start()
    return work


def slow_path() -> Callable[[int], int]:
    calls = iter(np.random.default_rng(8).random(10 * CALLS) < 0.015)
    return lambda steps: work(4 * 30_000 if next(calls) else steps)


SUBJECTS = {"base": lambda: work, "own stalls": stalling, "1.5 % slow path": slow_path}


def record(subject: str, nice: int, seed: int, file: str) -> None:
    """Trace one run with the production loop and write it down."""
    os.nice(nice)
    order = np.random.default_rng(seed).permutation(work_list()).tolist()
    uses: dict[str, dict[str, Any]] = {}
    last: list[Session] = []

    def tell(session: Session) -> Measurement:
        trace = session.trace()
        if trace.use is not None:
            uses[str(trace.n)] = asdict(trace.use)
        last[:] = [session]
        return Measurement(value=0.0, unit="ms", n=trace.n)

    plan = Plan(looks=PLAN.looks, seconds=20.0, warmup=200)
    for _ in observe(SUBJECTS[subject](), order, None, plan, tell):
        pass
    trace = last[0].trace()
    if trace.delay is None:
        raise SystemExit("this benchmark needs the counters of Linux")
    arrays = {name: getattr(trace, name) for name in ARRAYS}
    quiet = np.array(trace.quiet_spin or np.nan)
    np.savez(file, quiet=quiet, uses=np.array(json.dumps(uses)), **arrays)


# the parent: noise, traces, verdicts


@contextmanager
def neighbours(codes: list[str]) -> Iterator[None]:
    running: list[subprocess.Popen[bytes]] = []
    try:
        running += [subprocess.Popen([sys.executable, "-c", code]) for code in codes]
        time.sleep(0.5 if codes else 0.1)
        yield
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()


def traced(subject: str, condition: str, seed: int, folder: Path) -> dict[str, Any]:
    codes, nice = CONDITIONS[condition]
    file = folder / "trace.npz"
    with neighbours(codes):
        command = [sys.executable, __file__, "--record", subject, str(nice), str(seed), str(file)]
        subprocess.run(command, check=True, timeout=LIFE_S)
    with np.load(file) as data:
        return {name: data[name] for name in data.files}


def looks(data: dict[str, Any]) -> Iterator[Trace]:
    quiet = float(data["quiet"])
    uses = json.loads(str(data["uses"]))
    for n in PLAN.looks:
        use = MachineUse(**uses[str(n)]) if str(n) in uses else None
        cut = {name: data[name][:n] for name in ARRAYS}
        yield Trace(**cut, quiet_spin=None if np.isnan(quiet) else quiet, use=use)


def verdicts(traces: list[Trace], limit_ms: float) -> Outcome:
    gate = P99Latency(max_ms=limit_ms, max_calls=CALLS)
    for trace in traces:
        outcome = gate.decide(counted(trace, limit_ms, Q, PLAN)[0]).outcome
        if outcome != Outcome.INCONCLUSIVE:
            return outcome
    return Outcome.INCONCLUSIVE


def naive(data: dict[str, Any], limit_ms: float) -> Outcome:
    slow = np.percentile(data["wall"][:NAIVE_CALLS], 99) / 1e6 > limit_ms
    return Outcome.FAIL if slow else Outcome.PASS


def reference(folder: Path, anyway: bool) -> float:
    """Return the quiet P99 in ms, from three traces that must agree on a quiet machine."""
    found = calibrate()
    faults = [found.note] if found.note else []
    p99s, taken = [], []
    for seed in (101, 102, 103):
        *_, trace = looks(traced("base", "quiet", seed, folder))
        p99s.append(float(np.quantile(trace.wall, Q)) / 1e6)
        taken.append(trace.use.taken / trace.use.at if trace.use else 0.0)
    spread = max(p99s) / min(p99s) - 1
    print(f"quiet P99 {', '.join(f'{p:.3f}' for p in p99s)} ms; taken by others {max(taken):.2f}")
    if spread > 0.05:
        faults.append(f"the quiet P99 varies by {100 * spread:.0f} %")
    if max(taken) > 0.05:
        faults.append(f"others took {max(taken):.2f} cores")
    if faults:
        print("NOT QUIET: " + "; ".join(faults))
        if not anyway:
            raise SystemExit("the reference is not quiet: stop what else runs, or use --anyway")
        print("the figures below mean nothing\n")
    return float(np.median(p99s))


def show(found: Counter[Outcome]) -> str:
    return "/".join(str(found[o]) for o in (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="one trace for each condition")
    parser.add_argument("--reps", type=int, help="base traces for each condition")
    parser.add_argument("--anyway", action="store_true", help="go on though it is not quiet")
    parser.add_argument("--only", nargs="+", choices=list(CONDITIONS), help="these conditions")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--record", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.record:
        subject, nice, seed, file = args.record
        record(subject, int(nice), int(seed), file)
        return
    reps = args.reps or (1 if args.quick else 19)
    table: dict[tuple[str, str], Counter[Outcome]] = defaultdict(Counter)
    by_condition: dict[str, dict[float, Counter[Outcome]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = name
        p99 = reference(folder, args.anyway)
        calibrated = stored_quiet().quiet_ns is not None
        for c, condition in enumerate(CONDITIONS):
            if args.only and condition not in args.only:
                continue
            by_condition[condition] = defaultdict(Counter)
            runs = [("base", i) for i in range(reps)]
            runs += [(s, i) for s in SUBJECTS if s != "base" for i in range(max(1, reps // 3))]
            for subject, i in runs:
                data = traced(subject, condition, 1000 * c + i, folder)
                traces = list(looks(data))
                for r in RATIOS if subject == "base" else (BAD_RATIO,):
                    key = f"r={r:g}" if subject == "base" else subject
                    ours = verdicts(traces, p99 / r)
                    table["p99_latency", key][ours] += 1
                    bare = [replace(t, quiet_spin=None) for t in traces]
                    table["p99_latency, not calibrated", key][verdicts(bare, p99 / r)] += 1
                    table["numpy.percentile, 1,000 calls", key][naive(data, p99 / r)] += 1
                    if subject == "base":
                        by_condition[condition][r][ours] += 1
            print(f"{condition}: done", file=sys.stderr)
    keys = [f"r={r:g}" for r in RATIOS] + [s for s in SUBJECTS if s != "base"]
    print(
        f"\nPASS/FAIL/INCONCLUSIVE, {reps} traces for each of {len(by_condition)} conditions, "
        f"{CALLS} calls each, calibrated: {calibrated}. r <= 1 meets the limit.\n"
    )
    print("| method | " + " | ".join(keys) + " |\n|---" + "|---" * len(keys) + "|")
    for method in dict.fromkeys(m for m, _ in table):
        print(f"| {method} | " + " | ".join(show(table[method, key]) for key in keys) + " |")
    print("\n| p99_latency while | " + " | ".join(keys[: len(RATIOS)]) + " |")
    print("|---" + "|---" * len(RATIOS) + "|")
    for condition, cells in by_condition.items():
        print(f"| {condition} | " + " | ".join(show(cells[r]) for r in RATIOS) + " |")
    if args.out:
        rows = [
            {"method": m, "case": k, **{o.value: n[o] for o in Outcome}}
            for (m, k), n in table.items()
        ]
        args.out.write_text(json.dumps({"p99_ms": p99, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
