"""The tables that a ``compare`` prints, as rows of JSON Lines: the same figures, told once."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence

__all__ = ["rows_of", "table_rows"]


def table_rows(markdown: str) -> Iterator[dict[str, str]]:
    r"""Yield each row of the Markdown tables in a text under the names of its columns.

    The first column has no name in most of them, and is called ``what``; the last line of words
    before a table stands in its rows as ``table``.

    >>> list(table_rows("Milliseconds:\n\n| | incident | fixed |\n|---|---|---|\n| P99 | 200 | 8 |"))
    [{'table': 'Milliseconds', 'what': 'P99', 'incident': '200', 'fixed': '8'}]
    """
    names: list[str] = []
    title = ""
    for line in [*markdown.splitlines(), ""]:
        if not line.startswith("|"):
            names, title = [], line.strip().rstrip(":") or title
            continue
        cells = [cell.strip(" *") for cell in line.strip().strip("|").split("|")]
        if not names:
            names = [cell or "what" for cell in cells]
        elif set(line) - set("|-: "):
            head = {"table": title} if title else {}
            yield {**head, **dict(zip(names, cells, strict=False))}


def rows_of(
    compare: Callable[[list[str]], object], arguments: Sequence[str]
) -> Iterator[dict[str, str]]:
    """Run a ``compare`` that prints Markdown and yield its rows."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        compare(list(arguments))
    yield from table_rows(printed.getvalue())
