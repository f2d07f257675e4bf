"""Whether a stored artifact can ever change, get lost, or be served unverified."""

from pytest_mlgates.gates.artifact_immutability.gate import ArtifactImmutability
from pytest_mlgates.gates.artifact_immutability.protocol import Store

__all__ = ["ArtifactImmutability", "Store"]
