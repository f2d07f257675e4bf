"""Card payments by seed, week by week, with fraud that changes its ways.

Who pays where, when and how much follows tables like those of the Sparkov generator (with
MLGATES_DATA set, its tables themselves; without it, tables of our own of the same shape). Fraud is
run by campaigns, each with merchants, amounts, hours and a rhythm of its own; a shift replaces
most of them. A label says which process made a payment and nothing of what a model may read.
"""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["WEEK", "Payments", "World", "payments", "transactions"]

WEEK = 7 * 86400.0
#: Monday, 5 January 2026, 00:00 UTC
START = 1767571200.0
#: payments of a card in a week, on average
_RATE = 9.0
#: share of fraud among payments
_FRAUD = 0.008
#: campaigns at work at a time, and how many of them a shift replaces
_CAMPAIGNS, _REPLACED = 5, 4
#: claims come in after a median of ten hours, all within a week; one fraud in thirty is never seen
_MEDIAN_S, _SPREAD, _NEVER = 10 * 3600.0, 0.9, 1 / 30
_CATEGORIES = (
    *("gas_transport", "grocery_net", "grocery_pos", "misc_net", "misc_pos", "shopping_net"),
    *("shopping_pos", "entertainment", "food_dining", "health_fitness", "home", "kids_pets"),
    *("personal_care", "travel"),
)


@dataclass(frozen=True, eq=False)
class Payments:
    """Payments in the order of their time; ``confirmed`` is when a fraud is known, else infinite."""

    time: NDArray[np.float64]
    card: NDArray[np.int64]
    amount: NDArray[np.float64]
    merchant: NDArray[np.int64]
    fraud: NDArray[np.bool_]
    confirmed: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True)
class _Tables:
    merchants: list[str]
    category: NDArray[np.int64]
    weight: NDArray[np.float64]
    amounts: NDArray[np.float64]
    days: NDArray[np.float64]


@dataclass(frozen=True)
class _Campaign:
    merchants: NDArray[np.int64]
    mean: float
    spread: float
    hour: float
    length: float
    burst: int
    gap: float


class World:
    """Cards, merchants and campaigns of one seed.

    >>> week = World(seed=1, cards=500).week(0)
    >>> bool((np.diff(week.time) >= 0).all()), 0 < week.fraud.mean() < 0.05
    (True, True)
    """

    def __init__(self, seed: int, cards: int = 4000, shifts: tuple[int, ...] = ()) -> None:
        self.seed, self.cards, self.shifts = seed, cards, shifts
        self.tables = _tables()
        rng = self._rng("cards")
        activity = rng.lognormal(0, 0.8, cards)
        self._activity = activity / activity.sum()
        self._scale = rng.lognormal(0, 0.4, cards)
        popularity = rng.pareto(1.3, len(self.tables.merchants)) + 0.2
        self._popularity = popularity * self.tables.weight[self.tables.category]
        self._popularity /= self._popularity.sum()
        self._habits = rng.choice(len(popularity), (cards, 12), p=self._popularity)
        self._awake = rng.normal(14, 2, cards)

    def names(self) -> list[str]:
        """Return the names of the merchants."""
        return self.tables.merchants

    def week(self, number: int) -> Payments:
        """Return the payments of a week; the same number gives the same."""
        rng = self._rng("week", number)
        genuine = self._genuine(rng, number, round(_RATE * self.cards))
        wanted = _FRAUD * len(genuine[0])
        parts = [self._campaign(rng, c, number, wanted) for c in self.campaigns(number)]
        columns = [np.concatenate(c) for c in zip(genuine, *parts, strict=True)]
        fraud = np.arange(len(columns[0])) >= len(genuine[0])
        order = np.argsort(columns[0], kind="stable")
        time, card, amount, merchant = (c[order] for c in columns)
        fraud = fraud[order]
        delay = np.minimum(rng.lognormal(np.log(_MEDIAN_S), _SPREAD, len(time)), WEEK)
        known = fraud & (rng.random(len(time)) >= _NEVER)
        confirmed = np.where(known, time + delay, np.inf)
        return Payments(time, card, amount.round(2), merchant, fraud, confirmed)

    def campaigns(self, number: int) -> list[_Campaign]:
        """Return the campaigns at work in a week."""
        working = [self._new(slot, 0) for slot in range(_CAMPAIGNS)]
        for era, shift in enumerate(sorted(self.shifts), 1):
            if number >= shift:
                for step in range(_REPLACED):
                    slot = (era + step) % _CAMPAIGNS
                    working[slot] = self._new(slot, era)
        return working

    def _rng(self, *what: object) -> np.random.Generator:
        words = ":".join(map(str, (self.seed, *what)))
        return np.random.default_rng(list(words.encode()))

    def _new(self, slot: int, era: int) -> _Campaign:
        rng = self._rng("campaign", slot, era)
        small = slot % 2 == 1  # testing cards with small amounts, or taking what they give
        return _Campaign(
            merchants=rng.choice(len(self.tables.merchants), int(rng.integers(4, 9)), False),
            mean=float(rng.uniform(0.5, 2.2) if small else rng.uniform(3.6, 6.2)),
            spread=float(rng.uniform(0.15, 0.5)),
            hour=float(rng.uniform(0, 24)),
            length=float(rng.uniform(3, 9)),
            burst=int(rng.integers(3, 9) if small else rng.integers(1, 5)),
            gap=float(np.exp(rng.uniform(np.log(40), np.log(5400)))),
        )

    def _genuine(
        self, rng: np.random.Generator, number: int, n: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        card = rng.choice(self.cards, n, p=self._activity)
        day = rng.choice(7, n, p=self.tables.days)
        hour = (self._awake[card] + rng.normal(0, 3.5, n)) % 24
        time = START + number * WEEK + day * 86400 + hour * 3600
        habit = rng.random(n) < 0.8
        usual = self._habits[card, rng.integers(0, self._habits.shape[1], n)]
        merchant = np.where(habit, usual, rng.choice(len(self._popularity), n, p=self._popularity))
        mean, spread = self.tables.amounts[self.tables.category[merchant]].T
        amount = np.exp(rng.normal(mean, spread)) * self._scale[card]
        return time, card, amount, merchant

    def _campaign(
        self, rng: np.random.Generator, campaign: _Campaign, number: int, wanted: float
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        victims = max(1, rng.poisson(wanted / _CAMPAIGNS / campaign.burst))
        card = np.repeat(rng.integers(0, self.cards, victims), campaign.burst)
        n = len(card)
        start = rng.integers(0, 7, victims) * 86400 + (
            (campaign.hour + rng.uniform(0, campaign.length, victims)) % 24 * 3600
        )
        gaps = rng.exponential(campaign.gap, (victims, campaign.burst))
        time = START + number * WEEK + (start[:, None] + np.cumsum(gaps, axis=1)).ravel()
        time = np.minimum(time, START + (number + 1) * WEEK - 1)
        merchant = rng.choice(campaign.merchants, n)
        amount = np.exp(rng.normal(campaign.mean, campaign.spread, n))
        return time, card, amount, merchant


def payments(seed: int, weeks: int, cards: int = 4000) -> Payments:
    """Return several weeks of payments of one world, without a shift."""
    world = World(seed, cards)
    parts = [world.week(number) for number in range(weeks)]
    return Payments(
        *(np.concatenate(c) for c in zip(*(vars(p).values() for p in parts), strict=True))
    )


def transactions(world: World, week: Payments, first: int = 0) -> Iterator[dict[str, object]]:
    """Give payments as they come over the wire: without a label."""
    names = world.names()
    columns = zip(
        week.card.tolist(), week.amount.tolist(), week.merchant.tolist(), week.time, strict=True
    )
    for i, (card, amount, merchant, time) in enumerate(columns, first):
        yield {
            "id": f"t{i}",
            "card": f"card-{card:07d}",
            "amount": amount,
            "merchant": names[merchant],
            "time": round(float(time), 3),
        }


def _tables() -> _Tables:
    root = os.environ.get("MLGATES_DATA")
    folder = Path(root, "finalgo_fraud") if root else None
    if folder is not None and folder.is_dir():
        return _sparkov(folder)
    rng = np.random.default_rng(list(b"finalgo tables"))
    n = 700
    category = rng.integers(0, len(_CATEGORIES), n)
    mean = rng.uniform(3.2, 4.3, len(_CATEGORIES))
    amounts = np.stack([mean, rng.uniform(0.3, 1.2, len(mean))], axis=1)
    weight = rng.uniform(0.5, 1.5, len(mean))
    names = [f"{_CATEGORIES[c]} {i:03d}" for i, c in enumerate(category.tolist())]
    days = np.array([80, 90, 100, 100, 125, 150, 150.0])
    return _Tables(names, category, weight, amounts, days / days.sum())


def _sparkov(folder: Path) -> _Tables:
    """Read merchants and one profile of the Sparkov tables."""
    with (folder / "merchants.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="|"))
    known = {name: i for i, name in enumerate(_CATEGORIES)}
    rows = [row for row in rows if row["category"] in known]
    profile = json.loads((folder / "profiles" / "adults_2550_female_urban.json").read_text("utf-8"))
    amounts = np.array(
        [[profile["categories_amt"][c][key] for key in ("mean", "stdev")] for c in _CATEGORIES]
    )
    spread = np.sqrt(np.log1p((amounts[:, 1] / amounts[:, 0]) ** 2))
    logs = np.stack([np.log(amounts[:, 0]) - spread**2 / 2, spread], axis=1)
    weight = np.array([profile["categories_wt"][c] for c in _CATEGORIES], float)
    days = np.array(list(profile["date_wt"]["day_of_week"].values()), float)
    # the generator calls each merchant "fraud_…", genuine payments' too
    names = [row["merchant_name"].removeprefix("fraud_") for row in rows]
    category = np.array([known[row["category"]] for row in rows])
    return _Tables(names, category, weight, logs, days / days.sum())
