"""``mlgates report --as``: sheets that auditors recognise; ``--index``: a page over runs."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_mlgates.commands.combine import Combined, combine
from pytest_mlgates.commands.combine import report as combined
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.files import put
from pytest_mlgates.core.plain import read_plain
from pytest_mlgates.core.words import did_you_mean, plural, printable
from pytest_mlgates.documents.facts import Facts, Source
from pytest_mlgates.documents.kinds import KINDS, sheet_of
from pytest_mlgates.documents.page import as_html
from pytest_mlgates.documents.sheet import Sheet, as_markdown
from pytest_mlgates.report.history import report_folders
from pytest_mlgates.report.model import SystemReport
from pytest_mlgates.report.read import MAX_BYTES, read_report, summary_of
from pytest_mlgates.report.replay import replay
from pytest_mlgates.writers import ATTESTATION
from pytest_mlgates.writers.html_report.overview import RunLine, overview

__all__ = ["report"]


def report(args: Namespace) -> int:
    """Write a page over runs, or a sheet for auditors, or else one report of all folders."""
    alone = {"--index": args.index, "--as": args.sheet, "--out": args.out}
    asked = [name for name, value in alone.items() if value is not None]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)}: ask for one of them at a time")
    if (args.system or args.to) and args.sheet is None:
        raise UsageError(f"--system and --to: are about a sheet: add --as {' | '.join(KINDS)}")
    if args.index is not None:
        return _write_index(args)
    return combined(args) if args.sheet is None else _write_sheets(args)


def _write_sheets(args: Namespace) -> int:
    """Write the sheet of each system of a report, as Markdown or, by the name of the file, HTML."""
    if args.sheet not in KINDS:
        raise UsageError(f"--as {args.sheet}: is no sheet{did_you_mean(args.sheet, tuple(KINDS))}")
    folders = list(dict.fromkeys(args.folders))
    made = combine(folders, args.history)
    replayed, bad = _replayed(folders)
    sources = list(map(_source, folders))
    sheets = [
        sheet_of(args.sheet, Facts(made.report, system, sources, replayed))
        for system in _systems(made, args.system, args.sheet)
    ]
    _write(sheets, args.to)
    for line in made.notes:
        print(printable(line), file=sys.stderr)
    return 1 if made.report.problems or made.doubts or bad else 0


def _write(sheets: Sequence[Sheet], place: Path | None) -> None:
    if place is not None and place.suffix in (".html", ".htm"):
        text = as_html(sheets)
    else:
        text = "\n---\n\n".join(map(as_markdown, sheets))
    if place is None:
        print(text, end="")
    else:
        put(place, text)


def _systems(made: Combined, wanted: str, kind: str) -> list[SystemReport]:
    """Return the systems to tell of: the one asked for, or all that there is something to say of."""
    found = list(made.report.systems)
    if wanted:
        found = [system for system in found if system.system == wanted]
        if not found:
            names = tuple(system.system for system in made.report.systems)
            raise UsageError(
                f"--system {wanted}: is not in the report{did_you_mean(wanted, names)}"
            )
    if kind == "ll-144" and not wanted:
        counted = {p.system for p in made.report.gated() if p.gate == "impact_ratio"}
        found = [system for system in found if system.system in counted] or found
    if not found:
        raise UsageError("the report has no system: there is nothing to tell of")
    return found


def _replayed(folders: Sequence[Path]) -> tuple[str, int]:
    """Decide again on all evidence; return what came of it in words, and how many faults there are."""
    total = bad = 0
    for folder in folders:
        for result in replay(read_report(folder)):
            total += bool(result.digest)
            bad += bool(result.fault)
    told = f"{plural(total, 'decision')} when this was written, each followed from its numbers"
    return (told, 0) if not bad else (f"{bad} of {total} decisions or parts DID NOT FOLLOW", bad)


def _source(folder: Path) -> Source:
    place = folder / "report.json" if folder.is_dir() else folder
    return Source.of(place.parent, read_plain(place, MAX_BYTES), _signature(place.parent))


def _signature(folder: Path) -> str:
    """Say by which key a folder is signed; whose key it is, `mlgates verify` answers."""
    if not (folder / ATTESTATION).exists():
        return ""
    from pytest_mlgates.signing.attested import read_attested

    sealing = read_attested(folder / ATTESTATION).sealing
    if sealing is None:
        return "there is one, which can't be read here"
    return f"key {sealing.keyid}, {sealing.signed}; whose key that is was not asked"


def _write_index(args: Namespace) -> int:
    """Write a page over the runs in some folders, the latest first."""
    runs, faults = [], []
    for folder in _folders(args.folders):
        try:
            runs.append(RunLine.of(folder, summary_of(read_report(folder)), args.index))
        except ValueError as fault:
            faults.append(str(fault))
    if not runs and not faults:
        raise UsageError(f"{', '.join(map(str, args.folders))}: holds no report")
    put(args.index, overview(runs, faults))
    print(printable(f"{args.index}: {plural(len(runs), 'run')}, {len(faults)} left out"))
    return 1 if faults else 0


def _folders(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if not place.is_dir():
            raise UsageError(f"{place}: there is no such folder")
    yield from dict.fromkeys(inner for place in places for inner in report_folders(place))
