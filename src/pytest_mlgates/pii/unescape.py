r"""A second way to read a text: with its escapes and markup read, and offsets kept.

Logs, ``repr``, nested JSON, scraped pages, mails and access logs hold values with escapes beside
and between their digits (``\n``, ``%20``, ``&nbsp;``, ``=C2=A0``, ``</td><td>``, colours of a
terminal). Each such unit becomes the one character it stands for: a cell's end becomes a comma, an
inline tag becomes a character that is not seen. The text as it was is always looked at as well, so
that reading ``=20`` for a blank can add a find and never take one away.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from html.entities import html5

import numpy as np

from pytest_mlgates.pii.normalise import RECORD
from pytest_mlgates.pii.page import Page

__all__ = ["View", "unescape"]

_UNSEEN, _CELL, _BLANK = "\u200b", ",", " "
_UTF8 = (
    r"{0}[cdCD][0-9a-fA-F]{0}[89abAB][0-9a-fA-F]"
    r"|{0}[eE][0-9a-fA-F](?:{0}[89abAB][0-9a-fA-F]){{2}}"
    r"|{0}[fF][0-4](?:{0}[89abAB][0-9a-fA-F]){{3}}"
)
# each alternative is bounded, so that reading is linear
_UNIT = re.compile(
    r"&(?:amp;){0,3}(?:\#(?P<decimal>\d{1,7})|\#[xX](?P<hex>[0-9a-fA-F]{1,6})"
    r"|(?P<entity>[A-Za-z][A-Za-z0-9]{1,24}));"
    r"|\\{1,8}(?:u\{?(?P<u>[0-9a-fA-F]{4})\}?|x(?P<x>[0-9a-fA-F]{2})|U000(?P<U>[0-9a-fA-F]{5})"
    r"|(?:033|e|0)\[[0-9;]{0,20}m|(?P<letter>[ntrfv0\"'/,;&%#=:]))"
    rf"|(?P<percent>%(?:25){{0,3}}[0-7][0-9a-fA-F]|{_UTF8.format('%')})"
    rf"|(?P<quoted>=0[9AD]|=20|=3[ACD]|{_UTF8.format('=')})"
    r"|=\r?\n"
    r"|\x1b\[[0-9;]{0,20}[A-Za-z]"
    r"|</?(?P<tag>[A-Za-z][A-Za-z0-9]{0,10})(?:\s[^<>]{0,300})?/?>|<!--[^<>]{0,300}-->"
    r"|(?P<cell>\|[ \t]{0,8})"
    r"|(?<=\d)(?:(?P<form>\+)|(?P<wide>[ \t\xa0]{3,40})|~)(?=\d)"
    r"|(?<=\d{4})(?P<list>[\"'\])]?\s{0,2}[,;]\s{0,2}[\"'\[(]?|[\]\"']\s?[\[\"']|[:*=;])(?=\d{4})"
    r"|(?P<bold>\*\*|`)"
)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": _UNSEEN, ",": _BLANK}
#: tags inside a line of text; every other one parts it
_INLINE = frozenset(
    [
        "a",
        "b",
        "i",
        "u",
        "s",
        "em",
        "strong",
        "span",
        "font",
        "mark",
        "code",
        "small",
        "big",
        "sub",
        "sup",
        "wbr",
        "tt",
        "kbd",
    ]
)
_CELLS = frozenset(("td", "th", "input", "li"))

#: what a unit may begin with; some begin one between two digits only, some after four of them
_STRONG, _DIGIT, _BETWEEN, _AFTER = 1, 2, 4, 8
_UNIT_KIND = bytearray(256)
for _kind, _signs in (
    (_STRONG, b"&\\%=\x1b<|`*"),
    (_DIGIT, b"0123456789"),
    (_BETWEEN, b"+~ \t"),
    (_AFTER, b"\"'])(,;:*="),
):
    for _sign in _signs:
        _UNIT_KIND[_sign] |= _kind
_UNIT_KINDS = bytes(_UNIT_KIND)


class View:
    """The records of a page that hold escapes, read; and where each character comes from."""

    def __init__(self, page: Page, units: list[tuple[int, int, str]]) -> None:
        parts: list[str] = []
        self._out: list[int] = []
        self._from: list[tuple[int, int]] = []
        size, at, stop = 0, 0, -1
        for start, end, character in units:
            if start >= stop:  # the first one of its record
                if stop >= 0:
                    parts.append(page.text[at:stop])
                    size += stop - at
                at = page.text.rfind(RECORD, 0, start) + 1
                found = page.text.find(RECORD, end)
                stop = found if found >= 0 else len(page.text)
                self._note(size, at, at)
                parts.append(RECORD)
                size += 1
            parts += (page.text[at:start], character)
            size += start - at
            self._note(size, start, end)
            size, at = size + 1, end
        parts.append(page.text[at:stop])
        self.page = Page.of("".join(parts))

    def _note(self, out: int, start: int, end: int) -> None:
        self._out.append(out)
        self._from.append((start, end))

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Return which characters of the page as it was a span of the view stands for."""
        return self._at(start)[0], self._at(end - 1)[1]

    def _at(self, place: int) -> tuple[int, int]:
        number = bisect_right(self._out, place) - 1
        out, (start, end) = self._out[number], self._from[number]
        if out == place:
            return start, end
        start = end + place - out - 1
        return start, start + 1


def unescape(page: Page) -> View | None:
    r"""Return the second view, or None where nothing is escaped.

    >>> view = unescape(Page.of(r"pay\n4111&nbsp;1111%20x"))
    >>> view.page.text.lstrip(RECORD)
    'pay\n4111\xa01111 x'
    >>> view.origin(5, 9)  # 4111
    (5, 9)
    """
    units = list(_units(page))
    return View(page, units) if units else None


def _units(page: Page) -> Iterator[tuple[int, int, str]]:
    kinds = np.frombuffer(page.batch.translate(_UNIT_KINDS), dtype=np.uint8)
    places = [np.flatnonzero(kinds & _STRONG)]
    digit = np.flatnonzero(kinds & _DIGIT)
    digit = digit[digit < len(kinds) - 1]
    next_kind = kinds[digit + 1]
    between = digit[(next_kind & _BETWEEN) > 0] + 1
    between = between[between < len(kinds) - 1]
    wide = (page.codes[between] != ord(" ")) | (page.codes[between + 1] == ord(" "))
    places.append(between[wide])  # one blank is read as it is
    after = digit[(next_kind & _AFTER) > 0]
    after = after[after >= 3]
    for back in (1, 2, 3):
        after = after[(kinds[after - back] & _DIGIT) > 0]
    places.append(after + 1)
    done = 0
    for place in np.unique(np.concatenate(places)).tolist():
        if place < done:
            continue
        unit = _UNIT.match(page.text, place)
        if unit and (character := _character(unit)):
            done = unit.end()
            if RECORD not in unit[0]:
                yield place, done, character


def _character(unit: re.Match[str]) -> str:
    """Return the one character that a unit stands for, or nothing where it is none."""
    kind, text = unit.lastgroup, unit[0]
    if kind is None or (kind in ("bold", "tag") and (unit["tag"] or "").lower() in {"", *_INLINE}):
        return _BLANK if text == "~" else _UNSEEN
    if kind in ("form", "wide"):
        return _BLANK
    if kind in ("cell", "list", "tag"):
        return _CELL if kind != "tag" or unit["tag"].lower() in _CELLS else _BLANK
    if kind == "entity":
        named = html5.get(unit[kind] + ";", "")
        return named if len(named) == 1 else ""
    if kind == "letter":
        return _LETTERS.get(unit[kind], unit[kind])
    if kind in ("percent", "quoted"):
        code = text.replace("%25", "%") if kind == "percent" else text
        while "%25" in code:
            code = code.replace("%25", "%")
        return bytes.fromhex(code.replace(text[0], "")).decode("utf-8", "replace")[:1]
    point = int(unit[kind], 10 if kind == "decimal" else 16)
    return chr(point) if 0 < point <= 0x10FFFF and chr(point) != RECORD else ""
