"""Payments turned into places, in the order in which a scorer would have seen them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from reference_systems.finalgo_fraud.learning import GENUINE_KEPT
from reference_systems.finalgo_fraud.profile import COLUMNS, PROFILE, observe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reference_systems.finalgo_fraud.inputs import Payments, World

__all__ = ["Replay", "kept"]

_CHUNK = 2000


class Replay:
    """Cards' profiles as they grow over the weeks of a world."""

    def __init__(self, world: World) -> None:
        self._rows = np.zeros(world.cards, PROFILE)
        self._hashes = np.array([zlib.crc32(name.encode()) for name in world.names()])

    def places(self, payments: Payments) -> NDArray[np.uint16]:
        """Return the places of payments, one row each, as if they were scored now."""
        found = np.empty((len(payments), COLUMNS), np.uint16)
        for start in range(0, len(payments), _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, len(payments)))
            turn = _occurrence(payments.card[rows])
            for number in range(int(turn.max()) + 1):
                now = rows[turn == number]
                cards = payments.card[now]
                held = self._rows[cards]
                merchant = self._hashes[payments.merchant[now]]
                found[now] = observe(held, payments.amount[now], payments.time[now], merchant)
                self._rows[cards] = held
        return found


def _occurrence(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each value came before it.

    >>> _occurrence(np.array([7, 5, 7, 7])).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    first = np.append(True, ranked[1:] != ranked[:-1])
    start = np.maximum.accumulate(np.where(first, np.arange(len(values)), 0))
    turn = np.empty(len(values), np.int64)
    turn[order] = np.arange(len(values)) - start
    return turn


def kept(fraud: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """Return which rows are learned from: all fraud, and one in so many genuine ones."""
    rng = np.random.default_rng(seed)
    found: NDArray[np.bool_] = fraud | (rng.random(len(fraud)) < 1 / GENUINE_KEPT)
    return found
