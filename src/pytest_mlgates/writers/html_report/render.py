"""A report as one HTML page that asks for nothing else and runs no script but its own."""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from collections.abc import Mapping

from markupsafe import Markup

from pytest_mlgates.core import Evidence
from pytest_mlgates.report.build import STATES
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.rows import (
    GRAVEST_FIRST,
    Identity,
    false_alarm_line,
    false_pass_line,
    states,
)
from pytest_mlgates.writers.html_report.templates import (
    content_policy,
    part,
    template,
    visible,
)
from pytest_mlgates.writers.html_report.view import (
    Piece,
    anchor,
    duration,
    guides,
    open_ends,
    run_again,
    subjects,
    tables,
    under_controls,
)

__all__ = ["FULL", "INLINE", "page"]

#: pieces of evidence that are laid out whole; of more, the others are listed a line each
FULL = 500
#: of those, the pieces that are there without a script; the others are packed
INLINE = 30
MAX_LINE = 300
_State = Mapping[Identity, str]


def page(report: Report) -> str:
    """Return the report as HTML; every text in it is escaped, and what can't be seen is shown."""
    state_of = states(report)
    order = sorted(report.evidence, key=lambda e: GRAVEST_FIRST.index(state_of[e.identity]))
    style, script = part("style.css"), part("script.js")
    tallies = Counter(gate.status for system in report.systems for gate in system.gates)
    return template("page.html").render(
        report=report,
        facts=report.environment,
        tallies=[(state, tallies[state]) for state in STATES if state in tallies],
        chances=[*filter(None, (false_alarm_line(report), false_pass_line(report)))],
        undecided=open_ends(report),
        tables=list(tables(report)),
        subjects=(gated := subjects(report)),
        unbound=sum(not one.digest for one in gated),
        took=duration(report),
        again=run_again(report),
        guides=guides(report),
        frameworks=under_controls(report),
        pieces=[(e, state_of[e.identity], _page_body(e, state_of, report)) for e in order[:INLINE]],
        anchor=anchor,
        packed=Markup(_packed_pieces(order, state_of, report)),  # noqa: S704  (base64)
        count=len(order),
        full=FULL,
        style=Markup(style),  # noqa: S704  (ours)
        script=Markup(script),  # noqa: S704
        policy=content_policy(style, script),
    )


def _page_body(evidence: Evidence, state_of: _State, report: Report) -> Markup:
    piece = Piece.of(evidence, state_of[evidence.identity], report)
    return Markup(template("piece.html").render(piece=piece))  # noqa: S704  (autoescaped)


def _packed_pieces(order: list[Evidence], state_of: _State, report: Report) -> str:
    """Return what is not laid out as gzipped JSON in base64: a line a piece, the first with bodies."""
    if len(order) <= INLINE:
        return ""
    lines = [
        [
            state_of[e.identity], _visible_line(_name(e)), _visible_line(e.verdict.reason), _visible_line(e.test), anchor(e),
            _page_body(e, state_of, report) if i < FULL else "",
        ]
        for i, e in enumerate(order[INLINE:], INLINE)
    ]  # fmt: skip
    text = json.dumps(lines, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()


def _name(evidence: Evidence) -> str:
    return f"{evidence.system}: {evidence.entry}" if evidence.system else evidence.entry


def _visible_line(text: str) -> str:
    return visible(text, MAX_LINE)
