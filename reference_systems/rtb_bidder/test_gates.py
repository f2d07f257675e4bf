"""The gates of the bidder: the fix passes them, the incident does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_mlgates.gates.p99_latency import P99Latency
    from pytest_mlgates.gates.throughput import Throughput
    from pytest_mlgates.load.subjects import Http
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


@pytest.mark.throughput("auctions-over-http")
def test_auctions_are_answered_in_time(
    throughput: Throughput, auctions: Callable[[str], Http], bid_requests: list[Json]
) -> None:
    """An exchange that asks over HTTP, whenever it has an auction, has its bid in time."""
    throughput(auctions("fixed"), bid_requests)


@pytest.mark.known_bad
@pytest.mark.throughput("auctions-over-http")
def test_the_incident_is_caught_over_http_too(
    throughput: Throughput, auctions: Callable[[str], Http], bid_requests: list[Json]
) -> None:
    """Behind its server the loop keeps everyone waiting who asks after a long request."""
    throughput(auctions("incident"), bid_requests)
