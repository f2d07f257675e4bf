"""Sheets as one HTML page, in the style of the report."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pytest_mlgates.documents.sheet import DISCLAIMER, Sheet
from pytest_mlgates.writers.html_report.templates import content_policy, part, template

__all__ = ["as_html"]


def as_html(sheets: Sequence[Sheet]) -> str:
    """Return sheets as a page; every text in it is escaped, and it asks for nothing."""
    style = part("style.css")
    return template("sheet.html").render(
        sheets=sheets,
        disclaimer=DISCLAIMER,
        style=Markup(style),  # noqa: S704  (ours)
        policy=content_policy(style),
    )
