"""The screener is gated: the fix passes, the incident and the half-way build are caught."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

from reference_systems.resume_screener import fixed, incident, inputs, nameless
from reference_systems.resume_screener.names import in_parts

if TYPE_CHECKING:
    from pytest_mlgates.gates.blocked_features import BlockedFeatures
    from pytest_mlgates.gates.impact_ratio import ImpactRatio
    from pytest_mlgates.gates.name_invariance import NameInvariance
    from pytest_mlgates.gates.quality_floor import QualityFloor
    from reference_systems.resume_screener.inputs import Applicant
    from reference_systems.resume_screener.training import Screener

pytestmark = pytest.mark.system("resume_screener")

#: so many that the smallest intersection can be told to be above four fifths
APPLICANTS = 30_000
#: of these the features are looked at, and the quality of the scores
SOME = 4000


@lru_cache(maxsize=2)
def _held_out(seed: int) -> tuple[Applicant, ...]:
    return tuple(inputs.applicants(APPLICANTS, seed, purpose="held out"))


@pytest.fixture
def held_out(mlgates_seed: int) -> tuple[Applicant, ...]:
    """Return applicants that no build was trained on, each with their own name and résumé."""
    return _held_out(mlgates_seed)


@pytest.fixture
def templates(mlgates_seed: int) -> list[str]:
    """Return résumé texts with {NAME}, none of them in the history."""
    return inputs.templates(20, mlgates_seed)


@pytest.fixture
def screener(mlgates_seed: int) -> Screener:
    """Train the fix on the history of this seed."""
    return fixed.screener(mlgates_seed)


@pytest.fixture
def nameless_screener(mlgates_seed: int) -> Screener:
    """Train the build that only the name was removed from."""
    return nameless.screener(mlgates_seed)


@pytest.fixture
def incident_screener(mlgates_seed: int) -> Screener:
    """Train the incident on the same history."""
    return incident.screener(mlgates_seed)


def scores(screener: Screener, people: tuple[Applicant, ...]) -> list[float]:
    """Return the score of each applicant."""
    return [screener.score(applicant.text) for applicant in people]


def groups(people: tuple[Applicant, ...]) -> list[dict[str, str]]:
    """Return what each applicant would state on the voluntary form."""
    return [{"sex": each.person.gender, "race": each.person.group} for each in people]


def features(screener: Screener, people: tuple[Applicant, ...]) -> list[dict[str, float]]:
    """Return what the screener reads of each résumé."""
    return [screener.features.named(applicant.text) for applicant in people]


def test_a_name_does_not_change_the_score(
    name_invariance: NameInvariance, screener: Screener, templates: list[str]
) -> None:
    """The same résumé gets the same score under every name, whatever origin the name suggests."""
    name_invariance(screener.score, templates)


@pytest.mark.name_invariance("names-in-parts")
def test_no_part_of_a_name_changes_the_score(
    name_invariance: NameInvariance, screener: Screener, templates: list[str], mlgates_seed: int
) -> None:
    """Nor does a given name, a surname, a name with diacritics or one in another script."""
    name_invariance(screener.score, templates[:10], in_parts(6, mlgates_seed))


def test_every_group_is_selected_nearly_as_often(
    impact_ratio: ImpactRatio, screener: Screener, held_out: tuple[Applicant, ...]
) -> None:
    """Each sex, race and intersection scores above the median at least four fifths as often."""
    impact_ratio(scores(screener, held_out), groups(held_out))


def test_no_group_can_be_told_from_the_features(
    blocked_features: BlockedFeatures, screener: Screener, held_out: tuple[Applicant, ...]
) -> None:
    """Name, gender and college are not read, nor does what is read stand in for them."""
    some = held_out[:SOME]
    blocked_features(features(screener, some), groups(some))


def test_the_best_applicants_score_best(
    quality_floor: QualityFloor, screener: Screener, held_out: tuple[Applicant, ...]
) -> None:
    """Being fair is not enough: who is truly qualified must score above who is not."""
    some = held_out[:SOME]
    quality_floor(screener.score, [each.text for each in some], [each.qualified for each in some])


@pytest.mark.known_bad
def test_the_screener_that_learned_name_origin_is_caught(
    name_invariance: NameInvariance, incident_screener: Screener, templates: list[str]
) -> None:
    """The screener trained on ten years of biased hiring, name included, does not get through."""
    name_invariance(incident_screener.score, templates)


@pytest.mark.known_bad
@pytest.mark.name_invariance("names-in-parts")
def test_the_incident_is_caught_by_parts_of_names(
    name_invariance: NameInvariance,
    incident_screener: Screener,
    templates: list[str],
    mlgates_seed: int,
) -> None:
    """It also goes by the given name alone, the surname alone and the script."""
    name_invariance(incident_screener.score, templates[:10], in_parts(6, mlgates_seed))


@pytest.mark.known_bad
def test_the_incident_selects_some_groups_too_rarely(
    impact_ratio: ImpactRatio, incident_screener: Screener, held_out: tuple[Applicant, ...]
) -> None:
    """The table of the bias audit would have shown it."""
    impact_ratio(scores(incident_screener, held_out), groups(held_out))


@pytest.mark.known_bad
def test_removing_only_the_name_is_caught_by_the_outcome(
    impact_ratio: ImpactRatio, nameless_screener: Screener, held_out: tuple[Applicant, ...]
) -> None:
    """Without the name it passes every name test, and selects some groups too rarely all the same."""
    impact_ratio(scores(nameless_screener, held_out), groups(held_out))


@pytest.mark.known_bad
def test_removing_only_the_name_is_caught_by_its_features(
    blocked_features: BlockedFeatures,
    nameless_screener: Screener,
    held_out: tuple[Applicant, ...],
) -> None:
    """College, postcode and hobbies stand in for the name."""
    some = held_out[:SOME]
    blocked_features(features(nameless_screener, some), groups(some))


@pytest.mark.known_bad
@pytest.mark.blocked_features("proxies")
def test_stand_ins_are_caught_whatever_they_are_called(
    blocked_features: BlockedFeatures,
    nameless_screener: Screener,
    held_out: tuple[Applicant, ...],
) -> None:
    """Columns without names, and without the gender: groups are told from the rest."""
    some = held_out[:SOME]
    rows = features(nameless_screener, some)
    cells = [cell for row in rows for cell in row if not cell.startswith("gender")]
    order = {cell: f"x{at}" for at, cell in enumerate(dict.fromkeys(cells))}
    renamed = [{order[cell]: row[cell] for cell in row if cell in order} for row in rows]
    blocked_features(renamed, [{"race": row["race"]} for row in groups(some)])


@pytest.mark.blocked_features("proxies")
def test_the_fix_holds_no_stand_in_under_any_name(
    blocked_features: BlockedFeatures, screener: Screener, held_out: tuple[Applicant, ...]
) -> None:
    """The same look at the fix finds nothing."""
    some = held_out[:SOME]
    blocked_features(features(screener, some), [{"race": row["race"]} for row in groups(some)])


@pytest.mark.known_bad
def test_a_screener_that_scores_all_alike_is_caught(
    quality_floor: QualityFloor, held_out: tuple[Applicant, ...]
) -> None:
    """One score for everybody treats all alike, and is of no use."""
    some = held_out[:SOME]
    quality_floor(lambda _: 0.5, [each.text for each in some], [each.qualified for each in some])
