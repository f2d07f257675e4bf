"""The copilot is gated: the fix passes; the incident, half the fix and two useless builds do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_mlgates.gates.grounding import Grounding
    from pytest_mlgates.gates.p99_latency import P99Latency
    from reference_systems.medco_rag.builds import System
    from reference_systems.medco_rag.folder import Folder

pytestmark = pytest.mark.system("medco_rag")

Asked = list[dict[str, object]]


def test_every_claim_stands_in_the_chart(
    grounding: Grounding, system: Callable[[str], System], asked: Asked, folder: Folder
) -> None:
    """No claim about a patient without a passage of that patient's chart that bears it out."""
    grounding(system("fixed").ask, asked, folder.root)


def test_an_answer_takes_less_than_two_seconds(
    p99_latency: P99Latency, system: Callable[[str], System], lines: Asked
) -> None:
    """A doctor has the answer in under two seconds, embedding and search included."""
    p99_latency(system("fixed").ask, lines)


@pytest.mark.known_bad
@pytest.mark.parametrize(
    ("build", "questions"), [("incident", 40), ("half", 160), ("mute", 540), ("paste-all", 160)]
)
def test_builds_that_do_not_ground_are_caught(
    grounding: Grounding,
    system: Callable[[str], System],
    asked: Asked,
    folder: Folder,
    build: str,
    questions: int,
) -> None:
    """What invents, mixes up patients, says nothing or pastes everything does not go live."""
    grounding(system(build).ask, asked[:questions], folder.root)
