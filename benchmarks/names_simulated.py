"""How often ``name_invariance`` is wrong, on simulated scorers whose truth is known.

Every decision goes through the gate's own ``measure`` and ``decide``; only the making small of a
counter-example is left out, which comes after the verdict. Beside it, in the same run, the rule
that people write first: max - min over John, Juan, Wei and Aisha is below the limit, on one
résumé, and on the mean of 50.

    python benchmarks/names_simulated.py [--quick | --share S] [--out FILE] [--seed N]
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from scipy.stats import beta

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.name_invariance import NameInvariance, counterexample
from pytest_mlgates.gates.name_invariance.table import CASE_NAMES, read_names

counterexample.minimal = lambda *_: None  # type: ignore[assignment]

NAMES = read_names(None, 25)
GROUPS = sorted({name.group for name in NAMES})
LIMIT = 0.01
KINDS = ("steady", "drift", "jump", "warm-up", "rare", "cached")


@dataclass(frozen=True)
class Cell:
    """One kind of scorer: gaps and spreads in score units."""

    what: str
    gap: float = 0.0  # of one group against the others
    name_sd: float = 0.0  # of names within a group
    noise: float = 0.0  # of one call
    kind: str = "steady"
    outlier: float = 0.0  # of one single name
    outlier_on: int | None = None  # on so many of the templates; None is all
    templates: int = 8
    reps: int = 1000
    gate: dict[str, float] = field(default_factory=dict)


class Scorer:
    """A score of 0.5 plus what the cell says; texts are ``<template>|<name>``."""

    mlgates_digest = "simulated"

    def __init__(self, cell: Cell, rng: np.random.Generator) -> None:
        self.cell = cell
        self.noise = _noise(cell, rng)
        self.calls = 0
        shifted = GROUPS[rng.integers(len(GROUPS))]
        spread = rng.normal(0, cell.name_sd, len(NAMES)) if cell.name_sd else np.zeros(len(NAMES))
        effects = {
            name.text: float(s) + cell.gap * (name.group == shifted)
            for name, s in zip(NAMES, spread, strict=True)
        }
        self.table = {str(r): dict(effects) for r in range(max(cell.templates, 50))}
        if cell.outlier:
            one = NAMES[rng.integers(len(NAMES))].text
            some = range(cell.templates if cell.outlier_on is None else cell.outlier_on)
            for r in some:
                self.table[str(r)][one] -= cell.outlier
        self.jump_at = int(rng.integers(100, 900))
        self.cache: dict[str, float] = {}

    def __call__(self, text: str) -> float:
        """Return the score of a text."""
        self.calls += 1
        if self.cell.kind == "cached":
            if text not in self.cache:
                self.cache[text] = self._score(text)
            return self.cache[text]
        return self._score(text)

    def _score(self, text: str) -> float:
        template, name = text.split("|")
        score = 0.5 + self.table[template][name.rstrip()] + self.noise()
        if self.cell.kind == "drift":
            score += 0.0001 * (self.calls % 2000)
        elif self.cell.kind == "jump":
            score += 0.05 * (self.calls > self.jump_at)
        elif self.cell.kind == "warm-up":
            score -= 0.3 * (self.calls <= 30)
        return score

    def good(self, names: set[str], gate: NameInvariance) -> bool:
        """Tell whether the scorer meets both limits on these names and templates."""
        widest = max(
            max(row[n] for n in names) - min(row[n] for n in names)
            for row in list(self.table.values())[: self.cell.templates]
        )
        return widest < gate.max_gap and self.cell.gap < gate.max_group_gap


def _noise(cell: Cell, rng: np.random.Generator) -> Callable[[], float]:
    if not cell.noise:
        return lambda: 0.0
    if cell.kind == "rare":  # one call in ten is off by a lot, to either side
        drawn = rng.choice([-1.0, 0.0, 1.0], size=4096, p=[0.05, 0.9, 0.05]) * cell.noise / 0.1**0.5
    else:
        drawn = rng.normal(0, cell.noise, 4096)
    state = {"i": 4096, "block": drawn}

    def draw() -> float:
        if state["i"] >= 4096:
            state["i"], state["block"] = 0, rng.permutation(drawn).tolist()
        state["i"] += 1
        return state["block"][state["i"] - 1]

    return draw


def case_rule(scorer: Scorer, resumes: int) -> bool:
    """Return whether max - min over the four names of the case is below the limit."""
    scores = [sum(scorer(f"{r}|{name}") for r in range(resumes)) / resumes for name in CASE_NAMES]
    return max(scores) - min(scores) < LIMIT


def cells() -> list[Cell]:
    alone = {"max_gap": 1.0, "names_per_group": 25}
    few = {"names_per_group": 10, "max_repeats": 1024}
    noisy = 400
    grid = [(gap, sd) for gap in (0.0, 0.005, 0.02) for sd in (0.0, 0.002, 0.01)]
    made = [Cell(f"gap {gap:g}, name sd {sd:g}", gap, sd) for gap, sd in grid]
    made += [
        Cell(f"gap {gap:g}, name sd {sd:g}, noise .02", gap, sd, 0.02, reps=noisy, templates=4)
        for gap, sd in grid
    ]
    made += [
        Cell(f"groups only: gap {gap:g}, name sd {sd:g}", gap, sd, gate=alone)
        for gap in (0.0, 0.005, 0.01, 0.02)
        for sd in (0.002, 0.01)
    ]
    made += [
        Cell("groups only: gap 0, noise .02", 0, 0.005, 0.02, gate=alone, reps=noisy),
        Cell("groups only: gap .02, noise .02", 0.02, 0.005, 0.02, gate=alone, reps=noisy),
        Cell(
            "40 names, 1 template: fair, noise .02", noise=0.02, templates=1, gate=few, reps=noisy
        ),
        Cell(
            "40 names, 1 template: one at .012, noise .02",
            noise=0.02,
            outlier=0.012,
            templates=1,
            gate=few,
            reps=noisy,
        ),
        Cell("fair, noise .002", noise=0.002, reps=noisy, templates=4),
        Cell("fair, noise .2", noise=0.2, reps=noisy, templates=4),
        Cell("fair, rare large noise .02", noise=0.02, kind="rare", reps=noisy, templates=4),
        Cell("fair, drift .0001 a call", kind="drift", reps=noisy),
        Cell("fair, drift and noise .02", noise=0.02, kind="drift", reps=noisy, templates=4),
        Cell("gap .05, drift and noise .02", 0.05, noise=0.02, kind="drift", reps=noisy),
        Cell("fair, jumps by .05 once", kind="jump"),
        Cell("fair, 30 calls of warm-up", kind="warm-up"),
        Cell("fair, noise .02 cached by text", noise=0.02, kind="cached"),
        Cell("gap .05, noise .02 cached by text", 0.05, noise=0.02, kind="cached"),
        Cell("one name at -.05", outlier=0.05),
        Cell("one name at -.05 on 1 of 8 templates", outlier=0.05, outlier_on=1),
        Cell("one name at -.05, noise .02", outlier=0.05, noise=0.02, reps=noisy),
        Cell(
            "one name at -.2 on 1 of 8, noise .02",
            outlier=0.2,
            outlier_on=1,
            noise=0.02,
            reps=noisy,
        ),
    ]
    return made


def run(cell: Cell, reps: int, seed: int) -> dict[str, object]:
    """Return the counts of one cell."""
    gate = NameInvariance(score_range=None, **cell.gate)  # type: ignore[arg-type]
    names = {name.text for name in read_names(None, gate.names_per_group)}
    templates = [f"{r}|{{NAME}}" for r in range(cell.templates)]
    seen: Counter[str] = Counter()
    calls, started = 0, time.perf_counter()
    for rep in range(reps):
        rng = np.random.default_rng([seed, rep])
        scorer = Scorer(cell, rng)
        good = scorer.good(names, gate)
        verdict = gate.run(scorer, templates, seed=rep).verdict
        calls += scorer.calls
        assert verdict.outcome != Outcome.ERROR, verdict.reason
        seen["good" if good else "bad"] += 1
        seen[verdict.outcome.value] += 1
        seen["false FAIL"] += good and verdict.outcome == Outcome.FAIL
        seen["false PASS"] += (not good) and verdict.outcome == Outcome.PASS
        for resumes in (1, 50):
            passed = case_rule(Scorer(cell, np.random.default_rng([seed, rep])), resumes)
            seen[f"rule {resumes} false FAIL"] += good and not passed
            seen[f"rule {resumes} false PASS"] += (not good) and passed
    took = time.perf_counter() - started
    return {
        "cell": asdict(cell),
        "reps": reps,
        "calls": round(calls / reps),
        "seconds": round(took, 1),
        **{key: seen[key] for key in sorted(seen)},
    }


def row(found: dict[str, object]) -> str:
    """Return a line of the table."""

    def rate(key: str, of: object) -> str:
        count = int(found.get(key, 0))  # type: ignore[call-overload]
        return f"{count}/{of}" if of else "-"

    good, bad, reps = found.get("good", 0), found.get("bad", 0), found["reps"]
    share = [
        found.get(o.value, 0) / reps for o in (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE)
    ]  # type: ignore[operator]
    right = "PASS" if not bad else "FAIL" if not good else f"PASS {good / reps:.0%}, else FAIL"  # type: ignore[operator]
    columns = [
        found["cell"]["what"],
        right,
        "/".join(f"{s:.3g}" for s in share),  # type: ignore[index]
        rate("false FAIL", good),
        rate("false PASS", bad),
        rate("rule 1 false FAIL", good),
        rate("rule 1 false PASS", bad),
        rate("rule 50 false FAIL", good),
        rate("rule 50 false PASS", bad),
        found["calls"],
    ]
    return "| " + " | ".join(map(str, columns)) + " |"


def upper(count: int, n: int) -> float:
    """Return the exact upper 95 % bound of a rate."""
    return float(beta.ppf(0.95, count + 1, n - count)) if count < n else 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the decisions")
    parser.add_argument("--share", type=float, default=1.0, help="share of the decisions")
    parser.add_argument("--only", default="", help="only cells whose name holds this")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    print("Wrong verdicts as count/decisions; P/F/I are the shares of PASS, FAIL, INCONCLUSIVE.")
    print()
    print(
        "| scorer | right is | P/F/I | false FAIL | false PASS | case rule, 1 résumé: false FAIL"
        " | false PASS | 50 résumés: false FAIL | false PASS | calls |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    results = []
    for cell in cells():
        if args.only in cell.what:
            results.append(
                run(cell, max(1, round(cell.reps * (0.1 if args.quick else args.share))), args.seed)
            )
            print(row(results[-1]), flush=True)
    print()
    for side, of in (("false FAIL", "good"), ("false PASS", "bad")):
        count = sum(int(r.get(side, 0)) for r in results)  # type: ignore[call-overload]
        n = sum(int(r.get(of, 0)) for r in results)  # type: ignore[call-overload]
        print(f"{side} over all cells: {count} of {n} (at most {upper(count, max(n, 1)):.3%})")
    if args.out:
        args.out.write_text(json.dumps({"seed": args.seed, "cells": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
