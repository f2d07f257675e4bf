"""What is decided on the checks of manifests. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.gates.infra_guardrails.details import Found, Seen

__all__ = ["faults_of", "headline", "judge", "why_broken"]

_NOTHING = ": hand in the manifests of jobs, of what holds GPUs, or of their pools"
_FIELDS = {"job_ttl": "the TTL", "job_deadline": "the deadline"}


def why_broken(rule: str, state: str, number: float, limits: Mapping[str, int]) -> str | None:
    """Return what is wrong with a check under the limits (may be empty), or None."""
    if state == "broken":
        return f" (set it, at most {limits[rule]})" if rule in limits else ""
    if state == "number" and number > limits.get(rule, math.inf):
        return f" is {number:.0f}, at most {limits[rule]} is allowed"
    return None


def faults_of(rule: str, found: Found, limits: Mapping[str, int]) -> list[tuple[int, str]]:
    """Return how often a rule is broken, with an example each."""
    faults = []
    if found.broken:
        faults.append((found.broken, f"{found.example}{why_broken(rule, 'broken', 0, limits)}"))
    for number, times, place in found.numbers:
        why = why_broken(rule, "number", number, limits)
        if why is not None:
            faults.append((times, f"{place}: {_FIELDS.get(rule, rule)}{why}"))
    return faults


def headline(seen: Seen, limits: Mapping[str, int]) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    broken = sum(
        times for rule, found in seen.rules.items() for times, _ in faults_of(rule, found, limits)
    )
    return Headline(value=broken, unit="broken", n=seen.calls)


def judge(
    seen: Seen,
    n: int,
    rules: Sequence[str],
    limits: Mapping[str, int],
    must_apply: Sequence[str],
) -> Verdict:
    """FAIL where a rule is broken, PASS where each is kept by all that it applies to.

    ``must_apply`` are the rules asked for by name: each must meet a resource.
    """
    if missing := [name for name in rules if name not in seen.rules]:
        raise Unfit(f"details.rules.{missing[0]}: is missing")
    found = {name: seen.rules[name] for name in rules}
    total = sum(one.checks for one in found.values())
    if n == 0 or total == 0:
        also = f"; {_first_doubt(seen)}" if seen.not_seen else _NOTHING
        return Verdict(Outcome.INCONCLUSIVE, f"no resource that a rule applies to was found{also}")
    by_rule = {name: faults_of(name, one, limits) for name, one in found.items()}
    if faults := [fault for mine in by_rule.values() for fault in mine]:
        count = sum(times for times, _ in faults)
        return Verdict(
            Outcome.FAIL,
            f"{count} of {total} checks are broken, first {faults[0][1]}",
            tuple(
                BrokenLimit("rules", sum(times for times, _ in mine), name)
                for name, mine in by_rule.items()
                if mine
            ),
        )
    doubts = seen.not_seen + sum(one.open for one in found.values())
    if doubts:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"nothing is broken in {total} checks, but {doubts} can't be decided from the files;"
            f" {_first_doubt(seen)}",
        )
    if idle := [name for name in must_apply if not found[name].checks]:
        text = f"no resource was met by {', '.join(idle)}"
        return Verdict(
            Outcome.INCONCLUSIVE, f"{text}: hand in what they are about, or leave them out of rules"
        )
    unmet = [name for name, one in found.items() if not one.checks]
    notes = [f"{', '.join(unmet)} met none"] if unmet else []
    notes += [f"{seen.passed_over} passed over"] if seen.passed_over else []
    note = f" ({'; '.join(notes)})" if notes else ""
    return Verdict(Outcome.PASS, f"all {total} checks of {n} resources hold{note}")


def _first_doubt(seen: Seen) -> str:
    """Return the first thing that can't be decided, with what settles it."""
    doubts = [line for line in seen.findings if line.startswith("not decided: ")]
    return f"first {doubts[0].removeprefix('not decided: ')}" if doubts else "they are not named"
