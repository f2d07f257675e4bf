"""AUPRC week by week: the model that learns from each label beside the one trained every Monday.

Every payment is scored once, by the models of its moment, and judged by what it really was. Each
model has then seen only labels that had arrived: the Monday model those before Monday 00:00, the
online model those before the last step of six hours. No model is scored on what it has seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reference_systems.finalgo_fraud.history import Replay, kept
from reference_systems.finalgo_fraud.inputs import START, WEEK, World
from reference_systems.finalgo_fraud.learning import (
    Learner,
    absorb,
    average_precision,
    batch_model,
    threshold_of,
)
from reference_systems.finalgo_fraud.promotion import Labelled, rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reference_systems.finalgo_fraud.model import Model

__all__ = ["Week", "week_by_week"]

#: weeks of labels that a model is trained on, and how often the online one takes a step
_MEMORY, _STEP, _CALM = 4 * WEEK, 6 * 3600.0, 3 * 86400.0


@dataclass(frozen=True)
class Week:
    """One week's figures: area under precision and recall of both, and of the online model as it
    stood on Monday; ``refused`` counts steps whose model was judged worse."""  # noqa: D205, D209

    number: int
    shifted: bool
    frauds: int
    weekly: float
    online: float
    frozen: float
    refused: int


@dataclass(eq=False)
class _Past:
    """Everything that ever happened; what was known at a time is asked with that time."""

    time: NDArray[np.float64]
    places: NDArray[np.uint16]
    fraud: NDArray[np.bool_]
    confirmed: NDArray[np.float64]
    kept: NDArray[np.bool_]

    def learned(self, now: float, since: float) -> Labelled:
        """Return labels known at ``now``: confirmed frauds, and a sample of calm payments."""
        known = self.confirmed <= now
        rows = (self.time >= since) & (self.time < now)
        rows &= known | (self.kept & (self.time < now - _CALM))
        return Labelled(self.places[rows], known[rows])


def week_by_week(
    seed: int,
    weeks: int = 11,
    shifts: tuple[int, ...] = (5, 8),
    cards: int = 4000,
    first: int = 3,
) -> list[Week]:
    """Return the figures of weeks ``first`` to ``weeks`` - 1.

    >>> week_by_week(seed=1, weeks=4, cards=300)[0].number
    3
    """
    world = World(seed, cards, shifts)
    replay = Replay(world)
    parts = [world.week(number) for number in range(weeks)]
    past = _Past(
        np.concatenate([p.time for p in parts]),
        np.concatenate([replay.places(p) for p in parts]),
        np.concatenate([p.fraud for p in parts]),
        np.concatenate([p.confirmed for p in parts]),
        np.concatenate([kept(p.fraud, seed + i) for i, p in enumerate(parts)]),
    )
    told = []
    monday = START + first * WEEK
    start = past.learned(monday, monday - _MEMORY)
    online = batch_model(start.places, start.fraud, seed)
    threshold = threshold_of(online.model(0.5).scores(start.places), start.fraud)
    for number in range(first, weeks):
        week, online = _one(past, number, online, threshold, seed, number in shifts)
        told.append(week)
    return told


def _one(
    past: _Past, number: int, online: Learner, threshold: float, seed: int, shifted: bool
) -> tuple[Week, Learner]:
    monday = START + number * WEEK
    known = past.learned(monday, monday - _MEMORY)
    trained = batch_model(known.places, known.fraud, seed)
    weekly = trained.model(threshold)
    online = trained  # the same on Monday morning; what follows is the difference
    frozen = served = online.model(threshold)
    rng = np.random.default_rng([seed, number])
    scores: list[list[NDArray[np.float64]]] = [[], [], []]
    frauds = []
    refused = 0
    now = monday
    while now < monday + WEEK:
        rows = (past.time >= now) & (past.time < now + _STEP)
        for held, model in zip(scores, (weekly, served, frozen), strict=True):
            held.append(model.scores(past.places[rows]))
        frauds.append(past.fraud[rows])
        learned, served, worse = _step(past, now, online, served, rng)
        online = online if worse else learned
        refused += worse
        now += _STEP
    truth = np.concatenate(frauds)
    areas = [float(average_precision(np.concatenate(held), truth)[0]) for held in scores]
    return Week(number, shifted, int(truth.sum()), *areas, refused), online


def _step(
    past: _Past, now: float, online: Learner, served: Model, rng: np.random.Generator
) -> tuple[Learner, Model, bool]:
    """Learn the labels that arrived since ``now``; return what is served after, and if refused."""
    end = now + _STEP
    new = (past.confirmed >= now) & (past.confirmed < end)
    if not new.any():
        return online, served, False
    calm = (past.time >= end - _CALM) & (past.time < end) & ~(past.confirmed <= end)
    earlier = past.learned(now, now - _MEMORY)
    fresh = Labelled(past.places[new], np.ones(int(new.sum()), bool))
    learner = Learner(online.state)
    absorb(
        learner, fresh.places, fresh.fraud, rng=rng, presumed=past.places[calm],
        replay=(earlier.places, earlier.fraud),
    )  # fmt: skip
    model = learner.model(served.threshold)
    nothing = Labelled(fresh.places[:0], fresh.fraud[:0])
    judged = past.learned(now - WEEK, now - 2 * WEEK)
    ruling = rule(served, model, fresh, judged, nothing)
    return (learner, model, False) if ruling.promoted else (online, served, True)
