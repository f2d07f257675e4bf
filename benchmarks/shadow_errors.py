"""How often shadow_divergence is wrong, and how soon it finds a rare slice, beside what is picked instead.

20 slices, the rarest 0.8 % of the inputs; tolerated divergence 0.02. Simulated at the level of
counts, with the gate's own rules. Run: python benchmarks/shadow_errors.py
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.stats import binom, false_discovery_control

from pytest_mlgates.shadow.discover import search
from pytest_mlgates.shadow.rows import OVERALL, Row, Seen
from pytest_mlgates.stats.binomial import lower
from pytest_mlgates.stats.rate import over, under

LIMIT, BASE, Q, ALPHA, BETA = 0.02, 0.015, 0.01, 1e-4, 1e-3
SHARES = np.linspace(0.008, 0.092, 20)
INPUTS, BUDGET = 100_000, 20_000
LOOKS = np.unique(np.geomspace(100, INPUTS, 80).astype(int))
RULES = (
    "gate, rare slices first",
    "gate, as they come",
    "gate, as they come, alpha .01",
    "BH at every look, q .01",
    "overall rate at the end, .01",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    quick = parser.parse_args().quick
    rng = np.random.default_rng(1)
    rare_slice(rng, 30 if quick else 300)
    single(rng, 1000 if quick else 10_000)
    hidden(rng, 5 if quick else 100)


def rare_slice(rng: Any, runs: int) -> None:
    print(
        f"{runs} runs a row, {INPUTS} inputs at most; a cell: share of runs with a FAIL or a slice"
    )
    print(f"named, by {BUDGET} inputs / by the end, mean inputs until then\n")
    print("| rule | every slice at .02 (none to find) | rarest at .05 | .10 | .30 |")
    print("|---|---|---|---|---|")
    cells: dict[str, list[str]] = {rule: [] for rule in RULES}
    for rate in (None, 0.05, 0.1, 0.3):
        rates = np.full(20, LIMIT) if rate is None else np.array([rate] + [BASE] * 19)
        found: dict[str, list[int | None]] = {rule: [] for rule in RULES}
        for _ in range(runs):
            for rule, n in one_run(rng, rates).items():
                found[rule].append(n)
        for rule, ends in found.items():
            hit = [n for n in ends if n is not None]
            mean = f", {np.mean(hit) / 1000:.1f}k" if hit else ""
            soon = sum(n <= BUDGET for n in hit) / runs
            cells[rule].append(f"{soon:.3f} / {len(hit) / runs:.3f}{mean}")
    for rule, row in cells.items():
        print(f"| {rule} | {' | '.join(row)} |", flush=True)


def one_run(rng: Any, rates: Any) -> dict[str, int | None]:
    """Return the number of inputs after which each rule found something, or None."""
    ends: dict[str, int | None] = dict.fromkeys(RULES)
    for n, k in grown(rng, rates, natural(rng)):
        total = int(n.sum())
        seen = rows(n, k)
        for rule, level in zip(RULES[1:3], (ALPHA, Q), strict=True):
            if ends[rule] is None and seen.leaving(LIMIT, level):
                ends[rule] = total
        if ends[RULES[3]] is None:
            p = binom.sf(k - 1, np.maximum(n, 1), LIMIT)
            if false_discovery_control(p).min() <= Q:
                ends[RULES[3]] = total
    if lower(int(k.sum()), total, Q) > LIMIT:
        ends[RULES[4]] = total
    for n, k in grown(rng, rates, routed()):
        if rows(n, k).leaving(LIMIT, ALPHA):
            ends[RULES[0]] = int(n.sum())
            break
    return ends


def natural(rng: Any) -> Iterator[Any]:
    """Yield how many inputs more each slice got at each look, as they come."""
    for size in np.diff(LOOKS, prepend=0):
        yield rng.multinomial(size, SHARES / SHARES.sum())


def routed() -> Iterator[Any]:
    """The same from a pool: of each slice as many, until it is used up."""
    pool = (SHARES / SHARES.sum() * INPUTS).astype(int)
    before = np.zeros(20, int)
    for size in LOOKS:
        level = int(np.searchsorted([np.minimum(pool, m).sum() for m in range(0, 9300, 5)], size))
        now = np.minimum(pool, 5 * level)
        yield now - before
        before = now


def grown(rng: Any, rates: Any, steps: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    n = k = np.zeros(20, int)
    for step in steps:
        n = n + step
        k = k + rng.binomial(step, rates)
        yield n, k


def rows(n: Any, k: Any) -> Seen:
    def row(name: str, of: int, events: int) -> Row:
        return Row(
            name=name, n=of, divergent=events, distinct=of, distinct_divergent=events, share=1.0,
            weight=1 / 21,
        )  # fmt: skip

    every = tuple(
        row(str(i), *pair) for i, pair in enumerate(zip(n.tolist(), k.tolist(), strict=True))
    )
    whole = row(OVERALL, int(n.sum()), int(k.sum()))
    return Seen(overall=whole, slices=every, ended=True, order="stream", blank=False)


def single(rng: Any, runs: int) -> None:
    """A slice at exactly the limit: PASS of a subject whose other slices are clean, and its FAIL."""
    print(
        f"\none slice at exactly .02, {INPUTS} inputs of it, a look at each of {len(LOOKS)}, {runs} runs"
    )
    passed = failed = 0
    for _ in range(runs):
        k = np.cumsum(rng.binomial(np.diff(LOOKS, prepend=0), LIMIT)).tolist()
        pairs = list(zip(k, LOOKS.tolist(), strict=True))
        passed += any(under(events, n, LIMIT) >= -np.log(BETA) for events, n in pairs)
        failed += any(over(events, n, LIMIT) >= -np.log(Q) for events, n in pairs)
    print(f"| false PASS at beta {BETA:g} | {passed / runs:.5f} |")
    print(f"| false FAIL at alpha {Q:g} (no split) | {failed / runs:.5f} |")


def hidden(rng: Any, runs: int) -> None:
    """A slice nobody named: 1 % of the inputs, the meeting of two of ten features, at .15."""
    print(
        f"\na hidden slice of 1 % at .15 (base {BASE}), {runs} runs; found where a slice found is surely over"
    )
    print(
        "| inputs | found at alpha 1e-4 | at .05 | false, base .02, at .05 | the same half for both, at .05 |"
    )
    print("|---|---|---|---|---|")
    for inputs in (5000, 20_000, 50_000):
        hits = np.zeros(4)
        for _ in range(runs):
            features = rng.integers(0, 10, (inputs, 10))
            dicts = [{f"f{j}": f"v{v}" for j, v in enumerate(row)} for row in features.tolist()]
            inside = (features[:, 0] == 0) & (features[:, 1] == 0)
            half = rng.random(inputs) < 0.5
            off = rng.random(inputs) < np.where(inside, 0.15, BASE)
            null = rng.random(inputs) < LIMIT
            hits += (
                best(dicts, off, half, ~half, ALPHA),
                best(dicts, off, half, ~half, 0.05),
                best(dicts, null, half, ~half, 0.05),
                best(dicts, null, half, half, 0.05),
            )
        cells = " | ".join(f"{hit:.3f}" for hit in hits / runs)
        print(f"| {inputs} | {cells} |", flush=True)


def best(dicts: Any, off: Any, half: Any, test: Any, level: float) -> bool:
    for found in search(dicts, off, half, LIMIT, 3):
        members = found.members & test
        if over(int((members & off).sum()), int(members.sum()), LIMIT) >= np.log(3 / level):
            return True
    return False


if __name__ == "__main__":
    main()
