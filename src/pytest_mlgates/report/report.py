"""A report: the evidence of a run, what is missing from it, and what follows. Pure."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pytest_mlgates.config.controls import Control
from pytest_mlgates.core import Evidence, Outcome, Role
from pytest_mlgates.core.canonical import Json, freeze

__all__ = [
    "SCHEMA",
    "EntryInfo",
    "Report",
    "Scope",
    "build",
    "false_alarm",
    "overall",
    "pardoned",
    "worst",
]

SCHEMA = "pytest-mlgates/report/2"

#: the fields of a profile that a report's outcome and its chance of a false alarm follow from
RULES = ("inconclusive", "complete", "reruns", "suite_alpha")

#: from the worst to the best; what is not there is worse than what is undecided
_ORDER = ("fail", "error", "incomplete", "missing", "inconclusive", "waived", "pass")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EntryInfo:
    """What a report needs to know of a configured gate."""

    entry: str
    gate: str
    source: str
    worse: str = "up"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One config as a report sees it; ``profile`` and ``waivers`` are those of config.py."""

    path: str
    sha256: str
    system: str
    owner: str
    controls: tuple[str, ...]
    entries: tuple[EntryInfo, ...]
    profile: Any
    waivers: tuple[Any, ...]
    known_controls: tuple[Control, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is written to ``report.json``; ``problems`` are the reasons for exit status 1."""

    outcome: str
    problems: tuple[str, ...]
    systems: tuple[Mapping[str, Any], ...]
    evidence: tuple[Evidence, ...]
    missing: tuple[Mapping[str, Any], ...]
    incomplete: tuple[str, ...]
    waived: tuple[Mapping[str, Any], ...]
    false_alarm: Mapping[str, Json]
    environment: Mapping[str, Json]
    configs: tuple[Mapping[str, Json], ...]
    controls: tuple[Mapping[str, Json], ...] = ()
    #: what earlier reports said, as ``history.py`` reads it; nothing follows from it
    history: tuple[Mapping[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Json]:
        """Return the report as a JSON object; each piece of evidence carries its digest."""
        # evidence is frozen already
        pieces = tuple({**e.to_dict(), "digest": e.digest} for e in self.evidence)
        names = [field.name for field in dataclasses.fields(self)]
        return {
            "schema": SCHEMA,
            **{n: pieces if n == "evidence" else freeze(getattr(self, n), n) for n in names},
        }


def worst(states: Iterable[str]) -> str:
    """Return the worst of some states; of none, ``missing``.

    >>> worst(["pass", "inconclusive"]), worst([])
    ('inconclusive', 'missing')
    """
    return min(states, key=_ORDER.index, default="missing")


def overall(states: Iterable[str], problems: Sequence[str], incomplete: Sequence[str]) -> str:
    """Return the outcome of a run; one that exits with 1 does not call itself passed."""
    found = [*states, *(["incomplete"] if incomplete else [])]
    if set(problems) - set(incomplete) and worst(found) in ("pass", "waived"):
        found.append("fail")
    return worst(found)


def build(
    evidence: Sequence[Evidence],
    scopes: Sequence[Scope],
    incomplete: Sequence[str],
    environment: Mapping[str, Json],
    now: datetime,
    history: Sequence[Mapping[str, Any]] = (),
) -> Report:
    """Return the report of a run; the same arguments give the same report."""
    unique = _unique(evidence)
    gated = [e for e in unique if e.role == Role.GATE]  # a known-bad subject has to FAIL
    by_entry: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for piece in unique:
        by_entry[piece.system, piece.entry].append(piece)
    systems: list[dict[str, Any]] = []
    missing: list[dict[str, Any]] = []
    waived: list[dict[str, Any]] = []
    problems = list(incomplete)
    for scope in scopes:
        rows = [
            _row(info, scope, by_entry[scope.system, info.entry], now) for info in scope.entries
        ]
        systems.append(
            {
                "system": scope.system,
                "outcome": worst(row["status"] for row in rows),
                "owner": scope.owner,
                "controls": scope.controls,
                "profile": scope.profile.name,
                "rules": {rule: getattr(scope.profile, rule) for rule in RULES},
                "false_alarm": {
                    **false_alarm(e.policy for e in gated if e.system == scope.system),
                    "budget": scope.profile.suite_alpha,
                },
                "gates": [{k: v for k, v in row.items() if k != "problems"} for row in rows],
            }
        )
        for row in rows:
            problems += row["problems"]
            if row["status"] == "missing":
                gap = {key: row[key] for key in ("entry", "gate", "source")}
                missing.append({"system": scope.system, **gap})
        for waiver in scope.waivers:
            state = {**dataclasses.asdict(waiver), "system": scope.system}
            state["state"] = _waiver_state(waiver, rows, now)
            waived.append(state)
            if state["state"] == "expired":
                problems.append(
                    f"{waiver.source}: the waiver for {waiver.gate} expired ({waiver.expires}): "
                    "mend the gate, or have the waiver renewed"
                )
    controls = {control.id: control for scope in scopes for control in scope.known_controls}
    known = {(scope.system, info.entry) for scope in scopes for info in scope.entries}
    stray = [e for e in unique if (e.system, e.entry) not in known]
    problems += [f"{e.test}: {e.entry}: {e.verdict.reason}" for e in stray if _bad(e)]
    states = [system["outcome"] for system in systems] + [_stray_state(e) for e in stray]
    return Report(
        outcome=overall(states, problems, incomplete),
        problems=tuple(problems),
        systems=tuple(systems),
        evidence=tuple(unique),
        missing=tuple(missing),
        incomplete=tuple(incomplete),
        waived=tuple(waived),
        false_alarm=false_alarm(e.policy for e in gated),
        environment=environment,
        configs=tuple({"path": scope.path, "sha256": scope.sha256} for scope in scopes),
        controls=tuple(dataclasses.asdict(controls[id_]) for id_ in sorted(controls)),
        history=tuple(history),
    )


def false_alarm(policies: Iterable[Mapping[str, Any]]) -> dict[str, Json]:
    """Return the largest chance that any run under these policies FAILs a sound subject.

    The sum of the declared alphas: it holds however the verdicts hang together (Boole's
    inequality). A gate without an alpha is deterministic and adds nothing.

    >>> false_alarm([{"alpha": 1e-4}, {"alpha": 1e-4}, {"max_bytes": 10}])
    {'at_most': 0.0002, 'runs': 2}
    """
    found = (policy.get("alpha") for policy in policies)
    rates = [r for r in found if isinstance(r, (int, float)) and not isinstance(r, bool)]
    return {"at_most": min(1.0, math.fsum(rates)), "runs": len(rates)}


def _unique(evidence: Sequence[Evidence]) -> list[Evidence]:
    """One piece of evidence for each identity, the worst; in a fixed order."""
    kept: dict[tuple[str, str, int, int], Evidence] = {}
    for piece in evidence:
        other = kept.get(piece.identity)
        if other is None or _rank(piece) < _rank(other):
            kept[piece.identity] = piece
    return [kept[identity] for identity in sorted(kept)]


def _rank(evidence: Evidence) -> tuple[int, str]:
    """Order by outcome; where a known-bad subject is concerned, a FAIL is the best of them."""
    place = _ORDER.index(evidence.outcome.value)
    return (-place if evidence.role == Role.KNOWN_BAD else place), evidence.digest


def _stray_state(evidence: Evidence) -> str:
    """Return what evidence of an entry in no config makes of the run; the strictest rules hold."""
    if evidence.role == Role.KNOWN_BAD:
        return "missing" if evidence.outcome == Outcome.FAIL else "fail"
    return evidence.outcome.value


def _bad(evidence: Evidence) -> bool:
    return _stray_state(evidence) in ("fail", "error", "inconclusive")


def _row(info: EntryInfo, scope: Scope, mine: Sequence[Evidence], now: datetime) -> dict[str, Any]:
    gated = [e for e in mine if e.role == Role.GATE]
    proof = [e for e in mine if e.role == Role.KNOWN_BAD]
    last = scope.profile.reruns == "last"
    judged, shown = (_last_attempts(gated), _last_attempts(proof)) if last else (gated, proof)
    name = f"{scope.system}: {info.entry}"
    problems = []
    states = []
    for piece in judged:
        state, problem = _state(piece, info, scope, now)
        states.append(state)
        if problem:
            problems.append(f"{name}: {problem}")
    if not gated and scope.profile.complete:
        problems.append(f"{name}: is configured ({info.source}) and left no evidence")
    missed = [e for e in shown if e.outcome != Outcome.FAIL]
    states += ["fail"] * bool(missed)  # a gate that misses its incident is not to be trusted
    problems += [
        f"{name}: the known-bad subject of {e.test} was not caught: {e.outcome}: {e.verdict.reason}"
        for e in missed
    ]
    incidents = {e.subject_digest for e in proof} - {None}
    for subject in sorted({e.subject for e in gated if e.subject_digest in incidents}):
        states.append("error")
        problems.append(f"{name}: {subject} is gated and called known bad at once")
    return {
        "entry": info.entry,
        "gate": info.gate,
        "source": info.source,
        "status": worst(states),
        "incident": ("missed" if missed else "caught") if proof else "not shown",
        "evidence": [e.digest for e in gated],
        "proof": [e.digest for e in proof],
        "problems": problems,
    }


def _state(piece: Evidence, info: EntryInfo, scope: Scope, now: datetime) -> tuple[str, str | None]:
    """Return what a piece of evidence makes of its entry, and why it fails the run if it does."""
    reason = piece.verdict.reason
    if piece.outcome == Outcome.FAIL:
        if pardoned(piece, info, scope, now):
            return "waived", None
        for waiver in scope.waivers:
            if waiver.gate == info.entry and waiver.active(now) and waiver.up_to is not None:
                reason += f" (the waiver of {waiver.source} holds up to {waiver.up_to:g} only)"
        return "fail", f"FAIL: {reason}"
    if piece.outcome == Outcome.ERROR:
        return "error", f"ERROR: {reason}"
    if piece.outcome == Outcome.INCONCLUSIVE:
        fails = scope.profile.inconclusive == "fail"
        return "inconclusive", f"INCONCLUSIVE: {reason}" if fails else None
    return "pass", None


def pardoned(piece: Evidence, info: EntryInfo, scope: Scope, now: datetime | None = None) -> bool:
    """Tell whether a waiver in force covers this FAIL."""
    now = now or datetime.now(UTC)
    return any(
        waiver.gate == info.entry and waiver.active(now) and waiver.covers(piece, info.worse)
        for waiver in scope.waivers
    )


def _last_attempts(evidence: Sequence[Evidence]) -> list[Evidence]:
    last: dict[tuple[str, int], Evidence] = {}
    for piece in evidence:
        key = (piece.test, piece.call)
        if key not in last or piece.attempt > last[key].attempt:
            last[key] = piece
    return list(last.values())


def _waiver_state(waiver: Any, rows: Sequence[Mapping[str, Any]], now: datetime) -> str:
    if not waiver.active(now):
        return "expired"
    status = next((row["status"] for row in rows if row["entry"] == waiver.gate), "")
    return "in force" if status == "waived" else "not needed" if status == "pass" else "idle"
