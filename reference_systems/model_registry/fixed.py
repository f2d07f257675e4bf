"""The fixed build: a registry in a folder, or on S3."""

from __future__ import annotations

from reference_systems.model_registry.registry import Registry

__all__ = ["registry"]


def registry(place: str) -> Registry:
    """Return the registry in a folder, or in the bucket of an S3 address."""
    return Registry.open(place)
