"""Shards of one run as one report: what follows from all their evidence, made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pytest_mlgates.core import Evidence
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.instants import CLOCK_SKEW, instant, kernel_now
from pytest_mlgates.report.build import build
from pytest_mlgates.report.model import DESELECTED, AbsentTest, Report, Scope
from pytest_mlgates.report.read import ReportError, ended_at
from pytest_mlgates.report.scopes import scopes_in

__all__ = ["from_the_future", "merge"]


def merge(shards: Sequence[tuple[Path, Report]], now: datetime | None = None) -> Report:
    """Return one report of several, each with the folder it is from.

    What is missing from one and there in another is not missing; a gate measured in two of them
    has the worse verdict. Raises :class:`ReportError` where they are not shards of one run.
    """
    now = now or kernel_now()
    scopes: dict[str, tuple[Path, Scope]] = {}
    evidence: list[Evidence] = []
    incomplete: list[str] = []
    for place, report in shards:
        for scope in scopes_in(report):
            _same(scopes, place, scope)
        evidence += report.evidence
        incomplete += [f"{place}: {line}" for line in report.incomplete]
        if wrong := from_the_future(place, report, now):
            incomplete.append(wrong)
    _one_commit(shards)
    environment = _environment(shards)
    ended = max(ended_at(place, report) for place, report in shards)
    found = [scope for _, scope in sorted(scopes.values(), key=lambda pair: pair[1].path)]
    return build(evidence, found, incomplete, environment, ended, absent=_absent(shards, evidence))


def _absent(
    shards: Sequence[tuple[Path, Report]], evidence: Sequence[Evidence]
) -> list[AbsentTest]:
    """Return the tests that left nothing in any shard; why, as the first that was asked tells it.

    Each shard knows all tests that were collected, so that those of a shard that is not there show.
    """
    left = {(piece.test, piece.system, piece.entry) for piece in evidence}
    gaps: dict[tuple[str, str, str], AbsentTest] = {}
    for _, report in shards:
        for gap in report.absent:
            key = (gap.test, gap.system, gap.entry)
            known = gaps.get(key)
            if key not in left and (known is None or known.why == DESELECTED):
                gaps[key] = gap
    return [gaps[key] for key in sorted(gaps)]


def from_the_future(place: Path, report: Report, now: datetime) -> str:
    """Say that a report ended later than it is now, or nothing: its waivers were judged by that."""
    ended = ended_at(place, report)
    if ended <= now + CLOCK_SKEW:
        return ""
    return (
        f"{place}: says it ended at {ended.isoformat()}, and it is {now.isoformat(timespec='seconds')}: "
        "a clock is wrong, and waivers were judged by it"
    )


def _same(scopes: dict[str, tuple[Path, Scope]], place: Path, scope: Scope) -> None:
    """Note a config, or say how it is not the one another shard has."""
    if scope.system not in scopes:
        scopes[scope.system] = (place, scope)
        return
    other, known = scopes[scope.system]
    if scope.path != known.path:
        how = f"the system {scope.system!r} is of {scope.path}, and of {known.path} in {other}"
    elif scope.sha256 != known.sha256:
        how = f"{scope.path} is not what it is in {other} (by its digest)"
    elif scope.profile != known.profile:
        how = (
            f"{scope.system} was run under the profile {scope.profile.name!r}, and in {other} "
            f"under {known.profile.name!r}"
        )
    elif scope != known:
        how = f"{scope.system} has other gates or waivers in {other}, under one config"
    else:
        return
    raise ReportError(f"{place}: {how}: these are not shards of one run")


def _one_commit(shards: Sequence[tuple[Path, Report]]) -> None:
    """Refuse shards of different commits; one that did not end does not know its own."""
    known = [(p, r.environment.get("commit")) for p, r in shards if _ran(r)]
    for place, commit in known[1:]:
        if commit != known[0][1]:
            was, came = (_commit(c) for c in (known[0][1], commit))
            raise ReportError(
                f"{place}: is of {came}, and {known[0][0]} of {was}: these are not shards of one "
                "run; earlier runs are given with --history"
            )


def _ran(report: Report) -> bool:
    return "finished" in report.environment


def _commit(commit: object) -> str:
    if not isinstance(commit, Mapping):
        return "no known commit"
    return f"commit {str(commit.get('id'))[:12]}{' with changes' if commit.get('dirty') else ''}"


def _environment(shards: Sequence[tuple[Path, Report]]) -> dict[str, Json]:
    """Return what all shards agree on, and under ``shards`` what each has for itself."""
    facts = [report.environment for _, report in shards if _ran(report)]
    facts = facts or [report.environment for _, report in shards]
    names = dict.fromkeys(name for fact in facts for name in fact)
    shared = {
        name: facts[0][name]
        for name in names
        if all(name in fact and fact[name] == facts[0][name] for fact in facts)
    }
    own: tuple[Json, ...] = tuple(
        {
            "folder": place.name,  # where it lay says whose machine it was
            **{k: v for k, v in report.environment.items() if k not in shared},
        }
        for place, report in shards
    )
    for name, pick in (("started", min), ("finished", max)):
        if instants := [fact[name] for fact in facts if name in fact]:
            shared[name] = pick(instants, key=instant)
    return {**shared, "shards": own}
