"""A cluster in memory with a clock: its pods, its volumes, and a record of what each hour used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reference_systems.cloud_bill.cluster import Job
from reference_systems.cloud_bill.spec import JobSpec

__all__ = ["Listing", "MemoryCluster", "Pod", "Used", "Volume", "Work"]

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Work:
    """What a job really does, which no manifest says.

    ``hours`` is how long it computes (None: until somebody stops it). ``driver_end`` is when what
    drives its pods dies; they then wait for it. ``gradient_gb`` and ``steps`` are of a ring
    all-reduce over the pods.
    """

    hours: int | None
    utilization: float = 0.8
    driver_end: datetime | None = None
    gradient_gb: int = 0
    steps: int = 0


@dataclass(slots=True)
class Pod:
    """A pod on a node of its own: the node is billed while the pod runs."""

    name: str
    namespace: str
    owner: str
    gpus: int
    zone: str
    instance: str
    start: datetime
    driver: str
    driver_end: datetime | None
    utilization: float
    end: datetime | None = None


@dataclass(slots=True)
class Volume:
    """A disk: billed from its making to its deletion, attached or not."""

    name: str
    namespace: str
    owner: str
    gb: int
    zone: str
    start: datetime
    pod: str
    detached: datetime | None = None
    released: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """What was used in one hour: GPU hours, GB of a volume, or GB sent to another zone."""

    hour: datetime
    kind: str
    amount: float
    item: Pod | Volume


@dataclass(frozen=True, slots=True)
class Listing:
    """What is there at a time: pods whose job was not deleted, and volumes, with its pod or none."""

    at: datetime
    pods: tuple[Pod, ...]
    volumes: tuple[Volume, ...]


@dataclass(slots=True)
class _Running:
    spec: JobSpec
    name: str
    work: Work
    started: datetime
    pods: list[Pod]
    volumes: list[Volume]
    finished: datetime | None = None


@dataclass(slots=True)
class MemoryCluster:
    """Jobs that run hour by hour on nodes in ``zones``, pods dealt out over them in turn."""

    clock: datetime
    zones: tuple[str, ...]
    volumes_go: bool
    pods: list[Pod] = field(default_factory=list)
    volumes: list[Volume] = field(default_factory=list)
    used: list[Used] = field(default_factory=list)
    listing: Listing | None = None
    _jobs: dict[tuple[str, str], _Running] = field(default_factory=dict)

    def submit(self, spec: JobSpec, name: str, work: Work) -> None:
        """Create a job: its pods start now, each with a scratch volume if it asks for one."""
        pods, volumes = [], []
        for index in range(spec.pods):
            pod_name, zone = f"{name}-{index}", self.zones[index % len(self.zones)]
            driver = f"{spec.kind}/{name}" if work.driver_end is None else "Job/sweep-driver"
            pods.append(
                Pod(
                    name=pod_name,
                    namespace=spec.namespace,
                    owner=spec.owner,
                    gpus=spec.gpus,
                    zone=zone,
                    instance=_identity("i", spec.namespace, pod_name, self.clock),
                    start=self.clock,
                    driver=driver,
                    driver_end=work.driver_end,
                    utilization=work.utilization,
                )
            )
            if spec.scratch_gb:
                disk = _identity("vol", spec.namespace, pod_name, self.clock)
                volumes.append(
                    Volume(
                        disk,
                        spec.namespace,
                        spec.owner,
                        spec.scratch_gb,
                        zone,
                        self.clock,
                        pod_name,
                    )
                )
        self.pods += pods
        self.volumes += volumes
        self._jobs[spec.namespace, name] = _Running(spec, name, work, self.clock, pods, volumes)

    def tick(self) -> None:
        """Let an hour pass: write down what it used, then end what has computed long enough."""
        for job in self._jobs.values():
            self.used += self._hour_of(job)
        self.used += [
            Used(self.clock, "volume", volume.gb, volume)
            for volume in self.volumes
            if volume.end is None
        ]
        self.clock += HOUR
        for job in self._jobs.values():
            due = None if job.work.hours is None else job.started + job.work.hours * HOUR
            if job.finished is None and due is not None and due <= self.clock:
                self._finish(job)

    def _hour_of(self, job: _Running) -> Iterator[Used]:
        if job.finished is not None:
            return
        for pod in job.pods:
            if pod.gpus:
                yield Used(self.clock, "gpu", pod.gpus, pod)
        if job.work.steps:
            yield from self._all_reduce(job)

    def _all_reduce(self, job: _Running) -> Iterator[Used]:
        """Send gradients around the ring; what leaves a zone is written down at both its ends.

        In a ring of n each pod sends 2 (n - 1) / n of the gradient to the next (reduce-scatter,
        then all-gather; Patarasuk and Yuan 2009).
        """
        ring, hours = job.pods, job.work.hours or 1
        sent = 2 * (len(ring) - 1) / len(ring) * job.work.gradient_gb * job.work.steps / hours
        for pod, after in zip(ring, [*ring[1:], ring[0]], strict=True):
            if pod.zone != after.zone:
                yield Used(self.clock, "out", sent, pod)
                yield Used(self.clock, "in", sent, after)

    def _finish(self, job: _Running) -> None:
        """End a job: its nodes go, its disks are detached and stay with the finished pods."""
        job.finished = self.clock
        for pod in job.pods:
            pod.end = self.clock
            if pod.driver_end is None:
                pod.driver_end = self.clock
        for volume in job.volumes:
            volume.detached = self.clock

    # what a controller may do

    def now(self) -> datetime:
        """Return the clock."""
        return self.clock

    def jobs(self) -> list[Job]:
        """Return the jobs that exist."""
        return [
            Job(space, name, job.spec.ttl_s, job.spec.deadline_s, job.started, job.finished)
            for (space, name), job in self._jobs.items()
            if job.spec.kind != "Deployment"
        ]

    def stop(self, job: Job) -> None:
        """End the pods of a job."""
        self._finish(self._jobs[job.namespace, job.name])

    def delete(self, job: Job) -> None:
        """Delete a job with its pods; their disks go where the storage class says so."""
        gone = self._jobs.pop((job.namespace, job.name))
        if gone.finished is None:
            self._finish(gone)
        for volume in gone.volumes:
            volume.released = self.clock
            if self.volumes_go:
                volume.end = self.clock

    def look(self) -> None:
        """List what is there now, as a person with kubectl would."""
        pods = [replace(pod) for job in self._jobs.values() for pod in job.pods]
        volumes = [replace(volume) for volume in self.volumes if volume.end is None]
        self.listing = Listing(self.clock, tuple(pods), tuple(volumes))

    # what a person on call does

    def clean_up(self) -> None:
        """Delete jobs that have ended or lost their driver, and every disk that no pod has."""
        for job in self.jobs():
            driver_end = self._jobs[job.namespace, job.name].work.driver_end
            if job.finished is not None or (driver_end is not None and driver_end <= self.clock):
                self.delete(job)
        for volume in self.volumes:
            if volume.end is None and volume.detached is not None:
                volume.end = self.clock


def _identity(kind: str, *parts: object) -> str:
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
    return f"{kind}-{digest[:17]}"
