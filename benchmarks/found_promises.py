"""Promises of ``name_invariance``, ``shadow_divergence`` and ``canary_memorization`` that were broken once.

Each row is a subject of known truth on which an earlier version gave wrong verdicts, the rate as it
was found, and the rate now; then a second family of subjects, which the mending was not developed
on. Calls stand beside Wald's bound where there is one.

    python benchmarks/found_promises.py [--quick] [--only WORD]
"""

from __future__ import annotations

import argparse
import hashlib
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scipy.special import ndtri

from pytest_mlgates.core import Evidence, Outcome
from pytest_mlgates.gates.canary_memorization import CanaryMemorization
from pytest_mlgates.gates.name_invariance import NameInvariance
from pytest_mlgates.gates.shadow_divergence import ShadowDivergence
from pytest_mlgates.memorization import make_canaries

ONE = ["CV of {NAME}: nine years of Python."]
TEN = {g: [f"{g}{i}" for i in range(10)] for g in "AB"}
FAIR, BAD = "PASS", "FAIL"


@dataclass(frozen=True)
class Row:
    """A subject: what a right verdict would be, what was found, how it is run."""

    what: str
    right: str
    found: str
    run: Callable[[int], Evidence]
    runs: int = 40
    bound: float | None = None


def first(text: str) -> str:
    return text[len("CV of ")]


def names(score: Callable[[random.Random], Callable[[str], float]], **fields) -> Callable:
    given = fields.pop("names", TEN)

    def run(seed: int) -> Evidence:
        gate = NameInvariance(**{"max_calls": 12_000, **fields})
        return gate.run(score(random.Random(seed)), ONE, given, seed=seed)

    return run


def refused(share: float) -> Callable:
    return lambda r: lambda t: 0.8 * (first(t) != "A" or r.random() >= share)


def stars(base: float, extra: float) -> Callable:
    return lambda r: lambda t: 0.75 - 0.25 * (r.random() < base + extra * (first(t) == "A"))


def apart(gap: float, groups: int) -> tuple[dict[str, list[str]], Callable]:
    given = {f"{chr(65 + g)}": [f"{chr(65 + g)}{i}" for i in range(6)] for g in range(groups)}
    shifts = {"A": gap / 2, "B": -gap / 2}
    return given, lambda _: lambda t: 0.5 + shifts.get(first(t), 0.0)


def skewed(r: random.Random) -> Callable[[str], float]:
    """One of the ten names of group A carries a gap of the limit, by the mean of its group."""
    one = f"A{r.randrange(10)}:"
    return lambda t: 0.5 + 0.101 * (one in t)


def name_rows() -> Iterator[Row]:
    wald = 2 * math.log(1e3) / 0.01
    four, shift4 = apart(0.0146, 4)
    many, shift12 = apart(0.019, 12)
    yield Row("a group refused in 2 % of calls", BAD, "PASS 33 %", names(refused(0.02)))
    yield Row("a group refused in 5 % of calls", BAD, "PASS 8 %", names(refused(0.05)))
    yield Row("stars, a group loses one in 6 %", BAD, "PASS 57 to 85 %", names(stars(0.01, 0.06)))
    yield Row(
        "stars, fair, 1 %",
        FAIR,
        "PASS, as if there were no noise",
        names(stars(0.01, 0)),
        bound=wald,
    )
    yield Row("no noise, fair", FAIR, "PASS", names(lambda _: lambda _: 0.5), 5, wald)
    yield Row("4 groups, two .0146 apart", BAD, "PASS 100 %",
              names(shift4, names=four, max_gap=0.05), 5)  # fmt: skip
    yield Row("12 groups, two .0190 apart", BAD, "PASS 100 %",
              names(shift12, names=many, max_gap=0.05), 5)  # fmt: skip
    yield Row("second family: a group raised to 1 in 3 %", BAD, "-",
              names(lambda r: lambda t: 0.6 + 0.4 * (first(t) == "B" and r.random() < 0.03)))  # fmt: skip
    yield Row("second family: beta noise, skewed by group, equal means", FAIR, "-",
              names(lambda r: lambda t: r.betavariate(1, 9) if first(t) == "A" else
                    1 - r.betavariate(9, 1)), 10)  # fmt: skip
    yield Row("second family: one of ten names carries the gap of its group", BAD, "PASS 7 to 91 %",
              names(skewed, max_gap=0.5), 20)  # fmt: skip


def world(kind: str, seed: int) -> list[dict[str, object]]:
    draw, found = random.Random(seed), []
    for n in range(8000):
        u = draw.random()
        tags = ["rain", "ramp"] if u < 0.2 else ["rain", "city"] if u < 0.203 else ["dry", "city"]
        tags = ["dry", "ramp"] if u > 0.403 else tags
        bad = {"good": tags == ["rain", "city"], "bad": tags == ["rain", "ramp"]}
        third = ["wet road"] if draw.random() < 0.1 else []
        rate = 0.2 if kind == "good" else 0.05
        if kind == "second":  # three tags, off where two of them meet
            bad[kind], rate = tags == ["dry", "city"] and bool(third), 0.3
        found.append({"n": n, "tags": tags + third, "off": bad[kind] and draw.random() < rate})
    return found


def shadow(kind: str) -> Callable[[int], Evidence]:
    def run(seed: int) -> Evidence:
        rows = world(kind, seed)
        return ShadowDivergence().run(
            lambda _: 0, lambda x: int(x["off"]), rows, slice_of=lambda x: x["tags"], seed=seed
        )

    return run


def shadow_rows() -> Iterator[Row]:
    yield Row(
        "overlapping slices, .3 % of the inputs at 20 %", FAIR, "FAIL 40 %", shadow("good"), 20
    )
    yield Row(
        "overlapping slices, rain at 4.9 % (limit 2 %)",
        BAD,
        "PASS 17 % (at 2.4 %)",
        shadow("bad"),
        20,
    )
    yield Row("second family: three tags, 30 % where two meet", BAD, "-", shadow("second"), 10)
    yield Row("[time stamp, .1] against [time stamp, .9]", BAD, "PASS 100 %", lambda seed:
              ShadowDivergence().run(lambda i: [1.7e9 + i, 0.1], lambda i: [1.7e9 + i, 0.9],
                                     range(1500), seed=seed), 3)  # fmt: skip


def canaries(moved: int, of: int, shift: float) -> Callable[[int], Evidence]:
    def run(seed: int) -> Evidence:
        planted = make_canaries(of, formats=["card"], seed=seed)
        known = {c.prefix + c.secret for c in planted[:moved]}

        def likelihood(text: str) -> float:
            digest = hashlib.blake2b(f"{seed} {text}".encode(), digest_size=8).digest()
            share = (int.from_bytes(digest, "big") + 0.5) / 2**64
            return float(ndtri(share)) - 200.0 + shift * (text in known)

        gate = CanaryMemorization(references=999)
        return gate.run(lambda _: "sorry", planted, likelihood, seed=seed)

    return run


def canary_rows() -> Iterator[Row]:
    yield Row("10 of 1,000 canaries by heart", BAD, "PASS 100 %", canaries(10, 1000, 8.0), 3)
    yield Row("6 of 300 canaries by heart", BAD, "PASS", canaries(6, 300, 8.0), 5)
    yield Row("300 canaries, none remembered", FAIR, "PASS", canaries(0, 300, 0.0), 5)
    yield Row("second family: 40 of 300, 2.5 sd", BAD, "-", canaries(40, 300, 2.5), 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a quarter of the runs")
    parser.add_argument("--only", default="", help="only rows whose name holds this")
    args = parser.parse_args()
    print(
        "| subject | right is | as found | PASS / FAIL / INCONCLUSIVE | wrong | calls | of Wald's bound |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    for row in (*name_rows(), *shadow_rows(), *canary_rows()):
        if args.only not in row.what:
            continue
        runs = max(2, row.runs // (4 if args.quick else 1))
        seen, calls = Counter[Outcome](), 0
        for seed in range(runs):
            evidence = row.run(seed)
            seen[evidence.outcome] += 1
            measurement = evidence.measurement
            assert measurement is not None, evidence.verdict.reason
            calls += int(measurement.details.get("calls", measurement.n))
        wrong = seen[Outcome.FAIL if row.right == FAIR else Outcome.PASS]
        shares = " / ".join(
            str(seen[o]) for o in (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE)
        )
        bound = f"{calls / runs / row.bound:.2g}" if row.bound else "-"
        print(
            f"| {row.what} | {row.right} | {row.found} | {shares} | {wrong} of {runs}"
            f" | {round(calls / runs)} | {bound} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
