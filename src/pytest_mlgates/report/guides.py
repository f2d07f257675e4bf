"""What a gate says of itself: how it works, what it does not see, and where to begin after a FAIL.

All of it stands in the docstring of its class, so that a gate of anybody's tells it the same way.
"""

from __future__ import annotations

import dataclasses
import inspect
from functools import cache

from pytest_mlgates.core import Gate
from pytest_mlgates.core.errors import UnknownGate
from pytest_mlgates.registry import load

__all__ = ["Guide", "guide_of", "guide_to"]

_HEADS = {"blind": ("Not seen:",), "mend": ("To mend:",), "sources": ("Source:", "Sources:")}


@dataclasses.dataclass(frozen=True, slots=True)
class Guide:
    """The first paragraph of a gate's docstring, and those that begin with the words of a head."""

    method: str = ""
    blind: str = ""
    mend: str = ""
    sources: str = ""


@cache
def guide_of(kind: type[Gate] | None) -> Guide:
    """Return what a gate says of itself; empty where it says nothing.

    >>> class Length(Gate):
    ...     '''Is every answer short?
    ...
    ...     Not seen: whether it is right.
    ...
    ...     Sources: ISO 1.
    ...     '''
    >>> guide_of(Length)
    Guide(method='Is every answer short?', blind='whether it is right.', mend='', sources='ISO 1.')
    """
    text = inspect.getdoc(kind) if kind is not None and "__doc__" in vars(kind) else ""
    paragraphs = (text or "").split("\n\n")
    parts = {
        name: next((p.partition(":")[2] for p in paragraphs if p.startswith(heads)), "")
        for name, heads in _HEADS.items()
    }
    return Guide(_flat(paragraphs[0]), **{name: _flat(part) for name, part in parts.items()})


def guide_to(gate: str) -> Guide:
    """Return the same of a gate by its name; of one that is not installed here, nothing."""
    try:
        return guide_of(load(gate))
    except UnknownGate:
        return Guide()


def _flat(text: str) -> str:
    return " ".join(text.replace("``", "").split())
