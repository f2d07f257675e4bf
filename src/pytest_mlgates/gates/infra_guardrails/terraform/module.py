"""A Terraform module: the ``.tf`` files of one folder, with what they create.

Variables have what Terraform would load for them or the calling module passes, else their defaults,
where no file in sight sets another. ``count`` and ``for_each`` that are known are unrolled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pytest_mlgates.gates.infra_guardrails.terraform.evaluate import Scope, evaluate
from pytest_mlgates.gates.infra_guardrails.terraform.functions import NotKnown, plain
from pytest_mlgates.gates.infra_guardrails.terraform.syntax import Block, Body, Expr, Json
from pytest_mlgates.gates.infra_guardrails.terraform.values import Values
from pytest_mlgates.reading.node import Node, Unknown, Unreadable

__all__ = ["Call", "Made", "Module"]

_MOST_INSTANCES = 200
_MOST_BODIES = 200_000
_META = {"source", "version", "count", "for_each", "providers", "depends_on"}


@dataclass(frozen=True, slots=True)
class Made:
    """A resource block, once for each instance that is known."""

    kind: str
    label: str
    body: Node
    module: Module


@dataclass(frozen=True, slots=True)
class Call:
    """``module "label" { source = … }`` with the values that it passes."""

    label: str
    source: Node
    given: dict[str, Node]


@dataclass
class Module:
    """What the files of one folder declare; values are worked out when they are asked for."""

    files: list[Body]
    values: Values = field(default_factory=Values)

    def __post_init__(self) -> None:
        self.variables: dict[str, Block] = {}
        self.locals: dict[str, Expr] = {}
        self.blocks: dict[tuple[str, str], Block] = {}
        self.calls_of: list[Block] = []
        self.providers: list[Block] = []
        self._known: dict[str, Node | None] = {}
        self._bodies = 0
        self.faults = [fault for body in self.files for fault in body.faults]
        for body in self.files:
            for block in body.blocks:
                self._declare(block)

    def _declare(self, block: Block) -> None:
        if block.kind == "variable":
            self._once(self.variables, block.labels[0] if block.labels else "", block)
        elif block.kind == "locals":
            for name, (_, expr) in block.body.attributes.items():
                self.locals[name] = expr
        elif block.kind == "resource":
            if len(block.labels) != 2:
                self.faults.append(f"{block.file}:{block.line}: a resource needs a type and a name")
                return
            self._once(self.blocks, (block.labels[0], block.labels[1]), block)
        elif block.kind == "module":
            self.calls_of.append(block)
        elif block.kind == "provider":
            self.providers.append(block)

    def _once(self, table: dict[Any, Block], key: object, block: Block) -> None:
        """Keep the first of what is declared twice, and say so."""
        first = table.setdefault(key, block)
        if first is not block:
            name = ".".join(key) if isinstance(key, tuple) else key
            self.faults.append(
                f"{block.file}:{block.line}: {block.kind} {name} appears twice"
                f" (first at {first.file}:{first.line})"
            )

    def resources(self) -> Iterator[Made]:
        """Yield what the module creates, each instance that can be told apart once."""
        for (kind, label), block in self.blocks.items():
            for index, scope in self._instances(block.body):
                body = self.body_of(block, scope)
                yield Made(kind, f"{label}{index}", body, self)

    def calls(self) -> Iterator[Call]:
        """Yield the modules that this one calls."""
        for block in self.calls_of:
            for index, scope in self._instances(block.body):
                values = {
                    name: evaluate(expr, scope) for name, (_, expr) in block.body.attributes.items()
                }
                source = values.get("source", Node(None, block.file, block.line))
                given = {name: node for name, node in values.items() if name not in _META}
                label = block.labels[0] if block.labels else ""
                yield Call(f"{label}{index}", source, given)

    def defaults(self, provider: str, block: str, key: str) -> Node | None:
        """Return labels that a provider puts on all that it creates."""
        for each in self.providers:
            if each.labels == (provider,) and "alias" not in each.body.attributes:
                body = self.body_of(each, Scope(self))
                return body.get(block, key) if block else body.get(key)
        return None

    def body_of(self, block: Block, scope: Scope) -> Node:
        """Return the attributes of a block, and its blocks as lists of bodies."""
        self._bodies += 1
        if self._bodies > _MOST_BODIES:
            raise Unreadable(f"{block.file}:{block.line}: makes more than {_MOST_BODIES:,} blocks")
        return Node(self._fields(block.body, scope), block.file, block.line)

    def _fields(self, body: Body, scope: Scope) -> dict[str, Node]:
        fields = {
            name: Node(evaluate(expr, scope).value, expr.file, line)
            for name, (line, expr) in body.attributes.items()
        }
        dynamic = body.attributes.get("dynamic", (0, None))[1]
        if dynamic is not None and isinstance(dynamic.tree, Json):
            for name in fields.pop("dynamic").fields:
                fields[name] = Node(Unknown(f'dynamic "{name}"'), dynamic.file)
        for block in body.blocks:
            if block.kind == "dynamic" and block.labels:
                self._dynamic(block, scope, fields)
            else:
                _append(fields, block.kind, [self.body_of(block, scope)], block)
        return fields

    def _dynamic(self, block: Block, scope: Scope, fields: dict[str, Node]) -> None:
        """Unroll a ``dynamic`` block, or say that what stands there is not known."""
        name = block.labels[0]
        content = next((b for b in block.body.blocks if b.kind == "content"), None)
        _, over = block.body.attributes.get("for_each", (0, None))
        items = _members(evaluate(over, scope)) if over is not None else None
        if content is None or items is None:
            shown = f'dynamic "{name}" over {over.text}' if over is not None else f"dynamic {name}"
            fields[name] = Node(Unknown(shown), block.file, block.line)
            return
        _, named = block.body.attributes.get("iterator", (0, None))
        iterator = named.text if named is not None else name
        bodies = []
        for key, value in items:
            each = Node({"key": key, "value": value}, block.file, block.line)
            inner = Scope(scope.names, {**scope.here, iterator: each})
            bodies.append(self.body_of(content, inner))
        if bodies:
            _append(fields, name, bodies, block)

    def _instances(self, body: Body) -> Iterator[tuple[str, Scope]]:
        """Yield an index and a scope for each instance; one of unknown values if not known."""
        if "for_each" in body.attributes:
            _, expr = body.attributes["for_each"]
            members = _members(evaluate(expr, Scope(self)))
            if members is not None:
                for key, value in members:
                    each = Node({"key": key, "value": value}, expr.file, expr.line)
                    yield f'["{key.value}"]', Scope(self, {"each": each})
                return
        elif "count" in body.attributes:
            _, expr = body.attributes["count"]
            count = evaluate(expr, Scope(self)).value
            if isinstance(count, int) and not isinstance(count, bool):
                for i in range(min(count, _MOST_INSTANCES)):
                    index = Node({"index": Node(i)}, expr.file, expr.line)
                    yield f"[{i}]", Scope(self, {"count": index})
                return
        yield "", Scope(self)

    def lookup(self, root: str, path: tuple[str | int, ...]) -> tuple[Node, int] | None:
        """Return the value of ``var.x``, ``local.x``, or what a resource of this module sets."""
        if not path or not isinstance(path[0], str):
            return None
        name = path[0]
        if root == "var":
            found = self._cached(f"var.{name}", lambda: self._variable(name))
            return None if found is None else (found, 1)
        if root == "local" and name in self.locals:
            expr = self.locals[name]
            found = self._cached(f"local.{name}", lambda: evaluate(expr, Scope(self)))
            return None if found is None else (found, 1)
        block = self.blocks.get((root, name))
        if block is None:
            return None
        used = 2 if len(path) > 1 and isinstance(path[1], int) else 1
        repeated = {"count", "for_each"} & set(block.body.attributes)
        if len(path) <= used or bool(repeated) is not (used == 2):
            return None
        found = self._cached(f"{root}.{name}", lambda: self.body_of(block, Scope(self)))
        return None if found is None else (found, used)

    def _variable(self, name: str) -> Node | None:
        values = self.values
        if name in values.given:
            return values.given[name]
        block = self.variables.get(name)
        if block is None or "default" not in block.body.attributes:
            return None
        default = evaluate(block.body.attributes["default"][1], Scope(self))
        file, other = values.elsewhere.get(name, (values.anything, None))
        if not file or (other is not None and _same(default, other)):
            return default
        shown = f"var.{name} (beside its default, {file} may set another)"
        return Node(Unknown(shown), default.file, default.line)

    def _cached(self, key: str, make: Any) -> Node | None:
        """Work a value out once; None while it is being worked out, for what refers to itself."""
        if key not in self._known:
            self._known[key] = None
            self._known[key] = make()
        return self._known[key]


def _same(one: Node, other: Node) -> bool:
    try:
        return bool(plain(one) == plain(other))
    except NotKnown:
        return False


def _append(fields: dict[str, Node], name: str, bodies: list[Node], block: Block) -> None:
    known = fields.get(name)
    if known is not None and known.unknown:
        return
    before = known.items if known is not None else []
    line = known.line if known is not None else block.line
    fields[name] = Node([*before, *bodies], block.file, line)


def _members(node: Node) -> list[tuple[Node, Node]] | None:
    """Return the keys and values that ``for_each`` goes over, or None where they are not known."""
    if isinstance(node.value, dict) and all(not k.startswith("\0") for k in node.value):
        pairs = [(Node(key), value) for key, value in node.value.items()]
    elif isinstance(node.value, list):
        pairs = [(item, item) for item in node.value]
    else:
        return None
    return pairs if len(pairs) <= _MOST_INSTANCES else None
