"""Verdicts of `p99_latency` under real noise on this machine, beside `numpy.percentile`.

    python benchmarks/latency_real_noise.py [--quick] [--reps N] [--out FILE]

A subject with a known quiet P99 (about 1 ms, work drawn from a seeded list) is traced while
neighbours make noise; each trace is then judged against limits T with true P99 / T = r. Also a
subject whose own thread holds the interpreter for 3 ms at a time, and one with a slow path, both
over their limit. Run it on a machine that is otherwise idle: it says when it was not.
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
from pytest_mlgates.gates.p99_latency.machine import MachineUse
from pytest_mlgates.gates.p99_latency.measure import observe
from pytest_mlgates.gates.p99_latency.record import counted
from pytest_mlgates.gates.p99_latency.session import Plan, Session
from pytest_mlgates.gates.p99_latency.trace import Trace
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
    """Have an own thread hold the interpreter for 3 ms, some 40 times a second."""

    def hold() -> None:
        while True:
            time.sleep(0.02)
            stop = time.perf_counter() + 0.003
            while time.perf_counter() < stop:
                pass

    threading.Thread(target=hold, daemon=True).start()
    return work


def slow_path() -> Callable[[int], int]:
    calls = iter(np.random.default_rng(8).random(10 * CALLS) < 0.015)
    return lambda steps: work(4 * 30_000 if next(calls) else steps)


_REFERENCE = ("base", "quiet")
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
    np.savez(file, uses=np.array(json.dumps(uses)), **arrays)


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
    """Yield the trace up to each look, not calibrated."""
    uses = json.loads(str(data["uses"]))
    for n in PLAN.looks:
        use = MachineUse(**uses[str(n)]) if str(n) in uses else None
        yield Trace(**{name: data[name][:n] for name in ARRAYS}, quiet_spin=None, use=use)


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


def reference(quiet: list[dict[str, Any]]) -> tuple[float, float, str]:
    """Return the quiet P99 in ms, the quiet spin in ns, and what the quiet traces were like.

    The speed of a virtual machine drifts, so the quiet traces are spread over the whole run and
    their fastest tenth is the truth: all else is noise, since noise only adds.
    """
    p99s = [float(np.quantile(data["wall"], Q)) / 1e6 for data in quiet]
    spins = [float(np.median(data["spin"])) for data in quiet]
    taken = [trace.use.taken / trace.use.at for *_, trace in map(looks, quiet) if trace.use]
    told = (
        f"{len(quiet)} quiet traces: P99 {min(p99s):.3f} to {max(p99s):.3f} ms, spin "
        f"{min(spins):,.0f} to {max(spins):,.0f} ns, taken by others at most {max(taken):.2f} cores"
    )
    if float(np.median(taken)) > 0.05:
        told += "\nNOT QUIET: the figures below mean nothing"
    return float(np.quantile(p99s, 0.1)), float(np.quantile(spins, 0.1)), told


def show(found: Counter[Outcome]) -> str:
    return "/".join(str(found[o]) for o in (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="one trace for each condition")
    parser.add_argument("--reps", type=int, help="base traces for each condition")
    parser.add_argument("--only", nargs="+", choices=list(CONDITIONS), help="these conditions")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--record", nargs=4, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.record:
        subject, nice, seed, file = args.record
        record(subject, int(nice), int(seed), file)
        return
    reps = args.reps or (1 if args.quick else 19)
    wanted = [c for c in CONDITIONS if c == "quiet" or not args.only or c in args.only]
    recorded: list[tuple[str, str, dict[str, Any]]] = []
    with tempfile.TemporaryDirectory() as name:
        for i in range(reps):
            for c, condition in enumerate(wanted):
                for subject in SUBJECTS:
                    if subject == "base" or i % 3 == 0:
                        data = traced(subject, condition, 1000 * c + i, Path(name))
                        recorded.append((subject, condition, data))
            print(f"{i + 1} of {reps} rounds", file=sys.stderr)
    quiet = [data for subject, condition, data in recorded if (subject, condition) == _REFERENCE]
    p99, spin, told = reference(quiet)
    table: dict[tuple[str, str], Counter[Outcome]] = defaultdict(Counter)
    by_condition: dict[str, dict[float, Counter[Outcome]]] = {
        c: defaultdict(Counter) for c in wanted
    }
    for subject, condition, data in recorded:
        bare = list(looks(data))
        traces = [replace(trace, quiet_spin=spin) for trace in bare]
        for r in RATIOS if subject == "base" else (BAD_RATIO,):
            key = f"r={r:g}" if subject == "base" else subject
            ours = verdicts(traces, p99 / r)
            table["p99_latency", key][ours] += 1
            table["p99_latency, not calibrated", key][verdicts(bare, p99 / r)] += 1
            table["numpy.percentile, 1,000 calls", key][naive(data, p99 / r)] += 1
            if subject == "base":
                by_condition[condition][r][ours] += 1
    keys = [f"r={r:g}" for r in RATIOS] + [s for s in SUBJECTS if s != "base"]
    print(
        f"{told}\n\nPASS/FAIL/INCONCLUSIVE, {reps} traces for each of {len(by_condition)} "
        f"conditions, {CALLS} calls each; true P99 {p99:.3f} ms. r <= 1 meets the limit.\n"
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
