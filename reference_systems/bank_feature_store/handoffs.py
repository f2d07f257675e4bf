"""The incident's log: how one feature reached serving with the commercial store, three weeks on.

Invented, and sized to the case: three weeks, and an engineer who writes Scala. Times are working
hours of a person's calendar; nothing of it was run here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["log"]

_STEPS = (
    ("write the feature in pandas", "data scientist", "2025-03-03T09:00Z", "2025-03-04T16:00Z"),
    ("ticket: port to Spark", "platform desk", "2025-03-05T10:00Z", "2025-03-07T11:00Z"),
    ("write it again in Scala", "Scala engineer", "2025-03-10T09:00Z", "2025-03-13T17:00Z"),
    ("review by data governance", "governance board", "2025-03-14T09:00Z", "2025-03-18T15:00Z"),
    ("write it again for serving", "platform engineer", "2025-03-19T09:00Z", "2025-03-20T17:00Z"),
    ("deploy", "operations", "2025-03-21T08:00Z", "2025-03-21T18:00Z"),
    ("ask for the feature", "data scientist", "2025-03-24T09:00Z", "2025-03-24T09:05Z"),
)


def log(features: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the steps as they were recorded; the last one served ``features``."""
    for name, by, start, end in _STEPS:
        step: dict[str, Any] = {
            "name": name,
            "by": by,
            "start": start,
            "end": end,
            "exit_status": 0,
        }
        if name == _STEPS[-1][0]:
            step["served"] = features
        yield step
