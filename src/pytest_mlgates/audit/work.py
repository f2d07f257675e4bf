"""The batched function of the engine: one partition in, what was read and found out.

All that a run knows is in the settings and in the partition; what it finds goes into one file of
the output folder, written in one step. So it can be run anywhere, and again.
"""

from __future__ import annotations

import json
import time
from typing import Protocol

from pytest_mlgates.audit.copies import CopyFailed, CopyFile
from pytest_mlgates.audit.draws import Draw
from pytest_mlgates.audit.findings import FindingsFile
from pytest_mlgates.audit.formats import UNREADABLE_SOURCE, opened_source, why_unread
from pytest_mlgates.audit.look import Look
from pytest_mlgates.audit.partitions import Partition, Stretch
from pytest_mlgates.audit.report import StretchReport
from pytest_mlgates.audit.settings import ScanSettings
from pytest_mlgates.audit.storage import Address, is_remote, renewed, why_refused
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.pii.find import Detector

__all__ = ["Scanner"]

#: how often a partition of object storage is read again, and seconds before the first time
_AGAIN, _WAIT_S = 5, 0.5


class PartitionLines(Protocol):
    """A column of lines, as Daft has it."""

    def to_pylist(self) -> list[str]:
        """Return the lines."""


class _RefusedError(Exception):
    """Object storage refused, and may not the next time."""


class Scanner:
    """Scans partitions, one after the other; a process needs one, since it compiles the rules.

    ``detector`` is one that has its rules already, made from the same settings.
    """

    def __init__(self, settings: ScanSettings, detector: Detector | None = None) -> None:
        self.settings = settings
        self._detector = detector

    def __call__(self, line: str) -> str:
        """Scan the partition of a line, and return what became of it as JSON."""
        partition = Partition.from_json(line)
        told: dict[str, object] = {"number": partition.number, "size": partition.size}
        try:
            told |= self._scanned(partition)
        except CopyFailed as error:
            told["failed"] = str(error)
        except OSError as error:
            told["failed"] = f"the findings can't be written: {why_refused(error)}"
        return json.dumps(told)

    def _scanned(self, partition: Partition) -> dict[str, object]:
        started, cpu = time.monotonic(), time.process_time()
        for attempt in range(_AGAIN + 1):
            findings = FindingsFile(self.settings.key, self.settings.min_confidence)
            try:
                reports = [
                    self._stretch(stretch, findings, last=attempt == _AGAIN)
                    for stretch in partition.stretches
                ]
            except _RefusedError:
                renewed()
                time.sleep(_WAIT_S * 2**attempt)
                continue
            break
        findings.write(Address.of(self.settings.out).joined(partition.file_name), reports)
        return {
            "records": sum(report.records for report in reports),
            "dirty": sum(report.dirty for report in reports),
            "unread": sum(bool(report.error) for report in reports),
            "seconds": time.monotonic() - started,
            "cpu": time.process_time() - cpu,
        }

    def batch(self, lines: PartitionLines) -> list[str]:
        """Scan the partitions of several lines, as the engine hands them over."""
        return [self(line) for line in lines.to_pylist()]

    def _stretch(self, stretch: Stretch, findings: FindingsFile, *, last: bool) -> StretchReport:
        """Scan a stretch; whatever is wrong with it stands in the report."""
        report = StretchReport(stretch.name, stretch.size, stretch.draw)
        try:
            self._read(stretch, report, findings)
        except UNREADABLE_SOURCE as error:
            report.error = why_unread(error)
            if is_remote(stretch.url) and _may_pass(error) and not last:
                raise _RefusedError from None
        except RecursionError:
            report.error = "a record is nested too deeply"
        except (CopyFailed, _RefusedError):
            raise
        except Exception as error:  # noqa: BLE001  (one file that nobody foresaw ends no scan)
            report.error = f"it could not be scanned ({type(error).__name__})"
        return report

    def _read(self, stretch: Stretch, report: StretchReport, findings: FindingsFile) -> None:
        settings = self.settings
        draw = Draw(stretch.draw, f"{settings.seed}:{stretch.name}:{stretch.first}")
        if self._detector is None:
            self._detector = settings.detector()
        _check_unchanged(stretch)
        look = Look(self._detector, report, findings, settings.redaction)
        with opened_source(
            stretch, settings.columns, draw, copied=settings.redaction is not None
        ) as source:
            copy = None
            if settings.redaction is not None:
                if source.copy_to is None:
                    raise Unmeasurable("no copy can be made of its kind: it was not read")
                copy = CopyFile(settings.redaction.to, stretch, source.copy_to)
            try:
                for chunk in source.chunks:
                    changes = look.at(chunk)
                    if copy is not None:
                        copy.write(chunk, changes)
                _check_unchanged(stretch)
                if copy is not None:
                    report.emptied = copy.commit()
            finally:
                report.held = draw.held
                if copy is not None:
                    copy.close()
        report.notes += source.notes


def _check_unchanged(stretch: Stretch) -> None:
    address = Address.of(stretch.url)
    info = address.filesystem.get_file_info(address.path)
    if not info.is_file:
        raise FileNotFoundError
    if stretch.stamp != f"{max(info.size or 0, 0)}-{info.mtime_ns or 0}":
        raise Unmeasurable("it was changed since the scan began: scan it again")


def _may_pass(error: Exception) -> bool:
    """Tell whether reading again may help: what is cut off or missing stays so."""
    gone = isinstance(error, FileNotFoundError) or "runcated" in str(error)
    return isinstance(error, OSError) and not gone
