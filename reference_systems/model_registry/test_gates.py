"""The gates of the registry: the fix passes them, the incident and half a fix do not."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from reference_systems.model_registry.gated import (
    Forgetful,
    InFolder,
    Overwriting,
    Prefixed,
    Unverified,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_mlgates.gates.artifact_immutability import ArtifactImmutability
    from pytest_mlgates.gates.p99_latency import P99Latency
    from reference_systems.model_registry.gated import NamedOnS3, OnS3
    from reference_systems.model_registry.serving import Served

pytestmark = pytest.mark.system("model_registry")

#: loads that the latency gate may ask for
LOADS = 5100


def test_a_folder_keeps_what_it_was_given(
    artifact_immutability: ArtifactImmutability, tmp_path: Path
) -> None:
    """An artifact in a folder never changes, is never lost, and never served unverified."""
    artifact_immutability(InFolder(tmp_path / "store"))


@pytest.mark.artifact_immutability("immutability-s3")
def test_s3_keeps_what_it_was_given(
    artifact_immutability: ArtifactImmutability, s3_store: OnS3
) -> None:
    """The same on an S3 server, over a line that breaks."""
    artifact_immutability(s3_store)


@pytest.mark.known_bad
def test_the_incident_is_caught(
    artifact_immutability: ArtifactImmutability, tmp_path: Path
) -> None:
    """A folder of names in which model_v1.pkl is written over is not a registry."""
    artifact_immutability(Overwriting(tmp_path / "store"))


@pytest.mark.known_bad
@pytest.mark.parametrize("build", [Prefixed, Unverified])
def test_twelve_digits_and_no_check_are_caught(
    artifact_immutability: ArtifactImmutability, tmp_path: Path, build: type[Prefixed]
) -> None:
    """Twelve digits of a digest are not enough, nor all of them that nobody reads again."""
    artifact_immutability(build(tmp_path / "store"))


@pytest.mark.known_bad
@pytest.mark.artifact_immutability("immutability-s3")
def test_a_bucket_of_names_is_caught(
    artifact_immutability: ArtifactImmutability, s3_names: NamedOnS3
) -> None:
    """On S3 too a key that is written over serves something else."""
    artifact_immutability(s3_names)


@pytest.mark.known_bad
def test_what_forgets_is_caught(artifact_immutability: ArtifactImmutability) -> None:
    """What acknowledges everything and keeps the newest is a cache."""
    artifact_immutability(Forgetful())


def test_a_verified_load_is_fast(
    p99_latency: P99Latency, served: tuple[Callable[[str], Served], list[str]]
) -> None:
    """Reading a digest again at every load costs no service its start."""
    load, digests = served
    p99_latency(load, itertools.islice(itertools.cycle(digests), LOADS))
