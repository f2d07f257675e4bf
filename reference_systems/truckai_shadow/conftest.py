"""Fixtures of the trucks' gates: both candidates, the fleet's drives, and a day of its network."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reference_systems.truckai_shadow import fixed, incident
from reference_systems.truckai_shadow.builds import versions
from reference_systems.truckai_shadow.fleet import Day, day
from reference_systems.truckai_shadow.inputs import highways
from reference_systems.truckai_shadow.rollout_day import FleetUpdate, engine_update
from reference_systems.truckai_shadow.shadow_mode import DriveLog, rates, rates_by_frame

if TYPE_CHECKING:
    from reference_systems.truckai_shadow.export import Pilot

#: clips in the log: some 550 of them are unprotected left turns
DRIVES = 70_000


@functools.lru_cache(maxsize=1)
def _log(seed: int) -> DriveLog:
    return DriveLog(highways(DRIVES, (seed, 5)), versions().v1)


@pytest.fixture
def log(mlgates_seed: int) -> DriveLog:
    """Give the drives of this run, with V1 in charge, in the mix of the fleet's traffic."""
    return _log(mlgates_seed)


@pytest.fixture
def candidate() -> Pilot:
    """Give V3 as it would go to the trucks."""
    return fixed.pilot()


@pytest.fixture
def incident_candidate() -> Pilot:
    """Give V2 as it would go to the trucks."""
    return incident.pilot()


@functools.lru_cache(maxsize=1)
def _rates(seed: int) -> dict[str, float]:
    return rates(_log(seed), incident.pilot(), most=200)


@pytest.fixture
def clips_day(mlgates_seed: int) -> Day:
    """Give a day on which the trucks send the clips in which V2, as the shadow, left V1."""
    return day(_rates(mlgates_seed), mlgates_seed)


@pytest.fixture
def every_day(mlgates_seed: int) -> Day:
    """Give a day on which the trucks send each clip in which V2 commands something else, at once."""
    found = rates_by_frame(_log(mlgates_seed), incident.pilot(), most=200)
    return day(found, mlgates_seed, policy="every")


@pytest.fixture
def staged_update(tmp_path: Path, mlgates_seed: int) -> FleetUpdate:
    """Give a day on which a new engine goes to all trucks in stages, at a rate that leaves room."""
    return engine_update(tmp_path, mlgates_seed, "staged")


@pytest.fixture
def hasty_update(tmp_path: Path, mlgates_seed: int) -> FleetUpdate:
    """Give a day on which each truck fetches it at once, as fast as its link carries it."""
    return engine_update(tmp_path, mlgates_seed, "at once")
