"""Hold a recommender against what its users viewed next, beside the popular ones.

The log is cut in time. Of the later views, each user's next ten different items are what a good
answer would have held: all of them, and those that were new to the user.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reference_systems.shopfast_two_tower.views import Views

__all__ = ["Case", "Hits", "cases", "cut", "found", "hits"]

_NEXT = 10
#: asks for so many items for a user
Search = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Case:
    """A user, the next items they viewed, and which of them they had never viewed before."""

    user: str
    following: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hits:
    """Which share of the next items was found, and of those new to the user."""

    every: float
    new: float


def cut(views: Views, share: float = 0.8) -> tuple[Views, Views]:
    """Return the log before an instant, and after it: so many of the views lie before."""
    border = np.quantile(views.time, share)
    return views.part(views.time < border), views.part(views.time >= border)


def cases(before: Views, after: Views) -> list[Case]:
    """Return what users of the first part did in the second."""
    seen: dict[str, set[str]] = {user: set() for user in before.users}
    for user, item in zip(before.user, before.item, strict=True):
        seen[before.users[user]].add(before.items[item])
    following: dict[str, dict[str, None]] = {}
    for user, item in zip(after.user, after.item, strict=True):
        name = after.users[user]
        if name in seen and len(known := following.setdefault(name, {})) < _NEXT:
            known[after.items[item]] = None
    return [
        Case(user, tuple(items), tuple(item for item in items if item not in seen[user]))
        for user, items in following.items()
    ]


def hits(search: Search, asked: Sequence[Case], k: int = 10) -> Hits:
    """Ask for each user, and count; ids that appear twice in an answer count once."""
    found = [0, 0]
    for case in asked:
        got = set(list(search(case.user, k))[:k])
        found[0] += len(got.intersection(case.following))
        found[1] += len(got.intersection(case.new))
    every, new = (sum(len(getattr(case, part)) for case in asked) for part in ("following", "new"))
    return Hits(found[0] / max(1, every), found[1] / max(1, new))


def found(answer: Sequence[str], wanted: Sequence[str]) -> float:
    """Return which share of the wanted items an answer holds.

    >>> found(["a", "b", "a"], ("a", "c"))
    0.5
    """
    return len(set(answer).intersection(wanted)) / len(set(wanted))
