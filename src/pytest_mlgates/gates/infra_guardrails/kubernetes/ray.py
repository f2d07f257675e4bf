"""RayJobs: what KubeRay deletes, and when.

It refuses a TTL without ``shutdownAfterJobFinishes``, and that beside ``deletionRules``. Source:
``validateDeletionConfiguration`` in ray-operator/controllers/ray/utils/validation.go of KubeRay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, kept, number, undecided
from pytest_mlgates.gates.infra_guardrails.kubernetes.seconds import (
    DEADLINE,
    NO_DEADLINE,
    NO_TTL,
    TTL,
    seconds,
    whole_number,
)
from pytest_mlgates.gates.infra_guardrails.world import Resource, World
from pytest_mlgates.reading.node import Node

__all__ = ["deadline", "ttl"]

_GOES = ("DeleteCluster", "DeleteSelf")


def ttl(*path: str) -> Callable[[Resource, World], Iterator[Check]]:
    """Return the rule for the time after which the cluster of a job goes."""

    def judge(resource: Resource, _world: World) -> Iterator[Check]:
        spec = resource.body.get(*path)
        if spec is None or spec.unknown:
            yield from seconds(resource, spec, TTL, NO_TTL)
            return
        strategy = spec.get("deletionStrategy")
        rules = strategy.get("deletionRules") if strategy is not None else None
        if rules is not None:
            yield from _rules(rules)
        elif strategy is not None and strategy.unknown:
            yield undecided(strategy, "deletionStrategy")
        elif strategy is not None and {"onSuccess", "onFailure"} & set(strategy.fields):
            yield from _legacy(strategy)
        elif spec.get("clusterSelector") is not None:
            yield kept(spec)  # it runs on a cluster that is not its own
        else:
            yield from _shutdown(resource, spec)

    return judge


def _shutdown(resource: Resource, spec: Node) -> Iterator[Check]:
    shuts = spec.get("shutdownAfterJobFinishes")
    time = spec.get(TTL)
    if shuts is not None and shuts.unknown:
        yield undecided(shuts, "shutdownAfterJobFinishes")
    elif shuts is not None and shuts.value is True:
        if time is None or time.value == 0:
            yield kept(shuts)  # the cluster goes at once; the RayJob itself costs nothing
        else:
            yield from seconds(resource, spec, TTL, NO_TTL)
    elif time is not None:
        yield broken(time, f"{TTL} works only with shutdownAfterJobFinishes: true")
    else:
        text = "no shutdownAfterJobFinishes: true: its cluster stays when the job has ended"
        yield broken(shuts or spec, text)


def _rules(rules: Node) -> Iterator[Check]:
    """Ask for rules that delete the cluster, or all, after success and after failure."""
    if rules.unknown:
        yield undecided(rules, "deletionRules")
        return
    for end in ("SUCCEEDED", "FAILED"):
        times = []
        for rule in rules.items:
            if rule.text("policy") in _GOES and rule.text("condition", "jobStatus") == end:
                time = rule.get("condition", "ttlSeconds")
                if time is not None and time.unknown:
                    yield undecided(time, "ttlSeconds")
                    return
                times.append(whole_number(time.value) if time is not None else 0.0)
        known = [time for time in times if time is not None]
        if not known:
            text = f"no deletionRule deletes the cluster when the job has {end.lower()}"
            yield broken(rules, f"{text} (policy: DeleteCluster or DeleteSelf)")
        elif min(known) > 0:
            yield number(rules, f"ttlSeconds after {end}", min(known))
        else:
            yield kept(rules)


def _legacy(strategy: Node) -> Iterator[Check]:
    for name in ("onSuccess", "onFailure"):
        policy = strategy.get(name, "policy")
        if policy is not None and policy.unknown:
            yield undecided(policy, f"deletionStrategy.{name}")
        elif policy is not None and policy.value in _GOES:
            yield kept(policy)
        else:
            text = (
                f"deletionStrategy.{name} leaves the cluster (policy: DeleteCluster or DeleteSelf)"
            )
            yield broken(policy or strategy, text)


def deadline(*path: str) -> Callable[[Resource, World], Iterator[Check]]:
    """Return the rule for the deadline, which begins anew with each retry."""

    def judge(resource: Resource, _world: World) -> Iterator[Check]:
        spec = resource.body.get(*path)
        retries = spec.get("backoffLimit") if spec is not None else None
        more = whole_number(retries.value) if retries is not None else None
        yield from seconds(resource, spec, DEADLINE, NO_DEADLINE, tries=1 + int(max(more or 0, 0)))

    return judge
