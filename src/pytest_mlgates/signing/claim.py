"""What a signed report says was gated: read before anyone asks who signed it.

A claim follows from the report and its attestation alone; it says nothing of whether they hold.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pytest_mlgates.config.waivers import ends
from pytest_mlgates.core import Role
from pytest_mlgates.core.canonical import Json, freeze, sha256
from pytest_mlgates.core.instants import instant
from pytest_mlgates.core.words import first, plural
from pytest_mlgates.report.model import Report, WaiverState
from pytest_mlgates.signing.attested import Attested

__all__ = ["Claim", "Subject", "claim_of", "same_thing"]

#: subjects, inputs and tests that a person is shown
MAX_SHOWN = 20
#: signed later than this after the run ended, a report says so
LATE = timedelta(days=1)

_HOW = {
    "code": "by its code and state",
    "files": "by the files that were read",
    "declared": "DECLARED by itself, not computed",
    "": "how it was got is not recorded",
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing that was gated: its name, digest, how that was got, and the entries that gated it."""

    system: str
    name: str
    digest: str | None
    digest_from: str
    entries: tuple[str, ...]

    def __str__(self) -> str:
        entries = ", ".join(first(self.entries, 3))
        if self.digest is None:
            return f"{self.system}: {self.name or 'a subject'}: NOT BOUND to a model, no digest ({entries})"
        how = _HOW.get(self.digest_from, self.digest_from)
        return f"{self.system}: {self.name}: {self.digest}, {how} ({entries})"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What was gated, held to what, by which tool, when, and what of it did not run."""

    outcome: str
    systems: tuple[str, ...]
    commit: str
    dirty: bool | None
    subjects: tuple[Subject, ...]
    inputs: tuple[str, ...]
    tool: str
    rules: Mapping[str, str]
    started: str
    finished: str
    signed: str
    late: str
    key: str
    tests: str
    attempts: int
    own_seeds: int
    waivers: tuple[str, ...]
    earlier: str = ""

    def to_dict(self) -> dict[str, Json]:
        """Return the claim as a JSON object."""
        plain = freeze(dataclasses.asdict(self))
        assert isinstance(plain, dict)
        return dict(plain)

    def lines(self) -> Iterator[str]:
        """Yield the claim for a person to read."""
        state = {None: "", True: ", WITH CHANGES that are in no commit", False: ", clean"}[
            self.dirty
        ]
        tool = f"{self.tool}; rules of {plural(len(self.rules), 'gate')} are recorded"
        attempts = f", {plural(self.attempts, 'attempt')} at most" if self.attempts > 1 else ""
        seeds = (
            f"; {plural(self.own_seeds, 'piece')} with a seed of the test's own"
            if self.own_seeds
            else ""
        )
        rows: list[tuple[str, Sequence[str]]] = [
            ("gated", self.systems),
            ("commit", [(self.commit or "none is recorded") + state]),
            ("subjects", [str(one) for one in self.subjects] or ["none"]),
            ("inputs", self.inputs),
            ("decided by", [tool]),
            ("started", [f"{self.started}, ended {self.finished or 'never'}"]),
            ("signed", [f"{self.signed} by {self.key}{self.late}"] if self.signed else []),
            ("tests", [self.tests + attempts + seeds]),
            ("waivers", self.waivers),
            ("earlier runs", [self.earlier] if self.earlier else []),
        ]
        for name, texts in rows:
            for at, text in enumerate(first(texts, MAX_SHOWN)):
                yield f"{'' if at else name:13} {text}"


def claim_of(report: Report, attested: Attested, now: datetime, earlier: str = "") -> Claim:
    """Return what a report claims."""
    facts = report.environment
    commit = facts.get("commit")
    known = commit if isinstance(commit, Mapping) else {}
    dirty = known.get("dirty")
    finished, sealing = str(facts.get("finished") or ""), attested.sealing
    return Claim(
        outcome=report.outcome,
        systems=tuple(
            f"{s.system} (owner {s.owner or 'not named'}, profile {s.profile}): {s.outcome.upper()}"
            for s in report.systems
        ),
        commit=str(known.get("id") or ""),
        dirty=dirty if isinstance(dirty, bool) else None,
        subjects=tuple(_subjects(report)),
        inputs=tuple(_inputs(report)),
        tool=f"pytest-mlgates {facts.get('pytest_mlgates') or 'of no known version'}",
        rules={piece.gate: piece.rules for piece in report.evidence if piece.rules},
        started=str(facts.get("started") or "at no recorded time"),
        finished=finished,
        signed=sealing.signed if sealing else "",
        late=_late(finished, sealing.signed if sealing else ""),
        key=sealing.keyid[:16] if sealing else "",
        tests=_tests(report),
        attempts=max((piece.attempt for piece in report.evidence), default=0),
        own_seeds=sum(piece.seed_by == "test" for piece in report.evidence),
        waivers=tuple(_waiver(waiver, now) for waiver in report.waived),
        earlier=earlier,
    )


def _subjects(report: Report) -> Iterator[Subject]:
    entries: dict[tuple[str, str, str | None, str], dict[str, None]] = {}
    for piece in report.gated():
        key = (piece.system, piece.subject, piece.subject_digest, piece.digest_from)
        entries.setdefault(key, {})[piece.entry] = None
    for (system, name, digest, how), names in sorted(entries.items(), key=str):
        yield Subject(
            system=system, name=name, digest=digest, digest_from=how, entries=tuple(names)
        )


def _inputs(report: Report) -> Iterator[str]:
    """Yield what a test set is known by: each input of each entry, by its digest."""
    found: dict[str, None] = {}
    for piece in report.gated():
        for name, digest in piece.inputs.items():
            found[f"{piece.system}: {piece.entry}: {name} {digest}"] = None
    yield from sorted(found)


def _tests(report: Report) -> str:
    ran = {(piece.system, piece.test) for piece in report.gated()}
    gone, absent = len(report.missing), len({(a.system, a.test) for a in report.absent})
    roles = Counter(piece.role for piece in report.evidence)
    also = f"; {plural(absent, 'test')} that asked for a gate left none" if absent else ""
    also += f"; {plural(gone, 'configured gate')} without evidence" if gone else ""
    bad = f", {plural(roles[Role.KNOWN_BAD], 'piece')} of known-bad subjects"
    return f"{plural(len(ran), 'test')} left {plural(roles[Role.GATE], 'piece')} of evidence{bad}{also}"


def _late(finished: str, signed: str) -> str:
    """Say that a report was signed long after its run had ended."""
    try:
        gap = instant(signed) - instant(finished)
    except ValueError:
        return ""
    return f", {gap.days:,} days AFTER the run ended" if gap > LATE else ""


def _waiver(waiver: WaiverState, now: datetime) -> str:
    over = "" if now < ends(waiver.expires) else ", ENDED since"
    return (
        f"{waiver.system}: {waiver.gate} ({waiver.state}) until {waiver.expires}{over}, approved by"
        f" {waiver.approved_by}: {waiver.reason}"
    )


def same_thing(data: Mapping[str, Any]) -> str:
    """Return what tells runs over one commit and the same subjects from others."""
    gated = {
        (piece["system"], piece["subject"], piece["subject_digest"])
        for piece in data["evidence"]
        if piece["role"] == "gate"
    }
    return sha256([data["environment"].get("commit"), sorted(map(list, gated), key=str)])
