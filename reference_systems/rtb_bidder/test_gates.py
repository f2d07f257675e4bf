"""The gates of the bidder: the fix passes them, the incident does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_mlgates.gates.p99_latency import P99Latency
    from reference_systems.rtb_bidder.bidder import Bidder
    from reference_systems.rtb_bidder.openrtb import Json

pytestmark = pytest.mark.system("rtb_bidder")


def test_bids_are_fast(p99_latency: P99Latency, bidder: Bidder, bid_requests: list[Json]) -> None:
    """A bid leaves before the exchange stops listening."""
    p99_latency(bidder.bid, bid_requests)


@pytest.mark.known_bad
def test_the_incident_is_caught(
    p99_latency: P99Latency, incident_bidder: Bidder, bid_requests: list[Json]
) -> None:
    """The tokenizer in a Python loop does not get past the latency gate."""
    p99_latency(incident_bidder.bid, bid_requests)
