"""The gates of the fraud scorer: the fix holds 50,000 a second, the incident does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_systems.finalgo_fraud import drifting
from reference_systems.finalgo_fraud.conftest import PAYMENTS

if TYPE_CHECKING:
    from pytest_mlgates.gates.drift import Drift
    from pytest_mlgates.gates.throughput import Throughput
    from pytest_mlgates.load.counters import Served
    from pytest_mlgates.load.subjects import Socket
    from reference_systems.finalgo_fraud.load import Stream

pytestmark = pytest.mark.system("finalgo_fraud")


def test_transactions_are_scored_in_time(
    throughput: Throughput, scorer: tuple[Socket, Served], stream: Stream
) -> None:
    """50,000 transactions a second get their decision within 20 ms, 99 % of them."""
    subject, served_by = scorer
    throughput(subject, stream.payments(PAYMENTS), served_by=served_by)


@pytest.mark.known_bad
def test_the_incident_is_caught(
    throughput: Throughput, incident_scorer: tuple[Socket, Served], stream: Stream
) -> None:
    """A look-up for each transaction does not get past the throughput gate."""
    subject, served_by = incident_scorer
    throughput(subject, stream.payments(PAYMENTS // 4), served_by=served_by)


def test_the_model_in_charge_knows_the_fraud_of_today(drift: Drift, mlgates_seed: int) -> None:
    """The model is hours old, and what it learned from looks like the fraud that comes in."""
    found = drifting.online(mlgates_seed)
    drift(found.reference, found.current, trained_at=found.trained_at)


@pytest.mark.known_bad
def test_a_model_of_monday_is_caught(drift: Drift, mlgates_seed: int) -> None:
    """Trained before the fraudsters changed their ways, it is a week old and blind to them."""
    found = drifting.incident(mlgates_seed)
    drift(found.reference, found.current, trained_at=found.trained_at)
