"""``mlgates scan --out``: data sets of any size, in partitions, on all cores or on a cluster."""

from __future__ import annotations

import os
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from pytest_mlgates.audit.anonymize import check_redaction
from pytest_mlgates.audit.engine import DaftEngine, PartitionDone
from pytest_mlgates.audit.finished import FinishedScan
from pytest_mlgates.audit.folder import OutFolder
from pytest_mlgates.audit.forecast import forecast, forecast_lines, readable_bytes
from pytest_mlgates.audit.listing import data_files
from pytest_mlgates.audit.partitions import Partition
from pytest_mlgates.audit.run import ScanStopped, partitions_of, prepared, run_partitions
from pytest_mlgates.audit.sample import rate_below
from pytest_mlgates.audit.settings import Redaction, ScanSettings
from pytest_mlgates.audit.storage import Address
from pytest_mlgates.core import Evidence, Outcome
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import first, number, plural, printable
from pytest_mlgates.gates.pii_leak import PiiLeak

__all__ = ["audit_datasets"]

#: exit status: all was read and passes; a leak, or too little seen; something was not read
CLEAN, NO_PASS, NOT_ALL_READ, INTERRUPTED = 0, 1, 3, 130
_QUIET_S = 60.0
_SHOWN = 20


def audit_datasets(args: Namespace, gate: PiiLeak) -> int:
    """Scan the data sets into the folder ``--out``, and print what came out."""
    if args.plan:
        return _plan(args, gate)
    if not args.out:
        raise UsageError("give --out FOLDER: the findings go there, and a scan goes on from there")
    folder = OutFolder(args.out)
    settings = _settings(args, gate, folder.key(args.key))
    _check_apart(args)
    partitions = prepared(folder, settings, lambda: data_files(args.datasets, args.skip))
    if folder.summary() is None:
        try:
            _run(args, settings, folder, partitions)
        except (ScanStopped, KeyboardInterrupt) as error:
            left = len(folder.left(partitions))
            why = str(error) or "interrupted"
            sys.stderr.write(
                f"{printable(why)}: {len(partitions) - left:,} of {len(partitions):,} partitions are"
                " done and kept; the same command goes on from there\n"
            )
            return NOT_ALL_READ if isinstance(error, ScanStopped) else INTERRUPTED
    scan = FinishedScan(args.out)
    evidence = gate.run(scan, key=settings.key or None)
    if folder.summary() is None:
        folder.write("evidence.json", evidence.to_json())
        folder.end(_summary(args, scan, evidence))
    return _print(args, scan, evidence)


def _settings(args: Namespace, gate: PiiLeak, key: bytes) -> ScanSettings:
    redaction = None
    if args.redact_to:
        kept = args.redact_key.read_bytes().strip() if args.redact_key else b""
        redaction = Redaction(str(args.redact_to), args.redact_with, kept)
        check_redaction(redaction)
        if args.sample:
            raise UsageError("--redact-to copies every record: leave --sample out")
    if args.sample and args.sample < 0:
        raise UsageError(f"--sample {args.sample}: a number of records is wanted")
    return ScanSettings(
        entities=tuple(gate.kinds),
        regions=gate.regions,
        allow=gate.allow,
        names=args.names,
        min_confidence=gate.min_confidence,
        columns=tuple(args.column),
        key=key,
        out=Address.of(args.out).text if args.out else "",
        sample=args.sample or 0,
        seed=args.seed,
        redaction=redaction,
    )


def _check_apart(args: Namespace) -> None:
    """Raise UsageError where what is written would be read, or be written over."""
    read = [Address.of(dataset) for dataset in args.datasets]
    for option, text in (("--out", args.out), ("--redact-to", args.redact_to)):
        if not text:
            continue
        place = Address.of(str(text))
        for dataset in read:
            if f"{place.text}/".startswith(f"{dataset.text}/"):
                raise UsageError(f"{option} lies inside a data set: give a folder beside it")


def _plan(args: Namespace, gate: PiiLeak) -> int:
    settings = _settings(args, gate, b"")
    partitions = partitions_of(settings, data_files(args.datasets, args.skip))
    told = forecast(settings, partitions)
    cores = args.processes or os.cpu_count() or 1
    for line in forecast_lines(told, settings, cores, args.core_hour_usd):
        print(line)
    return CLEAN


def _run(
    args: Namespace, settings: ScanSettings, folder: OutFolder, partitions: Sequence[Partition]
) -> None:
    left = folder.left(partitions)
    progress = _Shown(sum(one.size for one in partitions), sum(one.size for one in left))
    if left:
        engine = DaftEngine(args.processes, args.cluster)
        try:
            run_partitions(engine, settings, folder, partitions, progress.show)
        finally:
            progress.end()


class _Shown:
    """One line on a terminal, or a line a minute in a log: how far, how fast, how long still."""

    def __init__(self, total: int, left: int) -> None:
        self._total, self._left, self._done = total, left, 0
        self._records = self._dirty = 0
        self._begun = self._told = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def show(self, done: PartitionDone) -> None:
        """Show that a partition is done."""
        self._done += done.size
        self._records += done.records
        self._dirty += done.dirty
        now = time.monotonic()
        if not self._terminal and now - self._told < _QUIET_S:
            return
        self._told = now
        speed = self._done / max(1e-9, now - self._begun)
        still = (self._left - self._done) / speed if speed else 0.0
        text = (
            f"{readable_bytes(self._total - self._left + self._done)} of {readable_bytes(self._total)},"
            f" {self._records:,} records, {self._dirty:,} dirty,"
            f" {readable_bytes(speed)}/s, {_duration(still)} left"
        )
        sys.stderr.write(f"\r\x1b[K{text}" if self._terminal else f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave a clean line."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _summary(args: Namespace, scan: FinishedScan, evidence: Evidence) -> dict[str, object]:
    totals = scan.totals
    found: dict[str, object] = {
        "verdict": evidence.outcome.value,
        "reason": evidence.verdict.reason,
        "gate": dict(evidence.policy),
        "left_out": list(args.skip),
        **totals.to_json(),
        "examples": scan.examples(sure=True),
        "unconfirmed_examples": scan.examples(sure=False),
    }
    if scan.is_sample:
        found["sample"] = {
            "unit": "a record drawn at random from its file; every file is drawn from",
            "drawn": totals.records,
            "there": totals.held,
            "worth": scan.effective,
            "dirty_rate_below": rate_below(totals.dirty, totals.drawn, args.error),
            "error": args.error,
        }
    return found


def _print(args: Namespace, scan: FinishedScan, evidence: Evidence) -> int:
    totals = scan.totals
    print(f"{evidence.outcome.upper()}: {printable(evidence.verdict.reason)}")
    print(
        f"{plural(totals.files, 'file')}, {readable_bytes(totals.size)},"
        f" {plural(totals.records, 'record')} looked at, {totals.dirty:,} with a confirmed find"
    )
    for title, counts in (
        ("by kind", totals.kinds),
        ("by column", totals.columns),
        ("by file", totals.dirty_files),
    ):
        if counts:
            shown = [f"{printable(name)} {count:,}" for name, count in counts.most_common(_SHOWN)]
            more = f", and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else ""
            print(f"  {title}: {', '.join(shown)}{more}")
    for line in scan.examples(sure=True)[:_SHOWN]:
        print(f"  {printable(line)}")
    if scan.is_sample:
        top = rate_below(totals.dirty, totals.drawn, args.error)
        print(
            f"a sample: {totals.records:,} of {totals.held:,} records, drawn at random from every"
            f" file; fewer than {number(100 * top)} % of all are dirty, but for a chance of"
            f" {args.error:g}; unit: a record drawn"
        )
    for line in first([f"not read: {reason}" for reason in totals.unread], _SHOWN):
        print(printable(line))
    for glob in args.skip:
        print(f"left out, as asked: {printable(glob)}")
    if totals.emptied:
        print(f"{totals.emptied:,} values that can't hold text are empty in the copy")
    print(
        f"findings: {printable(str(Path(args.out) / 'findings')) if '://' not in args.out else args.out + '/findings'}"
    )
    if totals.unread:
        return NOT_ALL_READ
    return CLEAN if evidence.outcome == Outcome.PASS else NO_PASS
