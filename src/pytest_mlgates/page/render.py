"""A report as one HTML page that asks for nothing else and runs no script but its own."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined
from markupsafe import Markup

from pytest_mlgates.core import Evidence
from pytest_mlgates.page.view import FULL, Piece, tables, worst_first
from pytest_mlgates.report import Report
from pytest_mlgates.table import number, states

__all__ = ["page"]

#: characters of one text that the page shows; ``report.json`` has all of it
_LONGEST = 2_000


def page(report: Report) -> str:
    """Return the report as HTML; every text in it is escaped, and what can't be seen is shown."""
    found = states(report)
    order = worst_first(report, found)
    style, script = _part("style.css"), _part("script.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    tallies: dict[str, int] = {}
    for system in report.systems:
        for gate in system["gates"]:
            tallies[gate["status"]] = tallies.get(gate["status"], 0) + 1
    text: str = _template().render(
        report=report,
        facts=report.environment,
        tallies=tallies,
        tables=list(tables(report)),
        pieces=[Piece.of(e, found[e.identity]) for e in order[:FULL]],
        rest=Markup(_packed(order[FULL:], found)),  # noqa: S704  (base64)
        rest_count=len(order) - FULL,
        full=FULL,
        style=Markup(style),  # noqa: S704  (ours)
        script=Markup(script),  # noqa: S704
        policy=policy,
    )
    return text


def _packed(rest: list[Evidence], found: Any) -> str:
    """Return a line for each piece as gzipped JSON in base64, or nothing."""
    if not rest:
        return ""
    lines = [
        [
            found[e.identity], _shown(e.system), _shown(e.entry), _shown(e.verdict.reason[:300]),
            _shown(e.test), e.digest,
        ]
        for e in rest
    ]  # fmt: skip
    text = json.dumps(lines, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()


@cache
def _template() -> Any:
    environment = Environment(
        autoescape=True,
        finalize=_final,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=BaseLoader(),
    )
    environment.filters["number"] = number
    environment.filters["svg"] = Markup  # what draw.py made: its texts are escaped there
    return environment.from_string(_part("page.html"))


def _part(name: str) -> str:
    return files("pytest_mlgates").joinpath(f"page/parts/{name}").read_text("utf-8")


def _final(value: object) -> object:
    return value if isinstance(value, Markup) else _shown(str(value))


def _shown(text: str) -> str:
    """Cut a text that nobody would read, and show what can't be seen in it.

    Control and direction characters would act on the reader, not be read.
    """
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
    if cut.isprintable():
        return cut
    return re.sub(r"[^\n ]", lambda c: c[0] if c[0].isprintable() else f"\\u{ord(c[0]):04x}", cut)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
