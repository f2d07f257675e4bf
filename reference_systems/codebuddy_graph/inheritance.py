"""Which methods a class has when several of its ancestors declare the same one.

As javac's ``Resolve`` does: first up the superclasses, then the interfaces, those furthest from
Object first; where only abstract ones are left that do not override each other, it is the second
that it met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_systems.codebuddy_graph import rules
from reference_systems.codebuddy_graph.skeleton import ABSTRACT, PRIVATE, STATIC

if TYPE_CHECKING:
    from reference_systems.codebuddy_graph.classes import Cls, Method

__all__ = ["lines", "members"]


def members(cls: Cls, name: str) -> list[Method]:
    """Give the methods of a name that a class has, its own first."""
    own = cls.own(name)
    if name == "<init>":
        return own
    chain, faces = lines(cls)
    above = [m for up in chain for m in up.own(name) if not m.flags & PRIVATE]
    beside = [m for up in faces for m in up.own(name) if not m.flags & (PRIVATE | STATIC)]
    if not above and not beside:
        return own
    if not own and len(above) + len(beside) == 1:
        return above or beside
    groups: dict[tuple, list[Method]] = {}
    for method in (*own, *above, *beside):
        groups.setdefault(rules.shape(method, cls), []).append(method)
    return [_chosen(group, cls) for group in groups.values()]


def lines(cls: Cls) -> tuple[list[Cls], list[Cls]]:
    """Give the superclasses, nearest first, and all interfaces in javac's order."""
    if cls.lines is None:
        chain: list[Cls] = []
        faces: list[Cls] = []
        for up in cls.ancestors():
            if up is not cls:
                (faces if up.interface else chain).append(up)
        # of two equally far from Object the one whose name javac has read earlier comes first
        faces.sort(key=lambda up: (-up.rank, up.in_tree, up.name))
        if cls.interface:
            # an interface has Object's methods, after its own and those of its ancestors
            faces, chain = [*faces, cls.world.object.cls], []
        else:
            chain.sort(key=lambda up: up.rank, reverse=True)
        cls.lines = (chain, faces)
    return cls.lines


def _chosen(group: list[Method], cls: Cls) -> Method:
    first = group[0]
    if len(group) == 1 or first.owner is cls:
        return first
    if not first.owner.interface and not first.flags & ABSTRACT:
        return first
    left = [
        m
        for m in group
        if not any(o is not m and o.owner is not m.owner and o.owner.view(m.owner) for o in group)
    ]
    real = [m for m in left if not m.flags & ABSTRACT and m.owner.interface]
    if real:
        return real[0]
    return left[1] if len(left) > 1 else (left or group)[0]
