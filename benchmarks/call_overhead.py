"""What `p99_latency` adds to a call: inside the timed window, and around it.

    python benchmarks/call_overhead.py [--quick] [--out FILE]

Inside: the time that is recorded for a call that does nothing, less what such a call takes in a
bare loop. Around: CPU time of the whole loop for each call, with the spin probe left
out, less the call.
"""

from __future__ import annotations

import argparse
import json
import statistics
from itertools import repeat
from pathlib import Path
from time import perf_counter_ns, thread_time_ns
from unittest import mock

from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.calls.stages import listen
from pytest_mlgates.gates.p99_latency import loop
from pytest_mlgates.gates.p99_latency.loop import NoCounters, run_calls
from pytest_mlgates.gates.p99_latency.machine import open_counters
from pytest_mlgates.gates.p99_latency.probe import spin
from pytest_mlgates.gates.p99_latency.recorder import Recorder


def nothing(_: object) -> None:
    pass


def bare(calls: int) -> float:
    start = thread_time_ns()
    for item in repeat(None, calls):
        nothing(item)
    return (thread_time_ns() - start) / calls


def probe(calls: int) -> float:
    start = thread_time_ns()
    for _ in range(calls):
        spin()
    return (thread_time_ns() - start) / calls


def gate(calls: int) -> tuple[float, float]:
    """Return the median recorded time and the mean CPU time of a turn of the loop, in ns."""
    record = Recorder()
    with CallGuard(60) as guard, listen() as clock, open_counters() as counters:
        start = thread_time_ns()
        run_calls(
            nothing,
            repeat(None),
            calls,
            record,
            guard=guard,
            counters=counters or NoCounters(),
            clock=clock,
        )
        turn = (thread_time_ns() - start) / calls
    return statistics.median(row[2] for row in record.rows), turn


def naive(calls: int) -> float:
    """Return the median of what a hand-written test records."""
    took = []
    for _ in range(calls):
        start = perf_counter_ns()
        nothing(None)
        took.append(perf_counter_ns() - start)
    return statistics.median(took)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    rounds, calls = (60, 300) if args.quick else (400, 500)
    found: dict[str, list[float]] = {
        name: [] for name in ("call", "spin", "window", "turn", "hand")
    }
    for _ in range(rounds):
        found["call"].append(bare(calls))
        found["spin"].append(probe(calls))
        with mock.patch.object(loop, "spin", lambda: 0):  # noqa: PT008 - a mock is slow
            window, turn = gate(calls)
        found["window"].append(window)
        found["turn"].append(turn)
        found["hand"].append(naive(calls))
    # the least disturbed round: what the code costs, not what neighbours add
    best = {name: min(values) for name, values in found.items()}
    inside = best["window"] - best["call"]
    around = best["turn"] - best["window"]
    print("| for each call | us | goal |\n|---|---|---|")
    print(f"| added inside the timed window | {inside / 1e3:.3f} | 0.3 |")
    print(f"| the same in a hand-written test | {(best['hand'] - best['call']) / 1e3:.3f} | |")
    print(f"| reads, timer and records around it | {around / 1e3:.2f} | 8 |")
    print(f"| spin probe before it | {best['spin'] / 1e3:.1f} | |")
    print(f"\nwindow over hand-written: {best['window'] / best['hand']:.2f} times")
    if args.out:
        args.out.write_text(
            json.dumps({**best, "inside_ns": inside, "around_ns": around}, indent=1)
        )


if __name__ == "__main__":
    main()
