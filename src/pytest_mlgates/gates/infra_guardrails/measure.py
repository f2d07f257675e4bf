"""Apply rules to manifests, and write down what was found."""

from __future__ import annotations

from typing import Any

from pytest_mlgates.core import Measurement
from pytest_mlgates.gates.infra_guardrails.check import Check
from pytest_mlgates.gates.infra_guardrails.files import read_world
from pytest_mlgates.gates.infra_guardrails.resources import Resource
from pytest_mlgates.gates.infra_guardrails.rules import RULES

__all__ = ["account"]

_MOST_FINDINGS = 50


def account(gate: Any, manifests: Any) -> Measurement:
    """Measure manifests for an ``InfraGuardrails``."""
    world, digest = read_world(manifests, gate.trusted_modules)
    rules = {name: _Tally() for name in gate.asked}
    judged: set[int] = set()
    faults: list[str] = []
    doubts = [f"{o.place}: {o.text}" for o in world.open]
    for resource in world.resources:
        for name, tally in rules.items():
            for check in RULES[name].check(resource, world, gate.owner_labels):
                judged.add(id(resource))
                tally.take(resource, check)
                line = f"{check.place}: {resource.title}: {check.text}"
                if check.state == "open":
                    doubts.append(line)
                elif (fault := gate.fault(name, check.state, check.number)) is not None:
                    faults.append(f"{line}{fault}")
    details: dict[str, Any] = {
        "rules": {name: tally.to_dict() for name, tally in rules.items()},
        "not_seen": len(world.open),
        "owner_labels": list(gate.owner_labels),
        "trusted_modules": list(gate.trusted_modules),
        "files": world.files,
        "files_sha256": digest,
        "calls": len(judged),
        "findings": _findings(faults, doubts),
    }
    return Measurement(value=len(faults), unit="broken", n=len(judged), details=details)


class _Tally:
    """What one rule found: counts, and each number with how often it stood where first."""

    def __init__(self) -> None:
        self.kept = self.broken = self.open = 0
        self.numbers: dict[float, tuple[int, str]] = {}
        self.example = ""

    def take(self, resource: Resource, check: Check) -> None:
        if check.state == "number":
            count, place = self.numbers.get(check.number, (0, f"{check.place}: {resource.title}"))
            self.numbers[check.number] = count + 1, place
            return
        setattr(self, check.state, getattr(self, check.state) + 1)
        if check.state == "broken" and not self.example:
            self.example = f"{check.place}: {resource.title}: {check.text}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "kept": self.kept,
            "broken": self.broken,
            "open": self.open,
            "numbers": [[value, count, at] for value, (count, at) in sorted(self.numbers.items())],
            "example": self.example,
        }


def _findings(faults: list[str], doubts: list[str]) -> list[str]:
    lines = faults[:_MOST_FINDINGS]
    if len(faults) > len(lines):
        lines.append(f"and {len(faults) - len(lines):,} more that are broken")
    shown = doubts[: max(_MOST_FINDINGS - len(lines), 5)]
    lines += [f"not decided: {line}" for line in shown]
    if len(doubts) > len(shown):
        lines.append(f"and {len(doubts) - len(shown):,} more that can't be decided")
    return lines
