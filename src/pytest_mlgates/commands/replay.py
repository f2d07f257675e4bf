"""``mlgates replay`` and ``mlgates diff``: what recorded evidence comes to, and what changed."""

from __future__ import annotations

import sys
from argparse import Namespace

from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import plural, printable
from pytest_mlgates.report.diff import diff
from pytest_mlgates.report.read import ReportError, read_report, report_of
from pytest_mlgates.report.replay import Replay, replay

__all__ = ["print_diff", "replay_reports"]


def replay_reports(args: Namespace) -> int:
    """Decide again on every piece of evidence in some reports, and make their summaries again."""
    bad = total = 0
    for place in args.reports:
        try:
            data = read_report(place)
        except ReportError as error:
            print(error, file=sys.stderr)
            bad += 1
            continue
        for result in replay(data):
            if result.digest.startswith(args.evidence):
                total += 1
                bad += bool(result.fault)
                print(printable(f"{result.name}: {_replay_line(result)}"))
        if not data["evidence"]:
            print(f"{place}: holds no evidence", file=sys.stderr)
            bad += 1
    if not total and args.evidence:
        places = " ".join(map(str, args.reports))
        raise UsageError(f"--evidence {args.evidence}: no such piece in {places}")
    print(f"{total} replayed, {bad} with a fault")
    return 1 if bad else 0


def _replay_line(result: Replay) -> str:
    if result.fault or not result.digest:
        return result.fault or result.note
    again = f"{result.outcome.upper()} again"
    return f"{again} ({result.note})" if result.note else again


def print_diff(args: Namespace) -> int:
    """Print what changed from one report to another."""
    old, new = (report_of(place, read_report(place)) for place in (args.old, args.new))
    changes = diff(old, new)
    for change in changes:
        print(printable(str(change)))
    bad = sum(change.bad for change in changes)
    print(f"{plural(len(changes), 'change')}, {bad} for the worse")
    return 1 if bad else 0
