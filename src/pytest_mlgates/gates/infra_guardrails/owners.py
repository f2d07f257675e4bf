"""Does somebody own what costs money?"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, kept, undecided
from pytest_mlgates.gates.infra_guardrails.gpus import uses_gpus
from pytest_mlgates.gates.infra_guardrails.jobs import is_job
from pytest_mlgates.gates.infra_guardrails.resources import Resource, World, pod_specs
from pytest_mlgates.gates.infra_guardrails.zones import is_gpu_pool
from pytest_mlgates.reading.node import REST, Node, template_in

__all__ = ["owner_label"]

_NOBODY = {
    "",
    "-",
    "?",
    "n/a",
    "na",
    "none",
    "nobody",
    "null",
    "tbd",
    "todo",
    "unknown",
    "changeme",
}


def owner_label(resource: Resource, world: World, names: tuple[str, ...]) -> Iterator[Check]:
    """Ask jobs, and whatever holds GPUs, for a label that names an owner."""
    if resource.group == "terraform":
        if not is_gpu_pool(resource, world):
            return
        sets, word = _of_terraform(resource), "tag or label"
    else:
        if not (is_job(resource) or uses_gpus(resource)):
            return
        sets = [resource.body.get("metadata", "labels")]
        sets += [labels for _, labels in pod_specs(resource)]
        word = "label"
    yield _judge(resource, [labels for labels in sets if labels is not None], names, word)


def _judge(resource: Resource, sets: list[Node], names: tuple[str, ...], word: str) -> Check:
    wanted = {name.lower() for name in names}
    hollow: Node | None = None
    doubt: Node | None = None
    for labels in sets:
        if labels.unknown or (isinstance(labels.value, str) and template_in(labels.value)):
            doubt = labels
            continue
        for key, node in labels.fields.items():
            if key == REST:
                doubt = node
            elif key.lower() in wanted or key.rpartition("/")[2].lower() in wanted:
                if node.unknown or (isinstance(node.value, str) and template_in(node.value)):
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
    found = [body.get(name) for name in ("tags", "tags_all", "labels", "resource_labels")]
    found += [body.get("terraform_labels"), body.get("effective_labels")]
    for key in ("labels", "resource_labels", "tags"):
        found.append(body.get("node_config", key))
    found = [None if node is None or isinstance(node.value, list) else node for node in found]
    for tag in (body.get("tag") or Node([])).items:  # of an auto-scaling group
        if tag.text("key"):
            found.append(Node({tag.text("key"): tag.get("value") or tag}, tag.file, tag.line))
    if resource.module is not None:
        own = body.get("provider")
        if own is not None and own.unknown:
            found.append(own)  # another configuration of the provider, which may add labels
        else:
            found.append(resource.module.defaults("aws", "default_tags", "tags"))
            if resource.kind.startswith("google"):
                found[-1] = resource.module.defaults("google", "", "default_labels")
    return found
