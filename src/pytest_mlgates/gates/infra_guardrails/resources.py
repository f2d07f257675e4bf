"""Resources in one shape, whether a manifest, Terraform or a plan declares them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pytest_mlgates.gates.infra_guardrails.terraform.module import Module
from pytest_mlgates.reading.node import REST, Node, Unknown, short
from pytest_mlgates.reading.yaml import read_documents

__all__ = ["Open", "Resource", "World", "of_document", "of_terraform", "pod_specs"]


MOST_RESOURCES = 100_000


@dataclass(frozen=True, slots=True)
class Resource:
    """What a rule looks at.

    ``group`` is the API group (``""`` for the core one) or ``terraform``; ``typed`` is set where
    Terraform turns ``"3600"`` into a number, as Kubernetes does not.
    """

    kind: str
    group: str
    name: str
    body: Node
    typed: bool = False
    module: Module | None = None

    @property
    def title(self) -> str:
        """Kind and name, or the address that Terraform has for it."""
        return short(self.name if self.typed else f"{self.kind} {self.name}".strip())

    def field(self, name: str) -> str:
        """Return a field's name as its manifest spells it."""
        return _snake(name) if self.typed else name


@dataclass(frozen=True, slots=True)
class Open:
    """Something that can't be judged from the files: where, and why."""

    place: str
    text: str


@dataclass
class World:
    """All that was read."""

    resources: list[Resource] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)
    files: int = 0

    def find(self, kind: str, reference: Node | None, module: Module | None) -> Resource | None:
        """Return the resource that an expression or a name refers to."""
        if reference is None:
            return None
        here = [r for r in self.resources if r.kind == kind and r.module is module]
        if isinstance(reference.value, Unknown):
            found = re.match(rf"{kind}\.([\w-]+)", reference.value.expression)
            wanted = {f"{kind}.{found.group(1)}"} if found else set()
            return next((r for r in here if r.name.partition("[")[0] in wanted), None)
        names = [r for r in here if r.body.text("name") == reference.value != ""]
        return names[0] if len(names) == 1 else None


def of_document(doc: Node, where: World) -> None:
    """Add what a Kubernetes document declares; a document without a kind declares nothing."""
    if isinstance(doc.value, list):
        for item in doc.items:
            of_document(item, where)
        return
    kind, version = doc.fields.get("kind"), doc.fields.get("apiVersion")
    if kind is None:
        if version is not None and {"metadata", "spec"} & set(doc.fields):
            doc.refuse("has an apiVersion and no kind: Kubernetes refuses it")
        return
    for what, node in (("kind", kind), ("apiVersion", version)):
        if node is not None and not isinstance(node.value, str):
            where.open.append(Open(node.place, f"its {what} is not a word: it can't be judged"))
            return
    items = doc.fields.get("items")
    if kind.value.endswith("List") and items is not None:
        for item in items.items:
            of_document(_of_list(item, kind, version), where)
    elif kind.value == "Kustomization" and _changes(doc, version):
        doc.refuse("patches change what the files say: gate the output of `kustomize build`")
    elif version is not None or "spec" in doc.fields:  # else settings of some tool
        _manifest(doc, kind, version, where)


def _of_list(item: Node, kind: Node, version: Node | None) -> Node:
    """Return an item of a JobList with its kind, which the list alone may name."""
    if kind.value == "List" or "kind" in item.fields or not isinstance(item.value, dict):
        return item
    own = {"kind": Node(kind.value.removesuffix("List"), kind.file, kind.line)}
    own |= {"apiVersion": version} if version is not None else {}
    return Node({**own, **item.value}, item.file, item.line)


def _changes(doc: Node, version: Node | None) -> bool:
    """Tell whether a kustomization does more than to list, name and place."""
    theirs = version is None or version.value.startswith("kustomize.config.k8s.io/")
    return theirs and not set(doc.fields) <= _HARMLESS


def _manifest(doc: Node, kind: Node, version: Node | None, where: World) -> None:
    name = str(kind.value)
    meant = {"job": "Job", "cronjob": "CronJob"}.get(name.lower(), name)
    if meant != name:
        where.open.append(Open(kind.place, f"Kubernetes has no kind {name}: is {meant} meant?"))
        return
    group, slash, _ = str(version.value if version is not None else "batch/v1").partition("/")
    where.resources.append(Resource(name, group if slash else "", _named_blocks(doc), doc))


def _named_blocks(doc: Node) -> str:
    name = doc.text("metadata", "name") or doc.text("metadata", "generateName")
    namespace = doc.text("metadata", "namespace")
    return f"{namespace}/{name}" if namespace else name


def of_terraform(
    kind: str, label: str, body: Node, where: World, module: Module | None = None
) -> None:
    """Add what a Terraform resource declares; those of Kubernetes in the shape of Kubernetes."""
    if kind == "kubernetes_manifest":
        manifest = body.get("manifest")
        if manifest is None or manifest.unknown:
            where.open.append(Open(body.place, f"{kind} {label}: {_why_not_seen(manifest)}"))
        else:
            of_document(manifest, where)
        return
    if kind == "kubectl_manifest":
        text = body.get("yaml_body")
        if text is None or not isinstance(text.value, str):
            where.open.append(Open(body.place, f"{kind} {label}: {_why_not_seen(text)}"))
        else:
            for doc in read_documents(text.value, text.file, text.line + 1):
                of_document(doc, where)
        return
    if kind == "helm_release":
        why = "what the chart creates is not seen: gate the output of `helm template`"
        where.open.append(Open(body.place, f"{kind} {label}: {why}"))
        return
    plain = re.sub(r"_v\d\w*$", "", kind)
    if plain in _KUBERNETES:
        name, group = _KUBERNETES[plain]
        body = _camel(body)
    else:
        name, group = kind, "terraform"
    address = label if f".{kind}." in f".{label}" else f"{kind}.{label}"
    if len(where.resources) >= MOST_RESOURCES:
        body.refuse(f"more than {MOST_RESOURCES:,} resources are declared")
    where.resources.append(Resource(name, group, address, body, typed=True, module=module))


def _why_not_seen(node: Node | None) -> str:
    if node is None or not isinstance(node.value, Unknown):
        return "its manifest can't be read"
    return f"{node.value.expression} can't be told from the files"


#: fields of a kustomization after which a job still says what its file says
_HARMLESS = {
    "apiVersion", "kind", "metadata", "resources", "namespace", "namePrefix", "nameSuffix", "images",
    "configMapGenerator", "secretGenerator", "generatorOptions", "sortOptions", "buildMetadata",
}  # fmt: skip

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


def _snake(word: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", word).lower()


def pod_specs(resource: Resource) -> Iterator[tuple[Node, Node | None]]:
    """Yield each pod spec below a resource with its pod's labels, whatever operator owns it."""
    left: list[tuple[Node, Node | None]] = [(resource.body, None)]
    seen: set[int] = set()
    while left:
        node, labels = left.pop()
        if id(node.value) in seen or not isinstance(node.value, (dict, list)):
            continue
        seen.add(id(node.value))
        if isinstance(node.value, list):
            left += [(item, None) for item in reversed(node.value)]
            continue
        containers = node.value.get("containers")
        if containers is not None and (containers.items or containers.unknown):
            yield node, labels
            continue
        below: Iterable[tuple[Node, Node | None]] = (
            (inner, node.get("metadata", "labels") if key == "spec" else None)
            for key, inner in reversed(node.value.items())
        )
        left += below
