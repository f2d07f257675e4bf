"""Résumés in files and on standard input: JSON Lines, one JSON document, or a text."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reference_systems.resume_screener import foreign, plain_text
from reference_systems.resume_screener.rendering import NotAResume, render, sections

__all__ = ["Asked", "asked_in_file", "asked_in_stream", "text_of"]

_MAX_LINE = 4_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One résumé with its id; what can't be read raises NotAResume when it is asked for."""

    id: object
    resume: Callable[[], object]


def asked_in_file(path: Path) -> Iterator[Asked]:
    """Yield the résumés of a file: ``.jsonl`` line by line, ``.json`` whole, others as a text."""
    kind = path.suffix.casefold()
    if kind in (".jsonl", ".ndjson"):
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            yield from _lines(lines)
        return
    whole = path.read_text(encoding="utf-8-sig", errors="replace")
    if kind == ".json":
        yield from _whole(whole, path.name)
    else:
        yield Asked(path.name, lambda: whole)


def asked_in_stream(stream: Iterable[str]) -> Iterator[Asked]:
    """Yield the résumés of standard input, each as soon as its line is there.

    What does not begin as JSON is one text; an object over several lines is one document.
    """
    lines = iter(stream)
    first = next((line for line in lines if line.strip()), "").lstrip("\ufeff")
    if not first.strip():
        return
    if first.lstrip()[0] not in '{["':
        yield Asked(None, lambda: "".join([first, *lines]))
    elif _parses(first):
        yield from _lines(itertools.chain([first], lines))
    elif first.strip() in ("{", "[") or not first.rstrip().endswith("}"):
        yield from _whole("".join([first, *lines]), None)
    else:
        yield from _lines(itertools.chain([first], lines))


def _parses(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(lines: Iterable[str]) -> Iterator[Asked]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _asked(line, f"line {number}", None)


def _whole(text: str, name: object) -> Iterator[Asked]:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        yield _asked(text, "the document", name)
        return
    for at, entry in enumerate(held if isinstance(held, list) else [held]):
        own = name if not isinstance(held, list) else f"{name or 'document'}[{at}]"
        yield _of_entry(entry, own)


def _asked(line: str, where: str, name: object) -> Asked:
    if len(line) > _MAX_LINE:
        return _refused(name, f"{where} has more than {_MAX_LINE:,} characters")
    try:
        return _of_entry(json.loads(line), name)
    except RecursionError:
        return _refused(name, f"{where} is nested too deeply")
    except ValueError as error:
        what = (
            f"{error.msg} at column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        return _refused(name, f"{where} is not JSON{': ' if what else ''}{what}")


def _refused(name: object, reason: str) -> Asked:
    def refuse() -> object:
        raise NotAResume(reason)

    return Asked(name, refuse)


def _of_entry(entry: Any, name: object) -> Asked:
    """Return a text, a document, or what ``text``, ``resume`` or ``document`` of an object holds."""
    if not isinstance(entry, Mapping):
        return Asked(name, lambda: entry)
    own = entry.get("id", name)
    for key in ("text", "resume", "document"):
        if (held := entry.get(key)) is not None:
            return Asked(own, functools.partial(lambda value: value, held))
    return Asked(own, lambda: entry)


def text_of(resume: object) -> tuple[str, list[str]]:
    """Return the text that is scored, and notes on what could not be read.

    :raises NotAResume: if it is neither a résumé text nor a JSON Resume document.
    """
    if isinstance(resume, str):
        try:
            sections(resume)
        except NotAResume:
            document, notes = foreign.tidy(plain_text.document_of(resume))
            return render(document), notes
        return resume, []
    document, notes = foreign.tidy(resume)
    return render(document), notes
