"""The shop is gated: the fix passes; the incident, and what only looks like a recommender, are caught."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from reference_systems.shopfast_two_tower import cost, store
from reference_systems.shopfast_two_tower.baselines import Popular, Repeater
from reference_systems.shopfast_two_tower.evaluation import Case, Search, found

if TYPE_CHECKING:
    from pytest_mlgates.gates.cost_budget import CostBudget
    from pytest_mlgates.gates.p99_latency import P99Latency
    from pytest_mlgates.gates.quality_floor import QualityFloor
    from pytest_mlgates.gates.recall_retention import RecallRetention
    from reference_systems.shopfast_two_tower.catalogue import Million
    from reference_systems.shopfast_two_tower.conftest import Scene
    from reference_systems.shopfast_two_tower.cost import Measured
    from reference_systems.shopfast_two_tower.index import Index

pytestmark = pytest.mark.system("shopfast_two_tower")

NOBODY = np.empty(0, np.int64)


class _Ten:
    """Ask a recommender for ten items for the user of a case."""

    def __init__(self, search: Search) -> None:
        self.search = search

    def __call__(self, case: Case) -> list[str]:
        return list(self.search(case.user, 10))


def _next(gate: QualityFloor, search: Search, scene: Scene) -> None:
    gate(_Ten(search), scene.asked, lambda case: case.following, score=found)


def _new(gate: QualityFloor, search: Search, scene: Scene) -> None:
    asked = [case for case in scene.asked if case.new]
    gate(_Ten(search), asked, lambda case: case.new, score=found)


# --- it is a recommender ------------------------------------------------------------------------


@pytest.mark.quality_floor("next-items")
def test_it_finds_what_comes_next(quality_floor: QualityFloor, scene: Scene) -> None:
    """Ten items hold more of what a user views next than 1.3 times what the popular ten hold."""
    _next(quality_floor, scene.fixed.search, scene)


@pytest.mark.quality_floor("new-items")
def test_it_finds_what_is_new(quality_floor: QualityFloor, scene: Scene) -> None:
    """Of what a user had never viewed before, it also finds more than 1.3 times as much."""
    _new(quality_floor, scene.fixed.search, scene)


@pytest.mark.known_bad
@pytest.mark.quality_floor("next-items")
def test_the_popular_are_caught(quality_floor: QualityFloor, scene: Scene) -> None:
    """Showing everybody the same does not get through."""
    _next(quality_floor, Popular(scene.before).search, scene)


@pytest.mark.known_bad
@pytest.mark.quality_floor("new-items")
def test_repeating_the_history_is_caught(quality_floor: QualityFloor, scene: Scene) -> None:
    """Showing users what they saw before finds much of what comes next, and nothing new."""
    _new(quality_floor, Repeater(scene.before).search, scene)


@pytest.mark.known_bad
@pytest.mark.quality_floor("new-items")
def test_the_popular_are_not_new(quality_floor: QualityFloor, scene: Scene) -> None:
    """Showing everybody the same finds no more of what is new either."""
    _new(quality_floor, Popular(scene.before).search, scene)


# --- what the index lost ------------------------------------------------------------------------


def _retention(gate: RecallRetention, search: Search, scene: Scene, folder: Path) -> None:
    """Hold a search against every score of every item, over the index files of both builds."""
    small, whole = (
        store.write(shop, folder / name, {"build": name})["index_bytes"]
        for name, shop in (("fixed", scene.fixed), ("incident", scene.incident))
    )
    # all users are asked for, also those of whom nothing is known later
    following = {case.user: list(case.following) for case in scene.asked}
    gate(search, scene.incident.search, scene.before.users, following.get, sizes=(small, whole))


def test_the_index_loses_little(
    recall_retention: RecallRetention, scene: Scene, tmp_path: Path
) -> None:
    """A fifth of the bytes, and next to nothing lost: of the exact ten, and of what came next."""
    _retention(recall_retention, scene.fixed.search, scene, tmp_path)


@pytest.mark.known_bad
def test_pruning_what_sells_is_caught(
    recall_retention: RecallRetention, sales: Scene, tmp_path: Path
) -> None:
    """Where every article sells, pruning 90 % of them does not get through."""
    _retention(recall_retention, sales.fixed.search, sales, tmp_path)


@pytest.mark.known_bad
def test_the_popular_are_not_an_index(
    recall_retention: RecallRetention, scene: Scene, tmp_path: Path
) -> None:
    """The smallest index, the ten most popular, does not get through."""
    _retention(recall_retention, Popular(scene.before).search, scene, tmp_path)


# --- what it costs ------------------------------------------------------------------------------


def test_the_year_is_within_its_budget(cost_budget: CostBudget, year: Measured) -> None:
    """A year of a million items and 100 million users costs at most $0.8 million."""
    cost_budget(list(cost.charges(year)))


@pytest.mark.known_bad
def test_full_scoring_is_not(cost_budget: CostBudget, incident_year: Measured) -> None:
    """A year of scoring every item for every request does not get through."""
    cost_budget(list(cost.charges(incident_year)))


class _Search:
    """One request: the nearest ten of a million."""

    def __init__(self, index: Index) -> None:
        self.index = index

    def __call__(self, query: np.ndarray) -> object:
        return self.index.search(query, 10, NOBODY)


def test_a_search_is_fast(p99_latency: P99Latency, million: Million) -> None:
    """The nearest ten of a million are there in a small part of what a page takes."""
    p99_latency(_Search(million.fixed), list(million.queries))


@pytest.mark.known_bad
def test_scoring_a_million_is_not(p99_latency: P99Latency, million: Million) -> None:
    """Scoring a million items for a request does not get through."""
    p99_latency(_Search(million.incident), list(million.queries))
