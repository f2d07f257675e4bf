"""What a rule found of one resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_mlgates.reading.node import Node, Unknown, template_in

__all__ = ["Check", "broken", "kept", "number", "undecided"]


@dataclass(frozen=True, slots=True)
class Check:
    """``kept``, ``broken``, ``open`` (can't be told from the files), or a number for a limit."""

    state: Literal["kept", "broken", "open", "number"]
    place: str
    text: str = ""
    number: float = 0.0


def kept(node: Node) -> Check:
    """Say that the rule is kept."""
    return Check("kept", node.place)


def broken(node: Node, text: str) -> Check:
    """Say what is wrong, and where."""
    return Check("broken", node.place, text)


def undecided(node: Node, what: str) -> Check:
    """Name the expression that decides."""
    value = node.value
    shown = value.expression if isinstance(value, Unknown) else template_in(str(value))
    return Check("open", node.place, f"{what} is {shown}: it can't be told from the files")


def number(node: Node, text: str, value: float) -> Check:
    """Leave a number to the limits of the policy."""
    return Check("number", node.place, text, value)
