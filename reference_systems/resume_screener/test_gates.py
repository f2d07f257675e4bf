"""The résumé screener is gated: the fix passes, the incident is caught."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_systems.resume_screener import fixed, incident, inputs

if TYPE_CHECKING:
    from pytest_mlgates.gates.name_invariance import NameInvariance
    from reference_systems.resume_screener.training import Screener

pytestmark = pytest.mark.system("resume_screener")


@pytest.fixture
def templates(mlgates_seed: int) -> list[str]:
    """Return résumé texts with {NAME}, none of them in the history."""
    return inputs.templates(20, mlgates_seed)


@pytest.fixture
def screener(mlgates_seed: int) -> Screener:
    """Train the fix on the history of this seed."""
    return fixed.screener(mlgates_seed)


@pytest.fixture
def incident_screener(mlgates_seed: int) -> Screener:
    """Train the incident on the same history."""
    return incident.screener(mlgates_seed)


def test_a_name_does_not_change_the_score(
    name_invariance: NameInvariance, screener: Screener, templates: list[str]
) -> None:
    """The same résumé gets the same score under every name, whatever origin the name suggests."""
    name_invariance(screener.score, templates)


@pytest.mark.known_bad
def test_the_screener_that_learned_name_origin_is_caught(
    name_invariance: NameInvariance, incident_screener: Screener, templates: list[str]
) -> None:
    """The screener trained on ten years of biased hiring, name included, does not get through."""
    name_invariance(incident_screener.score, templates)
