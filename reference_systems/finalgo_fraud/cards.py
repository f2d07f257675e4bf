"""The local table: profiles of the cards used last, so that most look-ups never leave the process."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

from reference_systems.finalgo_fraud.profile import PROFILE

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CardTable"]


class CardTable:
    """Least recently used out first; what changed and leaves is handed to ``leaving``.

    >>> table = CardTable(2)
    >>> table.install("a", None), table.install("b", None), table.find("a"), table.install("c", None)
    (0, 1, 0, 1)
    >>> table.find("b") is None
    True
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"the table must hold at least one card, not {capacity}")
        self.capacity = capacity
        self.rows: NDArray[np.void] = np.zeros(capacity, PROFILE)
        self.dirty = np.zeros(capacity, bool)
        #: (card, profile) of dirty cards that left the table and are not written yet
        self.leaving: dict[str, bytes] = {}
        self._slots: OrderedDict[str, int] = OrderedDict()
        self._cards: list[str] = []
        self._hand = 0

    def __len__(self) -> int:
        return len(self._slots)

    def find(self, card: str) -> int | None:
        """Return the slot of a card and mark it as used, or None where it isn't here."""
        slot = self._slots.get(card)
        if slot is not None:
            self._slots.move_to_end(card)
        return slot

    def install(self, card: str, profile: bytes | None) -> int:
        """Take a card in with its stored profile; None, or one of another layout, starts anew."""
        waiting = self.leaving.pop(card, None)  # newer than what the store said
        slot = self._slots.get(card)
        if slot is not None:
            return slot
        if len(self._cards) < self.capacity:
            slot = len(self._cards)
            self._cards.append(card)
        else:
            old, slot = self._slots.popitem(last=False)
            if self.dirty[slot]:
                self.leaving[old] = self.rows[slot].tobytes()
            self._cards[slot] = card
        self._slots[card] = slot
        profile = waiting or profile
        if profile is not None and len(profile) == PROFILE.itemsize:
            row = np.frombuffer(profile, PROFILE)[0]
            self.rows[slot] = row if _sound(row) else np.zeros((), PROFILE)
        else:
            self.rows[slot] = np.zeros((), PROFILE)
        self.dirty[slot] = waiting is not None
        return slot

    def changed(self, window: int) -> list[tuple[str, bytes]]:
        """Return what changed in the next ``window`` slots and what left, and take it for written."""
        found = list(self.leaving.items())
        self.leaving.clear()
        used = len(self._cards)
        if used:
            start = self._hand if self._hand < used else 0
            stop = min(start + window, used)
            slots = np.flatnonzero(self.dirty[start:stop]) + start
            found += [(self._cards[slot], self.rows[slot].tobytes()) for slot in slots.tolist()]
            self.dirty[start:stop] = False
            self._hand = stop
        return found

    def unwritten(self, profiles: list[tuple[str, bytes]]) -> None:
        """Take back what could not be written."""
        for card, profile in profiles:
            slot = self._slots.get(card)
            if slot is not None:
                self.dirty[slot] = True
            else:
                self.leaving.setdefault(card, profile)


def _sound(row: np.void) -> bool:
    """Tell whether a stored profile holds numbers only, none below 0."""
    numbers = [float(row[name]) for name in ("last", "n", "var", "hour", "day")]
    return bool(np.isfinite([*numbers, float(row["mean"])]).all()) and min(numbers) >= 0
