"""Gates that look once, at as many observations as they are handed: how many get the verdict nine times in ten.

The rows of ``calls_against_wald.py`` that are about them. Verdicts are the production code's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from fairness_errors import measured as two_groups
from quality_errors import measured_values
from recall_errors import clumped, decide, spread
from scipy.optimize import minimize
from scipy.special import rel_entr
from scipy.stats import norm

from pytest_mlgates.gates.bandwidth_budget.fleet import Fleet
from pytest_mlgates.gates.blocked_features.judge import auc_bounds
from pytest_mlgates.gates.drift import Drift
from pytest_mlgates.gates.feature_parity import FeatureParity
from pytest_mlgates.gates.feature_parity.bounds import mismatch_bounds
from pytest_mlgates.gates.feature_parity.details import Feature
from pytest_mlgates.gates.grounding import Grounding
from pytest_mlgates.gates.impact_ratio import ImpactRatio
from pytest_mlgates.gates.quality_floor import QualityFloor
from pytest_mlgates.gates.recall_retention import RecallRetention

__all__ = ["kl", "rows_once"]

Once = tuple[str, str, str, str, float, float, float, str]
Rng = np.random.Generator


def kl(p: float, q: float) -> float:
    """Return the relative entropy of two coins.

    >>> round(kl(0.0, 0.01), 5)
    0.01005
    """
    return float(rel_entr(p, q) + rel_entr(1 - p, 1 - q))


def kl_of_mean(x: np.ndarray, limit: float) -> float:
    """Return how far observations in [0, 1] are from the nearest law whose mean is at the limit.

    Of any shape: the dual of the relative entropy (Honda and Takemura, Machine Learning 85, 2011).

    >>> round(kl_of_mean(np.zeros(3), 0.01), 5), round(kl(0.0, 0.01), 5)
    (0.01005, 0.01005)
    """
    below = float(x.mean()) < limit
    y, m = (x, limit) if below else (1 - x, 1 - limit)
    bets = np.linspace(0, 1, 2001) / (1 - m)
    with np.errstate(divide="ignore"):
        gains = [float(np.mean(np.log(np.maximum(1 - bet * (y - m), 0.0)))) for bet in bets]
    return max(gains)


def nine_in_ten(verdict: Callable[[Rng, int], bool], start: int, runs: int) -> int:
    """Return about the smallest number of observations at which nine of ten samples get the verdict."""
    rng = np.random.default_rng(3)

    def often(n: int) -> bool:
        return sum(verdict(rng, n) for _ in range(runs)) >= 0.9 * runs

    high = start
    while not often(high):
        high *= 2
    low = high // 2
    while high - low > max(1, high // 30):
        middle = (low + high) // 2
        low, high = (low, middle) if often(middle) else (middle, high)
    return high


def rows_once(runs: int, only: str) -> Iterator[Once]:
    """Yield the rows of all gates that look once."""
    parts = {
        "quality_floor": _quality, "recall_retention": _recall, "grounding": _grounding,
        "feature_parity": _parity, "impact_ratio": _ratio, "blocked_features": _blocked,
        "drift": _drift, "bandwidth_budget": _bandwidth,
    }  # fmt: skip
    for gate, part in parts.items():
        if only in gate:
            for row in part(max(10, runs // 2)):
                yield (gate, *row)


Row = tuple[str, str, str, float, float, float, str]


def _quality(runs: int) -> Iterator[Row]:
    gate = QualityFloor(metric="accuracy", min_value=0.9)
    for truth in (1.0, 0.97, 0.94, 0.85, 0.7):
        right = "pass" if truth > 0.9 else "fail"

        def verdict(rng: Rng, n: int, truth: float = truth, right: str = right) -> bool:
            seen = measured_values("accuracy", rng.random(n) < truth)
            return gate.decide(seen).outcome.value == right

        error = gate.beta if right == "pass" else gate.alpha
        n, bound = nine_in_ten(verdict, 16, runs), -math.log(error) / kl(truth, 0.9)
        yield f"accuracy {truth:g}, floor 0.9", right, "inputs", n, bound, 0.9, ""


def _recall(runs: int) -> Iterator[Row]:
    gate = RecallRetention(max_drop=0.02)
    for draw, words in ((clumped, "all ten of a query"), (spread, "each by its own chance")):
        for loss in (0.005, 0.05):
            right = "pass" if loss < 0.02 else "fail"

            def verdict(rng: Rng, n: int, draw=draw, loss=loss, right=right) -> bool:
                return decide(gate, draw(rng, loss, n)) == right

            error = gate.beta if right == "pass" else gate.alpha
            law = draw(np.random.default_rng(4), loss, 20_000)
            why = (
                "bets are placed without knowing the spread, and each slice has its share of alpha"
            )
            n, bound = nine_in_ten(verdict, 32, runs), -math.log(error) / kl_of_mean(law, 0.02)
            yield f"{loss:.1%} lost, {words}", right, "queries", n, bound, 0.9, why


def _grounding(_runs: int) -> Iterator[Row]:
    gate = Grounding(max_unsupported_rate=0.01)
    n = gate.needs().to_pass
    bound = -math.log(gate.beta) / kl(0.0, 0.01)
    yield "no answer without support", "pass", "questions", n, bound, 1.0, ""


def _parity(runs: int) -> Iterator[Row]:
    gate = FeatureParity(max_mismatch_rate=0.01)
    for rate in (0.0, 0.003, 0.03):
        right = "pass" if rate < 0.01 else "fail"

        def verdict(rng: Rng, n: int, rate: float = rate, right: str = right) -> bool:
            wrong = int(rng.binomial(n, rate))
            spread_ = ((0, 1, n - wrong), (1, 1, wrong)) if wrong else ((0, 1, n),)
            kinds = {"value": wrong} if wrong else {}
            seen = Feature(name="x", rows=n, differ=wrong, kinds=kinds, spread=spread_, empty=0,
                           leaks=0, timed=0, untimed=0)  # fmt: skip
            low, high = mismatch_bounds(seen, gate.alpha, gate.beta)
            return high <= 0.01 if right == "pass" else low > 0.01

        error = gate.beta if right == "pass" else gate.alpha
        n, bound = nine_in_ten(verdict, 64, runs), -math.log(error) / kl(rate, 0.01)
        yield f"{rate:.1%} of the entities differ", right, "entities", n, bound, 0.9, ""


def _nearest(p: tuple[float, float], ratio: float) -> float:
    """Return the relative entropy, for an applicant of each group, of the nearest pair on the margin."""

    def far(x: np.ndarray) -> float:
        second = float(x[0])
        return kl(p[0], ratio * second) + kl(p[1], second)

    found = minimize(far, [min(0.9, sum(p) / 2 / max(ratio, 0.5))], bounds=[(1e-6, 1 - 1e-6)])
    return float(found.fun)


def _ratio(runs: int) -> Iterator[Row]:
    gate = ImpactRatio()
    for rates in ((0.5, 0.5), (0.2, 0.5)):
        right = "pass" if rates[0] == rates[1] else "fail"

        def verdict(rng: Rng, n: int, rates=rates, right=right) -> bool:
            counts = tuple((int(rng.binomial(n, p)), n) for p in rates)
            return gate.decide(two_groups(counts)).outcome.value == right

        error = gate.beta if right == "pass" else gate.alpha
        n = nine_in_ten(verdict, 64, runs)
        bound = -math.log(error) / _nearest(rates, gate.min_ratio)
        subject = f"{rates[0]:.0%} and {rates[1]:.0%} selected"
        yield subject, right, "of each group", n, bound, 0.9, ""


def _blocked(_runs: int) -> Iterator[Row]:
    beta, limit = 1e-3, 0.65
    n = 1
    while auc_bounds(0.5, n, beta, beta)[1] > limit:
        n += 1
    # of two normals: no test of location does with fewer
    shift = math.sqrt(2) * float(norm.ppf(limit))
    bound = -math.log(beta) / (shift**2 / 4)
    why = "the bound on the AUC holds for any shape of scores, by independent pairs"
    yield "a group told by chance, limit 0.65", "pass", "of each group", n, bound, 0.5, why


def _drift(runs: int) -> Iterator[Row]:
    gate = Drift(max_distance=0.3)
    why = "any change of shape is in the bound, of numbers up to five spreads away; Wald knows that only the mean moves"
    for shift in (0.0, 0.6, 1.5):
        right = "pass" if shift < 0.3 else "fail"

        def verdict(rng: Rng, n: int, shift: float = shift, right: str = right) -> bool:
            one, other = rng.normal(size=n), rng.normal(shift, 1, n)
            return gate.run(one, other).outcome.value == right

        error = gate.beta if right == "pass" else gate.alpha
        n = nine_in_ten(verdict, 64, max(6, runs // 6))
        bound = -math.log(error) / ((shift - 0.3) ** 2 / 4)
        yield f"moved by {shift:g} spreads, limit 0.3", right, "rows a side", n, bound, 0.9, why


def _bandwidth(runs: int) -> Iterator[Row]:
    beta, cap, limit = 1e-3, 0.5, 0.1
    for truth in (0.01, 0.05):

        def verdict(rng: Rng, n: int, truth: float = truth) -> bool:
            sent = truth * rng.lognormal(-0.125, 0.5, n)
            return Fleet(sent.tolist(), [1.0] * n, cap, 10.0).log_e_below(limit) >= -math.log(beta)

        # a share of the fleet that sends at its cap makes the ratio the limit
        share = (limit - truth) / (cap - truth)
        bound = -math.log(beta) / -math.log1p(-share)
        yield (
            f"ratio {truth:g}, limit 0.1, cap half the raw bytes",
            "pass",
            "sources",
            nine_in_ten(verdict, 64, runs),
            bound,
            0.9,
            "",
        )
