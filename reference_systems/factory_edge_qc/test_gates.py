"""The gates of the factory: the edge passes them, pictures over the uplink do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_systems.factory_edge_qc import inputs, trivial
from reference_systems.factory_edge_qc.inputs import Arrived, Stops

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from pytest_mlgates.gates.bandwidth_budget import BandwidthBudget
    from pytest_mlgates.gates.p99_latency import P99Latency
    from pytest_mlgates.gates.quality_floor import QualityFloor
    from reference_systems.factory_edge_qc.fixed import Inspection
    from reference_systems.factory_edge_qc.traffic import Day

    Frames = list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]

pytestmark = pytest.mark.system("factory_edge_qc")

#: frames of failing cameras, and good ones among them
FAULTY, FINE = 56, 10


def truth(day: Day) -> tuple[list[str], list[bool]]:
    """Return the names of the boards of a day, and whether they are bad."""
    return [seen.shot.name for seen in day.seen], [seen.shot.bad for seen in day.seen]


def frames_and_faults(seed: int) -> list[inputs.Asked]:
    """Return frames of failing cameras with some good boards among them."""
    return [*inputs.faulty(FAULTY, seed), *inputs.boards(FINE, seed, bad=False)]


def test_results_fit_the_uplink(bandwidth_budget: BandwidthBudget, results_day: Day) -> None:
    """An inspection costs the uplink a thousandth of its picture, in the busiest second too."""
    bandwidth_budget(results_day.transfers)


@pytest.mark.known_bad
def test_pictures_do_not(bandwidth_budget: BandwidthBudget, pictures_day: Day) -> None:
    """A whole picture an inspection saturates the uplink, and the rest waits."""
    bandwidth_budget(pictures_day.transfers)


@pytest.mark.quality_floor("missed-boards")
def test_bad_boards_are_found(
    quality_floor: QualityFloor, inspect: Inspection, results_day: Day
) -> None:
    """A board with a defect is stopped; a board is one observation, whatever is on it."""
    names, bad = truth(results_day)
    quality_floor(Arrived(results_day, inspect.inspector), names, bad, unit_of=names)


@pytest.mark.quality_floor("false-alarms")
def test_good_boards_go_through(
    quality_floor: QualityFloor, inspect: Inspection, results_day: Day
) -> None:
    """A good board is not thrown away."""
    names, bad = truth(results_day)
    quality_floor(Arrived(results_day, inspect.inspector), names, bad, unit_of=names)


@pytest.mark.quality_floor("blind-cameras")
def test_a_frame_without_a_board_is_an_alarm(
    quality_floor: QualityFloor, inspect: Inspection, mlgates_seed: int
) -> None:
    """Black, over-exposed, flat, noisy, cropped, blurred or empty frames never pass a board."""
    asked = frames_and_faults(mlgates_seed)
    quality_floor(Stops(inspect), asked, [one.fault is not None for one in asked])


@pytest.mark.known_bad
@pytest.mark.quality_floor("missed-boards")
def test_finding_nothing_is_caught(quality_floor: QualityFloor, results_day: Day) -> None:
    """An inspection that never finds anything is no inspection."""
    names, bad = truth(results_day)
    quality_floor(trivial.finds_none, names, bad, unit_of=names)


@pytest.mark.known_bad
@pytest.mark.quality_floor("false-alarms")
def test_finding_everything_is_caught(quality_floor: QualityFloor, results_day: Day) -> None:
    """An inspection that stops every board stops the line."""
    names, bad = truth(results_day)
    quality_floor(trivial.finds_all, names, bad, unit_of=names)


@pytest.mark.known_bad
@pytest.mark.quality_floor("blind-cameras")
def test_taking_black_for_good_is_caught(
    quality_floor: QualityFloor, inspect: Inspection, mlgates_seed: int
) -> None:
    """No picture is not the same as no defect."""
    asked = frames_and_faults(mlgates_seed)
    subject = Stops(trivial.BlackLover(inspect))
    quality_floor(subject, asked, [one.fault is not None for one in asked])


@pytest.mark.timing
def test_an_inspection_is_in_time(
    p99_latency: P99Latency, inspect: Inspection, frames: Frames
) -> None:
    """The answer is there before the next board is."""
    p99_latency(inspect, frames)
