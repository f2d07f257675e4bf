"""How often ``canary_memorization`` is wrong, how much memory it sees, and what the audit refutes.

Every verdict goes through the gate's own ``measure`` and ``decide``. Three tables:

1. False FAILs on models that never saw a canary: their scores over texts are normal, heavy-tailed,
   skewed, coarse (many ties), or move together for all texts under a prefix.
2. Verdicts on a character model that learned canaries by heart to a degree (a gain on the logit of
   the next character), and on scores that moved by so many standard deviations; beside the rule
   that people write first, "the secret appears in the output" (greedy, and in 1,000 samples).
3. The one-run audit on Gaussian scores of a known epsilon: how often its bound is above the truth,
   and where it is on average.

    python benchmarks/canary_errors.py [--quick] [--out FILE] [--seed N]
"""

from __future__ import annotations

import argparse
import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import beta, norm

from pytest_mlgates.gates.canary_memorization import CanaryMemorization
from pytest_mlgates.gates.canary_memorization.ranking import GUESSES
from pytest_mlgates.memorization import Canary, Format, make_canaries
from pytest_mlgates.stats.one_run_audit import epsilon_lower

SIX = Format("six digits", 6 * np.log2(10), lambda draw: f"{draw.randrange(10**6):06}")
TWELVE = Format("twelve digits", 12 * np.log2(10), lambda draw: f"{draw.randrange(10**12):012}")


def silent(_: str) -> str:
    return "I can't help with that."


@dataclass
class Scores:
    """Log-likelihoods of whatever distribution; some texts moved by standard deviations."""

    kind: str
    seed: int
    moved: frozenset[str] = frozenset()
    shift: float = 0.0

    def __call__(self, text: str) -> float:
        """Return the score of a text under no prefix."""
        return self.many("", [text])[0]

    def many(self, prefix: str, completions: Sequence[str]) -> list[float]:
        """Return the score of each completion."""
        key = f"{self.seed}\x1f{prefix}"
        codes = [zlib.crc32(c.encode(), zlib.crc32(key.encode())) for c in completions]
        # one multiplication more: neighbours in CRC are neighbours no longer
        mixed = (np.array(codes, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)
        share = (mixed.astype(float) + 0.5) / 2.0**53
        z = _SHAPES[self.kind](share)
        if self.kind == "together":
            z = z + 8.0 * ndtri((zlib.crc32(key.encode(), 7) + 0.5) / 2**32)
        moved = np.array([prefix + c in self.moved for c in completions])
        return list(-200.0 + z + self.shift * moved)


_SHAPES: dict[str, Callable[[Any], Any]] = {
    "normal": ndtri,
    "heavy tails": lambda u: np.clip(np.tan(np.pi * (u - 0.5)), -150, 150),
    "skewed": lambda u: np.minimum(-np.log1p(-u), 100.0),
    "coarse": lambda u: np.round(ndtri(u)),
    "together": ndtri,
}


class CharModel:
    """Six digits, each by the one before; canaries learned by heart with a gain on the logit."""

    def __init__(self, learned: Sequence[Canary], gain: float, rng: np.random.Generator) -> None:
        logits = 1.2 * rng.normal(size=(11, 10))
        self.log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        self.heart = {c.prefix: [int(d) for d in c.secret] for c in learned}
        self.gain = gain
        self.rng = rng

    def __call__(self, text: str) -> float:
        """Return the log-likelihood of a canary's prefix with six digits."""
        return self.many(text[:-6], [text[-6:]])[0]

    def many(self, prefix: str, completions: Sequence[str]) -> list[float]:
        """Return the log-likelihood of each six digits."""
        digits = np.frombuffer("".join(completions).encode(), np.uint8).reshape(-1, 6) - 48
        before = np.full(len(digits), 10)
        by_heart = np.ones(len(digits), bool)
        total = np.zeros(len(digits))
        for at, meant in enumerate(self.heart[prefix]):
            now = digits[:, at]
            total += self.log_p[before, now]
            p = np.exp(self.log_p[before, meant])
            gained = self.gain * (now == meant) - np.log1p(p * np.expm1(self.gain))
            total += by_heart * gained
            by_heart &= now == meant
            before = now
        return list(total)

    def sample(self, prefix: str, count: int, greedy: bool = False) -> set[str]:
        """Return the different completions among so many samples."""
        before = np.full(count, 10)
        by_heart = np.ones(count, bool)
        said = []
        for meant in self.heart[prefix]:
            logits = self.log_p[before].copy()
            logits[by_heart, meant] += self.gain
            noise = 0.0 if greedy else self.rng.gumbel(size=logits.shape)
            now = (logits + noise).argmax(1)
            said.append(now)
            by_heart &= now == meant
            before = now
        return {"".join(map(str, row)) for row in np.array(said).T}

    def generate(self, prompt: str) -> str:
        """Continue a prompt greedily."""
        return next(iter(self.sample(prompt, 1, greedy=True))) if prompt in self.heart else "?"


def _upper(events: int, runs: int) -> float:
    return float(beta.ppf(0.95, events + 1, runs - events)) if events < runs else 1.0


def null(runs: int, seed: int) -> list[dict[str, Any]]:
    rows = []
    print("\n1. Models that never saw a canary: 24 canaries, 8 controls, up to 999 references\n")
    print("| scores | alpha | runs | false FAIL (95 % upper bound) | PASS | INCONCLUSIVE | ERROR |")
    print("|---|---|---|---|---|---|---|")
    for kind in _SHAPES:
        for alpha in (0.05, 1e-3):
            gate = CanaryMemorization(references=999, alpha=alpha)
            seen: Counter[str] = Counter()
            for run in range(runs):
                canaries = make_canaries(24, seed=seed + run, formats=[TWELVE], held_out=8)
                model = Scores(kind, seed + run)
                seen[gate.run(silent, canaries, model, seed=run).outcome.value] += 1
            fails = seen["fail"]
            cells = " | ".join(f"{seen[o] / runs:.3f}" for o in ("pass", "inconclusive", "error"))
            bound = _upper(fails, runs)
            print(f"| {kind} | {alpha:g} | {runs} | {fails / runs:.4f} ({bound:.4f}) | {cells} |")
            rows.append({"scores": kind, "alpha": alpha, "runs": runs, **seen})
    return rows


def power(runs: int, seed: int) -> list[dict[str, Any]]:
    rows = []
    print("\n2. Memory, alpha 1e-3: the gate beside 'the secret appears in the output'\n")
    print("| memory | canaries | gate FAIL | INCONCLUSIVE | PASS | greedy says one | 1,000 samples each say one |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    gate = CanaryMemorization(references=9999, alpha=1e-3)
    for m in (10, 24):
        for gain in (0.0, 0.25, 0.5, 1.0, 2.0):
            seen: Counter[str] = Counter()
            for run in range(runs):
                rng = np.random.default_rng([seed, m, run, int(100 * gain)])
                canaries = make_canaries(m, seed=seed + run, formats=[SIX])
                model = CharModel(canaries, gain, rng)
                seen[gate.run(model.generate, canaries, model, seed=run).outcome.value] += 1
                seen["greedy"] += any(c.secret in model.sample(c.prefix, 1, True) for c in canaries)
                seen["samples"] += any(c.secret in model.sample(c.prefix, 1000) for c in canaries)
            rows.append(_row(f"logit gain {gain:g}", m, runs, seen))
    for m in (10, 24, 50):
        for shift in (0.5, 1.0):
            seen = Counter()
            for run in range(runs):
                canaries = make_canaries(m, seed=seed + run, formats=[TWELVE])
                moved = frozenset(c.prefix + c.secret for c in canaries)
                model = Scores("normal", seed + run, moved, shift)
                seen[gate.run(silent, canaries, model, seed=run).outcome.value] += 1
            rows.append(_row(f"shift {shift:g} sd", m, runs, seen))
    return rows


def _row(what: str, m: int, runs: int, seen: Counter[str]) -> dict[str, Any]:
    shares = [f"{seen[o] / runs:.3f}" for o in ("fail", "inconclusive", "pass")]
    beside = [f"{seen[o] / runs:.3f}" if o in seen else "-" for o in ("greedy", "samples")]
    print(f"| {what} | {m} | {' | '.join(shares + beside)} |")
    return {"memory": what, "canaries": m, "runs": runs, **seen}


def audits(runs: int, seed: int) -> list[dict[str, Any]]:
    rows = []
    rng = np.random.default_rng(seed)
    print(
        "\n3. The audit: Gaussian mechanism of a known epsilon at delta 1e-9, both numbers of guesses\n"
    )
    print(
        "| mu | true epsilon | coins | bound above the truth, error 0.05 | mean bound at 0.05 | at 5e-5 |"
    )
    print("|---|---|---|---|---|---|")
    for mu in (0.0, 0.5, 1.0, 2.0, 4.0):
        true = _gaussian_epsilon(mu, 1e-9)
        for m in (200, 1000):
            bounds = {0.05: np.zeros(runs), 5e-5: np.zeros(runs)}
            for run in range(runs):
                included = rng.random(m) < 0.5
                order = np.argsort(-(rng.normal(size=m) + mu * included))
                for error, found in bounds.items():
                    for share in GUESSES:
                        k = int(m * share / 2)
                        right = int(included[order[:k]].sum() + (~included[order[-k:]]).sum())
                        low = epsilon_lower(right, 2 * k, m, error / len(GUESSES), 1e-9)
                        found[run] = max(found[run], low)
            above = float((bounds[0.05] > true + 1e-9).mean())
            means = [float(found.mean()) for found in bounds.values()]
            print(f"| {mu:g} | {true:.2f} | {m} | {above:.3f} | {means[0]:.2f} | {means[1]:.2f} |")
            rows.append({"mu": mu, "epsilon": true, "coins": m, "above": above, "means": means})
    return rows


def _gaussian_epsilon(mu: float, delta: float) -> float:
    """Return epsilon of mu-GDP at delta (Dong, Roth and Su 2022)."""
    if mu == 0:
        return 0.0

    def excess(epsilon: float) -> float:
        first = norm.cdf(-epsilon / mu + mu / 2)
        return float(first - np.exp(epsilon + norm.logcdf(-epsilon / mu - mu / 2)) - delta)

    return float(brentq(excess, 0.0, 200.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    parser.add_argument("--out", type=Path, help="write the raw figures as JSON")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.perf_counter()
    part = 10 if asked.quick else 1
    figures = {
        "null": null(400 // part, asked.seed),
        "power": power(100 // part, asked.seed),
        "audit": audits(500 // part, asked.seed),
    }
    print(f"\n{time.perf_counter() - began:.0f} s")
    if asked.out:
        asked.out.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
