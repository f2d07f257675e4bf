"""How often does `p99_latency` decide wrongly? Traces of a known truth, judged by the real gate.

    python benchmarks/latency_simulated.py [--quick] [--found | --cost] [--only TEXT] [--runs N] [--out FILE]

A trace is simulated call by call: what the subject took, and what a noisy machine added, with the
marks that the kernel's counters would show. `--found` prints the promises that were once broken
(`latency_found.py`). Counting and deciding is the production code. Beside it
`numpy.percentile` of the first 1,000 calls against the same limit, as a hand-written test does it.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import latency_found
import numpy as np

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.p99_latency import P99Latency
from pytest_mlgates.gates.p99_latency.machine import MachineUse
from pytest_mlgates.gates.p99_latency.record import counted
from pytest_mlgates.gates.p99_latency.trace import Trace
from pytest_mlgates.stats.sequential import quantile_schedule

LIMIT, SIGMA, Z99 = 12.0, 0.35, 2.3263478740408408
GATE = P99Latency(max_ms=LIMIT)
PLAN = quantile_schedule(GATE.quantile, GATE.max_calls)
N = PLAN.looks[-1]
QUIET_SPIN = 9_000.0
NAIVE_CALLS = 1000

Rng = np.random.Generator
Ms = np.ndarray


@dataclass(frozen=True)
class Subject:
    """What a subject takes by itself, in ms; ``good`` is None where the truth is at the limit."""

    name: str
    good: bool | None
    draw: Callable[[Rng], Ms]


@dataclass(frozen=True)
class Noise:
    """Share of time in bursts, for each kind of runner; whether runners differ in speed."""

    name: str
    shares: tuple[float, ...] = (0.0,)
    weights: tuple[float, ...] = (1.0,)
    slower: float = 0.0
    marked: float = 0.7  # of what is taken, the share that the run delay shows (the rest is stolen)
    waits: bool = False  # the subject waits by its own will, so no call is excused by CPU time


def lognormal(p99: float) -> Callable[[Rng], Ms]:
    def draw(rng: Rng) -> Ms:
        return p99 * np.exp(SIGMA * (rng.standard_normal(N) - Z99))

    return draw


def slow_path(share: float) -> Callable[[Rng], Ms]:
    def draw(rng: Rng) -> Ms:
        x = lognormal(8.0)(rng)
        x[rng.random(N) < share] = 200.0
        return x

    return draw


def own_bursts(share: float, length: int) -> Callable[[Rng], Ms]:
    """Exceedances of the subject's own that come in bursts (a cache that empties, a reload)."""

    def draw(rng: Rng) -> Ms:
        x = np.minimum(lognormal(8.0)(rng), LIMIT * 0.95)
        x[bursts(rng, share, length)] = 40.0
        return x

    return draw


def bursts(rng: Rng, share: float, length: float) -> np.ndarray:
    """Two-state Markov chain (Gilbert, 1960): in a burst a ``share`` of the time."""
    state = np.zeros(N, dtype=bool)
    if share <= 0:
        return state
    gap = length * (1 - share) / share
    at = 0 if rng.random() < share else int(rng.exponential(gap))
    while at < N:
        size = int(rng.geometric(1.0 / length))
        state[at : at + size] = True
        at += size + max(1, int(rng.exponential(gap)))
    return state


SUBJECTS = [
    Subject("P99 8", True, lognormal(8.0)),
    Subject("P99 10", True, lognormal(10.0)),
    Subject("P99 11.5", True, lognormal(11.5)),
    Subject("P99 12 (at the limit)", None, lognormal(12.0)),
    Subject("P99 12.5", False, lognormal(12.5)),
    Subject("P99 15", False, lognormal(15.0)),
    Subject("P99 200", False, lognormal(200.0)),
    Subject("1.5 % slow path", False, slow_path(0.015)),
    Subject("own bursts of 5, .95 %", True, own_bursts(0.0095, 5)),
    Subject("own bursts of 20, .95 %", True, own_bursts(0.0095, 20)),
    Subject("own bursts of 50, .95 %", True, own_bursts(0.0095, 50)),
    Subject("own bursts of 20, 4 %", False, own_bursts(0.04, 20)),
    Subject("own bursts of 50, 2 %", False, own_bursts(0.02, 50)),
]
MIX = ((0.0005, 0.01, 0.04), (0.70, 0.25, 0.05), 0.12)
NOISES = [
    Noise("quiet"),
    Noise("CI mix", *MIX),
    Noise("CI mix, waiting subject", *MIX, waits=True),
]


def trace_of(subject: Subject, noise: Noise, rng: Rng) -> tuple[Trace, Ms]:
    """Return a whole trace and the wall times in ms."""
    kind = rng.choice(len(noise.shares), p=noise.weights)
    slower = math.exp(abs(rng.normal(0.0, noise.slower))) if noise.slower else 1.0
    own = subject.draw(rng) * slower
    hit = bursts(rng, noise.shares[kind], 20)
    taken = np.where(hit, rng.exponential(15.0, N), 0.0)
    wall = own + taken
    cpu = own if not noise.waits else own * 0.2
    # what preempts a call often hits the reads beside it too: the delay over-states
    delay = np.where(rng.random(N) < noise.marked, taken, 0.0) * rng.uniform(1.0, 1.3, N)
    spin = QUIET_SPIN * slower * np.exp(np.abs(rng.normal(0.0, 0.03, N)))
    trace = Trace(
        wall=wall * 1e6,
        cpu=cpu * 1e6,
        process=cpu * 1e6 + 1_000,
        delay=delay * 1e6,
        switches=np.full(N, float(noise.waits)),
        spin=spin,
        quiet_spin=QUIET_SPIN * 1.02,
    )
    return trace, wall


def first(trace: Trace, n: int, noise: Noise) -> Trace:
    """Return the first ``n`` calls, with what the machine used meanwhile."""
    cut = {
        name: getattr(trace, name)[:n]
        for name in ("wall", "cpu", "process", "delay", "switches", "spin")
    }
    at = float(cut["wall"].sum()) / 1e9
    own = float(cut["cpu"].sum()) / 1e9
    computed = np.minimum(cut["cpu"], cut["wall"])
    waited = cut["wall"] - computed
    # what is not the subject's CPU was used by others or stolen, but for its own waiting
    taken = float(waited.sum()) / 1e9 if not noise.waits else float(cut["delay"].sum()) / 1e9 * 1.4
    use = MachineUse(at, busy=own + 0.7 * taken, stolen=0.3 * taken, own=own, descendants=0.0)
    return Trace(**cut, quiet_spin=trace.quiet_spin, use=use)


def decide(trace: Trace, noise: Noise) -> tuple[Outcome, int]:
    """Judge look by look, as a run does."""
    for n in PLAN.looks:
        measurement, *_ = counted(first(trace, n, noise), LIMIT, GATE.quantile, PLAN)
        outcome = GATE.decide(measurement).outcome
        if outcome != Outcome.INCONCLUSIVE:
            return outcome, n
    return Outcome.INCONCLUSIVE, N


def cell(subject: Subject, noise: Noise, runs: int, seed: int) -> dict[str, object]:
    rng = np.random.default_rng([seed, SUBJECTS.index(subject), NOISES.index(noise)])
    found = dict.fromkeys(Outcome, 0)
    calls = naive = 0
    for _ in range(runs):
        trace, wall = trace_of(subject, noise, rng)
        outcome, n = decide(trace, noise)
        found[outcome] += 1
        calls += n
        naive += bool(np.percentile(wall[:NAIVE_CALLS], 99) > LIMIT)
    return {
        "noise": noise.name,
        "subject": subject.name,
        "good": subject.good,
        "runs": runs,
        **{outcome.value: found[outcome] for outcome in Outcome},
        "mean_calls": calls / runs,
        "naive_fail": naive,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--found", action="store_true")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    if args.cost:
        latency_found.cost(args.runs or (10 if args.quick else 200), args.seed)
        return
    if args.found:
        kept = latency_found.table(args.runs or (20 if args.quick else 300), args.only, args.seed)
        if args.out:
            args.out.write_text(json.dumps(kept, indent=1))
        return
    runs = args.runs or (100 if args.quick else 3000)
    print(f"limit {LIMIT:g} ms, alpha {GATE.alpha:g}, beta {GATE.beta:g}, {runs} runs a cell\n")
    print(
        "| noise | subject | PASS | FAIL | INCONCLUSIVE | mean calls | wrong | percentile wrong |"
    )
    print("|---|---|---|---|---|---|---|---|")
    rows, start = [], time.perf_counter()
    for noise in NOISES:
        for subject in SUBJECTS:
            if args.only and args.only not in f"{noise.name}: {subject.name}":
                continue
            row = cell(subject, noise, runs, args.seed)
            rows.append(row)
            show = {key: int(row[key]) / runs for key in ("pass", "fail", "inconclusive")}  # type: ignore[call-overload]
            wrong = {True: "fail", False: "pass"}.get(subject.good)  # type: ignore[arg-type]
            naive = int(row["naive_fail"]) / runs  # type: ignore[call-overload]
            naive_wrong = {True: naive, False: 1 - naive}.get(subject.good)  # type: ignore[arg-type]
            print(
                f"| {noise.name} | {subject.name} | {show['pass']:.4f} | {show['fail']:.4f} "
                f"| {show['inconclusive']:.4f} | {row['mean_calls']:.0f} "
                f"| {'' if wrong is None else f'{show[wrong]:.4f}'} "
                f"| {'' if naive_wrong is None else f'{naive_wrong:.4f}'} |",
                flush=True,
            )
    print(
        f"\n0 of {runs} shows a rate below {3 / runs:.2%} (95 %). {time.perf_counter() - start:.0f} s"
    )
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
