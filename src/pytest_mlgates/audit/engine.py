"""Run the batched function over all partitions: Daft on all cores, or the same plan on Ray.

Daft hands out partitions, starts workers, and on a cluster starts them again where one dies. Here
a worker that dies ends the query, and the partitions that are not done are asked for again; one
that has killed its worker three times is given up and told of. Daft and Ray report to their makers
unless told not to: they are told.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_mlgates.audit.partitions import Partition
from pytest_mlgates.audit.settings import ScanSettings
from pytest_mlgates.audit.work import Scanner
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import install

__all__ = ["DaftEngine", "InProcess", "PartitionDone", "ScanEngine"]


@dataclass(frozen=True, slots=True)
class PartitionDone:
    """What became of a partition; ``failed`` says why it could not be kept."""

    number: int
    size: int
    records: int = 0
    dirty: int = 0
    unread: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    failed: str = ""


class ScanEngine(Protocol):
    """Runs partitions somewhere."""

    def run(
        self, settings: ScanSettings, partitions: Sequence[Partition]
    ) -> Iterator[PartitionDone]:
        """Yield each partition as it is done, in any order."""


class InProcess:
    """One partition after the other, here: what the others are measured against."""

    def run(
        self, settings: ScanSettings, partitions: Sequence[Partition]
    ) -> Iterator[PartitionDone]:
        """Yield each partition as it is done."""
        scanner = Scanner(settings)
        for partition in partitions:
            yield PartitionDone(**json.loads(scanner(partition.to_json())))


class DaftEngine:
    """Daft's native runner with ``processes`` workers, or a Ray cluster by its ``address``."""

    def __init__(self, processes: int = 0, address: str = "") -> None:
        self._processes = processes or os.cpu_count() or 1
        self._address = address
        os.environ.update(_QUIET)
        try:
            import daft
        except ImportError:
            raise UsageError(f"a scan of this kind needs Daft: {install('scan')}") from None
        # it would print what it thinks of a worker that died, which is told of here
        logging.getLogger("daft").setLevel(logging.CRITICAL + 1)
        # in order, one slow partition would hold up all workers
        daft.set_execution_config(maintain_order=False)
        if not address:
            daft.set_runner_native()
            return
        try:
            import ray
        except ImportError:
            raise UsageError(f"--cluster needs Ray: {install('scan-ray')}") from None
        try:
            if not ray.is_initialized():
                ray.init(address, log_to_driver=False, logging_level="error")
        except (ConnectionError, RuntimeError, ValueError):
            raise UsageError(f"no Ray cluster answers at {address}") from None
        daft.set_runner_ray(address)
        self._processes = processes or max(1, int(ray.cluster_resources().get("CPU", 1)))

    def run(
        self, settings: ScanSettings, partitions: Sequence[Partition]
    ) -> Iterator[PartitionDone]:
        """Yield each partition as it is done, in any order."""
        import daft

        lines = [partition.to_json() for partition in partitions]
        table = daft.from_pydict({"partition": lines})
        if self._address:
            table = table.into_partitions(min(len(lines), 4 * self._processes))
        # one partition at a time: whoever is done first takes the next
        daft.method.batch(return_dtype=daft.DataType.string(), batch_size=1)(Scanner.batch)
        workers = min(self._processes, len(lines))
        scanner = daft.cls(Scanner, max_concurrency=workers, use_process=True)(settings)
        done = table.select(scanner.batch(daft.col("partition")).alias("done"))
        for row in done.iter_rows(results_buffer_size=None):
            yield PartitionDone(**json.loads(row["done"]))


_QUIET = {
    "DO_NOT_TRACK": "true",
    "DAFT_ANALYTICS_ENABLED": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DAFT_PROGRESS_BAR": "0",
}
