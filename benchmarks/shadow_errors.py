"""How often shadow_divergence is wrong, and how soon it finds a rare slice, beside what is picked instead.

20 slices, the rarest 0.8 % of the inputs; tolerated divergence 0.02. Simulated at the level of
counts, many runs at once; a sample is checked against the rules that the gate runs.
Run: python benchmarks/shadow_errors.py
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.special import betainc, betaincc, betaln
from scipy.stats import binom, false_discovery_control

from pytest_mlgates.gates.shadow_divergence.discover import search
from pytest_mlgates.stats.binomial import lower
from pytest_mlgates.stats.ebh import ebh
from pytest_mlgates.stats.rate import over, under

LIMIT, BASE, Q, ALPHA, BETA = 0.02, 0.015, 0.01, 1e-4, 1e-3
SHARES = np.linspace(0.008, 0.092, 20)
SHARES /= SHARES.sum()
INPUTS, BUDGET, BET = 100_000, 20_000, 20.0
LOOKS = np.unique(np.geomspace(100, INPUTS, 80).astype(int))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    quick = parser.parse_args().quick
    rng = np.random.default_rng(1)
    rare_slice(rng, 30 if quick else 300)
    single(rng, 4000 if quick else 40_000)
    hidden(rng, 4 if quick else 40)


def rare_slice(rng: Any, runs: int) -> None:
    rules: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
        "gate, rare slices first": (routed, lambda n, k: rejects(n, k, ALPHA)),
        "gate, as they come": (natural, lambda n, k: rejects(n, k, ALPHA)),
        "gate, as they come, alpha .01": (natural, lambda n, k: rejects(n, k, Q)),
        "BH at every look, q .01": (natural, bh),
        "overall rate at the end, .01": (natural, overall),
    }
    print(
        f"{runs} runs a row, {INPUTS} inputs at most. A cell: share of runs with a FAIL, or a slice"
    )
    print(f"named, within {BUDGET} inputs / at all, and the mean number of inputs until then\n")
    print("| rule | none to find: every slice at .02 | rarest at .05 | .10 | .30 |")
    print("|---|---|---|---|---|")
    for rule, (order, test) in rules.items():
        cells = []
        for rate in (None, 0.05, 0.1, 0.3):
            rates = np.full(20, LIMIT) if rate is None else np.array([rate] + [BASE] * 19)
            ends = np.full(runs, np.inf)
            for n, k in grown(rng, rates, order(rng, runs)):
                hit = test(n, k) & np.isinf(ends)
                ends[hit] = n.sum(axis=1)[hit]
            found = np.isfinite(ends)
            mean = f", {ends[found].mean() / 1000:.1f}k" if found.any() else ""
            cells.append(f"{(ends <= BUDGET).mean():.3f} / {found.mean():.3f}{mean}")
        print(f"| {rule} | {' | '.join(cells)} |", flush=True)


def natural(rng: Any, runs: int) -> Iterator[Any]:
    """Yield how many inputs more each slice of each run got at each look, as they come."""
    for size in np.diff(LOOKS, prepend=0):
        yield rng.multinomial(size, SHARES, runs)


def routed(_rng: Any, runs: int) -> Iterator[Any]:
    """The same where as many are taken of each slice, until the pool has no more of it."""
    pool = (SHARES * INPUTS).astype(int)
    levels = np.arange(0, pool.max() + 5, 5)
    totals = np.array([np.minimum(pool, level).sum() for level in levels])
    before = np.zeros(20, int)
    for size in LOOKS[totals[-1] >= LOOKS]:
        now = np.minimum(pool, levels[np.searchsorted(totals, size)])
        yield np.tile(now - before, (runs, 1))
        before = now


def grown(rng: Any, rates: Any, steps: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    n: Any = 0
    k: Any = 0
    for step in steps:
        n = n + step
        k = k + rng.binomial(step, rates)
        yield n, k


def evidence(k: Any, n: Any, mass: Callable[..., Any]) -> Any:
    """``over`` and ``under`` of stats.rate, for many counts at once."""
    with np.errstate(divide="ignore"):
        tail = np.log(mass(1 + k, BET + n - k, LIMIT)) - np.log(mass(1, BET, LIMIT))
    gain = betaln(1 + k, BET + n - k) - betaln(1, BET)
    return gain + tail - k * np.log(LIMIT) - (n - k) * np.log1p(-LIMIT)


def rejects(n: Any, k: Any, level: float) -> Any:
    """Tell for each run whether e-BH over the slices and the whole rejects any."""
    n, k = (np.column_stack([x, x.sum(axis=1)]) for x in (n, k))
    log_e = evidence(k, n, betaincc)
    ordered = -np.sort(-log_e, axis=1) - np.log(21)
    answer = (ordered + np.log(np.arange(1, 22)) >= -np.log(level)).any(axis=1)
    counts = zip(k[0].tolist(), n[0].tolist(), strict=True)
    if bool(answer[0]) != bool(ebh([over(events, of, LIMIT) for events, of in counts], level)):
        raise AssertionError("the simulation does not follow the gate")
    return answer


def bh(n: Any, k: Any) -> Any:
    p = binom.sf(k - 1, np.maximum(n, 1), LIMIT)
    return false_discovery_control(p, axis=1).min(axis=1) <= Q


def overall(n: Any, k: Any) -> Any:
    n, k = n.sum(axis=1), k.sum(axis=1)
    if n[0] < INPUTS:
        return np.zeros(len(n), bool)
    return np.array([lower(int(a), int(b), Q) > LIMIT for a, b in zip(k, n, strict=True)])


def single(rng: Any, runs: int) -> None:
    """A slice at exactly the limit while all others are clean: what a PASS and a FAIL hang on."""
    print(f"\none slice at exactly .02, {INPUTS} inputs of it, {len(LOOKS)} looks, {runs} runs")
    k = np.cumsum(rng.binomial(np.diff(LOOKS, prepend=0), LIMIT, (runs, len(LOOKS))), axis=1)
    below, above = (evidence(k, LOOKS, mass).max(axis=1) for mass in (betainc, betaincc))
    checked = max(under(int(events), int(n), LIMIT) for events, n in zip(k[0], LOOKS, strict=True))
    if not np.isclose(checked, below[0]):
        raise AssertionError("the simulation does not follow the gate")
    print(f"| PASS, declared at most {BETA:g} | {(below >= -np.log(BETA)).mean():.5f} |")
    print(f"| FAIL, declared at most {Q:g} | {(above >= -np.log(Q)).mean():.5f} |")
    print(
        f"| FAIL, declared at most {ALPHA:g} | {(above >= -np.log(ALPHA)).mean():.5f} |", flush=True
    )


def hidden(rng: Any, runs: int) -> None:
    """A slice nobody named: 1 % of the inputs, where two of ten features meet, at .15."""
    print(f"\na hidden slice of 1 % at .15 (base {BASE}), {runs} runs a row: is one surely over?")
    print(
        "| inputs | found, alpha 1e-4 | found, .05 | none there, .05 | none there, same half, .05 |"
    )
    print("|---|---|---|---|---|")
    for inputs in (5000, 20_000, 50_000):
        hits = np.zeros(4)
        for _ in range(runs):
            features = rng.integers(0, 10, (inputs, 10))
            dicts = [dict(enumerate_names(row)) for row in features.tolist()]
            inside = (features[:, 0] == 0) & (features[:, 1] == 0)
            half = rng.random(inputs) < 0.5
            off = rng.random(inputs) < np.where(inside, 0.15, BASE)
            null = rng.random(inputs) < LIMIT
            hits += (
                *surely_over(dicts, off, half, ~half, (ALPHA, 0.05)),
                *surely_over(dicts, null, half, ~half, (0.05,)),
                *surely_over(dicts, null, half, half, (0.05,)),
            )
        print(f"| {inputs} | {' | '.join(f'{hit:.3f}' for hit in hits / runs)} |", flush=True)


def enumerate_names(row: list[int]) -> Iterator[tuple[str, str]]:
    for j, value in enumerate(row):
        yield f"f{j}", f"v{value}"


def surely_over(
    dicts: Any, off: Any, half: Any, test: Any, levels: tuple[float, ...]
) -> list[bool]:
    """Search on one half; tell whether any of the three found is over the limit on ``test``."""
    best = -np.inf
    for found in search(dicts, off, half, LIMIT, 3):
        members = found.members & test
        best = max(best, over(int((members & off).sum()), int(members.sum()), LIMIT))
    return [bool(best >= np.log(3 / level)) for level in levels]


if __name__ == "__main__":
    main()
