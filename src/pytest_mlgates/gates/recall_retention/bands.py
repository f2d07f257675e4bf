"""How popular items are: head, middle and tail, each a third of what is asked for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.recall_retention.answers import Item
from pytest_mlgates.gates.recall_retention.details import BANDS
from pytest_mlgates.reading.equality import unwrapped

__all__ = ["bands_of", "popularity_of"]


def bands_of(popularity: Mapping[Item, float]) -> dict[Item, str]:
    """Return the band of each item; items that are equally popular are in one.

    An item stands where half of its popularity and all of the more popular ones' add up to.

    >>> bands_of({"a": 60, "b": 20, "c": 10, "d": 10})
    {'a': 'head', 'b': 'tail', 'c': 'tail', 'd': 'tail'}
    >>> bands_of({"a": 5, "b": 5})
    {'a': 'middle', 'b': 'middle'}
    """
    total = math.fsum(popularity.values())
    if total <= 0:
        return dict.fromkeys(popularity, BANDS[-1])
    at_level: Counter[float] = Counter()
    for count in popularity.values():
        at_level[count] += 1
    band: dict[float, str] = {}
    above = 0.0
    for level in sorted(at_level, reverse=True):
        mass = level * at_level[level]
        place = (above + mass / 2) / total
        band[level] = BANDS[min(2, int(3 * place))]
        above += mass
    return {item: band[count] for item, count in popularity.items()}


def popularity_of(given: object, answers: Iterable[Sequence[Item]]) -> dict[Item, float]:
    """Return how popular items are: as it is given, or how often exact search answers them."""
    if given is None:
        return {
            item: float(times)
            for item, times in Counter(one for row in answers for one in row).items()
        }
    if not isinstance(given, Mapping) and hasattr(given, "to_dict"):
        given = given.to_dict()
    if not isinstance(given, Mapping) or not given:
        raise Unmeasurable(
            f"popularity is {a(type(given).__name__)}: give a dict, from item to how often it is"
            " asked for"
        )
    found = {}
    for item, times in given.items():
        count = unwrapped(times)
        if isinstance(count, bool) or not isinstance(count, (int, float)):
            raise Unmeasurable(
                "popularity must be numbers of at least 0: give how often each occurs"
            )
        if not (math.isfinite(count) and count >= 0):
            raise Unmeasurable(
                "popularity must be numbers of at least 0: give how often each occurs"
            )
        plain = unwrapped(item)
        found[plain if isinstance(plain, (str, bytes)) else int(plain)] = float(count)  # type: ignore[call-overload]
    return found
