"""A report as one HTML page that asks for nothing else and runs no script but its own."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from pytest_mlgates.core import Evidence
from pytest_mlgates.core.words import number
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.rows import (
    GRAVEST_FIRST,
    Identity,
    false_alarm_line,
    false_pass_line,
    states,
)
from pytest_mlgates.writers.html_report.view import (
    HOW,
    Piece,
    anchor,
    duration,
    open_ends,
    subjects,
    tables,
    under_controls,
)

__all__ = ["FULL", "INLINE", "page"]

#: pieces of evidence that are laid out whole; of more, the others are listed a line each
FULL = 500
#: of those, the pieces that are there without a script; the others are packed
INLINE = 30
#: characters of one text that the page shows; ``report.json`` has all of it
MAX_TEXT = 2_000
MAX_LINE = 300
_State = Mapping[Identity, str]


def page(report: Report) -> str:
    """Return the report as HTML; every text in it is escaped, and what can't be seen is shown."""
    state_of = states(report)
    order = sorted(report.evidence, key=lambda e: GRAVEST_FIRST.index(state_of[e.identity]))
    style, script = _part("style.css"), _part("script.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    tallies: dict[str, int] = {}
    for system in report.systems:
        for gate in system.gates:
            tallies[gate.status] = tallies.get(gate.status, 0) + 1
    return _page_template("page.html").render(
        report=report,
        facts=report.environment,
        tallies=tallies,
        chances=[*filter(None, (false_alarm_line(report), false_pass_line(report)))],
        undecided=open_ends(report),
        tables=list(tables(report)),
        subjects=(gated := subjects(report)),
        unbound=sum(not one.digest for one in gated),
        took=duration(report),
        frameworks=under_controls(report),
        pieces=[(e, state_of[e.identity], _page_body(e, state_of, report)) for e in order[:INLINE]],
        anchor=anchor,
        packed=Markup(_packed_pieces(order, state_of, report)),  # noqa: S704  (base64)
        count=len(order),
        full=FULL,
        style=Markup(style),  # noqa: S704  (ours)
        script=Markup(script),  # noqa: S704
        policy=policy,
    )


def _page_body(evidence: Evidence, state_of: _State, report: Report) -> Markup:
    piece = Piece.of(evidence, state_of[evidence.identity], report)
    return Markup(_page_template("piece.html").render(piece=piece))  # noqa: S704  (autoescaped)


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


@cache
def _templates() -> Environment:
    parts = {name: _part(name) for name in ("page.html", "piece.html", "macros.html")}
    environment = Environment(
        autoescape=True,
        finalize=_final,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=DictLoader(parts),
    )
    environment.filters["number"] = number
    environment.filters["how"] = lambda how: HOW.get(how, how)
    environment.filters["name"] = _name
    environment.filters["svg"] = Markup  # what draw.py made: its texts are escaped there
    return environment


def _page_template(name: str) -> Template:
    return _templates().get_template(name)


def _part(name: str) -> str:
    return files("pytest_mlgates").joinpath(f"writers/html_report/parts/{name}").read_text("utf-8")


def _final(value: object) -> object:
    return value if isinstance(value, Markup) else _printable(str(value))


def _visible_line(text: str) -> str:
    return _printable(text, MAX_LINE)


def _printable(text: str, longest: int = MAX_TEXT) -> str:
    """Cut a text that nobody would read, and show what can't be seen in it.

    Control and direction characters would act on the reader, not be read.
    """
    cut = text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"
    if cut.isprintable():
        return cut
    return re.sub(r"[^\n ]", lambda c: c[0] if c[0].isprintable() else f"\\u{ord(c[0]):04x}", cut)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
