"""What the page says of a report; the templates only lay it out."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mlgates.config.controls import Control, filed
from pytest_mlgates.core import Evidence, Gate, Outcome, Role
from pytest_mlgates.core.errors import UnknownGate
from pytest_mlgates.core.fields import describe, hints, limit_of
from pytest_mlgates.core.instants import instant
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.core.words import number, shorten
from pytest_mlgates.registry import load
from pytest_mlgates.report.guides import Guide, guide_to
from pytest_mlgates.report.model import Report, SystemReport, WaiverState
from pytest_mlgates.report.rows import Row, rows
from pytest_mlgates.writers.html_report.draw import draw, gauge, numbers, sane, spark
from pytest_mlgates.writers.html_report.trend import points_of, trend

__all__ = [
    "HOW",
    "Drawing",
    "Gated",
    "Line",
    "Piece",
    "Table",
    "anchor",
    "duration",
    "guides",
    "open_ends",
    "run_again",
    "subjects",
    "tables",
    "under_controls",
]

MAX_JSON = 1_500


def anchor(evidence: Evidence) -> str:
    """Return what links to a piece of evidence are made of."""
    return evidence.digest[:16]


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One configured gate; ``at`` and ``proof_at`` are the anchors of its evidence."""

    row: Row
    claim: str
    blind: str
    mend: str
    took: str
    gauge: str
    spark: str
    at: str
    proof_at: str


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """One system and its gates."""

    system: SystemReport
    lines: tuple[Line, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Drawing:
    """A picture, its title in words, and the same numbers as a table."""

    title: str
    svg: str
    heading: tuple[str, ...]
    rows: list[tuple[str, ...]]
    left_out: int

    @classmethod
    def of(cls, picture: Picture) -> Drawing:
        """Draw a picture."""
        return cls(picture.title, draw(picture), *numbers(picture))


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence as a reader unfolds it."""

    at: str
    state: str
    evidence: Evidence
    guide: Guide
    drawings: tuple[Drawing, ...]
    policy: tuple[tuple[str, str, str], ...]
    measured: str
    controls: tuple[Control, ...]
    waivers: tuple[WaiverState, ...]
    measure_again: str

    @property
    def how(self) -> str:
        """How the digest of the subject was got."""
        return HOW.get(self.evidence.digest_from, self.evidence.digest_from)

    @classmethod
    def of(cls, evidence: Evidence, state: str, report: Report) -> Piece:
        """Return what the page shows of a piece; of a gate not installed here, what was recorded."""
        try:
            kind: type[Gate] | None = load(evidence.gate)
        except UnknownGate:
            kind = None
        named = next((s.controls for s in report.systems if s.system == evidence.system), ())
        drawings = _drawings(evidence, kind)
        if evidence.role == Role.GATE and (history := trend(report, evidence)):
            drawings.append(Drawing.of(history))
        return cls(
            at=anchor(evidence),
            state=state,
            evidence=evidence,
            guide=guide_to(evidence.gate),
            drawings=tuple(drawings),
            policy=tuple(_policy_rows(evidence, kind)),
            measured=_measured(evidence),
            controls=tuple(filed(report.controls, named, evidence.gate)),
            waivers=report.waivers_of(evidence.system, evidence.entry),
            measure_again=_command(evidence, report),
        )


def tables(report: Report) -> Iterator[Table]:
    """Yield the systems of a report, each with a line a gate."""
    lines: dict[str, list[Line]] = {system.system: [] for system in report.systems}
    for row in rows(report):
        lines[row.system.system].append(
            Line(
                row=row,
                claim=row.evidence.claim if row.evidence is not None else "",
                blind=guide_to(row.gate.gate).blind,
                mend=guide_to(row.gate.gate).mend,
                took=row.took(report),
                gauge=_gauge(row),
                spark=_spark(report, row),
                at=anchor(row.evidence) if row.evidence is not None else "",
                proof_at=anchor(row.proof) if row.proof is not None else "",
            )
        )
    for system in report.systems:
        yield Table(system, tuple(lines[system.system]))


def guides(report: Report) -> list[tuple[str, Guide]]:
    """Return what the gates of a report say of themselves, by name; of those that are installed."""
    found = {gate.gate for system in report.systems for gate in system.gates}
    found |= {piece.gate for piece in report.evidence}
    known = ((name, guide_to(name)) for name in sorted(found))
    return [(name, guide) for name, guide in known if guide.method]


def open_ends(report: Report) -> list[str]:
    """Return the gates that are undecided and do not fail the run; nothing else names them."""
    return [
        f"{row.name}: {row.evidence.verdict.reason}"
        for row in rows(report)
        if row.verdict == "INCONCLUSIVE"
        and row.evidence is not None
        and not any(problem.startswith(f"{row.name}: ") for problem in report.problems)
    ]


@dataclasses.dataclass(frozen=True, slots=True)
class Gated:
    """One thing that was gated: its digest and how that was got, the entries, and the inputs."""

    system: str
    name: str
    digest: str
    how: str
    entries: str
    inputs: tuple[tuple[str, str], ...]


#: how a digest was got, as people read it
HOW = {
    "code": "by its code and state",
    "files": "by its files, as OpenSSF model signing has it",
    "declared": "declared by itself, not computed",
}


def subjects(report: Report) -> list[Gated]:
    """Return what was gated, in the order of the evidence."""
    found: dict[tuple[str, str, str, str], list[Evidence]] = {}
    for piece in report.gated():
        key = piece.system, piece.subject, piece.subject_digest or "", piece.digest_from
        found.setdefault(key, []).append(piece)
    return [
        Gated(
            system=system,
            name=name,
            digest=digest,
            how=HOW.get(how, how),
            entries=", ".join(dict.fromkeys(piece.entry for piece in pieces)),
            inputs=tuple(
                dict.fromkeys((n, str(d)) for piece in pieces for n, d in piece.inputs.items())
            ),
        )
        for (system, name, digest, how), pieces in found.items()
    ]


def run_again(report: Report) -> str:
    """Return how many of the earlier reports are of the same commit, or nothing."""
    commit = report.environment.get("commit")
    known = str(commit.get("id") or "") if isinstance(commit, Mapping) else ""
    same = [run.outcome for run in report.history if known and run.commit == known]
    if not same:
        return ""
    bad = sum(outcome not in ("pass", "waived") for outcome in same)
    return f"run {len(same) + 1} of this commit, {bad} before it did not pass"


def duration(report: Report) -> str:
    """Return how long a run took, or nothing where it does not say.

    >>> _span(75), _span(3725)
    ('1 min 15 s', '1 h 2 min')
    """
    facts = report.environment
    try:
        span = instant(facts["finished"]) - instant(facts["started"])
    except (KeyError, ValueError):
        return ""
    return _span(int(span.total_seconds()))


def _span(seconds: int) -> str:
    hours, rest = divmod(max(0, seconds), 3600)
    parts = [(hours, "h"), (rest // 60, "min"), (rest % 60, "s")]
    return " ".join([f"{n} {unit}" for n, unit in parts if n][:2]) or "less than 1 s"


def under_controls(report: Report) -> list[tuple[str, list[tuple[Control, list[str]]]]]:
    """Return by framework each control, and the gates whose evidence is filed under it."""
    found: dict[str, list[tuple[Control, list[str]]]] = {}
    for control in report.controls:
        serving = [
            f"{system.system}: {gate.entry} {gate.status.upper()}"
            for system in report.systems
            for gate in system.gates
            if filed([control], system.controls, gate.gate)
        ]
        found.setdefault(control.framework, []).append((control, serving))
    return list(found.items())


def _command(evidence: Evidence, report: Report) -> str:
    seed, profile = (report.environment.get(name) for name in ("seed", "profile"))
    words = ["python", "-m", "pytest", evidence.test]
    words += ["--mlgates-seed", str(seed)] if seed is not None else []
    words += ["--mlgates-profile", str(profile)] if profile not in (None, "default") else []
    return shlex.join(words) if evidence.test else ""


def _gauge(row: Row) -> str:
    if row.evidence is None or row.evidence.measurement is None or not row.evidence.limits:
        return ""
    measurement, (limit,) = row.evidence.measurement, row.evidence.limits
    if not measurement.n:
        return ""
    try:
        worse = load(row.gate.gate).worse
    except UnknownGate:
        worse = "up"
    low, high = measurement.interval or (measurement.value, measurement.value)
    return gauge(measurement.value, low, high, limit, worse)


def _spark(report: Report, row: Row) -> str:
    if row.evidence is None or row.evidence.measurement is None:
        return ""
    points = points_of(report, row.evidence)
    return spark(points, next(iter(row.evidence.limits), None)) if len(points) > 1 else ""


def _drawings(evidence: Evidence, kind: type[Gate] | None) -> list[Drawing]:
    """Return what the gate draws of a measurement; of what it can't, its value and the limit."""
    measurement = evidence.measurement
    if measurement is None or measurement.n == 0:
        return []
    drawn = []
    try:
        # a gate of others may be of another version than the evidence, or broken
        if kind is not None:
            pictures = tuple(kind(**dict(evidence.policy)).pictures(measurement))
            drawn = [Drawing.of(picture) for picture in pictures if sane(picture)]
    except Exception:  # noqa: BLE001
        drawn = []
    if drawn:
        return drawn
    low, high = measurement.interval or (None, None)
    point = Point("measured", measurement.value, low, high, bad=evidence.outcome == Outcome.FAIL)
    title = "Measured, against the limit"
    return [Drawing.of(Intervals(title, (point,), measurement.unit, evidence.limits))]


def _policy_rows(evidence: Evidence, kind: type[Gate] | None) -> Iterator[tuple[str, str, str]]:
    """Yield each field of a policy: its name, its value with the unit, and what it means."""
    known = {} if kind is None else hints(kind)
    for field, value in evidence.policy.items():
        meaning = known.get(field)
        unit = "" if meaning is None or value is None else limit_of(meaning).unit
        yield (
            field,
            f"{_shown_text(value)} {unit}".strip(),
            "" if meaning is None else describe(meaning),
        )


def _shown_text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "not set" if value is None else "yes" if value else "no"
    if isinstance(value, (int, float)):
        return number(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=dict)


def _measured(evidence: Evidence) -> str:
    """Return the measurement as JSON, long lists and mappings cut: report.json has all of it."""
    if evidence.measurement is None:
        return ""
    plain = {
        "n": evidence.measurement.n,
        **{k: v for k, v in evidence.measurement.details.items() if k != "findings"},
    }
    text = json.dumps(_cut(plain), indent=1, ensure_ascii=False, default=dict)
    return text if len(text) <= MAX_JSON else f"{text[:MAX_JSON]}\n… (cut here)"


def _cut(value: object) -> Any:
    if isinstance(value, Mapping):
        few = list(value.items())[:12] if len(value) > 20 else list(value.items())
        return {key[:100]: _cut(item) for key, item in few} | (
            {"…": f"{len(value)} entries in all"} if len(few) < len(value) else {}
        )
    if isinstance(value, (tuple, list)):
        few = [_cut(item) for item in (value[:5] if len(value) > 8 else value)]
        return few + ([f"… {len(value)} in all"] if len(few) < len(value) else [])
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return shorten(value, 200) if isinstance(value, str) else value
