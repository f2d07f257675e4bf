"""A real cluster behind the same interface: the Kubernetes API through its official client."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from reference_systems.cloud_bill.cluster import Job

__all__ = ["KubernetesCluster"]

_PAGE = 500


class KubernetesCluster:
    """Jobs of a cluster; the client brings address and credentials (see its ``config`` module).

    Needs the rights to list jobs, to patch them (a job that is suspended loses its pods, and is
    still there to be looked at) and to delete them.
    """

    def __init__(self, client: Any, namespace: str = "", page: int = _PAGE) -> None:
        from kubernetes.client import BatchV1Api

        self.batch = BatchV1Api(client)
        self.namespace, self.page = namespace, page

    def now(self) -> datetime:
        """Return this machine's time: a clock that differs from the cluster's shifts all TTLs."""
        return datetime.now(UTC)

    def jobs(self) -> list[Job]:
        """Return all jobs, a page at a time."""
        if self.namespace:
            call = functools.partial(self.batch.list_namespaced_job, self.namespace)
        else:
            call = self.batch.list_job_for_all_namespaces
        return [_job(item) for item in self._pages(call)]

    def _pages(self, call: Callable[..., Any]) -> Iterator[dict[str, Any]]:
        """Yield the items as JSON: of a pod template that one client's models refuse, no job is lost."""
        token: dict[str, str] = {}
        while True:
            answer = call(limit=self.page, _preload_content=False, **token)
            page = json.loads(answer.data)
            yield from page["items"]
            more = page["metadata"].get("continue")
            if not more:
                return
            token = {"_continue": more}

    def stop(self, job: Job) -> None:
        """Suspend a job: its pods end."""
        self._if_there(
            self.batch.patch_namespaced_job, job.name, job.namespace, {"spec": {"suspend": True}}
        )

    def delete(self, job: Job) -> None:
        """Delete a job; its pods and their ephemeral claims follow in the background."""
        self._if_there(
            self.batch.delete_namespaced_job,
            job.name,
            job.namespace,
            propagation_policy="Background",
        )

    def _if_there(self, call: Callable[..., Any], *args: Any, **given: Any) -> None:
        """Call for a job that somebody else may have deleted by now."""
        from kubernetes.client import ApiException

        try:
            call(*args, _preload_content=False, **given)
        except ApiException as error:
            if error.status != 404:
                raise


def _job(item: dict[str, Any]) -> Job:
    spec, status = item["spec"], item.get("status", {})
    ended = [
        condition["lastTransitionTime"]
        for condition in status.get("conditions") or ()
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True"
    ]
    return Job(
        namespace=item["metadata"]["namespace"],
        name=item["metadata"]["name"],
        ttl_s=spec.get("ttlSecondsAfterFinished"),
        deadline_s=spec.get("activeDeadlineSeconds"),
        # a suspended job is not active: its deadline stands still
        started=None if spec.get("suspend") else _moment(status.get("startTime")),
        finished=_moment(min(ended, default=None)),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
