"""How a gate works, in its own words: the first sentence of its docstring and its sources."""

from __future__ import annotations

import inspect
from functools import cache

from pytest_mlgates.core import Gate

__all__ = ["method_of"]


@cache
def method_of(kind: type[Gate] | None) -> tuple[str, str]:
    """Return the first paragraph of a gate's docstring, and the one that names its sources.

    >>> class Length(Gate):
    ...     '''Is every answer short?
    ...
    ...     Sources: ISO 1.
    ...     '''
    >>> method_of(Length)
    ('Is every answer short?', 'ISO 1.')
    """
    text = inspect.getdoc(kind) if kind is not None and "__doc__" in vars(kind) else ""
    paragraphs = (text or "").split("\n\n")
    sources = next((p for p in paragraphs if p.startswith(("Source:", "Sources:"))), "")
    return (
        " ".join(paragraphs[0].replace("``", "").split()),
        " ".join(sources.partition(":")[2].split()),
    )
