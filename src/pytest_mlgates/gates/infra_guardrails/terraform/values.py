"""What the variables of a module are: given, loaded by Terraform, or a default that may not hold."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_mlgates.gates.infra_guardrails.terraform.evaluate import Scope, evaluate
from pytest_mlgates.gates.infra_guardrails.terraform.syntax import Body, Expr
from pytest_mlgates.reading.node import REST, Node, Unreadable

__all__ = ["Values", "values_beside"]

_LOADED = ("terraform.tfvars", "terraform.tfvars.json")
_AUTO = (".auto.tfvars", ".auto.tfvars.json")
_ANY = (".tfvars", ".tfvars.json")
_MODULE = (".tf", ".tofu", ".tf.json")
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Values:
    """``given`` by whoever calls, ``elsewhere`` what files say that are only loaded when named.

    ``anything`` is the file that may set any variable.
    """

    given: Mapping[str, Node] = field(default_factory=dict)
    elsewhere: Mapping[str, tuple[str, Node]] = field(default_factory=dict)
    anything: str = ""


class _NoNames:
    """A file of values refers to nothing."""

    def lookup(self, root: str, path: tuple[str | int, ...]) -> tuple[Node, int] | None:  # noqa: ARG002
        """Return None."""
        return None


def values_beside(folder: Path, read: Callable[[Path], Body]) -> Values:
    """Return what the files beside a root module say of its variables."""
    given: dict[str, Node] = {}
    loaded = [folder / name for name in _LOADED]
    loaded += sorted(file for file in folder.iterdir() if file.name.endswith(_AUTO))
    for file in loaded:
        if file.is_file():
            given |= _values(read(file))
    elsewhere: dict[str, tuple[str, Node]] = {}
    for file in _named(folder):
        if file not in loaded:
            for name, node in _values(read(file)).items():
                elsewhere.setdefault(name, (file.name, node))
    wrapper = folder / "terragrunt.hcl"
    if not wrapper.is_file():
        return Values(given, elsewhere)
    inputs, all_known = _inputs(wrapper, read)
    for name, node in inputs.items():
        elsewhere.setdefault(name, (wrapper.name, node))
    return Values(given, elsewhere, "" if all_known else wrapper.name)


def _values(body: Body) -> dict[str, Node]:
    scope = Scope(_NoNames())
    return {name: evaluate(expr, scope) for name, (_, expr) in body.attributes.items()}


def _named(folder: Path) -> Iterator[Path]:
    """Yield the files of values in a module's folder, and below it where no other module lies."""
    base = len(folder.parts)
    for root, folders, files in os.walk(folder):
        here = Path(root)
        if here != folder and any(name.endswith(_MODULE) for name in files):
            folders.clear()
            continue
        deep = len(here.parts) - base >= _DEEPEST
        folders[:] = [] if deep else sorted(f for f in folders if not f.startswith("."))
        yield from (here / name for name in sorted(files) if name.endswith(_ANY))


def _inputs(file: Path, read: Callable[[Path], Body]) -> tuple[dict[str, Node], bool]:
    """Return the inputs of Terragrunt, and whether these are all of them."""
    try:
        body = read(file)
    except Unreadable:
        return {}, False
    includes = any(block.kind == "include" for block in body.blocks)
    found: tuple[int, Expr] | None = body.attributes.get("inputs")
    if found is None:
        return {}, not includes
    node = evaluate(found[1], Scope(_NoNames()))
    if not isinstance(node.value, dict) or REST in node.value:
        return {}, False
    return dict(node.value), not includes
