"""What a recommender must beat, and what it must not be taken for."""

from __future__ import annotations

from collections import Counter

from reference_systems.shopfast_two_tower.views import Views

__all__ = ["Popular", "PopularUnseen", "Repeater"]


class Popular:
    """Shows everybody the items viewed most."""

    def __init__(self, views: Views) -> None:
        self._items = views.items  # numbered by falling popularity

    def search(self, user: str, k: int) -> list[str]:  # noqa: ARG002
        """Return the ``k`` most viewed items."""
        return list(self._items[:k])


class Repeater:
    """Shows what the user viewed most, then the popular: it finds much, and nothing new."""

    def __init__(self, views: Views) -> None:
        self._items = views.items
        self.seen: dict[str, Counter[str]] = {user: Counter() for user in views.users}
        for user, item in zip(views.user, views.item, strict=True):
            self.seen[views.users[user]][views.items[item]] += 1

    def search(self, user: str, k: int) -> list[str]:
        """Return what the user viewed, the most often viewed first."""
        own = [item for item, _ in self.seen.get(user, Counter()).most_common(k)]
        return [*own, *(item for item in self._items[: 2 * k] if item not in own)][:k]


class PopularUnseen(Repeater):
    """Shows the items viewed most, without those that the user has seen."""

    def search(self, user: str, k: int) -> list[str]:
        """Return the ``k`` most viewed items that the user has not viewed."""
        own, found = self.seen.get(user, Counter()), []
        for item in self._items:
            if len(found) == k:
                break
            if item not in own:
                found.append(item)
        return found
