"""Error rates of ``grounding``, and which changed claims its checker finds.

``python benchmarks/grounding_errors.py [--runs 20000]``; beside it what one would write first: is the claim's
every word in the passage?
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.grounding.check import Checker
from pytest_mlgates.gates.grounding.details import Seen
from pytest_mlgates.gates.grounding.entities import Synonyms
from pytest_mlgates.gates.grounding.judge import Limits, judge
from reference_systems.medco_rag.people import DRUGS

_LIMITS = Limits(unsupported=0.01, answered=0.85, refused=0.95, alpha=1e-4, beta=1e-3)
_CONDITIONS = ("asthma", "gout", "diabetes", "stroke", "migraine", "anemia")


@dataclass(frozen=True)
class Drawn:
    """What a claim is made of."""

    drug: str
    other: str
    dose: int
    condition: str
    said: str


def _drawn(rng: Random) -> Drawn:
    drug, doses, _ = rng.choice(DRUGS)
    dose, condition = rng.choice(doses), rng.choice(_CONDITIONS)
    day = f"2021-0{rng.randrange(1, 10)}-1{rng.randrange(10)}"
    other = rng.choice([name for name, _, _ in DRUGS if name != drug])
    said = f"On {day} {drug} {dose} mg daily was given for {condition}."
    return Drawn(drug, other, dose, condition, said)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--claims", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    _verdicts(chosen.runs, chosen.seed)
    _claims(chosen.claims, chosen.seed)


def _verdicts(runs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    print(f"verdicts, {runs:,} runs each of 3,000 answerable and 1,000 unanswerable questions\n")
    print("| truth | PASS | FAIL | INCONCLUSIVE |\n|---|---|---|---|")
    rows = (
        ("no answer without support, all answered and refused", 0.0, 1.0, 1.0),
        ("unsupported at the limit of 1 %", 0.01, 1.0, 1.0),
        ("unsupported 2 %", 0.02, 1.0, 1.0),
        ("unsupported 4 %", 0.04, 1.0, 1.0),
        ("answered at the floor of 85 %", 0.0, 0.85, 1.0),
        ("answered 80 %", 0.0, 0.80, 1.0),
        ("refused at the floor of 95 %", 0.0, 1.0, 0.95),
        ("refused 90 %", 0.0, 1.0, 0.90),
    )
    for name, bad, answered, refused in rows:
        counts = dict.fromkeys(Outcome, 0)
        for _ in range(runs):
            told = int(rng.binomial(3_000, answered))
            quiet = int(rng.binomial(1_000, refused))
            answers = told + 1_000 - quiet
            unsupported = int(rng.binomial(answers, bad))
            seen = Seen(
                questions=4_000, repeated=0, answers=answers, unsupported=unsupported, unclear=0,
                answerable=3_000, answered=told, unanswerable=1_000, refused=quiet, claims=answers,
                without_claim=0, judged=0, reasons={"drawn": unsupported} if unsupported else {},
            )  # fmt: skip
            counts[judge(seen, 4_000, _LIMITS).outcome] += 1
        shown = (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE)
        print(f"| {name} | " + " | ".join(f"{counts[each]:,}" for each in shown) + " |")


def _claims(count: int, seed: int) -> None:
    rng = Random(f"claims {seed}")
    checker = Checker(Synonyms.read(None))
    kinds: dict[str, Callable[[Drawn], tuple[str, str]]] = {
        "copied": lambda x: (x.said, x.said),
        "the unit changed, the dose not": lambda x: (f"{x.drug} {x.dose / 1000:g} g", x.said),
        "another dose": lambda x: (x.said.replace(f"{x.dose} mg", f"{x.dose + 1} mg"), x.said),
        "another unit": lambda x: (x.said.replace(f"{x.dose} mg", f"{x.dose} mcg"), x.said),
        "another drug": lambda x: (x.said.replace(x.drug, x.other), x.said),
        "another date": lambda x: (x.said.replace("2021-", "2022-"), x.said),
        "a denial turned": lambda x: (x.condition, f"He denies chills, {x.condition} and falls."),
        "an affirmation turned": lambda x: (f"denies {x.condition}", f"He reports {x.condition}."),
        "a relative's made the patient's": lambda x: (
            x.condition,
            f"Her mother has {x.condition}.",
        ),
        "a fact that nothing contradicts": lambda x: (f"{x.said} Plays the oboe.", x.said),
    }
    print(f"\nclaims, {count:,} of each kind\n")
    print(
        "| claim | surely without support | unclear | supported | every word in the passage |\n|---|---|---|---|---|"
    )
    for name, change in kinds.items():
        found = {"sure": 0, "unclear": 0, "fine": 0, "words": 0}
        for _ in range(count):
            claim, passage = change(_drawn(rng))
            told = checker.check(claim, passage)
            found["fine" if told is None else "sure" if told.sure else "unclear"] += 1
            found["words"] += set(re.findall(r"\w+", claim.lower())) <= set(
                re.findall(r"\w+", passage.lower())
            )
        print(
            f"| {name} | {found['sure']:,} | {found['unclear']:,} | {found['fine']:,} | {found['words']:,} |"
        )


if __name__ == "__main__":
    main()
