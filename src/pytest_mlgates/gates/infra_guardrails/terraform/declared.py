"""From a resource of Terraform to the shape that rules look at; those of Kubernetes in its own."""

from __future__ import annotations

import re

from pytest_mlgates.gates.infra_guardrails.kubernetes.documents import of_document
from pytest_mlgates.gates.infra_guardrails.terraform.module import Module
from pytest_mlgates.gates.infra_guardrails.world import Resource, World
from pytest_mlgates.reading.node import REST, Node, Unknown, Unreadable
from pytest_mlgates.reading.yaml import read_documents

__all__ = ["of_terraform"]

_CHART = "what the chart creates is not seen: gate the output of `helm template`"
_ELSEWHERE = "what that starts is not seen: gate what it deploys"
#: resources that hand a template, a chart or a repository to another tool, which makes what is in it
_DEPLOYS = re.compile(
    r"cloudformation_stack|template_deployment|deployment_template|deployment_manager_deployment|"
    r"infra_manager_deployment|argocd_application|^flux_|nomad_job|^kustomiz|rancher2_app|"
    r"^kubectl_(server_|file_)|^helmfile|^shell_script"
)
#: commands that make what no file of Terraform tells
_STARTS = re.compile(
    r"\b(kubectl|oc) (apply|create|replace|run|scale)\b|\bhelm (install|upgrade)\b|\bhelmfile\b|\beksctl create\b|"
    r"\b(terraform|tofu|terragrunt) apply\b|\bgcloud [a-z -]*\b(create|submit)\b|\bsky (launch|jobs)\b|"
    r"\baws [a-z0-9-]+ (run-|create-|submit-|start-)[a-z-]+|\baz [a-z ]*\bcreate\b|\bray (up|job submit)\b"
)
_WRITE = "write the manifest out, or gate `terraform show -json` of the plan"


def of_terraform(
    kind: str, label: str, body: Node, where: World, module: Module | None = None
) -> None:
    """Add what a Terraform resource declares."""
    if kind in where.harmless:
        where.passed_over += 1
        return
    if kind == "kubernetes_manifest":
        _manifest(kind, label, body, body.get("manifest"), where)
        return
    if kind == "kubectl_manifest":
        _manifest(kind, label, body, body.get("yaml_body"), where)
        return
    if kind == "helm_release":
        where.doubt(body.place, f"{kind} {label}: {_CHART}")
        return
    if _DEPLOYS.search(kind):
        where.doubt(body.place, f"{kind} {label}: {_ELSEWHERE}, or name {kind} in harmless_kinds")
        return
    for command in _commands(body):
        if (found := _STARTS.search(command.text("command"))) is not None:
            text = f"{kind} {label}: it runs `{found.group()}`, and {_ELSEWHERE}"
            where.doubt(command.place, f"{text}, or name {kind} in harmless_kinds")
    plain = re.sub(r"_v\d\w*$", "", kind)
    if plain in _KUBERNETES:
        name, group = _KUBERNETES[plain]
        body = _camel(body)
    elif plain.startswith("kubernetes_"):  # of a kind that is not in the table: GPUs are asked
        word = _camel_word(plain.removeprefix("kubernetes_"))
        name, group, body = word[:1].upper() + word[1:], "kubernetes", _camel(body)
    else:
        name, group = kind, "terraform"
    address = label if f".{kind}." in f".{label}" else f"{kind}.{label}"
    where.add(Resource(name, group, address, body, typed=True, module=module))


def _commands(body: Node) -> list[Node]:
    """Return the provisioners of a resource."""
    found = body.fields.get("provisioner")
    return found.items if found is not None else []


def _manifest(kind: str, label: str, body: Node, given: Node | None, where: World) -> None:
    """Take a manifest as an object, or as text."""
    if given is not None and isinstance(given.value, dict):
        of_document(given, where)
        return
    if given is not None and isinstance(given.value, str):
        try:
            for doc in read_documents(given.value, given.file, given.line + 1):
                of_document(doc, where)
        except Unreadable as error:
            where.doubt(given.place, f"{kind} {label}: {error} ({_WRITE})")
        return
    why = "its manifest can't be read"
    if given is not None and isinstance(given.value, Unknown):
        why = f"{given.value.expression} can't be told from the files"
    where.doubt(body.place, f"{kind} {label}: {why} ({_WRITE})")


_KUBERNETES = {
    "kubernetes_job": ("Job", "batch"),
    "kubernetes_cron_job": ("CronJob", "batch"),
    "kubernetes_pod": ("Pod", ""),
    "kubernetes_deployment": ("Deployment", "apps"),
    "kubernetes_stateful_set": ("StatefulSet", "apps"),
    "kubernetes_daemonset": ("DaemonSet", "apps"),
    "kubernetes_daemon_set": ("DaemonSet", "apps"),
    "kubernetes_replication_controller": ("ReplicationController", ""),
    "kubernetes_storage_class": ("StorageClass", "storage.k8s.io"),
    "kubernetes_persistent_volume": ("PersistentVolume", ""),
}

#: blocks of Terraform that Kubernetes has as lists, under their names there
_LISTS = {
    "container": "containers",
    "init_container": "initContainers",
    "volume": "volumes",
    "toleration": "tolerations",
    "env": "env",
    "env_from": "envFrom",
    "node_selector_term": "nodeSelectorTerms",
    "match_expressions": "matchExpressions",
    "topology_spread_constraint": "topologySpreadConstraints",
    "port": "ports",
    "volume_mount": "volumeMounts",
}


_BLOCKS = {"spec", "metadata", "template", "job_template", "resources"}


def _camel(body: Node, done: dict[int, Node] | None = None) -> Node:
    """Return a body of blocks as Kubernetes has it; the keys of maps stay as they are."""
    done = {} if done is None else done  # what is there many times is worked out once
    if not isinstance(body.value, dict):
        return body
    if id(body.value) in done:
        return done[id(body.value)]
    fields: dict[str, Node] = {}
    for key, node in body.value.items():
        if isinstance(node.value, dict) and (key in _LISTS or key in _BLOCKS):
            node = Node([node], node.file, node.line)  # noqa: PLW2901  (one block, in JSON syntax)
        blocks = any(isinstance(item.value, dict) for item in node.items)
        name = _LISTS.get(key) or (key if key == REST else _camel_word(key))
        if blocks:
            inner = [_camel(item, done) for item in node.items]
            if key in _LISTS or len(inner) > 1:
                if key in _BLOCKS:
                    inner[1].refuse(f"the block {key} appears twice")
                fields[name] = Node(inner, node.file, node.line)
            else:
                fields[name] = Node(inner[0].value, inner[0].file, inner[0].line)
        else:
            fields[name] = node
    done[id(body.value)] = Node(fields, body.file, body.line)
    return done[id(body.value)]


def _camel_word(word: str) -> str:
    first, *rest = word.split("_")
    return first + "".join(part.capitalize() for part in rest)
