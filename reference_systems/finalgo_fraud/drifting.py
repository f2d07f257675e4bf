"""What fraud looks like now, and what it looked like when the model in charge last learned.

A shift replaces four of five campaigns at the start of week 5; it is the end of that week. The
Monday model learned from the week before the shift and is six days and 18 hours old by then; the
online model took its last step six hours ago and learned from the days after the shift. Cards are
split between the two sides, so that no payment is on both, and of each card a week counts once: the
bursts of a campaign are no draws of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from reference_systems.finalgo_fraud.inputs import START, WEEK, World

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Drifted", "incident", "online"]

_SHIFT, _CARDS, _NOW = 5, 300_000, 6 * WEEK - 6 * 3600
_DAYS = 3 * 86400.0


@dataclass(frozen=True, slots=True)
class Drifted:
    """The frauds a model learned from last, those of the last three days, and when it was trained."""

    reference: list[dict[str, object]]
    current: list[dict[str, object]]
    trained_at: datetime


def incident(seed: int) -> Drifted:
    """Return what the model of the Monday before the shift is up against at the end of the week."""
    return _drifted(seed, (_SHIFT - 1) * WEEK, _SHIFT * WEEK)


def online(seed: int) -> Drifted:
    """Return the same of a model that learned six hours ago.

    >>> found = online(seed=1)
    >>> len(found.current) > 800, (datetime.now(UTC) - found.trained_at).days
    (True, 0)
    """
    # what it learned before the shift has faded by then
    return _drifted(seed, _SHIFT * WEEK, _NOW - 6 * 3600)


def _drifted(seed: int, since: float, trained: float) -> Drifted:
    world = World(seed, _CARDS, (_SHIFT,))
    learned = _frauds(world, since, trained, odd=False)
    now = _frauds(world, _NOW - _DAYS, _NOW, odd=True)
    age = timedelta(seconds=_NOW - trained)
    return Drifted(learned, now, datetime.now(UTC) - age)


def _frauds(world: World, since: float, until: float, *, odd: bool) -> list[dict[str, object]]:
    """Return the frauds of a time, one of each card and week, as a model could read them."""
    names = world.names()
    rows: list[dict[str, object]] = []
    for number in range(int(since // WEEK), int(-(-until // WEEK))):
        week = world.week(number)
        picked = week.fraud & (week.card % 2 == int(odd))
        picked &= (week.time >= START + since) & (week.time < START + until)
        places = np.flatnonzero(picked)
        _, firsts = np.unique(week.card[places], return_index=True)
        rows += [_row(week.time, week.amount, week.merchant, at, names) for at in places[firsts]]
    return rows


def _row(
    time: NDArray[np.float64],
    amount: NDArray[np.float64],
    merchant: NDArray[np.int64],
    at: int,
    names: list[str],
) -> dict[str, object]:
    return {
        "log_amount": float(np.log(max(amount[at], 0.01))),
        "hour": float(time[at] % 86400 / 3600),
        "merchant": names[merchant[at]],
    }
