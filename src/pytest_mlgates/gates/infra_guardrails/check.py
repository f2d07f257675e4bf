"""What a rule found of one resource, and the words that lead out of a doubt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from pytest_mlgates.reading.node import Node, Unknown, template_in

__all__ = ["AFTER_APPLY", "Check", "broken", "in_doubt", "kept", "number", "undecided", "way_out"]

#: what a plan says of a value that only apply decides
AFTER_APPLY = "known after apply"
_TERRAFORM = (".tf", ".tofu", ".tfvars", ".hcl")


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


def in_doubt(node: Node, text: str) -> Check:
    """Say what can't be told, and what would settle it."""
    return Check("open", node.place, text)


def undecided(node: Node, what: str) -> Check:
    """Name the expression that decides, and what brings its value into the files."""
    value = node.value
    shown = value.expression if isinstance(value, Unknown) else template_in(str(value))
    text = f"{what} is {shown}: it can't be told from the files ({way_out(node, shown)})"
    return Check("open", node.place, text)


def number(node: Node, text: str, value: float) -> Check:
    """Leave a number to the limits of the policy."""
    return Check("number", node.place, text, value)


def way_out(node: Node, shown: str) -> str:
    """Say what brings the value of an expression into what is handed in."""
    if shown == AFTER_APPLY:
        return "set it in the configuration, or apply and gate `terraform show -json` of the state"
    suffixes = PurePath(node.file).suffixes[-2:]
    if any(suffix in _TERRAFORM for suffix in suffixes):
        plan = "gate `terraform show -json` of the plan"
        return f"set it in terraform.tfvars, or {plan}" if "var." in shown else plan
    if "{{" in shown:
        return "gate the output of `helm template`, or of what else fills it in"
    if "$" in shown or "<%" in shown:
        return "gate what comes out of envsubst, templatefile or what else fills it in"
    return "write the value, or gate what comes out of the tool that fills it in"
