"""The gates of the fraud scorer: the fix holds 50,000 a second, the incident does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_systems.finalgo_fraud.conftest import PAYMENTS

if TYPE_CHECKING:
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
