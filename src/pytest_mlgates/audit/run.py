"""One scan from its plan to its end: begun or gone on with, watched, and closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_mlgates.audit.engine import PartitionDone, ScanEngine
from pytest_mlgates.audit.findings import FindingsFile
from pytest_mlgates.audit.folder import OutFolder
from pytest_mlgates.audit.listing import DataFile
from pytest_mlgates.audit.partitions import Partition, cut, with_draws
from pytest_mlgates.audit.report import StretchReport
from pytest_mlgates.audit.settings import ScanSettings
from pytest_mlgates.audit.storage import Address
from pytest_mlgates.core.errors import MlgatesError, UsageError

__all__ = ["ScanStopped", "partitions_of", "prepared", "run_partitions"]

#: how often in a row a query may end with nothing done before its partitions are run one by one
_FAILURES = 2
#: bytes of the smallest partition, and of the largest
_LEAST, _MOST = 4 << 20, 64 << 20
#: partitions of a scan that is large enough
_MANY = 64


class ScanStopped(MlgatesError):
    """A scan can't go on now; what is done is kept, and the same command goes on from it."""


def partitions_of(settings: ScanSettings, files: Sequence[DataFile]) -> list[Partition]:
    """Return how the files are cut, with the records that are drawn of each for a sample."""
    total = sum(file.size for file in files)
    most = min(_MOST, max(_LEAST, total // _MANY))
    partitions = cut(files, whole=settings.redaction is not None, most=most)
    return with_draws(partitions, settings.sample) if settings.sample else partitions


def prepared(
    folder: OutFolder, settings: ScanSettings, files: Callable[[], list[DataFile]]
) -> list[Partition]:
    """Return the plan: that of the folder where a scan was begun, or a new one."""
    if folder.planned():
        folder.check(settings)
        return folder.plan()
    if any(True for _ in _inside(folder)):
        raise UsageError(f"{folder.address.text} holds other files: give a new folder as --out")
    partitions = partitions_of(settings, files())
    folder.begin(settings, partitions)
    return partitions


def run_partitions(
    engine: ScanEngine,
    settings: ScanSettings,
    folder: OutFolder,
    partitions: Sequence[Partition],
    watch: Callable[[PartitionDone], None],
) -> None:
    """Run all partitions that are not done; where a worker dies, those that it left.

    Raises :class:`ScanStopped` where findings can't be written, or nothing can be run.
    """
    failures = 0
    left = folder.left(partitions)
    while left:
        reason = _run_once(engine, settings, left, watch)
        now = folder.left(left)
        if len(now) < len(left):
            failures = 0
        elif failures >= _FAILURES:
            _one_by_one(engine, settings, folder, now, watch)
        else:
            failures += 1
        if not reason and len(now) == len(left):
            raise ScanStopped(
                f"the workers wrote nothing that is seen at {folder.address.text}: --out must be "
                "a place that all of them share"
            )
        left = folder.left(now)


def _run_once(
    engine: ScanEngine,
    settings: ScanSettings,
    partitions: Sequence[Partition],
    watch: Callable[[PartitionDone], None],
) -> str:
    """Run partitions; return why the query ended early, or nothing."""
    try:
        for done in engine.run(settings, partitions):
            if done.failed:
                raise ScanStopped(done.failed)
            watch(done)
    except MlgatesError:
        raise
    except Exception as error:  # noqa: BLE001  (of the engine: its texts may quote what we read)
        return type(error).__name__
    return ""


def _one_by_one(
    engine: ScanEngine,
    settings: ScanSettings,
    folder: OutFolder,
    partitions: Sequence[Partition],
    watch: Callable[[PartitionDone], None],
) -> None:
    """Run each partition alone; one that ends its worker again and again is given up."""
    ended = 0
    for partition in partitions:
        reason = _run_once(engine, settings, [partition], watch) or _run_once(
            engine, settings, folder.left([partition]), watch
        )
        if not folder.left([partition]):
            continue
        ended += 1
        if ended == len(partitions) > 1:
            raise ScanStopped(f"the engine runs nothing ({reason}): is there memory enough?")
        given_up = FindingsFile(settings.key, settings.min_confidence)
        reports = [
            StretchReport(
                s.name, s.size, s.draw, error="reading it ended the process again and again"
            )
            for s in partition.stretches
        ]
        given_up.write(Address.of(settings.out).joined(partition.file_name), reports)


def _inside(folder: OutFolder) -> Sequence[object]:
    from pyarrow.fs import FileSelector

    selector = FileSelector(folder.address.path, allow_not_found=True)
    every = folder.address.filesystem.get_file_info(selector)
    return [info for info in every if info.base_name != "digest.key"]
