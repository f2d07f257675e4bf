"""The three builds by name: the incident, the one between, the fix."""

from __future__ import annotations

from reference_systems.resume_screener import fixed, incident, nameless

__all__ = ["BUILDS"]

BUILDS = {"incident": incident.screener, "nameless": nameless.screener, "fixed": fixed.screener}
