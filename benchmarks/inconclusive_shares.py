"""How often a sound subject gets no verdict, by gate, and what it costs to lower that.

An ordinary sound subject keeps its limit with some room: it stands at half of it, and at four fifths.
Its gate is given what people have at hand, then twice and four times as many observations. Verdicts
are the production code's at the default errors; a FAIL would be wrong and is counted too.

    python benchmarks/inconclusive_shares.py [--quick] [--only GATE]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import latency_simulated
import numpy as np
from fairness_errors import measured as two_groups
from quality_errors import measured_values
from recall_errors import decide, spread

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.bandwidth_budget.fleet import Fleet
from pytest_mlgates.gates.blocked_features.judge import auc_bounds
from pytest_mlgates.gates.drift import Drift
from pytest_mlgates.gates.feature_parity.bounds import mismatch_bounds
from pytest_mlgates.gates.feature_parity.details import Feature
from pytest_mlgates.gates.impact_ratio import ImpactRatio
from pytest_mlgates.gates.name_invariance import NameInvariance
from pytest_mlgates.gates.pii_leak import PiiLeak
from pytest_mlgates.gates.quality_floor import QualityFloor
from pytest_mlgates.gates.recall_retention import RecallRetention
from pytest_mlgates.gates.shadow_divergence import ShadowDivergence
from pytest_mlgates.stats import binomial

Rng = np.random.Generator
ALPHA, BETA = 1e-4, 1e-3


@dataclass(frozen=True)
class Ordinary:
    """A sound subject, what its gate is given of it, and what helps where that is too little."""

    gate: str
    subject: str
    sizes: tuple[int, ...]
    unit: str
    verdict: Callable[[Rng, int], str]
    helps: str
    slow: bool = False


def between(low: float, high: float, limit: float) -> str:
    """Return the verdict that two bounds of what may be at most a limit come to."""
    return "pass" if high <= limit else "fail" if low > limit else "inconclusive"


def latency() -> Iterator[Ordinary]:
    for noise in latency_simulated.NOISES:
        for subject in latency_simulated.SUBJECTS[:3]:

            def verdict(rng: Rng, _n: int, subject=subject, noise=noise) -> str:
                trace, _ = latency_simulated.trace_of(subject, noise, rng)
                return latency_simulated.decide(trace, noise)[0].value

            yield Ordinary("p99_latency", f"{subject.name} ms, limit 12, {noise.name}", (20_000,),
                           "calls", verdict, "a quieter machine; max_calls only near the limit")  # fmt: skip


def names() -> Iterator[Ordinary]:
    for noise in (0.0, 0.002, 0.02):

        def verdict(rng: Rng, n: int, noise: float = noise) -> str:
            gate = NameInvariance(max_calls=n)
            template = ["CV of {NAME}: nine years of Python."]
            found = gate.run(lambda _: 0.5 + noise * rng.standard_normal(), template,
                             seed=int(rng.integers(1 << 30)))  # fmt: skip
            return found.outcome.value

        yield Ordinary("name_invariance", f"fair, noise sd {noise:g}, limit 0.01",
                       (5_000, 10_000, 20_000), "calls", verdict,
                       "calls, as (noise / limit)², or fewer names a group", slow=True)  # fmt: skip


def shadow() -> Iterator[Ordinary]:
    for rate in (0.01, 0.016):

        def verdict(rng: Rng, n: int, rate: float = rate) -> str:
            off = rng.random(n) < rate
            rows = [
                {"at": i, "road": f"road {int(u * u * 8)}"} for i, u in enumerate(rng.random(n))
            ]
            found = ShadowDivergence(max_rate=0.02).run(
                lambda _: 0, lambda x: int(off[x["at"]]), rows, slice_of="road",
                seed=int(rng.integers(1 << 30)),
            )  # fmt: skip
            return found.outcome.value

        yield Ordinary("shadow_divergence", f"{rate:.1%} of the inputs differ, limit 2 %, 8 slices",
                       (5_000, 10_000, 20_000), "inputs", verdict,
                       "inputs of the rarest slice, or fewer slices", slow=True)  # fmt: skip


def replies() -> Iterator[Ordinary]:
    def verdict(_rng: Rng, n: int) -> str:
        return PiiLeak().run(lambda k: f"Your order {k} is on its way.", range(n)).outcome.value

    yield Ordinary("pii_leak", "no leak, limit 0.1 %", (4_000, 8_000), "replies", verdict,
                   "7,781 replies, or a larger max_leak_rate", slow=True)  # fmt: skip


def counted(gate: str, limit: float, unit: str, sizes: tuple[int, ...]) -> Iterator[Ordinary]:
    """Yield gates that hold an exact binomial bound of a rate against a limit."""
    for part in (0.0, 0.5, 0.8):

        def verdict(rng: Rng, n: int, part: float = part) -> str:
            wrong = int(rng.binomial(n, part * limit))
            low, high = binomial.lower(wrong, n, ALPHA), binomial.upper(wrong, n, BETA)
            return between(low, high, limit)

        yield Ordinary(gate, f"{part * limit:.2%} wrong, limit {limit:.0%}", sizes, unit, verdict,
                       f"{unit}, as 1 / (limit - rate)²")  # fmt: skip


def quality() -> Iterator[Ordinary]:
    gate = QualityFloor(metric="accuracy", min_value=0.9)
    for truth in (0.95, 0.92):

        def verdict(rng: Rng, n: int, truth: float = truth) -> str:
            return gate.decide(measured_values("accuracy", rng.random(n) < truth)).outcome.value

        yield Ordinary("quality_floor", f"accuracy {truth:g}, floor 0.9", (250, 500, 1_000, 4_000),
                       "inputs", verdict, "inputs, as 1 / (value - floor)²")  # fmt: skip


def recall() -> Iterator[Ordinary]:
    gate = RecallRetention(max_drop=0.02)
    for loss in (0.01, 0.016):

        def verdict(rng: Rng, n: int, loss: float = loss) -> str:
            return decide(gate, spread(rng, loss, n))

        yield Ordinary("recall_retention", f"{loss:.1%} lost, limit 2 %", (500, 1_000, 2_000, 8_000),
                       "queries", verdict, "queries, as 1 / (limit - loss)²")  # fmt: skip


def parity() -> Iterator[Ordinary]:
    for part in (0.0, 0.5):

        def verdict(rng: Rng, n: int, part: float = part) -> str:
            wrong = int(rng.binomial(n, part * 0.01))
            spread_ = ((0, 1, n - wrong), *(((1, 1, wrong),) if wrong else ()))
            seen = Feature(name="x", rows=n, differ=wrong, kinds={"value": wrong} if wrong else {},
                           spread=spread_, empty=0, leaks=0, timed=0, untimed=0)  # fmt: skip
            return between(*mismatch_bounds(seen, ALPHA, BETA), 0.01)

        yield Ordinary("feature_parity", f"{part * 0.01:.1%} differ, limit 1 %", (500, 1_000, 4_000),
                       "entities", verdict, "entities, as 1 / (limit - rate)²")  # fmt: skip


def ratio() -> Iterator[Ordinary]:
    gate = ImpactRatio()
    for part in (1.0, 0.9):

        def verdict(rng: Rng, n: int, part: float = part) -> str:
            few = round(0.15 * n)
            counts = ((int(rng.binomial(few, part * 0.5)), few),
                      (int(rng.binomial(n - few, 0.5)), n - few))  # fmt: skip
            return gate.decide(two_groups(counts)).outcome.value

        yield Ordinary("impact_ratio", f"ratio {part:g}, limit 0.8, 15 % in the smaller group",
                       (1_000, 2_000, 4_000, 8_000), "applicants", verdict,
                       "applicants of the smaller group, or a larger beta")  # fmt: skip


def blocked() -> Iterator[Ordinary]:
    def verdict(rng: Rng, n: int) -> str:
        members = n // 2
        shown = 0.5 + rng.normal() * np.sqrt(1 / 12 * 2 / members)
        return between(*auc_bounds(float(np.clip(shown, 0, 1)), members, ALPHA, BETA), 0.65)

    yield Ordinary("blocked_features", "two groups told by chance, limit 0.65", (250, 500, 1_000),
                   "applicants", verdict, "applicants of the smaller group")  # fmt: skip


def drift() -> Iterator[Ordinary]:
    gate = Drift(max_distance=0.3)
    for shift in (0.0, 0.15):

        def verdict(rng: Rng, n: int, shift: float = shift) -> str:
            one = rng.normal(size=(n, 3))
            two = rng.normal(shift, 1, (n, 3))
            sides = [dict(zip("abc", side.T.tolist(), strict=True)) for side in (one, two)]
            rows = [
                [dict(zip(s, row, strict=True)) for row in zip(*s.values(), strict=True)]
                for s in sides
            ]
            return gate.run(*rows).outcome.value

        yield Ordinary("drift", f"3 features moved by {shift:g} spreads, limit 0.3",
                       (1_000, 2_000, 4_000, 8_000), "rows a side", verdict,
                       "rows, as 1 / (limit - distance)²", slow=True)  # fmt: skip


def bandwidth() -> Iterator[Ordinary]:
    def verdict(rng: Rng, n: int) -> str:
        sent = 0.05 * rng.lognormal(-0.125, 0.5, n)
        fleet = Fleet(sent.tolist(), [1.0] * n, 0.5, 10.0)
        low, high = fleet.bounds(ALPHA, BETA)
        return between(low, np.inf if high is None else high, 0.1)

    yield Ordinary("bandwidth_budget", "half of the limit, cap of 10 mean sources",
                   (100, 200, 500, 1_000), "sources", verdict,
                   "sources, as the cap; without a cap it is a fact")  # fmt: skip


def rows() -> Iterator[Ordinary]:
    """Yield all of them."""
    yield from latency()
    yield from names()
    yield from shadow()
    yield from replies()
    yield from counted("grounding", 0.01, "questions", (1_000, 2_000, 4_000))
    yield from quality()
    yield from recall()
    yield from parity()
    yield from ratio()
    yield from blocked()
    yield from drift()
    yield from bandwidth()


def main() -> None:
    """Print a row for each subject."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a fifth of the runs")
    parser.add_argument("--only", default="", help="only gates whose name holds this")
    args = parser.parse_args()
    print("| gate | sound subject | INCONCLUSIVE at | FAIL (wrong) | what lowers it |")
    print("|---|---|---|---|---|")
    for row in rows():
        if args.only not in row.gate:
            continue
        runs = (20 if row.slow else 200) // (5 if args.quick else 1)
        rng = np.random.default_rng(1)
        cells, failed = [], 0
        for n in row.sizes:
            seen = Counter(row.verdict(rng, n) for _ in range(runs))
            cells.append(f"{n:,}: {seen[Outcome.INCONCLUSIVE.value] / runs:.0%}")
            failed += seen[Outcome.FAIL.value]
        told = f"{', '.join(cells)} {row.unit}"
        wrong = f"{failed} of {runs * len(row.sizes)}"
        print(f"| {row.gate} | {row.subject} | {told} | {wrong} | {row.helps} |", flush=True)


if __name__ == "__main__":
    main()
