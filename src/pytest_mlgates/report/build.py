"""What follows from evidence: verdicts by entry, what is missing, why a run does not pass. Pure."""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pytest_mlgates.config.waivers import Waiver
from pytest_mlgates.core import Evidence, Identity, Outcome, Role
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.instants import kernel_now
from pytest_mlgates.core.words import plural
from pytest_mlgates.report.model import (
    AbsentTest,
    ConfigFile,
    EarlierRun,
    EntryInfo,
    FalseAlarm,
    GateReport,
    MissingEntry,
    Report,
    Rules,
    Scope,
    SystemFalseAlarm,
    SystemReport,
    WaiverState,
)

__all__ = ["STATES", "build", "false_alarm", "is_waived", "worst"]

#: from the worst to the best; what is not there is worse than what is undecided
STATES = ("fail", "error", "incomplete", "missing", "inconclusive", "waived", "pass")


def worst(states: Iterable[str]) -> str:
    """Return the worst of some states; of none, ``missing``.

    >>> worst(["pass", "inconclusive"]), worst([])
    ('inconclusive', 'missing')
    """
    return min(states, key=STATES.index, default="missing")


def _overall(states: Iterable[str], problems: Sequence[str], incomplete: Sequence[str]) -> str:
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
    history: Sequence[EarlierRun] = (),
    absent: Sequence[AbsentTest] = (),
) -> Report:
    """Return the report of a run; the same arguments give the same report."""
    unique = _unique(evidence)
    gated = [e for e in unique if e.role == Role.GATE]  # a known-bad subject has to FAIL
    by_entry: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for piece in unique:
        by_entry[piece.system, piece.entry].append(piece)
    systems: list[SystemReport] = []
    missing: list[MissingEntry] = []
    waived: list[WaiverState] = []
    problems = list(incomplete)
    for scope in scopes:
        gates: list[GateReport] = []
        for info in scope.entries:
            gate, reasons = _gate(info, scope, by_entry[scope.system, info.entry], now)
            gates.append(gate)
            problems += reasons
        systems.append(_system(scope, gates, gated))
        if systems[-1].false_alarm.overspent and scope.budget_binds:
            problems.append(_overspent(systems[-1]))
        missing += _missing(scope, gates)
        for waiver in scope.waivers:
            state = _waiver_state(waiver, scope, gates, by_entry[scope.system, waiver.gate], now)
            waived.append(state)
            if state.state == "expired":
                problems.append(
                    f"{waiver.source}: the waiver for {waiver.gate} expired ({waiver.expires}): "
                    "fix the gate or renew the waiver"
                )
    complete = {scope.system for scope in scopes if scope.profile.complete}
    problems += [
        f"{gap.system}: {gap.entry}: {gap.test} asked for this gate and left no evidence: {gap.why}"
        for gap in absent
        if gap.system in complete
    ]
    controls = {control.id: control for scope in scopes for control in scope.known_controls}
    known = {(scope.system, info.entry) for scope in scopes for info in scope.entries}
    stray = [e for e in unique if (e.system, e.entry) not in known]
    problems += [f"{e.test}: {e.entry}: {e.verdict.reason}" for e in stray if _bad(e)]
    states = [system.outcome for system in systems] + [_stray_state(e) for e in stray]
    states += ["missing"] * bool(absent)
    return Report(
        outcome=_overall(states, problems, incomplete),
        problems=tuple(problems),
        systems=tuple(systems),
        evidence=tuple(unique),
        missing=tuple(missing),
        incomplete=tuple(incomplete),
        waived=tuple(waived),
        false_alarm=false_alarm(e.policy for e in gated),
        environment=environment,
        configs=tuple(ConfigFile(path=scope.path, sha256=scope.sha256) for scope in scopes),
        controls=tuple(controls[id_] for id_ in sorted(controls)),
        history=tuple(history),
        absent=tuple(absent),
    )


def _system(scope: Scope, gates: Sequence[GateReport], gated: Iterable[Evidence]) -> SystemReport:
    mine = [piece for piece in gated if piece.system == scope.system]
    if scope.profile.reruns == "last" and scope.budget_binds:
        mine = _last_attempts(mine)  # a FAIL of an attempt before it does not stand
    chance = false_alarm(piece.policy for piece in mine)
    rules = {field.name: getattr(scope.profile, field.name) for field in dataclasses.fields(Rules)}
    return SystemReport(
        system=scope.system,
        outcome=worst(gate.status for gate in gates),
        owner=scope.owner,
        controls=scope.controls,
        profile=scope.profile.name,
        rules=Rules(**rules),
        false_alarm=SystemFalseAlarm(
            at_most=chance.at_most, runs=chance.runs, budget=scope.profile.suite_alpha
        ),
        gates=tuple(gates),
    )


def _overspent(system: SystemReport) -> str:
    """Say that the gates of a system may cry wolf more often than its budget allows."""
    chance = system.false_alarm
    return (
        f"{system.system}: {plural(chance.runs, 'call')} of statistical gates can FAIL a sound subject"
        f" with chance {chance.at_most:.3g}, and suite_alpha is {chance.budget:g}: it is split over"
        " tests, so call a gate once in each test and rerun none, or raise it"
    )


def _missing(scope: Scope, gates: Iterable[GateReport]) -> Iterable[MissingEntry]:
    for gate in gates:
        if gate.status == "missing":
            yield MissingEntry(
                system=scope.system, entry=gate.entry, gate=gate.gate, source=gate.source
            )


def false_alarm(policies: Iterable[Mapping[str, Json]]) -> FalseAlarm:
    """Return the largest chance that any run under these policies FAILs a sound subject.

    The sum of the declared alphas: it holds however the verdicts hang together (Boole's
    inequality). A gate without an alpha is deterministic and adds nothing.

    >>> false_alarm([{"alpha": 1e-4}, {"alpha": 1e-4}, {"max_bytes": 10}])
    FalseAlarm(at_most=0.0002, runs=2)
    """
    found = (policy.get("alpha") for policy in policies)
    rates = [r for r in found if isinstance(r, (int, float)) and not isinstance(r, bool)]
    return FalseAlarm(at_most=min(1.0, math.fsum(rates)), runs=len(rates))


def _unique(evidence: Sequence[Evidence]) -> list[Evidence]:
    """One piece of evidence for each identity, the worst; in a fixed order."""
    worst_of: dict[Identity, Evidence] = {}
    for piece in evidence:
        other = worst_of.get(piece.identity)
        if other is None or _rank(piece) < _rank(other):
            worst_of[piece.identity] = piece
    return [worst_of[identity] for identity in sorted(worst_of)]


def _rank(evidence: Evidence) -> tuple[int, str]:
    """Order by outcome; where a known-bad subject is concerned, a FAIL is the best of them."""
    place = STATES.index(evidence.outcome.value)
    return (-place if evidence.role == Role.KNOWN_BAD else place), evidence.digest


def _stray_state(evidence: Evidence) -> str:
    """Return what evidence of an entry in no config makes of the run; the strictest rules hold."""
    if evidence.role == Role.KNOWN_BAD:
        return "missing" if evidence.outcome == Outcome.FAIL else "fail"
    return evidence.outcome.value


def _bad(evidence: Evidence) -> bool:
    return _stray_state(evidence) in ("fail", "error", "inconclusive")


def _gate(
    info: EntryInfo, scope: Scope, mine: Sequence[Evidence], now: datetime
) -> tuple[GateReport, list[str]]:
    """Return what evidence makes of an entry, and why that fails the run."""
    gated = [e for e in mine if e.role == Role.GATE]
    proof = [e for e in mine if e.role == Role.KNOWN_BAD]
    last = scope.profile.reruns == "last"
    judged, proofs = (_last_attempts(gated), _last_attempts(proof)) if last else (gated, proof)
    name = f"{scope.system}: {info.entry}"
    problems = []
    states = []
    for piece in judged:
        state, problem = _state(piece, info, scope, now)
        states.append(state)
        if problem:
            problems.append(f"{name}: {problem}" + (f" [{piece.test}]" if piece.test else ""))
    if not gated and scope.profile.complete:
        problems.append(f"{name}: is configured ({info.source}) and left no evidence")
    missed = [e for e in proofs if e.outcome != Outcome.FAIL]
    states += ["fail"] * bool(missed)  # a gate that misses its incident is not to be trusted
    problems += [
        f"{name}: the known-bad subject of {e.test} was not caught: {e.outcome}: {e.verdict.reason}"
        for e in missed
    ]
    incidents = {e.subject_digest for e in proof} - {None}
    for subject in sorted({e.subject for e in gated if e.subject_digest in incidents}):
        states.append("error")
        problems.append(f"{name}: {subject} is gated and called known bad at once")
    gate = GateReport(
        entry=info.entry,
        gate=info.gate,
        source=info.source,
        status=worst(states),
        incident=("missed" if missed else "caught") if proof else "not shown",
        evidence=tuple(e.digest for e in gated),
        proof=tuple(e.digest for e in proof),
    )
    return gate, problems


def _state(piece: Evidence, info: EntryInfo, scope: Scope, now: datetime) -> tuple[str, str | None]:
    """Return what a piece of evidence makes of its entry, and why it fails the run if it does."""
    reason = piece.verdict.reason
    if piece.outcome == Outcome.FAIL:
        if is_waived(piece, scope, now):
            if not (beside := piece.verdict.undecided):
                return "waived", None
            fails = scope.profile.inconclusive == "fail"
            told = f"INCONCLUSIVE beside what is waived: {beside}"
            return "inconclusive", told if fails else None
        for waiver in scope.active_waivers(info.entry, now):
            reason += f" (the waiver of {waiver.source} {_falls_short(waiver, piece, scope, now)})"
        return "fail", f"FAIL: {reason}"
    if piece.outcome == Outcome.ERROR:
        return "error", f"ERROR: {reason}"
    if piece.outcome == Outcome.INCONCLUSIVE:
        fails = scope.profile.inconclusive == "fail"
        return "inconclusive", f"INCONCLUSIVE: {reason}" if fails else None
    return "pass", None


def is_waived(piece: Evidence, scope: Scope, now: datetime | None = None) -> bool:
    """Tell whether waivers in force accept every limit that this FAIL broke."""
    now = now or kernel_now()
    waivers = any(True for _ in scope.active_waivers(piece.entry, now))
    return waivers and piece.outcome == Outcome.FAIL and not scope.not_accepted(piece, now)


def _falls_short(waiver: Waiver, piece: Evidence, scope: Scope, now: datetime) -> str:
    """Say how far a waiver reaches where a FAIL goes beyond it."""
    beyond = scope.not_accepted(piece, now)[0]
    if beyond.limit == (waiver.limit or piece.limit) and waiver.slice in (None, beyond.slice):
        return f"holds up to {waiver.up_to:g} only"
    what = beyond.limit or "what no limit of the policy is about"
    where = f" in the slice {beyond.slice!r}" if beyond.slice else " over all"
    mine = f" in the slice {waiver.slice!r}" if waiver.slice else ""
    also = where if waiver.slice or beyond.slice else ""
    return (
        f"is for {waiver.limit or piece.limit or 'the gate'}{mine}, and {what}{also} broke as well"
    )


def _last_attempts(evidence: Sequence[Evidence]) -> list[Evidence]:
    last: dict[tuple[str, str, int], Evidence] = {}
    for piece in evidence:
        key = (piece.test, piece.entry, piece.call)
        if key not in last or piece.attempt > last[key].attempt:
            last[key] = piece
    return list(last.values())


def _waiver_state(
    waiver: Waiver,
    scope: Scope,
    gates: Iterable[GateReport],
    mine: Iterable[Evidence],
    now: datetime,
) -> WaiverState:
    status = next((gate.status for gate in gates if gate.entry == waiver.gate), "")
    state = {"waived": "in force", "pass": "not needed"}.get(status, "idle")
    direction = next((i.direction for i in scope.entries if i.entry == waiver.gate), None)
    if state == "in force" and direction is not None:
        accepted = (
            waiver.covers(broken, piece.limit, direction(broken.limit))
            for piece in mine
            if piece.role == Role.GATE
            for broken in piece.broken
        )
        state = "in force" if any(accepted) else "not needed"
    return WaiverState(
        **dataclasses.asdict(waiver),
        system=scope.system,
        state=state if waiver.active(now) else "expired",
    )
