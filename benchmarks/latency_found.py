"""The promises of `p99_latency` that a statistician broke, and what is left of that.

    python benchmarks/latency_simulated.py --found [--quick] [--only TEXT]
    python benchmarks/latency_simulated.py --cost [--quick]

Each row is a subject of a known truth on a quiet machine, judged look by look by the gate's own
counting and deciding. `as found` is the rate of wrong verdicts at commit 8b38ed6 (None: not looked
at then). The family "not developed on" was written after the gate was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.details import plain
from pytest_mlgates.gates.p99_latency import P99Latency
from pytest_mlgates.gates.p99_latency.arrivals import served
from pytest_mlgates.gates.p99_latency.details import Relative
from pytest_mlgates.gates.p99_latency.judge import judge_relative
from pytest_mlgates.gates.p99_latency.machine import MachineUse
from pytest_mlgates.gates.p99_latency.record import counted
from pytest_mlgates.gates.p99_latency.trace import Trace
from pytest_mlgates.stats.paired import tail_ratio
from pytest_mlgates.stats.sequential import quantile_schedule

Rng = np.random.Generator
Array = np.ndarray
LIMIT, SLOW, FAST, SERVICE = 12.0, 40.0, 4.0, 5.0


@dataclass(frozen=True)
class Row:
    """A subject with its truth, and how often a verdict on it was wrong when it was found."""

    name: str
    good: bool
    decide: Callable[[Rng], tuple[str, int]]
    found: float | None = None
    declared: bool = True


def _trace(wall_ms: Array, arrival_ms: Array | None = None) -> Callable[[int], Trace]:
    wall = wall_ms * 1e6
    if arrival_ms is None:
        seconds = np.cumsum(wall) / 1e9
    else:
        took = served(arrival_ms * 1e6, wall)
        seconds = (arrival_ms * 1e6 + took) / 1e9

    def first(n: int) -> Trace:
        total = float(wall[:n].sum()) / 1e9
        use = MachineUse(seconds[n - 1], total, 0.0, total, 0.0, crowded=0.0)
        zero, spin = np.zeros(n), np.full(n, 9000.0)
        queue = {}
        if arrival_ms is not None:
            arrival = arrival_ms[:n] * 1e6
            queue = {"arrival": arrival, "start": arrival + took[:n] - wall[:n]}
        return Trace(
            wall=wall[:n], cpu=wall[:n], process=wall[:n] + 1000, delay=zero, switches=zero,
            spin=spin, quiet_spin=9000.0, use=use, seconds=float(seconds[n - 1]), **queue,
        )  # fmt: skip

    return first


def judged(gate: P99Latency, first: Callable[[int], Trace]) -> tuple[str, int]:
    """Judge look by look, as a run does."""
    plan = gate._schedule  # noqa: SLF001 - as a run looks
    for n in plan.looks:
        seen, counts, _ = counted(first(n), gate.max_ms, gate.quantile, plan)
        outcome = gate.decide(seen).outcome
        if outcome != Outcome.INCONCLUSIVE:
            return outcome.value, n
        if gate._hopeless(counts):  # noqa: SLF001
            return outcome.value, n
    return outcome.value, n


def clusters(rng: Rng, n: int, share: float, length: float, *, fixed: bool = False) -> Array:
    """Slow calls in clusters of a mean length that begin at random."""
    state = np.zeros(n, bool)
    gap = length * (1 - share) / share
    at = -int(rng.integers(0, length)) if rng.random() < share else int(rng.exponential(gap))
    while at < n:
        size = int(length) if fixed else int(rng.geometric(1 / length))
        state[max(at, 0) : max(at + size, 0)] = True
        at += size + max(1, int(rng.exponential(gap)))
    return state


def in_bursts(
    share: float, length: float, gate: P99Latency, *, fixed: bool = False
) -> Callable[[Rng], tuple[str, int]]:
    def one(rng: Rng) -> tuple[str, int]:
        n = gate.max_calls
        slow = clusters(rng, n, share, length, fixed=fixed)
        return judged(
            gate, _trace(np.where(slow, SLOW, FAST * np.exp(0.1 * rng.standard_normal(n))))
        )

    return one


def by_the_clock(block: int, every: int, gate: P99Latency) -> Callable[[Rng], tuple[str, int]]:
    def one(rng: Rng) -> tuple[str, int]:
        at = (np.arange(gate.max_calls) + rng.integers(every)) % every
        return judged(gate, _trace(np.where(at < block, SLOW, FAST)))

    return one


def lognormal_service(rng: Rng, n: int) -> Array:
    return SERVICE * np.exp(0.35 * rng.standard_normal(n) - 0.35**2 / 2)


def two_kinds(rng: Rng, n: int) -> Array:
    """Nine quick requests in ten and a slow one: more variable than what was developed on."""
    return SERVICE * np.where(rng.random(n) < 0.1, 5.5, 0.5) * rng.uniform(0.8, 1.2, n)


_TRUE: dict[tuple[str, float], float] = {}


def true_p99(service: Callable[[Rng, int], Array], load: float) -> float:
    key = (service.__name__, load)
    if key not in _TRUE:
        rng, n = np.random.default_rng(int(load * 100)), 2_000_000
        arrival = np.cumsum(rng.exponential(SERVICE / load, n))
        _TRUE[key] = float(np.quantile(served(arrival, service(rng, n))[100_000:], 0.99))
    return _TRUE[key]


def in_a_queue(
    load: float,
    factor: float,
    service: Callable[[Rng, int], Array] = lognormal_service,
    most: int = 20_000,
) -> Callable[[Rng], tuple[str, int]]:
    def one(rng: Rng) -> tuple[str, int]:
        rate = 1e3 / SERVICE * load
        limit = true_p99(service, load) * factor
        gate = P99Latency(max_ms=limit, arrivals_per_s=rate, max_calls=most)
        arrival = np.cumsum(rng.exponential(SERVICE / load, most))
        return judged(gate, _trace(service(rng, most), arrival))

    return one


def spells(rng: Rng, n: int, share: float, length: float, times: float) -> Array:
    return np.where(clusters(rng, n, share, length), times, 1.0) * np.exp(
        0.35 * rng.standard_normal(n)
    )


def weather(rng: Rng, n: int, length: float, sigma: float) -> Array:
    """A slow drift of each side's own: the mean of ``length`` pairs moves by ``sigma``."""
    steps = rng.standard_normal(-(-n // int(length)) + 1)
    drift = np.interp(np.arange(n), np.arange(len(steps)) * length, sigma * steps)
    return np.exp(drift + 0.35 * rng.standard_normal(n))


def paired(ratio: float, draw: Callable[[Rng, int], Array]) -> Callable[[Rng], tuple[str, int]]:
    plan = quantile_schedule(0.99, 20_000)

    def one(rng: Rng) -> tuple[str, int]:
        new, old = ratio * draw(rng, 20_000), draw(rng, 20_000)
        for n in plan.looks:
            if n in plan.early:
                continue
            found = tail_ratio(new[:n], old[:n], 0.99, plan.block)
            seen = Relative(
                **{f: getattr(found, f) for f in ("log_ratio", "error", "wins", "losses", "blocks")}
            )
            outcome = judge_relative(seen, 0.1, n, plan, alpha=5e-5, beta=1e-3).outcome
            if outcome != Outcome.INCONCLUSIVE:
                return outcome.value, n
        return "inconclusive", n

    return one


DEFAULT = P99Latency(max_ms=LIMIT)


def asked(length: int) -> P99Latency:
    return P99Latency(max_ms=LIMIT, longest_burst=length, max_calls=1000 * length)


def rows() -> Iterator[Row]:
    for load, off, near in ((0.8, 0.017, 0.033), (0.9, 0.33, 0.12), (0.95, 0.8, 0.6)):
        yield Row(f"queue, load {load}, P99 1.1 x the limit", False, in_a_queue(load, 1 / 1.1), off)
        yield Row(
            f"queue, load {load}, P99 1.25 x the limit", False, in_a_queue(load, 1 / 1.25), near
        )
        yield Row(f"queue, load {load}, P99 at limit / 1.1", True, in_a_queue(load, 1.1), 0.0)
    yield Row("queue, load 0.5, P99 1.1 x the limit", False, in_a_queue(0.5, 1 / 1.1), 0.0)
    yield Row(
        "queue, load 0.8, 100,000 calls, P99 at limit / 1.5",
        True,
        in_a_queue(0.8, 1.5, most=100_000),
    )
    for length, share, good, wrong in (
        (20, 0.015, False, 0.075), (100, 0.0095, True, 0.025), (100, 0.015, False, 0.55),
        (100, 0.03, False, 0.24), (500, 0.0095, True, 0.038), (500, 0.015, False, 0.81),
    ):  # fmt: skip
        name = f"bursts of {length}, {share:.2%} over"
        yield Row(
            f"{name}, default policy",
            good,
            in_bursts(share, length, DEFAULT),
            wrong,
            declared=False,
        )
        if length < 500:
            yield Row(
                f"{name}, longest_burst: {2 * length}",
                good,
                in_bursts(share, length, asked(2 * length)),
            )
    own = {"draw": lambda rng, n: spells(rng, n, 0.02, 200, 3.0)}
    yield Row("paired, own slow spells of 200, equal tails", True, paired(1.0, **own), 0.067)
    yield Row("paired, own slow spells of 200, 1.2 x (limit 1.1)", False, paired(1.2, **own))
    yield Row(
        "paired, independent, 1.15 x (limit 1.1)",
        False,
        paired(1.15, lambda r, n: np.exp(0.35 * r.standard_normal(n))),
        0.0,
    )
    for load in (0.8, 0.9, 0.95):
        yield Row(
            f"not developed on: two kinds of requests, load {load}, P99 1.1 x",
            False,
            in_a_queue(load, 1 / 1.1, two_kinds),
        )
    yield Row(
        "not developed on: two kinds of requests, load 0.5, P99 1.1 x",
        False,
        in_a_queue(0.5, 1 / 1.1, two_kinds),
    )
    yield Row(
        "not developed on: 4 slow calls in each 300 (1.33 %)", False, by_the_clock(4, 300, DEFAULT)
    )
    yield Row(
        "not developed on: 100 slow calls in each 6,000 (1.67 %), longest_burst: 100",
        False,
        by_the_clock(100, 6000, asked(100)),
        0.18,
    )
    yield Row(
        "not developed on: fixed bursts of 30, 1.1 %, longest_burst: 30",
        False,
        in_bursts(0.011, 30, asked(30), fixed=True),
    )
    yield Row(
        "not developed on: fixed bursts of 4, 1.1 %, default policy",
        False,
        in_bursts(0.011, 4, DEFAULT, fixed=True),
    )
    drift = {"draw": lambda rng, n: weather(rng, n, 400, 0.3)}
    yield Row(
        "not developed on: paired, a drift of each side's own over 400 pairs, equal",
        True,
        paired(1.0, **drift),
    )
    yield Row("not developed on: paired, the same, 1.3 x (limit 1.1)", False, paired(1.3, **drift))


def table(runs: int, only: str, seed: int) -> list[dict[str, object]]:
    """Print a row for each subject; return them."""
    print(f"{runs} runs a row; declared: false PASS 0.1 %, false FAIL 0.01 %\n")
    print(
        "| subject | truth | wrong as found | wrong now | PASS | FAIL | INCONCLUSIVE | mean calls |"
    )
    print("|---|---|---|---|---|---|---|---|")
    kept: list[dict[str, object]] = []
    for at, row in enumerate(rows()):
        if only not in row.name:
            continue
        rng = np.random.default_rng([seed, at])
        found: Counter[str] = Counter()
        calls = 0
        for _ in range(runs):
            outcome, n = row.decide(rng)
            found[outcome] += 1
            calls += n
        wrong = found["fail" if row.good else "pass"] / runs
        shares = [found[name] / runs for name in ("pass", "fail", "inconclusive")]
        before = "" if row.found is None else f"{row.found:.1%}"
        name = row.name + ("" if row.declared else " (longer than declared)")
        print(
            f"| {name} | {'good' if row.good else 'bad'} | {before} | {wrong:.1%} | "
            + " | ".join(f"{share:.0%}" for share in shares)
            + f" | {calls / runs:,.0f} |",
            flush=True,
        )
        kept.append(
            {**plain(_Kept(row.name, row.good, row.found, wrong)), "mean_calls": calls / runs}
        )
    return kept


def cost(runs: int, seed: int) -> None:
    """Print the calls that independent slow calls take against Wald's bound (1945) at these errors.

    The floors for bursts and seconds are what a PASS pays more; a FAIL of what is always slow ends
    at 20 or 50 calls where these took three seconds.
    """
    print(
        "| share over | right | PASS | FAIL | mean calls | Wald's bound | ratio |\n|---|---|---|---|---|---|---|"
    )
    rng = np.random.default_rng(seed)
    for share in (0.0, 0.00025, 0.0022, 0.005, 0.0072, 0.0136, 0.02, 0.0456, 0.2, 1.0):
        right = "pass" if share < 0.01 else "fail"
        found: Counter[str] = Counter()
        calls = 0
        for _ in range(runs):
            slow = rng.random(DEFAULT.max_calls) < share
            outcome, n = judged(DEFAULT, _trace(np.where(slow, 200.0, FAST)))
            found[outcome] += 1
            calls += n
        gain = sum(p * np.log(p / q) for p, q in ((share, 0.01), (1 - share, 0.99)) if p)
        bound = -np.log(DEFAULT.beta if right == "pass" else DEFAULT.alpha) / gain
        mean = calls / runs
        print(
            f"| {share:.2%} | {right} | {found['pass'] / runs:.0%} | {found['fail'] / runs:.0%} | "
            f"{mean:,.0f} | {bound:,.0f} | {mean / bound:.1f} |",
            flush=True,
        )


@dataclass(frozen=True)
class _Kept:
    name: str
    good: bool
    found: float | None
    wrong: float
