"""Fixtures of the shop's gates: a log cut in time, the builds trained on its first part, the rest asked."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from reference_systems.shopfast_two_tower import evaluation, fixed, incident, inputs
from reference_systems.shopfast_two_tower.builds import Shop
from reference_systems.shopfast_two_tower.catalogue import Million, large, measured
from reference_systems.shopfast_two_tower.cost import Measured

if TYPE_CHECKING:
    from reference_systems.shopfast_two_tower.evaluation import Case
    from reference_systems.shopfast_two_tower.recommender import Recommender
    from reference_systems.shopfast_two_tower.views import Views

#: of a small catalogue, the part that the careless pruning keeps
KEPT = 0.1


@dataclass(frozen=True)
class Scene:
    """The views before, the builds made of them, and what users did after."""

    before: Views
    fixed: Recommender
    incident: Recommender
    shop: Shop
    asked: list[Case]


def _scene(log: Views, seed: int, kept: float | None = None) -> Scene:
    before, after = evaluation.cut(log)
    shop = Shop.train(before, seed)
    exact = incident.recommender(shop)
    if kept is not None:
        shop = replace(shop, kept=int(kept * len(before.items)))
    return Scene(before, fixed.recommender(shop), exact, shop, evaluation.cases(before, after))


@functools.lru_cache(maxsize=1)
def _long_tail(seed: int) -> Scene:
    return _scene(inputs.view_log(seed), seed)


@functools.lru_cache(maxsize=1)
def _sales(seed: int) -> Scene:
    return _scene(inputs.sales_log(seed), seed, KEPT)


@functools.lru_cache(maxsize=1)
def _million(seed: int) -> Million:
    return large(_long_tail(seed).fixed, _long_tail(seed).shop.trained.vectors, seed)


@pytest.fixture
def scene(mlgates_seed: int) -> Scene:
    """Give the shop on a log with the case's long tail."""
    return _long_tail(mlgates_seed)


@pytest.fixture
def sales(mlgates_seed: int) -> Scene:
    """Give the shop on a catalogue of which every article sells, and 90 % of it pruned all the same."""
    return _sales(mlgates_seed)


@pytest.fixture
def million(mlgates_seed: int) -> Million:
    """Give the indexes of both builds over a catalogue of a million."""
    return _million(mlgates_seed)


@functools.lru_cache(maxsize=2)
def _measured(seed: int, build: str) -> Measured:
    users = [case.user for case in _long_tail(seed).asked[:300]]
    return measured(_million(seed), build, _long_tail(seed).fixed, users)


@pytest.fixture
def year(mlgates_seed: int) -> Measured:
    """Give what the fix was measured to take for an answer."""
    return _measured(mlgates_seed, "fixed")


@pytest.fixture
def incident_year(mlgates_seed: int) -> Measured:
    """Give what full scoring was measured to take."""
    return _measured(mlgates_seed, "incident")
