"""Does somebody own what costs money?"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, in_doubt, kept, undecided
from pytest_mlgates.gates.infra_guardrails.jobs import is_job
from pytest_mlgates.gates.infra_guardrails.kubernetes import pods
from pytest_mlgates.gates.infra_guardrails.kubernetes.zones import is_pool, pool_holds_gpus
from pytest_mlgates.gates.infra_guardrails.machines import Answer
from pytest_mlgates.gates.infra_guardrails.terraform import holders
from pytest_mlgates.gates.infra_guardrails.world import Defaults, Resource, World
from pytest_mlgates.reading.node import REST, Node, Unknown

__all__ = ["owner_label"]

_NOBODY = {
    "", "-", "?", "n/a", "na", "none", "nobody", "null", "tbd", "todo", "unknown", "changeme",
}  # fmt: skip
_TERRAFORM_SETS = (
    ("tags",), ("tags_all",), ("labels",), ("resource_labels",), ("terraform_labels",),
    ("effective_labels",), ("user_labels",), ("custom_tags",), ("freeform_tags",),
    ("node_config", "labels"), ("node_config", "resource_labels"), ("node_config", "tags"),
    ("default_node_pool", "tags"), ("default_node_pool", "node_labels"),
    ("compute_resources", "tags"), ("tag_specifications", "tags"), ("node_labels",),
    ("cluster_autoscaling", "auto_provisioning_defaults", "labels"),
)  # fmt: skip


def owner_label(resource: Resource, world: World, names: tuple[str, ...]) -> Iterator[Check]:
    """Ask jobs, and whatever holds GPUs, for a label that names an owner."""
    answer = _needs_one(resource, world)
    if answer == "no":
        return
    word = "label"
    if resource.group == "terraform":
        sets, word = _of_terraform(resource), "tag or label"
    else:
        sets = _of_pool(resource) if is_pool(resource) else _of_kubernetes(resource)
    check = _judge(resource, [labels for labels in sets if labels is not None], names, word)
    if answer == "yes" or check.state != "broken":
        yield check
    else:
        text = f"{check.text}, if it holds GPUs, which can't be told from the files"
        way = f"name its owner, or name {resource.named} in harmless_kinds"
        yield in_doubt(resource.body, f"{text} ({way})")


def _needs_one(resource: Resource, world: World) -> Answer:
    if resource.group == "terraform":
        return holders.holds_gpus(resource, world)
    if is_pool(resource):
        return pool_holds_gpus(resource)
    return "yes" if is_job(resource) else pods.holds_gpus(resource, world)


def _of_kubernetes(resource: Resource) -> list[Node | None]:
    """Return the labels of a resource, of its pods, and of what it stands in."""
    body = resource.body
    sets = [body.get("metadata", "labels"), *(labels for _, labels in pods.pod_specs(resource))]
    paths = (("podMetadata",), ("workflowMetadata",), ("workflowSpec", "podMetadata"))
    sets += [body.get("spec", *path, "labels") for path in paths]
    sets += [body.get("spec", role, "labels") for role in ("driver", "executor")]  # of Spark
    sets += [body.get("spec", "labels")] if resource.kind == "TrainJob" else []
    return sets + (_of_kubernetes(resource.around) if resource.around is not None else [])


def _of_pool(resource: Resource) -> list[Node | None]:
    body = resource.body
    sets = [body.get("metadata", "labels"), body.get("metadata", "tags")]
    sets += [body.get("spec", "template", "metadata", "labels"), body.get("spec", "labels")]
    for word in ("nodeGroups", "managedNodeGroups"):
        for group in (body.get(word) or Node([])).items:
            sets += [group.get("labels"), group.get("tags")]
    return sets


def _judge(resource: Resource, sets: list[Node], names: tuple[str, ...], word: str) -> Check:
    wanted = {name.lower() for name in names}
    hollow: Node | None = None
    doubt: Node | None = None
    for labels in sets:
        if pods.is_template(labels):
            doubt = labels
            continue
        for key, node in labels.fields.items():
            if key == REST:
                doubt = node
            elif key.lower() in wanted or key.rpartition("/")[2].lower() in wanted:
                if pods.is_template(node):
                    doubt = node
                elif isinstance(node.value, str) and node.value.strip().lower() not in _NOBODY:
                    return kept(node)
                else:
                    hollow = node
    listed = " or ".join(names)
    if hollow is not None:
        return broken(hollow, f"the {word} {listed} names nobody")
    if doubt is not None:
        return undecided(doubt, f"the {word} {listed}")
    notes = resource.body.get("metadata", "annotations")
    misplaced = notes is not None and any(key.lower() in wanted for key in notes.fields)
    hint = " (it is an annotation, which no cost report reads)" if misplaced else ""
    return broken(resource.body, f"no {word} {listed}: nobody is told what it costs{hint}")


def _of_terraform(resource: Resource) -> list[Node | None]:
    """Return the labels of a resource, its nodes' labels, and those that its provider adds."""
    body = resource.body
    set_here = body.fields
    found = [body.get(*path) for path in _TERRAFORM_SETS if path[0] in set_here]
    found = [None if node is None or isinstance(node.value, list) else node for node in found]
    for tag in (body.get("tag") or Node([])).items:  # of an auto-scaling group
        if tag.text("key"):
            found.append(Node({tag.text("key"): tag.get("value") or tag}, tag.file, tag.line))
    for block in (body.get("tag_specifications") or Node([])).items:
        found.append(block.get("tags"))
    if resource.module is not None:
        found.append(_of_provider(resource, resource.module))
    return found


def _of_provider(resource: Resource, module: Defaults) -> Node | None:
    """Return the labels that a provider adds; those of another configuration are not known."""
    own = resource.body.get("provider")
    name = own.value.expression if own is not None and isinstance(own.value, Unknown) else ""
    if "." in name:
        return Node(Unknown(f"what provider {name} adds"), resource.body.file, resource.body.line)
    if resource.kind.startswith("google"):
        return module.defaults(name or "google", "", "default_labels")
    return module.defaults(name or "aws", "default_tags", "tags")
