"""Lists of words, from ``words.txt``."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from reference_systems.medco_rag.terms import stem

__all__ = ["stems", "words"]


@lru_cache(maxsize=1)
def _lists() -> dict[str, frozenset[str]]:
    text = resources.files(__package__).joinpath("words.txt").read_text("utf-8")
    found: dict[str, set[str]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("["):
            name = line.strip("[]")
        elif not line.startswith("#"):
            found.setdefault(name, set()).update(line.split())
    return {name: frozenset(each) for name, each in found.items()}


def words(name: str) -> frozenset[str]:
    """Return a list as it is written.

    >>> "mother" in words("kin")
    True
    """
    return _lists()[name]


@lru_cache(maxsize=32)
def stems(name: str) -> frozenset[str]:
    """Return a list by the stems of its words."""
    return frozenset(stem(word) for word in words(name))
