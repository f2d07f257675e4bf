"""Which fields are constants, whose values the compiler puts in where they are named (JLS 15.29)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph import rules
from reference_systems.codebuddy_graph.javatypes import PRIMS, Ref, parse_type

if TYPE_CHECKING:
    from reference_systems.codebuddy_graph.classes import Cls

__all__ = ["constant", "constant_field"]


def constant(seen_from: Cls, name: str, depth: int = 0) -> bool:
    """Tell whether what a class calls by a name is a constant."""
    head, _, last = name.rpartition(".")
    if not head and seen_from.file is not None:
        owners = [o for o, _, member in seen_from.file.static if member == name]
        if owners and (owner := seen_from.world.dotted(owners[0])) is not None:
            return constant(owner, name, depth)
    cls: Cls | None = seen_from
    if head:
        found = seen_from.look_up(parse_type(head), {})
        cls = found.cls if type(found) is Ref else None
    while cls is not None:
        for owner in cls.ancestors():
            for raw in owner.record["v"]:
                if raw[0] == last:
                    return constant_field(owner, raw, depth)
        cls = None if head else cls.outer
    return False


def constant_field(owner: Cls, raw: list, depth: int = 0) -> bool:
    """Tell whether a field is a constant, with all that its value is made of."""
    if raw[2] not in PRIMS and raw[2] not in ("String", "java.lang.String"):
        return False
    if not owner.in_tree:
        return bool(raw[1])
    names = raw[3] if len(raw) > 3 else None
    if names is None or depth >= rules.DEPTH:
        return False
    return all(constant(owner, name, depth + 1) for name in names)
