"""The incident: jobs without TTL and deadline, GPU nodes in three zones, volumes that stay."""

from __future__ import annotations

from reference_systems.cloud_bill.build import Build, make

__all__ = ["build"]


def build(seed: int = 0) -> Build:
    """Return the month that cost $15,000 too much."""
    return make("incident", seed)
