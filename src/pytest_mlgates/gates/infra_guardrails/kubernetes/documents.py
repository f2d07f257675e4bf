"""From a document of Kubernetes to the resources in it, wherever they stand.

What has an ``apiVersion`` and a ``kind`` is a resource, also inside a template, a list, a wrapper or
a ConfigMap's text; one of a kind that no list knows is open.
"""

from __future__ import annotations

import re

from pytest_mlgates.core.words import a
from pytest_mlgates.gates.infra_guardrails.kubernetes import indirect
from pytest_mlgates.gates.infra_guardrails.kubernetes.ends import ends_of
from pytest_mlgates.gates.infra_guardrails.kubernetes.kinds import holds_nothing, runs_on
from pytest_mlgates.gates.infra_guardrails.kubernetes.zones import is_pool
from pytest_mlgates.gates.infra_guardrails.strays import of_no_kind
from pytest_mlgates.gates.infra_guardrails.world import Resource, World
from pytest_mlgates.reading.node import Node, Unreadable, short, template_in, walk
from pytest_mlgates.reading.yaml import read_documents

__all__ = ["of_document"]

#: what a reference to a resource has, and no resource has only
_OF_REFERENCES = {
    "apiVersion", "kind", "name", "namespace", "uid", "fieldPath", "resourceVersion", "controller",
    "blockOwnerDeletion", "group", "apiGroup", "version", "labels", "labelSelector", "selector",
    "envSourceContainerName", "topologyKey", "operation",
}  # fmt: skip
_KIND_LINE = re.compile(
    r"""^[ \t-]*["']?kind["']?[ \t]*:[ \t]*["']?([A-Za-z{$]\w*)""", re.MULTILINE
)
_TEMPLATE_VALUE = re.compile(
    r"""^([ \t]*(?:- )?[\w./-]+:[ \t]+)([^"'|>\n]*\{\{[^\n]*?)[ \t]*$""", re.MULTILINE
)
_VERSION_LINE = re.compile(r"""^[ \t-]*["']?apiVersion["']?[ \t]*:""", re.MULTILINE)
_JSON_MARKS = ('"apiVersion"', '"kind"')
_NODE_SETTINGS = {
    "NodeConfig",
    "KubeletConfiguration",
    "ClusterConfiguration",
    "KubeProxyConfiguration",
}
#: kinds whose only content is another resource
_WRAPPERS = {
    ("template.openshift.io", "Template"), ("", "Template"), ("workload.codeflare.dev", "AppWrapper"),
    ("mcad.ibm.com", "AppWrapper"), ("work.open-cluster-management.io", "ManifestWork"),
    ("kubernetes.crossplane.io", "Object"), ("work.karmada.io", "Work"),
}  # fmt: skip
_COMPUTE_OF_AWS = re.compile(
    r"AWS::(AutoScaling|Batch|Deadline|EC2::(Instance|LaunchTemplate|SpotFleet|EC2Fleet|CapacityReservation)"
    r"|ECS|EKS|EMR|EMRContainers|ImageBuilder|OpsWorks|PCS|SageMaker)\b"
)


def of_document(doc: Node, where: World, around: Resource | None = None) -> None:
    """Add what a document declares; one without a kind declares nothing."""
    if isinstance(doc.value, list):
        for item in doc.items:
            of_document(item, where, around)
        return
    kind, version = doc.fields.get("kind"), doc.fields.get("apiVersion")
    if kind is None:
        if version is not None and {"metadata", "spec"} & set(doc.fields):
            where.doubt(
                doc.place, "has an apiVersion and no kind: Kubernetes refuses it (name its kind)"
            )
        if not _cloud_formation(doc, where) and doc.value is not None:
            of_no_kind(doc, where)
        return
    for what, node in (("kind", kind), ("apiVersion", version)):
        if node is not None and not isinstance(node.value, str):
            where.doubt(node.place, f"its {what} is not a word: it can't be judged (write it out)")
            return
    items = doc.fields.get("items")
    if kind.value.endswith("List") and items is not None:
        if items.unknown:
            where.doubt(
                items.place, f"its items are {short(str(items.value))}: gate what fills them in"
            )
        for item in items.items:
            of_document(_of_list(item, kind, version), where, around)
    elif version is not None or "spec" in doc.fields:
        _manifest(doc, kind, version, where, around)
    else:  # settings of some tool
        of_no_kind(doc, where)


def _of_list(item: Node, kind: Node, version: Node | None) -> Node:
    """Return an item of a JobList with its kind, which the list alone may name."""
    if kind.value == "List" or "kind" in item.fields or not isinstance(item.value, dict):
        return item
    own = {"kind": Node(kind.value.removesuffix("List"), kind.file, kind.line)}
    own |= {"apiVersion": version} if version is not None else {}
    return Node({**own, **item.value}, item.file, item.line)


def _manifest(
    doc: Node, kind: Node, version: Node | None, where: World, around: Resource | None
) -> None:
    name = str(kind.value)
    meant = {"job": "Job", "cronjob": "CronJob"}.get(name.lower(), name)
    if meant != name:
        where.doubt(kind.place, f"Kubernetes has no kind {name}: is {meant} meant? (write it so)")
        return
    group, slash, _ = str(version.value if version is not None else "batch/v1").partition("/")
    group = group if slash else ""
    outer = Resource(name, group, _named_blocks(doc), doc, around=around)
    if outer.is_one_of(where.harmless):
        where.passed_over += 1
        return
    if group == "apiextensions.k8s.io":
        return  # a definition shows other kinds as examples
    nested = _nested(doc)
    resource = Resource(
        name, group, outer.name, doc, inside=frozenset(id(n.value) for n in nested), around=around
    )
    for inner in nested:
        of_document(inner, where, resource)
    _texts(resource, where)
    _sort(resource, where, seen=bool(nested))


def _sort(resource: Resource, where: World, *, seen: bool) -> None:
    """Give a resource to the rules, or leave open what none of them can judge."""
    known = ends_of(resource) is not None or runs_on(resource) or is_pool(resource)
    if known:
        where.add(resource)
    elif (how := indirect.rendered(resource)) is not None:
        where.doubt(resource.body.place, f"{resource.title}: {how}")
    elif (resource.group, resource.kind) in _WRAPPERS:
        if not seen:
            text = "what it wraps can't be seen: gate what comes out of it"
            where.doubt(resource.body.place, f"{resource.title}: {text}")
    elif holds_nothing(resource):
        where.known.append(resource)
    elif "metadata" not in resource.body.fields and resource.around is None:
        where.passed_over += 1  # settings of some tool: Kubernetes takes nothing without a name
    else:
        where.add(resource)  # what it asks GPUs for is judged all the same
        if not resource.is_one_of(where.trusted):
            where.doubt(resource.body.place, f"{resource.title}: {_unknown_kind(resource)}")


def _unknown_kind(resource: Resource) -> str:
    of = f"of {resource.group}" if resource.group else "of no group"
    return (
        f"no rule knows what {a(resource.kind)} {of} starts and how that ends: name {resource.named} in"
        " harmless_kinds if it starts no pods and nodes, in trusted_kinds if what it starts ends by itself"
    )


def _nested(doc: Node) -> list[Node]:
    """Return the resources inside a resource; those inside them are theirs."""
    found: list[Node] = []
    left = [node for key, node in doc.fields.items() if key not in ("metadata", "status")]
    seen: set[int] = set()
    while left:
        node = left.pop()
        if not isinstance(node.value, (dict, list)) or id(node.value) in seen:
            continue
        seen.add(id(node.value))
        if _is_resource(node):
            found.append(node)
        elif isinstance(node.value, dict):
            left += [n for k, n in node.value.items() if k != "openAPIV3Schema"]
        else:
            left += node.value
    return found[::-1]


def _is_resource(node: Node) -> bool:
    if not isinstance(node.value, dict) or not {"apiVersion", "kind"} <= set(node.value):
        return False
    words = (node.value["apiVersion"].value, node.value["kind"].value)
    return all(isinstance(w, str) for w in words) and not set(node.value) <= _OF_REFERENCES


def _texts(resource: Resource, where: World) -> None:
    """Read the manifests that stand in texts: a ConfigMap's data, a workflow's manifest."""
    for key, node in walk(Node({k: n for k, n in resource.body.fields.items() if k != "metadata"})):
        text = node.value
        if not isinstance(text, str) or not _holds_manifest(text) or key == "description":
            continue
        documents = _documents(text, node)
        found = [d for d in documents if _is_resource(d) or d.text("kind").endswith("List")]
        for document in found:
            of_document(document, where, resource)
        if not found and not _all_harmless(text):
            shown = template_in(text)
            why = f"filled in by {shown}" if shown else "no YAML by itself"
            way = f"gate what comes out of it, or name {resource.named} in harmless_kinds"
            doubt = f"the text {key} holds a manifest that is {why}: {way}"
            where.doubt(node.place, f"{resource.title}: {doubt}")


def _documents(text: str, node: Node) -> list[Node]:
    """Return the documents of a text; a value that begins with a template is put in quotes."""
    line = node.start[0] + 1 if node.start[0] else 1
    quoted = _TEMPLATE_VALUE.sub(
        lambda f: f.group(1) + "'" + f.group(2).replace("'", "''") + "'", text
    )
    for one in (text, quoted):
        try:
            return read_documents(one, node.file, line)
        except Unreadable:
            continue
    return []


def _holds_manifest(text: str) -> bool:
    if "apiVersion" not in text or "kind" not in text:
        return False
    if text.lstrip().startswith("{"):
        return all(mark in text for mark in _JSON_MARKS)
    return "\n" in text.strip() and bool(_KIND_LINE.search(text) and _VERSION_LINE.search(text))


def _all_harmless(text: str) -> bool:
    kinds = set(_KIND_LINE.findall(text))
    return kinds <= {
        "ConfigMap",
        "Secret",
        "Service",
        "Namespace",
        "ServiceAccount",
        "Config",
        "Role",
    }


def _cloud_formation(doc: Node, where: World) -> bool:
    """Leave open the machines of a template of CloudFormation; tell whether it is one."""
    resources = doc.fields.get("Resources")
    fields = resources.fields if resources is not None else {}
    is_one = any(body.text("Type").startswith("AWS::") for body in fields.values())
    for name, body in fields.items() if is_one else ():
        kind = body.text("Type")
        if _COMPUTE_OF_AWS.match(kind) and kind not in where.harmless:
            why = f"{kind} of CloudFormation is not judged: gate what it makes another way, or name it in harmless_kinds"
            where.doubt(body.place, f"{name}: {why}")
    return is_one


def _named_blocks(doc: Node) -> str:
    name = doc.text("metadata", "name") or doc.text("metadata", "generateName")
    namespace = doc.text("metadata", "namespace")
    return f"{namespace}/{name}" if namespace else name
