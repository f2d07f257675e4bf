"""Resources in one shape, whether a manifest, Terraform or a plan declares them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from pytest_mlgates.gates.infra_guardrails.machines import Answer
from pytest_mlgates.reading.node import Node, Unknown, short

__all__ = ["MOST_RESOURCES", "Defaults", "Open", "Resource", "World", "below", "snake"]

MOST_RESOURCES = 100_000
_REFERENCE = re.compile(r"([a-z]\w*)\.([\w-]+)")


class Defaults(Protocol):
    """The Terraform module that a resource is declared in."""

    def defaults(self, provider: str, block: str, key: str) -> Node | None:
        """Return labels that a provider puts on all that it creates."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What a rule looks at.

    ``group`` is the API group (``""`` for the core one) or ``terraform``; ``typed`` is set where
    Terraform turns ``"3600"`` into a number, as Kubernetes does not. ``inside`` are the values of
    resources that stand within this one and are judged by themselves; ``around`` is the resource
    that this one stands in.
    """

    kind: str
    group: str
    name: str
    body: Node
    typed: bool = False
    module: Defaults | None = None
    inside: frozenset[int] = frozenset()
    around: Resource | None = None

    @property
    def title(self) -> str:
        """Kind and name, or the address that Terraform has for it."""
        return short(self.name if self.typed else f"{self.kind} {self.name}".strip())

    @property
    def named(self) -> str:
        """The kind as a policy names it: ``Job``, ``Workflow.argoproj.io``, ``aws_instance``."""
        bare = self.typed or self.group in ("", "terraform")
        return self.kind if bare else f"{self.kind}.{self.group}"

    def field(self, name: str) -> str:
        """Return a field's name as its manifest spells it."""
        return snake(name) if self.typed else name

    def is_one_of(self, names: Iterable[str]) -> bool:
        """Tell whether a policy's list names this kind: ``Kind``, ``Kind.group`` or ``*.group``."""
        own = {self.kind, f"{self.kind}.{self.group}", f"*.{self.group}"}
        return any(name in own for name in names)


@dataclass(frozen=True, slots=True)
class Open:
    """Something that can't be judged from the files: where, and why."""

    place: str
    text: str


@dataclass
class World:
    """All that was read; ``harmless`` and ``trusted`` are the kinds that the policy speaks for."""

    harmless: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    resources: list[Resource] = field(default_factory=list)
    #: what others refer to, and no rule is about
    known: list[Resource] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)
    files: int = 0
    #: files that hold no manifest, and resources that the policy calls harmless
    passed_over: int = 0
    #: files with the kustomization that may change what they say, or only their labels
    changed: dict[str, str] = field(default_factory=dict)
    labelled: dict[str, str] = field(default_factory=dict)
    #: files of no kind that ask for GPUs: each is named once
    strays: set[str] = field(default_factory=set)
    #: whether a resource of Terraform holds GPUs, by the identity of its body
    answers: dict[int, Answer] = field(default_factory=dict)
    _index: dict[tuple[str, str, int], list[Resource]] | None = None

    def add(self, resource: Resource) -> None:
        """Take a resource that rules look at."""
        if len(self.resources) >= MOST_RESOURCES:
            resource.body.refuse(f"more than {MOST_RESOURCES:,} resources are declared")
        self.resources.append(resource)
        self._index = None

    def doubt(self, place: str, text: str) -> None:
        """Note what can't be judged."""
        self.open.append(Open(place, text))

    def find(self, kind: str, reference: Node | None, module: Defaults | None) -> Resource | None:
        """Return the Terraform resource that an expression, a name or an id refers to."""
        if reference is None:
            return None
        if isinstance(reference.value, Unknown):
            found = _REFERENCE.match(reference.value.expression)
            if found is None or found.group(1) != kind:
                return None
            named = self._at(kind, f"{kind}.{found.group(2)}", module)
            return named[0] if named else None
        if not isinstance(reference.value, str) or not reference.value:
            return None
        same = self._at(kind, f"={reference.value}", module)
        return same[0] if len(same) == 1 else None

    def of_kind(self, kind: str, name: str) -> Resource | None:
        """Return the Kubernetes resource of a kind and name, whatever its namespace."""
        found = self._at(kind, f"={name}", None)
        return found[0] if found else None

    def is_owned(self, resource: Resource) -> bool:
        """Tell whether a controller that is here, and judged, has made a resource."""
        if "metadata" not in resource.body.fields:
            return False
        owners = resource.body.get("metadata", "ownerReferences")
        return any(
            self.of_kind(owner.text("kind"), owner.text("name")) not in (None, resource)
            for owner in (owners.items if owners is not None else [])
        )

    def _at(self, kind: str, key: str, module: Defaults | None) -> list[Resource]:
        if self._index is None:
            self._index = _indexed([*self.resources, *self.known])
        return self._index.get((kind, key, id(module)), [])


def _indexed(resources: list[Resource]) -> dict[tuple[str, str, int], list[Resource]]:
    """Return resources by what may name them, so that joining them is linear."""
    found: dict[tuple[str, str, int], list[Resource]] = defaultdict(list)
    for resource in resources:
        here = resource.body.fields
        keys = {
            resource.body.text(word) for word in ("name", "id", "arn", "self_link") if word in here
        }
        if "metadata" in here:
            keys.add(resource.body.text("metadata", "name"))
        names = {f"={key}" for key in keys if key} | {resource.name.partition("[")[0]}
        for name in names:
            found[resource.kind, name, id(resource.module)].append(resource)
    return found


def below(resource: Resource) -> Iterator[tuple[str, Node, Node]]:
    """Yield key, node and parent of all in a resource, once each; what stands inside is left out."""
    seen = set(resource.inside)
    left: list[tuple[str, Node, Node]] = [("", resource.body, resource.body)]
    while left:
        key, node, parent = left.pop()
        if isinstance(node.value, (dict, list)):
            if id(node.value) in seen:
                continue
            seen.add(id(node.value))
        yield key, node, parent
        if isinstance(node.value, dict):
            left += [(name, inner, node) for name, inner in reversed(node.value.items())]
        elif isinstance(node.value, list):
            left += [(key, inner, parent) for inner in reversed(node.value)]


def snake(word: str) -> str:
    """Return a field's name as Terraform spells it.

    >>> snake("activeDeadlineSeconds")
    'active_deadline_seconds'
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "_", word).lower()
