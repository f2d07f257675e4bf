"""Shards of one run as one report: what follows from all their evidence, made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.report.replay import evidence_in, scopes_in
from pytest_mlgates.report.report import Report, Scope, build

__all__ = ["ended_at", "from_the_future", "merge"]

#: clocks of machines differ by so much without a fault
_SKEW = timedelta(minutes=5)


def merge(shards: Sequence[tuple[Path, Mapping[str, Any]]], now: datetime | None = None) -> Report:
    """Return one report of several, each with the folder it is from (as ``read_report`` gives it).

    What is missing from one and there in another is not missing; a gate measured in two of them
    has the worse verdict. Raises ValueError where they are no shards of one run.
    """
    now = now or datetime.now(UTC)
    scopes: dict[str, tuple[Path, Scope]] = {}
    evidence: list[Evidence] = []
    incomplete: list[str] = []
    for place, data in shards:
        for scope in scopes_in(data):
            _same(scopes, place, scope)
        evidence += [_checked(place, piece) for piece in data["evidence"]]
        incomplete += [f"{place}: {line}" for line in data["incomplete"]]
        if wrong := from_the_future(place, data, now):
            incomplete.append(wrong)
    _one_commit(shards)
    environment = _environment(shards)
    ended = max(ended_at(place, data) for place, data in shards)
    found = [scope for _, scope in sorted(scopes.values(), key=lambda pair: pair[1].path)]
    return build(evidence, found, incomplete, environment, ended)


def ended_at(place: Path, data: Mapping[str, Any]) -> datetime:
    """Return when a run ended, or began where it did not end; ValueError where that is no instant."""
    facts = data["environment"]
    try:
        ended = datetime.fromisoformat(str(facts.get("finished") or facts["started"]))
        return ended.astimezone(UTC) if ended.tzinfo else ended.replace(tzinfo=UTC)
    except (KeyError, ValueError, OverflowError):
        raise ValueError(f"{place}: does not say when it ended") from None


def from_the_future(place: Path, data: Mapping[str, Any], now: datetime) -> str:
    """Say that a report ended later than it is now, or nothing: its waivers were judged by that."""
    ended = ended_at(place, data)
    if ended <= now + _SKEW:
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
        said = f"the system {scope.system!r} is of {scope.path}, and of {known.path} in {other}"
    elif scope.sha256 != known.sha256:
        said = f"{scope.path} is not what it is in {other} (by its digest)"
    elif scope.profile != known.profile:
        said = (
            f"{scope.system} was run under the profile {scope.profile.name!r}, and in {other} "
            f"under {known.profile.name!r}"
        )
    elif scope != known:
        said = f"{scope.system} has other gates or waivers in {other}, under one config"
    else:
        return
    raise ValueError(f"{place}: {said}: these are no shards of one run")


def _checked(place: Path, piece: Mapping[str, Any]) -> Evidence:
    try:
        evidence = evidence_in(piece)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}: holds what is no evidence: {error}") from None
    if evidence.digest != piece["digest"]:
        name = f"{evidence.test} {evidence.entry}"
        raise ValueError(f"{place}: {name} was changed: its digest is not the recorded one")
    return evidence


def _one_commit(shards: Sequence[tuple[Path, Mapping[str, Any]]]) -> None:
    """Refuse shards of different commits; one that did not end does not know its own."""
    known = [(p, d["environment"].get("commit")) for p, d in shards if _ran(d)]
    for place, commit in known[1:]:
        if commit != known[0][1]:
            was, came = (_commit(c) for c in (known[0][1], commit))
            raise ValueError(
                f"{place}: is of {came}, and {known[0][0]} of {was}: these are no shards of one "
                "run; earlier runs are given with --history"
            )


def _ran(data: Mapping[str, Any]) -> bool:
    return "finished" in data["environment"]


def _commit(commit: Any) -> str:
    if not isinstance(commit, Mapping):
        return "no known commit"
    return f"commit {str(commit.get('id'))[:12]}{' with changes' if commit.get('dirty') else ''}"


def _environment(shards: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[str, Json]:
    """Return what all shards agree on, and under ``shards`` what each has for itself."""
    facts = [data["environment"] for _, data in shards if _ran(data)]
    facts = facts or [data["environment"] for _, data in shards]
    names = dict.fromkeys(name for fact in facts for name in fact)
    shared = {
        name: facts[0][name]
        for name in names
        if all(name in fact and fact[name] == facts[0][name] for fact in facts)
    }
    own = [
        {
            "folder": place.as_posix(),
            **{k: v for k, v in data["environment"].items() if k not in shared},
        }
        for place, data in shards
    ]
    for name, pick in (("started", min), ("finished", max)):
        if instants := [fact[name] for fact in facts if name in fact]:
            shared[name] = pick(instants, key=lambda text: datetime.fromisoformat(str(text)))
    return {**shared, "shards": own}
