"""What a TTL controller sees of a cluster, whatever runs it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

__all__ = ["Cluster", "Job"]


@dataclass(frozen=True, slots=True)
class Job:
    """A job's name, what its manifest says of its end, and when it began and ended."""

    namespace: str
    name: str
    ttl_s: int | None
    deadline_s: int | None
    started: datetime | None
    finished: datetime | None


class Cluster(Protocol):
    """The few calls that a reconcile loop needs."""

    def now(self) -> datetime:
        """Return the cluster's time, in UTC."""

    def jobs(self) -> list[Job]:
        """Return all jobs that exist, the finished ones too."""

    def stop(self, job: Job) -> None:
        """End the pods of a job that is active; the job stays, to be looked at."""

    def delete(self, job: Job) -> None:
        """Delete a job with its pods; their ephemeral volumes go by their reclaim policy."""
