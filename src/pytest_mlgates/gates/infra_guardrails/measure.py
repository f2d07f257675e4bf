"""Apply rules to manifests, and record what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.core.words import first
from pytest_mlgates.gates.infra_guardrails.check import Check
from pytest_mlgates.gates.infra_guardrails.details import Found, Seen
from pytest_mlgates.gates.infra_guardrails.files import read_world
from pytest_mlgates.gates.infra_guardrails.judge import headline, why_broken
from pytest_mlgates.gates.infra_guardrails.resources import Resource
from pytest_mlgates.gates.infra_guardrails.rules import RULES

__all__ = ["Plan", "check_manifests"]

MAX_FINDINGS = 50
#: undecided checks that are named, however many are broken
MIN_DOUBTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked; the ``limits`` say which numbers are findings."""

    rules: tuple[str, ...]
    limits: Mapping[str, int]
    owner_labels: tuple[str, ...]
    trusted_modules: tuple[str, ...]


def check_manifests(manifests: object, plan: Plan) -> Measurement:
    """Read manifests and apply each rule to each resource."""
    world, digest = read_world(manifests, plan.trusted_modules)
    rules = {name: _Tally() for name in plan.rules}
    judged: set[int] = set()
    faults: list[str] = []
    doubts = [f"{o.place}: {o.text}" for o in world.open]
    for resource in world.resources:
        for name, tally in rules.items():
            for check in RULES[name].check(resource, world, plan.owner_labels):
                judged.add(id(resource))
                tally.add(resource, check)
                line = f"{check.place}: {resource.title}: {check.text}"
                why = why_broken(name, check.state, check.number, plan.limits)
                if check.state == "open":
                    doubts.append(line)
                elif why is not None:
                    faults.append(f"{line}{why}")
    seen = Seen(
        rules={name: tally.found() for name, tally in rules.items()},
        not_seen=len(world.open),
        owner_labels=plan.owner_labels,
        trusted_modules=plan.trusted_modules,
        files=world.files,
        files_sha256=digest,
        calls=len(judged),
        findings=tuple(_fault_lines(faults, doubts)),
    )
    return headline(seen, plan.limits).measurement(plain(seen))


class _Tally:
    """What one rule found: counts, and each number with how often it stood where first."""

    def __init__(self) -> None:
        self.counts = {"kept": 0, "broken": 0, "open": 0}
        self.numbers: dict[float, tuple[int, str]] = {}
        self.example = ""

    def add(self, resource: Resource, check: Check) -> None:
        if check.state == "number":
            count, place = self.numbers.get(check.number, (0, f"{check.place}: {resource.title}"))
            self.numbers[check.number] = count + 1, place
            return
        self.counts[check.state] += 1
        if check.state == "broken" and not self.example:
            self.example = f"{check.place}: {resource.title}: {check.text}"

    def found(self) -> Found:
        numbers = tuple((value, count, at) for value, (count, at) in sorted(self.numbers.items()))
        return Found(**self.counts, numbers=numbers, example=self.example)


def _fault_lines(faults: list[str], doubts: list[str]) -> list[str]:
    lines = first(faults, MAX_FINDINGS)
    if len(faults) > MAX_FINDINGS:
        lines[-1] += " that are broken"
    undecided = [f"not decided: {line}" for line in doubts]
    most = max(MAX_FINDINGS - len(lines), MIN_DOUBTS)
    shown = first(undecided, most)
    if len(undecided) > most:
        shown[-1] += " that can't be decided"
    return lines + shown
