"""The gates of the trucks: V3 passes them, V2 and what went with it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_systems.parts.model_files import GatedFiles, ModelFiles, UncheckedFiles
from reference_systems.truckai_shadow import fixed, incident
from reference_systems.truckai_shadow.export import OneFrame
from reference_systems.truckai_shadow.turning import aim_errors, how_well, left_turns, straight_on

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_mlgates.gates.artifact_immutability import ArtifactImmutability
    from pytest_mlgates.gates.bandwidth_budget import BandwidthBudget
    from pytest_mlgates.gates.p99_latency import P99Latency
    from pytest_mlgates.gates.quality_floor import QualityFloor
    from pytest_mlgates.gates.shadow_divergence import ShadowDivergence
    from pytest_mlgates.gates.slice_coverage import SliceCoverage
    from reference_systems.truckai_shadow.export import Pilot
    from reference_systems.truckai_shadow.fleet import Day
    from reference_systems.truckai_shadow.rollout_day import FleetUpdate
    from reference_systems.truckai_shadow.shadow_mode import DriveLog

pytestmark = pytest.mark.system("truckai_shadow")

#: some 500 of these meet a vehicle
TURNS = 900


def test_v3_drives_like_v1(
    shadow_divergence: ShadowDivergence, log: DriveLog, candidate: Pilot
) -> None:
    """In no manoeuvre does the candidate steer elsewhere than the model that drives."""
    shadow = log.shadowed(candidate)
    shadow_divergence(log.controlled, shadow, log.rows, slice_of="manoeuvre", batch=64)


@pytest.mark.known_bad
def test_v2_turning_left_is_caught(
    shadow_divergence: ShadowDivergence, log: DriveLog, incident_candidate: Pilot
) -> None:
    """A candidate that turns left in front of oncoming traffic is not shipped."""
    shadow = log.shadowed(incident_candidate)
    shadow_divergence(log.controlled, shadow, log.rows, slice_of="manoeuvre", batch=64)


def test_v3_has_seen_every_manoeuvre(slice_coverage: SliceCoverage) -> None:
    """A candidate has been trained on every manoeuvre that trucks do."""
    slice_coverage(fixed.training_rows(), "manoeuvre")


@pytest.mark.known_bad
def test_v2_hardly_saw_left_turns(slice_coverage: SliceCoverage) -> None:
    """Training data in which one manoeuvre hardly occurs is noticed before training."""
    slice_coverage(incident.training_rows(), "manoeuvre")


def test_clips_fit_the_uplink(bandwidth_budget: BandwidthBudget, clips_day: Day) -> None:
    """What the shadow finds reaches the cloud within each truck's LTE budget."""
    bandwidth_budget(clips_day.transfers())


@pytest.mark.known_bad
def test_clips_of_every_difference_do_not(
    bandwidth_budget: BandwidthBudget, every_day: Day
) -> None:
    """Sending each clip in which the models differ at all, without score or budget, is seen before it is let out."""
    bandwidth_budget(every_day.transfers())


@pytest.mark.bandwidth_budget("fleet-update")
def test_an_update_leaves_room_on_each_link(
    bandwidth_budget: BandwidthBudget, staged_update: FleetUpdate
) -> None:
    """500 trucks get a new engine in stages, through dead zones, and no byte of it twice."""
    assert staged_update.at_work[-1] > 480  # the others are in a dead zone
    bandwidth_budget(staged_update.transfers(60))


@pytest.mark.known_bad
@pytest.mark.bandwidth_budget("fleet-update")
def test_an_update_of_all_at_once_takes_the_links(
    bandwidth_budget: BandwidthBudget, hasty_update: FleetUpdate
) -> None:
    """An engine that each truck fetches as fast as it can takes the link from the driver."""
    bandwidth_budget(hasty_update.transfers(60))


def test_a_frame_is_read_in_time(p99_latency: P99Latency, log: DriveLog, candidate: Pilot) -> None:
    """The export that goes to the trucks answers a frame well before the next one comes."""
    frames, speed, _ = log.frames(log.rows[:200])
    ones = list(zip(frames.reshape(-1, 1, *frames.shape[2:]), speed.reshape(-1, 1), strict=True))
    p99_latency(OneFrame(candidate), ones)


def turn_left(quality_floor: QualityFloor, pilot: Pilot, seed: int) -> None:
    """Gate how well a pilot turns left in closed loop, with a vehicle coming."""
    clips = left_turns(pilot, TURNS, seed)
    turns = list(zip(clips.missed_by.tolist(), aim_errors(clips).tolist(), strict=True))
    quality_floor(turns.__getitem__, range(len(turns)), range(len(turns)), score=how_well)


def test_v3_turns_left_well(
    quality_floor: QualityFloor, candidate: Pilot, mlgates_seed: int
) -> None:
    """A candidate turns left as a careful driver does, and hits nobody: agreeing with V1 is not enough."""
    turn_left(quality_floor, candidate, mlgates_seed)


@pytest.mark.known_bad
def test_v2_hits_oncoming_vehicles(
    quality_floor: QualityFloor, incident_candidate: Pilot, mlgates_seed: int
) -> None:
    """The candidate of the incident is seen to hit vehicles before a truck has it."""
    turn_left(quality_floor, incident_candidate, mlgates_seed)


@pytest.mark.known_bad
def test_never_turning_is_not_safe_driving(quality_floor: QualityFloor, mlgates_seed: int) -> None:
    """A model that goes straight on hits nobody, and is no driver."""
    turn_left(quality_floor, straight_on, mlgates_seed)


def test_a_model_on_a_truck_never_changes(
    artifact_immutability: ArtifactImmutability, tmp_path: Path
) -> None:
    """What drives by its digest has that digest, whatever its flash memory did."""
    artifact_immutability(GatedFiles(ModelFiles(tmp_path)))


@pytest.mark.known_bad
def test_a_file_name_is_not_believed(
    artifact_immutability: ArtifactImmutability, tmp_path: Path
) -> None:
    """A truck that loads whatever lies under a name is not let out."""
    artifact_immutability(GatedFiles(UncheckedFiles(tmp_path)))
