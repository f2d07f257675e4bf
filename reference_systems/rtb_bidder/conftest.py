"""Fixtures of the bidder's gates: both builds, and requests drawn from the run's seed."""

from __future__ import annotations

import functools
import gc
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_mlgates.load.subjects import Http
from reference_systems.parts.realtime import realtime
from reference_systems.rtb_bidder import fixed, incident, inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture
def auctions() -> Iterator[Callable[[str], Http]]:
    """Give a function that serves a build in a process of its own and returns where to ask it."""
    with ExitStack() as stack:

        def serve(build: str) -> Http:
            words = [sys.executable, "-m", "reference_systems.rtb_bidder.server", "--build", build]
            child = stack.enter_context(
                subprocess.Popen(  # noqa: S603 - this interpreter, our own module
                    [*realtime(), *words, "--port", "0"],
                    cwd=Path(__file__).parents[2],
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(child.kill)
            assert child.stdout is not None
            url = child.stdout.readline().split()[-1]
            headers = {"Content-Type": "application/json", "x-openrtb-version": "2.6"}
            return Http(url, "POST", headers, connections=8)

        yield serve
