"""``mlgates report``: reports in folders as one: recovered, merged, with what earlier ones said."""

from __future__ import annotations

import dataclasses
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from pytest_mlgates.core.errors import UnknownGate, UsageError
from pytest_mlgates.core.instants import kernel_now
from pytest_mlgates.core.words import printable
from pytest_mlgates.report.build import build
from pytest_mlgates.report.history import earlier
from pytest_mlgates.report.merge import from_the_future, merge
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.read import (
    ReportError,
    check_digests,
    ended_at,
    read_report,
    report_of,
)
from pytest_mlgates.report.scopes import scopes_in
from pytest_mlgates.session.journal import FOLDER, read_journals
from pytest_mlgates.writers import ATTESTATION, write_all
from pytest_mlgates.writers.summary import markdown

__all__ = ["Combined", "combine", "recover", "report"]


def report(args: Namespace) -> int:
    """Print one report of several folders; with ``--out`` write it."""
    folders = list(dict.fromkeys(args.folders))
    if args.out is None and (len(folders) > 1 or args.history):
        raise UsageError("several reports make one: say where with --out DIR")
    if args.out is not None:
        _refuse_a_report(args.out, folders)
    made = combine(folders, args.history)
    faults = [] if args.out is None else write_all(made.report, args.out)
    print(markdown(made.report))
    for line in [*made.notes, *faults]:
        print(printable(line), file=sys.stderr)
    return 1 if made.report.problems or made.doubts or faults else 0


def _refuse_a_report(out: Path, folders: Sequence[Path]) -> None:
    """Refuse to write over a run that ended, or one that was signed."""
    if out.resolve() in [folder.resolve() for folder in folders]:
        raise UsageError(f"--out {out}: is one of the reports")
    if (out / ATTESTATION).exists():
        raise UsageError(f"--out {out}: holds a signed report: name another folder")
    if (out / "report.json").exists() and "finished" in read_report(out)["environment"]:
        raise UsageError(f"--out {out}: holds the report of a run that ended: name another folder")


@dataclasses.dataclass(frozen=True, slots=True)
class Combined:
    """A report, what was left out of it, and whether to doubt it."""

    report: Report
    notes: tuple[str, ...]
    doubts: bool


def combine(folders: Sequence[Path], history: Sequence[Path] = ()) -> Combined:
    """Return one report of several folders; ReportError where they make none."""
    now = kernel_now()
    shards = []
    for folder in folders:
        recover(folder)
        if fault := broken_seal(folder):
            raise ReportError(f"{folder}: {fault}: this shard was changed after it was signed")
        data = read_report(folder)
        shard = report_of(folder, data)
        check_digests(folder, data, shard)
        shards.append((folder, shard))
    notes: list[str] = []
    if len(shards) > 1:
        whole = merge(shards, now)
        pieces = [piece.digest for _, one in shards for piece in one.evidence]
        if (again := len(set(pieces)) - len(whole.evidence)) > 0:
            notes.append(
                f"{again} of {len(pieces)} pieces were measured in two shards: the worse stands"
            )
    else:
        ((place, whole),) = shards
        if wrong := from_the_future(place, whole, now):
            notes.append(wrong)
    doubts = bool(notes) and len(shards) == 1
    if history:
        ended = max(ended_at(*one) for one in shards)
        runs, left_out = earlier(history, ended)
        whole = dataclasses.replace(whole, history=tuple(runs))
        notes += left_out
    return Combined(whole, tuple(notes), doubts)


def broken_seal(folder: Path) -> str:
    """Say how a signed folder is not as it was signed, or nothing; nobody's key is asked for."""
    if not (folder / ATTESTATION).exists():
        return ""
    from pytest_mlgates.signing.attested import read_attested
    from pytest_mlgates.signing.consistency import changed, strangers
    from pytest_mlgates.signing.folder import scan

    attested = read_attested(folder / ATTESTATION)
    if attested.fault:
        return attested.fault
    contents = scan(folder, {name: stored.size for name, stored in attested.files.items()})
    return next(
        iter([*changed(contents, attested), *strangers(contents, attested, ATTESTATION)]), ""
    )


def recover(place: Path) -> Report:
    """Return the report in a folder; one that was cut off is written with what its journals hold.

    Raises ReportError where that can't be done. A report that was finished is left as it is.
    """
    read = report_of(place, read_report(place))
    folder = place if place.is_dir() else place.parent
    ended = "finished" in read.environment or (folder / ATTESTATION).exists()
    if ended or not (folder / FOLDER).is_dir():
        return read  # nothing is written where a run ended, or was signed
    found, cut = read_journals(folder / FOLDER)
    # a journal is there only where the run did not end
    lost = dict.fromkeys(["the run has not ended", *read.incomplete, *cut])
    pieces = [*read.evidence, *found]
    try:
        scopes = list(scopes_in(read))
    except (ValueError, UnknownGate) as fault:
        raise ReportError(f"{place}: {fault}") from None
    made = build(pieces, scopes, list(lost), read.environment, kernel_now(), absent=read.absent)
    if faults := write_all(made, folder):
        raise ReportError(faults[0])
    return made
