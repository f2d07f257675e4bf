"""Files that no rule reads: of no kind, or in a language of another tool. Silent only where harmless.

One that shows by itself that it asks for GPUs, or starts jobs, is open; a policy that knows better
names the file in ``harmless_kinds``.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from pytest_mlgates.gates.infra_guardrails.signs import first_sign
from pytest_mlgates.gates.infra_guardrails.world import World
from pytest_mlgates.reading.node import Node, short

__all__ = ["HINT", "of_no_kind", "of_other_tool", "tool_of"]

#: endings of what other tools read, and what shows what these make of it
_TOOLS = {
    ".bicep": "`az bicep build`", ".jsonnet": "`jsonnet`", ".libsonnet": "`jsonnet`",
    ".cue": "`cue export`", ".pkl": "`pkl eval`", ".dhall": "`dhall-to-yaml`",
    "terragrunt.hcl": "`terragrunt show -json` of its plan",
    "terragrunt.stack.hcl": "`terragrunt show -json` of each unit's plan",
    ".tfcomponent.hcl": "`terraform show -json` of each component's plan",
    ".tfstack.hcl": "`terraform show -json` of each component's plan",
    ".nomad": "a manifest of its pods", ".nomad.hcl": "a manifest of its pods",
    ".jsonl": "a .json or .yaml of it", ".yaml.gz": "what is packed in it",
    ".yml.gz": "what is packed in it",
}  # fmt: skip
#: words that a file which starts jobs or GPUs has somewhere
HINT = re.compile(
    r"(?:nvidia|amd|intel|habana|huawei)\.(?:com|ai)/|google\.com/tpu|accelerator|[Ss]tandard_N[CDGV]|AWS::|"
    r"[\w.-]*gpus?\b|\b(?:ml\.)?(?:p|g|trn|inf)[0-9]\w*\.[0-9]*x?large|ManagedClusters|managedClusters|"
    r"kind['\"]?\s*[:=]\s*['\"]?\w*(?:Job|Workflow)\b|^\s*(?:job|task)\s+\"",
    re.IGNORECASE | re.MULTILINE,
)
_SOURCE = re.compile(r"^\s*source\s*=\s*\"?([^\"\n]*)", re.MULTILINE)


def of_no_kind(document: Node, where: World) -> None:
    """Pass over a document that names no kind, unless it asks for GPUs."""
    file = document.file
    sign = None if _is_named(file, where) else first_sign(document)
    if sign is None or file in where.strays:
        where.passed_over += sign is None
        return
    where.strays.add(file)
    key, node = sign
    shown = short(f"{key}: {node.value}") if isinstance(node.value, (str, int, float)) else key
    where.doubt(
        node.place if node.line else document.place,
        f"{shown} asks for GPUs, in a file that names no kind, which no rule reads: gate what is made"
        f" of it (`helm template --values`, a plan, a manifest), or {_named_in_policy(file)}",
    )


def tool_of(name: str) -> str | None:
    """Return what shows what another tool makes of a file, by its name; None for any other file.

    >>> tool_of("main.bicep"), tool_of("live/terragrunt.hcl"), tool_of("notes.txt")
    ('`az bicep build`', '`terragrunt show -json` of its plan', None)
    """
    return next((way for end, way in _TOOLS.items() if name.lower().endswith(end)), None)


def of_other_tool(name: str, text: str, trusted: tuple[str, ...], where: World) -> None:
    """Leave open a file of another tool that calls modules, or that shows jobs or GPUs."""
    if _is_named(name, where):
        where.passed_over += 1
        return
    packed = name.endswith(".gz")
    found = _SOURCE.search(text) if name.endswith(".hcl") else None
    if found is not None and found.group(1) in trusted:
        found = None
    if found is None and not (name.endswith("terragrunt.hcl")):
        found = HINT.search(text)
    if found is None and not packed:
        where.passed_over += 1
        return
    line = text.count("\n", 0, found.end()) + 1 if found is not None else 1
    where.doubt(
        f"{name}:{line}" if not packed else name,
        f"no rule reads such a file: gate {tool_of(name)}, or {_named_in_policy(name)}",
    )


def _is_named(file: str, where: World) -> bool:
    return bool({file, PurePath(file).name} & set(where.harmless))


def _named_in_policy(file: str) -> str:
    return f"name {PurePath(file).name} in harmless_kinds"
