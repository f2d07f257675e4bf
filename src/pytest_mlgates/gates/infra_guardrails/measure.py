"""Apply rules to manifests, and record what was found."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.core.words import first
from pytest_mlgates.gates.infra_guardrails.check import Check, kept
from pytest_mlgates.gates.infra_guardrails.details import Found, Seen
from pytest_mlgates.gates.infra_guardrails.files import Sources, read_world
from pytest_mlgates.gates.infra_guardrails.judge import headline, why_broken
from pytest_mlgates.gates.infra_guardrails.rules import RULES
from pytest_mlgates.gates.infra_guardrails.world import Resource, World

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
    sources: Sources


def check_manifests(manifests: object, plan: Plan) -> Measurement:
    """Read manifests and apply each rule to each resource."""
    with _no_collection():
        return _measured(manifests, plan)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the collector of cycles off: nodes are many, and none is part of one.

    It would look through all of them again and again, which takes half of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _measured(manifests: object, plan: Plan) -> Measurement:
    world, digest = read_world(manifests, plan.sources)
    rules = {name: _Tally() for name in plan.rules}
    judged: set[int] = set()
    faults: list[str] = []
    doubts = [f"{o.place}: {o.text}" for o in world.open]
    for resource in world.resources:
        for name, check in _checks(resource, world, plan):
            judged.add(id(resource))
            rules[name].add(resource, check)
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
        trusted_modules=plan.sources.trusted_modules,
        harmless_kinds=plan.sources.harmless_kinds,
        trusted_kinds=plan.sources.trusted_kinds,
        rendered_by=plan.sources.rendered_by,
        passed_over=world.passed_over,
        files=world.files,
        files_sha256=digest,
        calls=len(judged),
        findings=tuple(_fault_lines(faults, doubts)),
    )
    return headline(seen, plan.limits).measurement(plain(seen))


def _checks(resource: Resource, world: World, plan: Plan) -> Iterator[tuple[str, Check]]:
    """Yield the checks of a resource by rule; what a controller that is here has made has none."""
    if world.is_owned(resource):
        return
    trusted = resource.is_one_of(world.trusted)
    for name in plan.rules:
        for check in RULES[name].check(resource, world, plan.owner_labels):
            if trusted and RULES[name].elsewhere:
                yield name, kept(resource.body)
            else:
                yield name, _before_it_is_changed(check, name, resource, world)


def _before_it_is_changed(check: Check, rule: str, resource: Resource, world: World) -> Check:
    """Leave open what is broken in a file that a kustomization changes before it is applied."""
    file = resource.body.file
    by = world.changed.get(file) or (world.labelled.get(file) if rule == "owner_label" else None)
    if by is None or check.state not in ("broken", "number"):
        return check
    word = (
        f"{check.text} here" if check.state == "broken" else f"{check.text} is {check.number:.0f}"
    )
    text = f"{word}, and {by} may change it: gate the output of `kustomize build`"
    return Check("open", check.place, text)


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
