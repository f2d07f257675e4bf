"""The gates of the feature store: the fix passes them, the incident and trivial stores do not."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from reference_systems.bank_feature_store import handoffs, inputs

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_mlgates.gates.feature_parity import FeatureParity
    from pytest_mlgates.gates.lead_time import LeadTime
    from reference_systems.bank_feature_store.builds import Store

pytestmark = pytest.mark.system("bank_feature_store")

SERVED = ["customer:age", "customer:tenure"]


def test_training_sees_what_serving_serves(feature_parity: FeatureParity, store: Store) -> None:
    """A model is trained on the values it will be asked with, none from after the event."""
    feature_parity(store.offline("fixed"), store.online("fixed"), store.entities)


@pytest.mark.known_bad
def test_the_incident_is_caught(feature_parity: FeatureParity, store: Store) -> None:
    """Transforms that were written twice differ: time zone, nulls, the edge of a window."""
    feature_parity(store.offline("incident"), store.online("incident"), store.entities)


@pytest.mark.known_bad
def test_half_a_fix_is_caught(feature_parity: FeatureParity, store: Store) -> None:
    """Training from the feature store, and serving still written by hand, is no parity."""
    feature_parity(store.offline("fixed"), store.online("incident"), store.entities)


@pytest.mark.known_bad
def test_a_store_that_serves_nothing_is_caught(feature_parity: FeatureParity, store: Store) -> None:
    """A trivial store: it answers every question, and always with null."""
    mute: dict[str, Any] = dict.fromkeys(SERVED)
    feature_parity(store.offline("fixed"), lambda _entity: mute, store.entities)


@pytest.mark.skipif(find_spec("feast") is None, reason="the extra systems-bank")
def test_a_feature_is_served_without_anybody_else(lead_time: LeadTime, tmp_path: Path) -> None:
    """From ten lines of definition to a served feature: two commands, and nobody to wait for."""
    from reference_systems.bank_feature_store.builds import commands

    inputs.write(tmp_path, customers=200, seed=0)
    lead_time(commands(tmp_path))


@pytest.mark.known_bad
def test_three_weeks_of_hand_offs_are_caught(lead_time: LeadTime) -> None:
    """The log of the commercial store: three weeks, through the hands of six people."""
    lead_time(list(handoffs.log(SERVED)))


@pytest.mark.known_bad
def test_steps_that_serve_nothing_are_caught(lead_time: LeadTime) -> None:
    """A trivial onboarding: quick, alone, and nothing is served after it."""
    lead_time([lambda: None])
