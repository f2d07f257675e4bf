"""The TTL controller: what is past its deadline is stopped, what is past its TTL is deleted.

A loop of this kind is level-triggered: each pass looks at what is there, so that a pass that was
missed, or one too many, does no harm. It acts on what a manifest says and on nothing else: under
manifests without TTL and deadline it does nothing, and that is the incident.

Kubernetes has both controllers built in. The memory cluster has this one; on a real cluster it is
for jobs of operators that have neither, and shows by ``dry_run`` what the manifests would do.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from reference_systems.cloud_bill.cluster import Cluster

__all__ = ["reconcile"]


def reconcile(cluster: Cluster, *, dry_run: bool = False) -> list[str]:
    """Make one pass; return what was done, a line each."""
    now, done = cluster.now(), []
    for job in cluster.jobs():
        name = f"{job.namespace}/{job.name}"
        if _past(job.finished, job.ttl_s, now):
            if not dry_run:
                cluster.delete(job)
            done.append(f"deleted {name}: ended {job.ttl_s} s ago or earlier")
        elif job.finished is None and _past(job.started, job.deadline_s, now):
            if not dry_run:
                cluster.stop(job)
            done.append(f"stopped {name}: active for {job.deadline_s} s or longer")
    return done


def _past(since: datetime | None, seconds: int | None, now: datetime) -> bool:
    return since is not None and seconds is not None and since + timedelta(seconds=seconds) <= now
