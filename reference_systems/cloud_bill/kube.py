"""A real cluster behind the same interface: the Kubernetes API through its official client."""

from __future__ import annotations

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
            pages = self._pages(self.batch.list_namespaced_job, namespace=self.namespace)
        else:
            pages = self._pages(self.batch.list_job_for_all_namespaces)
        return [_job(item) for item in pages]

    def _pages(self, call: Callable[..., Any], **given: Any) -> Iterator[Any]:
        token = None
        while True:
            page = call(limit=self.page, _continue=token, **given)
            yield from page.items
            token = page.metadata._continue  # noqa: SLF001  (the client's name for `continue`)
            if not token:
                return

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
            call(*args, **given)
        except ApiException as error:
            if error.status != 404:
                raise


def _job(item: Any) -> Job:
    ended = [
        condition.last_transition_time
        for condition in item.status.conditions or ()
        if condition.type in ("Complete", "Failed") and condition.status == "True"
    ]
    # a suspended job is not active: its deadline stands still
    started = None if item.spec.suspend else item.status.start_time
    return Job(
        namespace=item.metadata.namespace,
        name=item.metadata.name,
        ttl_s=item.spec.ttl_seconds_after_finished,
        deadline_s=item.spec.active_deadline_seconds,
        started=started,
        finished=min(ended) if ended else None,
    )
