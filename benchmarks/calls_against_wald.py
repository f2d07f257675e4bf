"""What each gate spends on a verdict, beside what no test could do with fewer of.

A test that errs by alpha and beta at most, and stops when it likes, takes on average at least
``log(1 / error) / KL`` observations, where KL is how far the truth is from the nearest subject that
the other verdict would be right about (Wald, Ann. Math. Stat. 16, 1945). A gate that looks as it
goes is run on subjects of a known truth and its mean number is printed; one that is handed so many
observations and looks once takes the number at which nine
of ten samples get the verdict. Where the
ratio is above 2 the last column says what the rest buys.

    python benchmarks/calls_against_wald.py [--quick] [--only GATE]
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import latency_found
import numpy as np
from found_promises import name_rows
from wald_fixed import kl, rows_once

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.artifact_immutability import ArtifactImmutability
from pytest_mlgates.gates.artifact_immutability.judge import ERROR as STORE_ERROR
from pytest_mlgates.gates.canary_memorization import CanaryMemorization
from pytest_mlgates.gates.p99_latency import P99Latency
from pytest_mlgates.gates.pii_leak import PiiLeak
from pytest_mlgates.gates.shadow_divergence import ShadowDivergence
from pytest_mlgates.gates.throughput import Throughput

ONLY_FACTS = (
    "bandwidth_budget without max_source_bytes", "context_budget", "cost_budget", "egress",
    "infra_guardrails", "lead_time", "slice_coverage",
)  # fmt: skip


@dataclass(frozen=True)
class Spent:
    """Observations that a verdict took, and the fewest on average that any test could take."""

    gate: str
    subject: str
    right: str
    unit: str
    took: float
    bound: float
    share: float = 1.0
    why: str = ""

    def __str__(self) -> str:
        times = self.took / self.bound
        why = self.why if times > 2 else ""
        cells = (
            self.gate, self.subject, self.right, f"{self.share:.0%}",
            f"{self.took:,.0f} {self.unit}", f"{self.bound:,.0f}", f"{times:.2g}", why,
        )  # fmt: skip
        return f"| {' | '.join(cells)} |"


def latency(runs: int) -> Iterator[Spent]:
    """P99 over its limit in a share of calls; 1 % may."""
    gate = P99Latency(max_ms=latency_found.LIMIT)
    rng = np.random.default_rng(1)
    for share in (0.0, 0.0022, 0.005, 0.0136, 0.02, 0.0456, 0.2, 1.0):
        right = "pass" if share < 0.01 else "fail"
        hits, took = 0, 0
        for _ in range(runs):
            slow = rng.random(gate.max_calls) < share
            wall = np.where(slow, 200.0, latency_found.FAST)
            outcome, n = latency_found.judged(gate, latency_found._trace(wall))  # noqa: SLF001
            hits += outcome == right
            took += n
        error = gate.beta if right == "pass" else gate.alpha
        bound = -math.log(error) / kl(share, 0.01)
        why = (
            "5,000 calls: bursts of `longest_burst` have to be met by the run"
            if right == "pass"
            else "looks at 20, 50 and 300 calls: slow ones in three separate stretches, or throughout"
        )
        subject = f"{share:.3%} of the calls slow"
        yield Spent("p99_latency", subject, right, "calls", took / runs, bound, hits / runs, why)


def load(_runs: int) -> Iterator[Spent]:
    """A load is offered for so many seconds, however clear it is."""
    gate = Throughput(min_per_second=1000, max_p99_ms=20)
    n = gate.seconds * gate.min_per_second * (1 + gate.headroom)
    why = "20 s: requests in flight together count as one, and pauses have to be met by the run"
    bound = -math.log(gate.beta) / kl(0.0, 0.01)
    yield Spent("throughput", "none late, 1,000/s", "pass", "requests", n, bound, why=why)


def names(runs: int) -> Iterator[Spent]:
    """Two groups of ten names that are treated alike; bets on both sides of each pair."""
    for row in name_rows():
        if row.bound is None:
            continue
        found = [row.run(seed) for seed in range(max(2, runs // 10))]
        hits = sum(evidence.outcome == Outcome.PASS for evidence in found) / len(found)
        calls = [e.measurement.details["calls"] for e in found if e.measurement is not None]
        took = sum(map(int, calls)) / len(calls)
        yield Spent("name_invariance", row.what, "pass", "calls", took, row.bound, hits)


def shadow(runs: int) -> Iterator[Spent]:
    """Divergence of one slice, 2 % of which may."""
    gate = ShadowDivergence(max_rate=0.02)
    rng = np.random.default_rng(2)
    for rate in (0.0, 0.005, 0.01, 0.04, 0.1, 0.3, 1.0):
        right = "pass" if rate < 0.02 else "fail"
        hits, took = 0, 0
        for seed in range(max(3, runs // 4)):
            off = rng.random(12_000) < rate
            found = gate.run(lambda _: 0, lambda i, off=off: int(off[i]), range(12_000), seed=seed)
            hits += found.outcome.value == right
            took += found.measurement.n if found.measurement else 0
        count = max(3, runs // 4)
        error = gate.beta if right == "pass" else gate.alpha
        bound = -math.log(error) / kl(rate, 0.02)
        why = "the bet does not know how bad it is: at most some twenty inputs more"
        subject = f"{rate:.1%} of the inputs differ"
        yield Spent(
            "shadow_divergence", subject, right, "inputs", took / count, bound, hits / count, why
        )


def replies(_runs: int) -> Iterator[Spent]:
    """Replies without a leak, of a detector that finds all that is planted."""
    gate = PiiLeak()
    found = gate.run(lambda n: f"Your order {n} is on its way.", range(12_000))
    n = found.measurement.n if found.measurement else 0
    bound = -math.log(gate.beta) / kl(0.0, gate.max_leak_rate)
    why = "the recall is known from plants only"
    hit = float(found.outcome == Outcome.PASS)
    yield Spent("pii_leak", "no leak", "pass", "replies", n, bound, hit, why)


def canaries(_runs: int) -> Iterator[Spent]:
    """Canaries that a PASS takes, and those that a shift of two deviations takes to FAIL."""
    gate = CanaryMemorization()
    shift = gate.max_shift
    bound = -math.log(gate.beta) / (shift**2 / 2)
    yield Spent("canary_memorization", "not remembered", "pass", "canaries",
                gate.needs().to_pass, bound)  # fmt: skip


def stores(_runs: int) -> Iterator[Spent]:
    """Clean sequences; the share that they bound is what the policy's number comes to."""
    gate = ArtifactImmutability()
    claimed = -math.expm1(math.log(STORE_ERROR) / gate.sequences)
    bound = -math.log(STORE_ERROR) / kl(0.0, claimed)
    yield Spent("artifact_immutability", "sound store", "pass", "sequences", gate.sequences, bound)


PARTS: tuple[Callable[[int], Iterator[Spent]], ...] = (
    latency, load, names, shadow, replies, canaries, stores,
)  # fmt: skip


def main() -> None:
    """Print a row for each gate and subject."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="a fifth of the runs")
    parser.add_argument("--only", default="", help="only gates whose name holds this")
    args = parser.parse_args()
    runs = 20 if args.quick else 100
    print(
        "| gate | subject | right is | got it | took | Wald's bound | times | what the rest buys |"
    )
    print("|---|---|---|---|---|---|---|---|")
    rows = (
        (row for part in PARTS for row in part(runs)) if not args.only else _only(args.only, runs)
    )
    for row in rows:
        print(row, flush=True)
    for once in rows_once(runs, args.only):
        print(Spent(*once), flush=True)
    print(f"\nno chance in it, so no bound: {', '.join(ONLY_FACTS)}")


def _only(word: str, runs: int) -> Iterator[Spent]:
    gates = ("p99_latency", "throughput", "name_invariance", "shadow_divergence", "pii_leak",
             "canary_memorization", "artifact_immutability")  # fmt: skip
    for gate, part in zip(gates, PARTS, strict=True):
        if word in gate:
            yield from part(runs)


if __name__ == "__main__":
    main()
