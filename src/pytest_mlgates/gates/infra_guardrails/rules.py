"""The rules: what each asks of a resource, and why. A rule knows facts; limits are the gate's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_mlgates.gates.infra_guardrails import gpus, jobs, owners, volumes, zones
from pytest_mlgates.gates.infra_guardrails.check import Check
from pytest_mlgates.gates.infra_guardrails.world import Resource, World

__all__ = ["RULES", "Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it yields for a resource; nothing where it does not apply.

    ``elsewhere``: it may be kept by what is in no manifest, of which a policy says so.
    """

    why: str
    check: Callable[[Resource, World, tuple[str, ...]], Iterator[Check]]
    elsewhere: bool = False


RULES: dict[str, Rule] = {
    "job_ttl": Rule("a finished job and its pods stay until somebody deletes them", jobs.ttl, True),
    "job_deadline": Rule("a stuck job keeps its GPUs until somebody looks", jobs.deadline, True),
    "one_zone": Rule("traffic between zones is billed by the gigabyte", zones.one_zone, True),
    "owner_label": Rule("a cost that nobody owns is a cost that nobody stops", owners.owner_label),
    "gpu_limits": Rule("a GPU that is used and not counted is billed twice", gpus.limits),
    "volume_reclaim": Rule("a volume outlives what it was made for", volumes.reclaim),
}
