"""May 2026 on the cluster, hour by hour: what normally runs, and the weekend of the incident.

The weekend is the same for both builds. What differs is the manifests, so what differs in the
bill is what the TTL controller and the placement made of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from reference_systems.cloud_bill.memory import HOUR, MemoryCluster, Work
from reference_systems.cloud_bill.reaper import reconcile
from reference_systems.cloud_bill.spec import Spec

__all__ = ["CLEANED", "DRIVER_DIES", "END", "START", "run"]

START = datetime(2026, 5, 1, tzinfo=UTC)
END = datetime(2026, 6, 1, tzinfo=UTC)

#: a search over 50 settings begins on Thursday; its driver dies on Friday, when people go home
SEARCH_BEGINS = datetime(2026, 5, 14, 17, tzinfo=UTC)
DRIVER_DIES = datetime(2026, 5, 15, 16, tzinfo=UTC)
#: 25 fine-tuning runs of two hours each, one after the other, through the weekend
RUNS, RUN_HOURS = 25, 2
RUNS_BEGIN = datetime(2026, 5, 15, 22, tzinfo=UTC)
#: on Monday somebody reads the bill
CLEANED = datetime(2026, 5, 18, 8, tzinfo=UTC)

#: 5 workers, 125 steps of an all-reduce over 10 GB: 10 TB around the ring in each run
GRADIENT_GB, STEPS = 10, 125

_Due = dict[datetime, list[tuple[str, str, Work]]]


def run(spec: Spec, seed: int) -> MemoryCluster:
    """Let the month pass under the manifests of a build; return the cluster with its records."""
    cluster = MemoryCluster(START, spec.zones, spec.volumes_go)
    due: _Due = {}
    for at, template, name, work in [*_normal(seed), *_weekend()]:
        due.setdefault(at, []).append((template, name, work))
    while cluster.clock < END:
        for template, name, work in due.get(cluster.clock, ()):
            cluster.submit(spec.jobs[template], name, work)
        reconcile(cluster)
        if cluster.clock == CLEANED:
            cluster.look()
            cluster.clean_up()
        cluster.tick()
    return cluster


def _weekend() -> Iterator[tuple[datetime, str, str, Work]]:
    search = Work(hours=None, driver_end=DRIVER_DIES)
    yield SEARCH_BEGINS, "sweep-workers", "sweep-workers", search
    hours = int((DRIVER_DIES - SEARCH_BEGINS) / HOUR)
    yield SEARCH_BEGINS, "sweep-driver", "sweep-driver", Work(hours=hours)
    work = Work(hours=RUN_HOURS, utilization=0.85, gradient_gb=GRADIENT_GB, steps=STEPS)
    for number in range(RUNS):
        at = RUNS_BEGIN + number * RUN_HOURS * HOUR
        yield at, "llama-finetune", f"llama-finetune-{number:02d}", work


def _normal(seed: int) -> Iterator[tuple[datetime, str, str, Work]]:
    """Yield what runs in any month: a model that serves, nightly training, work of the day."""
    draw = random.Random(f"{seed}: workload")
    yield START, "ranker", "ranker", Work(hours=None, utilization=draw.uniform(0.4, 0.6))
    day = START
    while day < END:
        if day.weekday() < 5:
            night = Work(hours=draw.randint(4, 6), utilization=draw.uniform(0.7, 0.95))
            yield day + 2 * HOUR, "nightly-vision", f"nightly-vision-{day:%d}", night
            for number in range(draw.randint(3, 6)):
                at = day + draw.randint(8, 17) * HOUR
                work = Work(hours=draw.randint(2, 8), utilization=draw.uniform(0.5, 0.9))
                yield at, "notebook", f"notebook-{day:%d}-{number}", work
        day += timedelta(days=1)
