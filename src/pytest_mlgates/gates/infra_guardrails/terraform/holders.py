"""Which resources of Terraform hold GPUs: by what stands in their fields, whatever their type.

A machine type decides by the rule of its cloud's names. One that is not known, in a resource that
makes machines, may have GPUs. Types that hold no machine in any field are told by their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from pytest_mlgates.gates.infra_guardrails.check import AFTER_APPLY
from pytest_mlgates.gates.infra_guardrails.machines import (
    Answer,
    any_cloud,
    aws,
    gathered,
    google,
    is_gpu,
)
from pytest_mlgates.gates.infra_guardrails.signs import asks_for_gpus, role
from pytest_mlgates.gates.infra_guardrails.world import Resource, World, below, snake
from pytest_mlgates.reading.node import Node, Unknown

__all__ = ["default_pools", "holds_gpus", "launch_template", "pool_answer"]

_MACHINE_KEYS = {
    "instance_type", "instance_types", "machine_type", "vm_size", "node_type", "node_type_id",
    "driver_node_type_id", "node_shape", "shape", "flavor", "flavor_name", "accelerator_type",
    "ec2_instance_type", "node_instance_type", "worker_type", "instance_class", "compute_type",
    "min_cpu_platform_type", "training_instance_type",
}  # fmt: skip
#: where a machine type may stand among other things: only what is one is taken for one
_LOOSE_KEYS = {
    "size",
    "accelerator",
    "sku",
    "sku_name",
    "type",
    "name_of_size",
    "plan",
    "product",
    "gpu_type",
    "resource_type",
}
_ACCELERATORS = {
    "guest_accelerator",
    "accelerators",
    "accelerator_config",
    "accelerator_configs",
    "gpu",
}
_MAKES_MACHINES = re.compile(
    r"(instance|node|pool|cluster|template|fleet|compute|batch|notebook|endpoint|training|_vm|"
    r"virtual_machine|server|worker|sagemaker|vertex|machine_learning|tpu|gpu|emr|dataproc|"
    r"databricks|spot|capacity|workbench|ray|slurm)"
)
_MAKES_NONE = re.compile(
    r"(^|_)(db|rds|redis|valkey|elasticache|opensearch|elasticsearch|kafka|msk|sql|neptune|docdb|dax|"
    r"memorydb|redshift|cache|mq|dms|search|postgresql|mysql|mariadb|cosmosdb|alloydb|spanner|"
    r"bigtable|memorystore|subnet|security_group|target_group|profile|iam|policy|role|password|"
    r"attachment|association|access_entry|addon|fargate_profile|template_file|ecr|lb|route|"
    r"parameter_group|option_group|schedule|alarm|tag|metadata|snapshot|log|lifecycle_hook)(_|$)"
)
#: types whose names say that they run models, and that name no machine in a field that is known here
_RUNS_MODELS = re.compile(
    r"(gpu|tpu|^(vastai|runpod|lambdalabs|paperspace|fluidstack)_|capacity_block|sagemaker_(?!.*(domain|user_profile|space|image|repository|role|feature))|"
    r"ml_workspace_compute|machine_learning_compute|hyperpod)"
)
_GPU_NAME = re.compile(r"(^|[-_.])gpus?([-_.]|$)", re.IGNORECASE)
_GPU_IN_TEXT = re.compile(r'"type"\s*:\s*"(GPU|InferenceAccelerator)"|nvidia\.com/gpu')
_GPU_IMAGE = re.compile(r"GPU|NVIDIA|NEURON")


def holds_gpus(resource: Resource, world: World) -> Answer:
    """Tell whether a resource makes machines with GPUs; several rules ask."""
    known = world.answers.get(id(resource.body))
    if known is None:
        known = world.answers[id(resource.body)] = _answer(resource, world)
    return known


def _answer(resource: Resource, world: World) -> Answer:
    kind = resource.kind
    if kind == "google_container_cluster":
        pools = [pool_answer(pool, resource) for pool in default_pools(resource)]
        return gathered([*pools, "yes" if any(_provisioned(resource)) else "no"])
    if kind == "google_container_node_pool":
        return pool_answer(resource.body, resource)
    if kind in ("aws_eks_node_group", "aws_autoscaling_group"):
        return _aws_pool(resource, world)
    if kind.endswith("instance_group_manager"):
        template = resource.body.get("version", "instance_template")
        found = world.find("google_compute_instance_template", template, resource.module)
        return _by_fields(found) if found is not None else _by_name(resource)
    return _by_fields(resource)


# by fields


def _by_fields(resource: Resource) -> Answer:
    """Read every field in which a machine type or an accelerator stands."""
    if _MAKES_NONE.search(resource.kind):
        return "no"
    makes = bool(_MAKES_MACHINES.search(resource.kind))
    machines: list[Answer] = []
    attached: list[Answer] = []
    for key, node, _ in below(resource):
        word = _word(key)
        if word in _MACHINE_KEYS or word in _LOOSE_KEYS:
            machines += _machine(word, node, makes=makes)
        elif word in _ACCELERATORS and not isinstance(node.value, (str, bool, int, float)):
            attached.append(_attached(node))
        elif _GPU_IN_TEXT.search(key):  # a limit of a container
            attached.append("no" if node.value in (0, "0") else "yes")
        elif (isinstance(node.value, str) and _GPU_IN_TEXT.search(node.value)) or (
            key == "type" and node.value == "GPU"
        ):
            attached.append("yes")
        elif isinstance(node.value, (str, int)) and asks_for_gpus(key, node):
            attached.append(
                "yes" if role(key) else "maybe"
            )  # a machine's name may be only spoken of
    if "yes" in attached or "yes" in machines:
        return "yes"
    if "maybe" in attached and not (machines and gathered(machines) == "no"):
        return "maybe"  # an accelerator that is not known yet, and a machine that may carry one
    if machines:
        # without an accelerator, a machine that could carry one has none
        plain = [google(str(n.value)) for k, n, _ in below(resource) if k == "machine_type"]
        n1 = plain and all(a == "maybe" for a in plain) and _is_n1(resource)
        return "no" if n1 else gathered(machines)
    return "maybe" if _RUNS_MODELS.search(resource.kind) else "no"


@lru_cache(4096)
def _word(key: str) -> str:
    """Return a key as Terraform spells it; azapi and others pass on a cloud's own ``vmSize``."""
    return key if key.islower() else snake(key)


def _is_n1(resource: Resource) -> bool:
    words = [n.value for k, n, _ in below(resource) if k == "machine_type"]
    return all(
        isinstance(word, str) and word.rpartition("/")[2].startswith("n1-") for word in words
    )


def _machine(key: str, node: Node, *, makes: bool) -> Iterator[Answer]:
    if node.unknown:
        if makes and key in _MACHINE_KEYS:
            yield "maybe"
    elif isinstance(node.value, str) and node.value:
        answer = any_cloud(node.value)
        if key == "accelerator_type":
            yield "yes"
        elif answer == "yes" or (key in _MACHINE_KEYS and makes):
            yield answer or "maybe"


def _attached(node: Node) -> Answer:
    """Tell of an accelerator block: none, none of them, some, or not known."""
    if node.unknown:
        return "maybe"
    blocks = node.items or ([node] if isinstance(node.value, dict) else [])
    answers: list[Answer] = []
    for block in blocks:
        count = next(
            (
                block.get(k)
                for k in ("count", "accelerator_count", "core_count", "quantity")
                if block.get(k)
            ),
            None,
        )
        empty = count is not None and count.value in (0, "0")
        answers.append("no" if empty else "maybe" if block.unknown else "yes")
    return gathered(answers)


# Google


def default_pools(cluster: Resource) -> list[Node]:
    """Return the pools that a cluster makes itself: its default pool, and ``node_pool`` blocks."""
    removed = cluster.body.get("remove_default_node_pool")
    blocks = cluster.body.get("node_pool")
    autopilot = cluster.body.get("enable_autopilot")
    gone = any(node is not None and node.value is True for node in (removed, autopilot))
    return ([] if gone else [cluster.body]) + (blocks.items if blocks is not None else [])


def _provisioned(cluster: Resource) -> Iterator[Node]:
    """Yield the limits of auto-provisioning that let it make nodes with GPUs."""
    limits = cluster.body.get("cluster_autoscaling", "resource_limits")
    for limit in limits.items if limits is not None else []:
        kind = limit.text("resource_type")
        most = limit.get("maximum")
        if kind not in ("", "cpu", "memory") and not (most is not None and most.value in (0, "0")):
            yield limit


def pool_answer(pool: Node, resource: Resource) -> Answer:
    """Tell by accelerator and machine; by its name where neither is said."""
    accelerators = pool.get("node_config", "guest_accelerator")
    machine = pool.get("node_config", "machine_type")
    named = machine is not None and isinstance(machine.value, str)
    by_machine: Answer = is_gpu(machine.value, (google,)) if named and machine else "maybe"
    if by_machine == "yes" or (accelerators is not None and _attached(accelerators) == "yes"):
        return "yes"
    if named and machine is not None:
        bare = accelerators is None or _attached(accelerators) == "no"
        n1 = str(machine.value).startswith("n1-")
        return "no" if by_machine == "no" or (bare and n1) else "maybe"
    if machine is not None and machine.value is not None:
        whole = pool.get("node_config")
        unset = whole is not None and isinstance(whole.value, Unknown)
        if unset and machine.value.expression == AFTER_APPLY and pool is resource.body:
            return _by_name(resource)  # a plan's word for a block that is not there
        return "maybe"
    if pool is resource.body and resource.kind == "google_container_cluster":
        return "no"
    return _by_name(resource)


# AWS


def _aws_pool(resource: Resource, world: World) -> Answer:
    body = resource.body
    types = [body.get("instance_types")]
    types += [n for k, n, _ in below(resource) if k == "instance_type"]
    template = launch_template(resource, world)
    if template is not None:
        types += [n for k, n, _ in below(template) if k == "instance_type"]
        if template.body.get("elastic_gpu_specifications") is not None:
            return "yes"
        wanted = [n for k, n, _ in below(template) if k == "accelerator_count"]
        if wanted:
            return "yes"
    answers: list[Answer] = []
    for node in types:
        if node is not None and node.value is not None:
            items = [node] if not isinstance(node.value, list) else node.items
            answers += [is_gpu(item.value, (aws,)) for item in items]
    ami = body.text("ami_type")
    if answers:
        return "yes" if _GPU_IMAGE.search(ami) and "maybe" in answers else gathered(answers)
    if ami:
        return "yes" if _GPU_IMAGE.search(ami) else "no"
    if template is None and _points_elsewhere(body):
        return "yes" if _by_name(resource) == "yes" else "maybe"
    return _by_name(resource)


def _points_elsewhere(body: Node) -> bool:
    """Tell whether the machine is named by a launch template that is not in these files."""
    paths = (("launch_template",), ("launch_configuration",), ("mixed_instances_policy",))
    return any(
        (node := body.get(*path)) is not None and node.value not in (None, [], "") for path in paths
    )


def launch_template(resource: Resource, world: World) -> Resource | None:
    """Return the launch template or configuration that a group's machines are made by."""
    deep = ("mixed_instances_policy", "launch_template", "launch_template_specification")
    for kind, path in (
        ("aws_launch_template", ("launch_template", "id")),
        ("aws_launch_template", ("launch_template", "name")),
        ("aws_launch_template", (*deep, "launch_template_id")),
        ("aws_launch_template", (*deep, "launch_template_name")),
        ("aws_launch_configuration", ("launch_configuration",)),
    ):
        found = world.find(kind, resource.body.get(*path), resource.module)
        if found is not None:
            return found
    return None


def _by_name(resource: Resource) -> Answer:
    """Tell by the name of a resource that says nothing else of its machines."""
    label = resource.name.rpartition(".")[2].partition("[")[0]
    names = (label, resource.body.text("name"), resource.body.text("node_group_name"))
    return "yes" if any(_GPU_NAME.search(name) for name in names) else "no"
