"""What a report says of one system, as rows of a sheet. Nothing is added that is not recorded."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_mlgates.core import Evidence, Gate, Role
from pytest_mlgates.core.errors import UnknownGate
from pytest_mlgates.core.pictures import Intervals
from pytest_mlgates.core.words import number, plural
from pytest_mlgates.documents.sheet import Section, Table
from pytest_mlgates.registry import load
from pytest_mlgates.report.guides import guide_to
from pytest_mlgates.report.model import Report, SystemReport
from pytest_mlgates.report.rows import Row, rows, states
from pytest_mlgates.writers.html_report.draw import numbers, sane

__all__ = ["Facts", "Source"]

_HOW = {"code": "by code and state", "files": "by its files", "declared": "declared by itself"}


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A report folder that a sheet is made from: its digest, and whether it is signed."""

    name: str
    sha256: str
    signed: str = ""

    @classmethod
    def of(cls, folder: Path, data: bytes, signed: str) -> Source:
        """Return the source whose ``report.json`` holds ``data``."""
        return cls(folder.name, hashlib.sha256(data).hexdigest(), signed)


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """A report, one of its systems, where both are from, and what a replay of it came to."""

    report: Report
    system: SystemReport
    sources: Sequence[Source]
    replayed: str

    def pieces(self, *roles: Role) -> list[Evidence]:
        """Return the evidence of the system, of the given roles or of all."""
        return [
            piece
            for piece in self.report.evidence
            if piece.system == self.system.system and (not roles or piece.role in roles)
        ]

    def rows(self) -> Iterator[Row]:
        """Yield a row for each configured gate."""
        return (row for row in rows(self.report) if row.system is self.system)

    @property
    def gates(self) -> list[str]:
        """The names of the gates, each once."""
        return list(dict.fromkeys(gate.gate for gate in self.system.gates))

    def identity(self) -> Table:
        """Return what was gated, when, by what, and who answers for it."""
        facts, commit = self.report.environment, self.report.environment.get("commit")
        known = commit if isinstance(commit, Mapping) else {}
        changed = ", with changes that are in no commit" if known.get("dirty") is True else ""
        told = [
            ("system", self.system.system),
            ("owner, as configured", self.system.owner or "not recorded"),
            ("outcome", self.system.outcome.upper()),
            ("commit", f"{known.get('id') or 'not recorded'}{changed}"),
            ("run", f"{facts.get('started', '?')} to {facts.get('finished') or 'not ended'}"),
            ("profile", self.system.profile),
            (
                "decided by",
                f"pytest-mlgates {facts.get('pytest_mlgates') or 'of no known version'}",
            ),
            ("decided again", self.replayed),
        ]
        for source in self.sources:
            told.append((f"report {source.name}", f"sha256:{source.sha256}"))
            told.append(("signature", source.signed or "not signed"))
        return Table(("what", "recorded"), tuple(told))

    def subjects(self) -> Table:
        """Return what was gated, by digest."""
        found = dict.fromkeys(
            (p.subject or "a subject without a name", _digest(p)) for p in self.pieces(Role.GATE)
        )
        return Table(("subject", "digest"), tuple(found), "What was gated")

    def inputs(self) -> Table:
        """Return the test sets as far as they are known: size, and digest where one was taken."""
        found: dict[tuple[str, ...], None] = {}
        for piece in self.pieces(Role.GATE):
            count = f"{piece.measurement.n:,}" if piece.measurement else "-"
            for name, digest in piece.inputs.items() or [("inputs", "not recorded")]:
                found[piece.entry, count, name, str(digest)] = None
        return Table(("gate", "observations", "given", "digest"), tuple(found), "Test sets")

    def results(self) -> Table:
        """Return each gate's number against its limit, with its interval and its error rates."""
        heading = ("gate", "claim", "verdict", "measured", "interval", "limit", "n", "chance of a false FAIL", "chance of a false PASS")  # fmt: skip
        return Table(heading, tuple(map(_result, self.rows())), "Results")

    def breakdowns(self) -> Iterator[Table]:
        """Yield the numbers by slice, group or category, where a gate shows some."""
        for piece in self.pieces(Role.GATE):
            for picture in _intervals(piece):
                heading, cells, more = numbers(picture)
                if len(cells) > 1:
                    left = f", the first {len(cells)} of {len(cells) + more}" if more else ""
                    title = f"{piece.entry}: {picture.title}{left}"
                    yield Table(("of", *heading[1:]), tuple(cells), title)

    def procedures(self) -> Table:
        """Return how each gate measures and decides, and by which rules."""
        of_gate = {piece.gate: piece.rules for piece in self.pieces() if piece.rules}
        told = (
            (name, guide_to(name).method or "not installed here", guide_to(name).sources or "-", of_gate.get(name, "not recorded"))
            for name in self.gates
        )  # fmt: skip
        return Table(("gate", "asks", "sources", "digest of its rules"), tuple(told), "Procedures")

    def limitations(self) -> Table:
        """Return what a PASS of each gate says nothing about."""
        told = ((name, guide_to(name).blind or "it does not say") for name in self.gates)
        return Table(("gate", "does not see"), tuple(told), "Limitations")

    def proofs(self) -> Table:
        """Return the subjects known to be bad, and whether they were caught."""
        state_of = states(self.report)
        told = (
            (p.entry, p.claim or p.test, state_of[p.identity], p.verdict.reason)
            for p in self.pieces(Role.KNOWN_BAD)
        )
        return Table(("gate", "known to be bad", "shown", "why"), tuple(told), "Known-bad subjects")

    def log(self) -> Table:
        """Return every run of a gate: test, verdict, seed, digest of its evidence."""
        state_of = states(self.report)
        told = (
            (p.test, p.entry, state_of[p.identity].upper(), f"{p.call}/{p.attempt}", _seed(p), p.digest)
            for p in self.pieces()
        )  # fmt: skip
        heading = ("test", "gate", "verdict", "call/attempt", "seed", "evidence")
        return Table(heading, tuple(told), "Test log")

    def open_ends(self) -> Table:
        """Return what does not pass, is not known, or was accepted by somebody."""
        name = self.system.system
        found = [
            (row.gate.entry, row.verdict, _why(row)) for row in self.rows() if row.verdict != "PASS"
        ]
        found += [
            (gap.entry, "ABSENT", f"{gap.test} asked for it and left no evidence: {gap.why}")
            for gap in self.report.absent
            if gap.system == name
        ]
        found += [("the run", "INCOMPLETE", line) for line in self.report.incomplete]
        found += [
            (w.gate, f"WAIVER {w.state}", f"until {w.expires}: {w.reason}; approved by {w.approved_by}, owner {w.owner}")
            for w in self.report.waived
            if w.system == name
        ]  # fmt: skip
        return Table(("what", "state", "why"), tuple(found), "Open, missing and accepted")

    def errors(self) -> str:
        """Return the chance that a gate of the system failed it though it is sound."""
        chance = self.system.false_alarm
        if not chance.runs:
            return "The gates of this system count facts: no chance is in their verdicts."
        return (
            f"Where what the gates assume holds, the chance that any of {plural(chance.runs, 'statistical run')} "
            f"fails a sound system is at most {chance.at_most:.3g}; the chance that one passes a system beyond "
            "its limit stands in each row."
        )

    def about(self, *, asked: str = "") -> Section:
        """Return the section that every sheet begins with."""
        return Section("What this is about", asked, tables=(self.identity(), self.subjects()))


def _why(row: Row) -> str:
    return "left no evidence" if row.evidence is None else row.evidence.verdict.reason


def _digest(piece: Evidence) -> str:
    if not piece.subject_digest:
        return "not bound to a model: no digest"
    how = _HOW.get(piece.digest_from, "how it was got is not recorded")
    return f"{piece.subject_digest}, {how}"


def _seed(piece: Evidence) -> str:
    return f"{piece.seed}, chosen by the test" if piece.seed_by else piece.seed


def _result(row: Row) -> tuple[str, ...]:
    piece = row.evidence
    seen = piece.measurement if piece is not None else None
    low_high = seen.interval if seen is not None else None
    interval = " to ".join(map(number, low_high)) if low_high else "-"
    rates = (piece.policy.get(name) if piece is not None else None for name in ("alpha", "beta"))
    count = f"{seen.n:,}" if seen is not None else "-"
    verdict = f"{row.verdict} ({row.runs})" if row.runs else row.verdict
    return (
        row.gate.entry, (piece.claim if piece is not None else "") or "-", verdict, row.measured, interval,
        row.limit, count, *(f"{rate:g}" if isinstance(rate, (int, float)) else "none: a count" for rate in rates),
    )  # fmt: skip


def _intervals(piece: Evidence) -> list[Intervals]:
    """Return what a gate shows row by row; nothing where it can't, as it may be of another version."""
    if piece.measurement is None or not piece.measurement.n:
        return []
    try:
        kind: type[Gate] = load(piece.gate)
        pictures = tuple(kind(**dict(piece.policy)).pictures(piece.measurement))
    except UnknownGate:
        return []
    except Exception:  # noqa: BLE001  (a gate of others, or of another version than its evidence)
        return []
    return [one for one in pictures if isinstance(one, Intervals) and sane(one)]
