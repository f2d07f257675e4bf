"""Look at chunks of records: count what is found, keep it, and say what a copy changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_mlgates.audit.anonymize import change_of
from pytest_mlgates.audit.cells import Change, Found, Place, locate
from pytest_mlgates.audit.chunks import Changes, Chunk, Window
from pytest_mlgates.audit.findings import FindingRows
from pytest_mlgates.audit.report import StretchReport
from pytest_mlgates.audit.settings import Redaction
from pytest_mlgates.pii.find import Detector
from pytest_mlgates.pii.spans import NAMES, Span

__all__ = ["Look"]

#: score from which an unconfirmed find is a doubt, as ``pii_leak`` counts it
_DOUBTFUL = 0.25


class Look:
    """Looks at the chunks of one stretch, in their order."""

    def __init__(
        self,
        detector: Detector,
        report: StretchReport,
        findings: FindingRows,
        redaction: Redaction | None,
    ) -> None:
        self._detector, self._report, self._findings = detector, report, findings
        self._redaction = redaction
        self._part_was_dirty = False

    def at(self, chunk: Chunk) -> Changes:
        """Count and keep what a chunk holds; return what is changed of it in a copy."""
        changes: dict[int, dict[Place, Change]] = {}
        if not chunk.head and not chunk.windows:
            full = sum(map(bool, map(str.strip, chunk.texts)))
            self._report.records += full
            self._report.blank += len(chunk.texts) - full
        for at, spans in enumerate(self._detector.find_all(chunk.texts)):
            if chunk.windows:
                self._part(chunk, at, spans, chunk.windows[at])
            elif spans:
                found = self._found(chunk, at, spans)
                if self._record(chunk, at, found):
                    self._report.dirty += 1
                    self._report.records += chunk.head
                if self._redaction is not None and found:
                    changes[at] = _changes(found, self._redaction)
        return changes

    def _part(self, chunk: Chunk, at: int, spans: Iterable[Span], window: Window) -> None:
        """Count a record of which this may be a part; it is dirty where one of its parts is."""
        inside = [span for span in spans if window.low <= span.start < window.high]
        dirty = self._record(chunk, at, self._found(chunk, at, inside), window.at)
        self._part_was_dirty |= dirty
        if window.last:
            self._report.records += 1
            self._report.dirty += self._part_was_dirty
            self._part_was_dirty = False

    def _found(self, chunk: Chunk, at: int, spans: Sequence[Span]) -> list[Found]:
        if not spans:
            return []
        every = locate(chunk.cells(at), spans)
        return [found for found in every if not (found.in_name and chunk.names_once)]

    def _record(self, chunk: Chunk, at: int, found: Iterable[Found], moved: int = 0) -> bool:
        """Keep the finds of one record; tell whether one of them is confirmed."""
        dirty, doubtful = False, set()
        for one in found:
            sure = self._findings.is_sure(one.span)
            dirty |= sure
            self._report.hits += sure
            if not sure and one.span.score >= _DOUBTFUL and one.span.entity not in NAMES:
                doubtful.add(one.span.entity)
            self._report.count(self._findings.column(one), one.span.entity, sure=sure)
            self._findings.add(self._report.file, chunk.rows[at], one, moved)
        self._report.doubtful.update(doubtful)
        return dirty


def _changes(found: Iterable[Found], redaction: Redaction) -> dict[Place, Change]:
    by_place: dict[Place, list[Found]] = {}
    for one in found:
        by_place.setdefault((one.cell.steps, one.in_name), []).append(one)
    return {place: change_of(some, redaction) for place, some in by_place.items()}
