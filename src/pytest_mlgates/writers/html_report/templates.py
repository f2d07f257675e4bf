"""What all pages of this package have in common: templates, style, and how text becomes visible."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup

from pytest_mlgates.core.words import number

__all__ = ["content_policy", "part", "template", "visible"]

#: characters of one text that a page shows; ``report.json`` has all of it
MAX_TEXT = 2_000
_PAGES = ("page.html", "piece.html", "macros.html", "index.html", "sheet.html")


def template(name: str) -> Template:
    """Return a template of the package; every text in it is escaped, and what can't be seen is shown."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    """Return the environment of the templates."""
    made = Environment(
        autoescape=True,
        finalize=_final,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=DictLoader({name: part(name) for name in _PAGES}),
    )
    made.filters["number"] = number
    made.filters["svg"] = Markup  # what draw.py made: its texts are escaped there
    return made


@cache
def part(name: str) -> str:
    """Return a file that pages are made of."""
    return files("pytest_mlgates").joinpath(f"writers/html_report/parts/{name}").read_text("utf-8")


def content_policy(style: str, script: str = "") -> str:
    """Return the policy that lets a page run its own script, if it has one, and ask for nothing."""
    scripts = f"script-src '{_hash(script)}'; " if script else ""
    return f"default-src 'none'; style-src '{_hash(style)}'; {scripts}base-uri 'none'; form-action 'none'"


def visible(text: str, longest: int = MAX_TEXT) -> str:
    """Cut a text that nobody would read, and show what can't be seen in it.

    Control and direction characters would act on the reader, not be read.
    """
    cut = text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)"
    if cut.isprintable():
        return cut
    return re.sub(r"[^\n ]", lambda c: c[0] if c[0].isprintable() else f"\\u{ord(c[0]):04x}", cut)


def _final(value: object) -> object:
    return value if isinstance(value, Markup) else visible(str(value))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
