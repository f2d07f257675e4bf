"""What the page says of a report; the template only lays it out."""

from __future__ import annotations

import dataclasses
import inspect
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_mlgates.core import Evidence, Gate, Outcome
from pytest_mlgates.fields import describe, hints, limit_of
from pytest_mlgates.page.draw import draw, gauge
from pytest_mlgates.pictures import Histogram, Intervals, Picture, Point
from pytest_mlgates.registry import UnknownGate, load
from pytest_mlgates.report import Report
from pytest_mlgates.table import GRAVEST_FIRST, Identity, Row, number, rows

__all__ = ["FULL", "Drawing", "Line", "Piece", "Table", "tables", "worst_first"]

#: pieces of evidence that are laid out whole; of more, the rest is listed a line each
FULL = 500
_LONGEST_JSON = 1_500


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One configured gate; ``at`` and ``proof_at`` are the anchors of its evidence."""

    row: Row
    gate: str
    gauge: str
    at: str
    proof_at: str


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """One system and its gates."""

    system: Mapping[str, Any]
    lines: tuple[Line, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Drawing:
    """A picture, and its title in words."""

    title: str
    svg: str


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence as a reader unfolds it."""

    at: str
    state: str
    evidence: Evidence
    method: str
    sources: str
    drawings: tuple[Drawing, ...]
    policy: tuple[tuple[str, str, str], ...]
    measured: str

    @classmethod
    def of(cls, evidence: Evidence, state: str) -> Piece:
        """Return what the page shows of a piece; of a gate not installed here, what was recorded."""
        try:
            kind: type[Gate] | None = load(evidence.gate)
        except UnknownGate:
            kind = None
        method, sources = _told(kind)
        meanings = {} if kind is None else hints(kind)
        return cls(
            at=evidence.digest[:16],
            state=state,
            evidence=evidence,
            method=method,
            sources=sources,
            drawings=tuple(_drawings(evidence, kind)),
            policy=tuple(
                (
                    field,
                    f"{_said(value)} {limit_of(meanings[field]).unit}".strip()
                    if field in meanings
                    else _said(value),
                    describe(meanings[field]) if field in meanings else "",
                )
                for field, value in evidence.policy.items()
            ),
            measured=_measured(evidence),
        )


def tables(report: Report) -> Iterator[Table]:
    """Yield the systems of a report, each with a line a gate."""
    found = rows(report)
    for system in report.systems:
        lines = [
            Line(
                row=row,
                gate=gate["gate"],
                gauge=_gauge(row),
                at=row.shown.digest[:16] if row.shown is not None else "",
                proof_at=row.proof.digest[:16] if row.proof is not None else "",
            )
            for gate, row in zip(system["gates"], found, strict=False)
        ]
        yield Table(system, tuple(lines))


def worst_first(report: Report, found: Mapping[Identity, str]) -> list[Evidence]:
    """Return the evidence in the order to read it: what does not pass before what does."""
    return sorted(report.evidence, key=lambda piece: GRAVEST_FIRST.index(found[piece.identity]))


def _told(kind: type[Gate] | None) -> tuple[str, str]:
    """Return how a gate works, in its own words, and where the method is from."""
    text = inspect.getdoc(kind) if kind is not None and "__doc__" in vars(kind) else ""
    paragraphs = (text or "").split("\n\n")
    sources = next((p for p in paragraphs if p.startswith(("Source:", "Sources:"))), "")
    return (
        " ".join(paragraphs[0].replace("``", "").split()),
        " ".join(sources.partition(":")[2].split()),
    )


def _gauge(row: Row) -> str:
    seen = row.shown.measurement if row.shown is not None else None
    limit = row.shown.policy.get(row.shown.limit) if row.shown is not None else None
    if seen is None or isinstance(limit, bool) or not isinstance(limit, (int, float)):
        return ""
    low, high = seen.interval or (seen.value, seen.value)
    return gauge(seen.value, low, high, float(limit))


def _drawings(evidence: Evidence, kind: type[Gate] | None) -> Iterator[Drawing]:
    seen = evidence.measurement
    if seen is None or seen.n == 0:
        return
    try:
        # a gate of others may be of another version than the evidence, or broken
        pictures: Sequence[Picture] = (
            () if kind is None else tuple(kind(**dict(evidence.policy)).pictures(seen))
        )
        drawn = [Drawing(picture.title, draw(picture)) for picture in pictures if _sane(picture)]
    except Exception:  # noqa: BLE001
        drawn = []
    if not drawn:
        limit = evidence.policy.get(evidence.limit)
        low, high = seen.interval or (None, None)
        point = Point("measured", seen.value, low, high, bad=evidence.outcome == Outcome.FAIL)
        plain = isinstance(limit, (int, float)) and not isinstance(limit, bool)
        limits: Any = (limit,) if plain else ()
        picture = Intervals("Measured, against the limit", (point,), seen.unit, limits)
        drawn = [Drawing(picture.title, draw(picture))]
    yield from drawn


def _sane(picture: Picture) -> bool:
    """Tell whether there is something to draw, all of it finite."""
    if isinstance(picture, Histogram):
        points, numbers = picture.marks, [*picture.edges, *picture.counts]
        filled = len(picture.edges) == len(picture.counts) + 1 > 1
    else:
        points = picture.points if isinstance(picture, Intervals) else picture.parts
        numbers, filled = [], any(point.value for point in points) or isinstance(picture, Intervals)
    ends = [e for p in points for e in (p.low, p.value, p.high) if e is not None]
    return bool(filled and (ends or numbers)) and all(map(math.isfinite, [*ends, *numbers]))


def _said(value: object) -> str:
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
    return text if len(text) <= _LONGEST_JSON else f"{text[:_LONGEST_JSON]}\n… (cut here)"


def _cut(value: Any) -> Any:
    if isinstance(value, Mapping):
        few = list(value.items())[:12] if len(value) > 20 else list(value.items())
        return {key: _cut(item) for key, item in few} | (
            {"…": f"{len(value)} entries in all"} if len(few) < len(value) else {}
        )
    if isinstance(value, (tuple, list)):
        few = [_cut(item) for item in (value[:5] if len(value) > 8 else value)]
        return few + ([f"… {len(value)} in all"] if len(few) < len(value) else [])
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return f"{value[:200]}…" if isinstance(value, str) and len(value) > 200 else value
