"""Judge a field that holds a time: where it stands, whether it is one, how long it is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from pytest_mlgates.gates.infra_guardrails.check import Check, broken, number, undecided
from pytest_mlgates.gates.infra_guardrails.world import Resource
from pytest_mlgates.reading.node import Node, template_in, walk

__all__ = ["DEADLINE", "NO_DEADLINE", "NO_TTL", "TTL", "duration", "seconds", "whole_number"]

TTL = "ttlSecondsAfterFinished"
DEADLINE = "activeDeadlineSeconds"
NO_TTL = "nothing deletes it when it has ended"
NO_DEADLINE = "nothing ends a stuck one"
_DURATION = re.compile(
    r"(?:([0-9]{1,9}(?:\.[0-9]+)?)h)?(?:([0-9]{1,9}(?:\.[0-9]+)?)m)?(?:([0-9]{1,9}(?:\.[0-9]+)?)s)?"
)


def seconds(
    resource: Resource,
    spec: Node | None,
    name: str,
    why: str,
    *,
    tries: int = 1,
    zero: str = "",
) -> Iterator[Check]:
    """Judge ``spec.name``, a positive whole number of seconds that counts for each of ``tries``.

    ``zero`` says what is wrong with 0.
    """
    word = resource.field(name)
    node = spec.get(name) if spec is not None else None
    if node is not None and node.unknown:
        yield undecided(node, word)
        return
    if node is None or node.value is None:
        at = node or (resource.body if spec is None else spec)
        nothing = f"{word} is null" if node is not None else f"no {word}"
        hint = _hint(resource, spec, name) if node is None else ""
        yield broken(at, f"{nothing}: {why}{hint}")
        return
    value = whole_number(node.value, typed=resource.typed)
    if value is not None and value > 0:
        each = f"{word} times {tries} tries" if tries > 1 else word
        yield number(node, each, value * tries)
    elif value is not None:
        bad = "must be positive" if value < 0 or name == DEADLINE else "leaves no time to look"
        yield broken(node, f"{word} is {value:.0f}: it {zero or bad}")
    elif isinstance(node.value, str) and template_in(node.value):
        yield undecided(node, word)
    else:
        yield broken(node, f"{word} is {_job_kind(node.value)}, not a whole number of seconds")


def duration(text: str) -> float | None:
    """Return the seconds of a duration of Go.

    >>> duration("1h30m"), duration("45s"), duration("1 hour")
    (5400.0, 45.0, None)
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    hours, minutes, rest = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + rest


def whole_number(value: object, *, typed: bool = False) -> float | None:
    """Return a whole number; Terraform reads one from a text, Kubernetes does not."""
    if typed and isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value.strip()):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int):
        return float(min(max(value, -(10**15)), 10**15))
    return value if value.is_integer() else None


def _job_kind(value: object) -> str:
    if isinstance(value, str):
        return "a text (in quotes?)" if value.strip().isdigit() else "a text"
    return {bool: "true or false", float: "a fraction", list: "a list", dict: "a mapping"}.get(
        type(value), "no number"
    )


def _hint(resource: Resource, spec: Node | None, name: str) -> str:
    """Say where the field stands instead, or how it is misspelled."""
    near = {resource.field(name).lower(), name.lower()}
    for key, node in walk(resource.body):
        if key.lower() in near:
            place = f" on line {node.line}" if node.line else ""
            return f" ({resource.field(key)}{place} stands where it does not count for the job)"
    for key in spec.fields if spec is not None else ():
        if difflib.get_close_matches(key.lower(), near, n=1, cutoff=0.85):
            return f" ({resource.field(key)} is not a field: {resource.field(name)} is meant)"
    return ""
