"""Fixtures of the bidder's gates: both builds, and requests drawn from the run's seed."""

from __future__ import annotations

import functools
import gc
from typing import TYPE_CHECKING

import pytest

from reference_systems.rtb_bidder import fixed, incident, inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_systems.rtb_bidder.bidder import Bidder
    from reference_systems.rtb_bidder.openrtb import Json

#: more than the gate needs for a PASS, so that no request is seen twice
REQUESTS = 5100


@functools.lru_cache(maxsize=1)
def _requests(seed: int) -> list[Json]:
    return inputs.bid_requests(REQUESTS, seed)


@pytest.fixture
def bid_requests(mlgates_seed: int) -> Iterator[list[Json]]:
    """Give the requests of this run.

    As in the server, what is loaded by now is taken out of the garbage collector's sight: a full
    collection over torch and the requests takes longer than any bid.
    """
    requests = _requests(mlgates_seed)
    gc.collect()
    gc.freeze()
    yield requests
    gc.unfreeze()


@pytest.fixture
def bidder() -> Bidder:
    """Give the build with the Rust tokenizer."""
    return fixed.bidder()


@pytest.fixture
def incident_bidder() -> Bidder:
    """Give the build with the tokenizer in a Python loop."""
    return incident.bidder()
