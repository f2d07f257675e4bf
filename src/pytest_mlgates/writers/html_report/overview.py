"""A page over several report folders: what each run came to, the latest first."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from pytest_mlgates.report.model import Report
from pytest_mlgates.writers import ATTESTATION
from pytest_mlgates.writers.html_report.templates import content_policy, part, template
from pytest_mlgates.writers.html_report.view import duration

__all__ = ["RunLine", "overview"]


@dataclasses.dataclass(frozen=True, slots=True)
class RunLine:
    """One run of the page; ``href`` leads to its report."""

    ended: str
    outcome: str
    href: str
    name: str
    commit: str
    dirty: bool
    profile: str
    took: str
    signed: bool
    systems: tuple[tuple[str, str], ...]
    again: str = ""

    @classmethod
    def of(cls, folder: Path, report: Report, page: Path) -> RunLine:
        """Return the line of a report folder on a page that lies at ``page``."""
        facts, commit = report.environment, report.environment.get("commit")
        known = commit if isinstance(commit, Mapping) else {}
        ended = str(facts.get("finished") or "")
        place = os.path.relpath(folder / "report.html", page.parent)
        return cls(
            ended=ended[:16].replace("T", " ") or "did not end",
            outcome=report.outcome,
            href=quote(Path(place).as_posix()),
            name=folder.name,
            commit=str(known.get("id") or ""),
            dirty=known.get("dirty") is True,
            profile=str(facts.get("profile") or ""),
            took=duration(report),
            signed=(folder / ATTESTATION).is_file(),
            systems=tuple((s.system, _tally(g.status for g in s.gates)) for s in report.systems),
        )


def overview(runs: Sequence[RunLine], faults: Sequence[str]) -> str:
    """Return the page; ``faults`` are what was left out, a line each."""
    style = part("style.css")
    order = sorted(runs, key=lambda run: run.ended)
    seen: Counter[str] = Counter()
    told = []
    for run in order:  # how often a commit was run is what a PASS alone does not say
        seen[run.commit] += bool(run.commit)
        count = seen[run.commit]
        told.append(
            dataclasses.replace(run, again=f"run {count} of this commit" if count > 1 else "")
        )
    return template("index.html").render(
        runs=told[::-1],
        faults=faults,
        style=Markup(style),  # noqa: S704  (ours)
        policy=content_policy(style),
    )


def _tally(states: Iterable[str]) -> str:
    """Return how many gates are in each state.

    >>> _tally(["pass", "fail", "pass"])
    '2 PASS, 1 FAIL'
    """
    return ", ".join(f"{count} {state.upper()}" for state, count in Counter(states).most_common())
