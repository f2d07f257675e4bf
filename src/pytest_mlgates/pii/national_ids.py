"""National identifiers of the regions asked for, and how sure each is.

One compiled pattern a kind gives the candidates (bounded, so that the whole is linear), its check
digits thin them out, and words, layout and neighbours are added up. A check digit that one number
in ten has says little: it takes a label or the layout of the country beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import install
from pytest_mlgates.pii import labels
from pytest_mlgates.pii.national_kinds import KINDS, REGIONS, NationalKind
from pytest_mlgates.pii.normalise import GLUE
from pytest_mlgates.pii.page import Page
from pytest_mlgates.pii.spans import Span
from pytest_mlgates.pii.weigh import CONFIRMED, score

__all__ = ["is_valid", "known_regions", "national_ids", "right_numbers"]

_PARTS = b" .-/" + bytes([GLUE])
#: what hangs on to digits where they are part of a longer row or number
_BEFORE, _AFTER = re.compile(rb"[0-9][ \t.,_/-]{1,2}$"), re.compile(rb"[ \t.,_/-]{1,2}[0-9]")
_REACH = 48
#: labels that are words of some language too: near a number they count only in capitals
_EVERYDAY = frozenset(
    [
        "sin",
        "sins",
        "ni",
        "nie",
        "nies",
        "nas",
        "cf",
        "secu",
        "resident",
        "identity",
        "identidad",
        "fiscale",
        "contribuinte",
        "vitale",
        "burger",
    ]
)
#: what is counted with thousands parted by blanks
_COUNTED = labels.one_of(
    r"usd|cad|eur|gbp|inr|dollars?|euros?|rupees?|roupies|pounds?|bytes?|[kmgt]i?b|k?m|rows?|lignes|records?|people",
    r"persons?|personnes|habitants?|users?|tokens?|steps?|param\w*|millions?|milliards?|billions?|[mun]?s|ms|seconds?",
    r"times|fois|of|and|et|to",
)


def known_regions(regions: Sequence[str]) -> tuple[str, ...]:
    """Return the regions whose identifiers are known; what checks them must be installed.

    >>> known_regions(["US", "GB"])
    ('GB',)
    """
    known = tuple(region for region in REGIONS if region in regions)
    for kind in KINDS:
        if kind.region in known:
            _check_of(kind.module)
    return known


def national_ids(page: Page, regions: Sequence[str]) -> Iterator[Span]:
    """Yield the national identifiers of some regions."""
    for kind in KINDS:
        if kind.region not in regions:
            continue
        for found in _pattern(kind).finditer(page.batch):
            start, end = found.start(), found.end(1)
            value = page.batch[start:end]
            if is_valid(kind, value.translate(None, _PARTS).decode("ascii").upper()):
                sure = score("NATIONAL_ID", _evidence(kind, page, start, end))
                yield Span("NATIONAL_ID", start, end, sure, sure >= CONFIRMED)


def right_numbers(texts: Sequence[str], regions: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return for each kind how many different numbers have its form, and how many its check digits.

    A column of identifiers without any word beside them has far more right ones than chance gives.

    >>> right_numbers(["a 111222333 b", "a 123456782 b", "a 123456789 b"], ["NL"])
    {'nl.bsn': (3, 2)}
    """
    pages = [Page.of(text) for text in texts]
    found = {}
    for kind in KINDS:
        if kind.region in regions and kind.module:
            numbers = {
                page.batch[match.start() : match.end(1)].translate(None, _PARTS).upper()
                for page in pages
                for match in _pattern(kind).finditer(page.batch)
            }
            right = sum(is_valid(kind, number.decode("ascii")) for number in numbers)
            found[kind.module] = len(numbers), right
    return found


def is_valid(kind: NationalKind, compact: str) -> bool:
    """Tell whether the check digits of an identifier without separators are right.

    >>> [is_valid(KINDS[0], number) for number in ("52998224725", "52998224735", "11111111111")]
    [True, False, False]
    """
    return len(set(compact)) > 1 and _check_of(kind.module)(compact)


@cache
def _check_of(module: str) -> Callable[[str], bool]:
    """Return the check of python-stdnum, or one that the pattern has made already."""
    if not module:
        return lambda _: True
    try:
        check: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
    except ImportError:
        raise Unmeasurable(
            f"NATIONAL_ID takes python-stdnum for the check digits: {install('pii')}"
        ) from None
    return check


@cache
def _pattern(kind: NationalKind) -> re.Pattern[bytes]:
    """Return the pattern: the first character, then the rest as group 1.

    Only the first is consumed, so that a number that begins inside a candidate is one too.
    """
    rest = kind.rest.replace(r"\1", "(?P=sep)")
    for separator in (r"([ -]?)", r"([ .-]?)", r"([ .-])"):
        rest = rest.replace(separator, f"(?P<sep>{separator[1:-1]})")
    rest = rest.replace("[ ", rf"[\x{GLUE:02x} ")
    whole = rf"{kind.first}(?<![0-9A-Za-z]{kind.first})(?=({rest})(?![0-9A-Za-z]))"
    return re.compile(whole.encode(), re.IGNORECASE)


def _evidence(kind: NationalKind, page: Page, start: int, end: int) -> Iterator[str]:
    """Yield what speaks for and against a candidate whose check digits are right."""
    yield kind.checks
    value = page.batch[start:end]
    groups = re.split(rb"[ ./-]+", value)
    if len(groups) > 1:
        yield "the layout of its country"
    if _BEFORE.search(page.batch[max(0, start - 3) : start]) or _AFTER.match(page.batch, end):
        yield "groups go on"
    before, after = page.before(start, _REACH), page.after(end)
    words, next_words = labels.words(before), labels.words(after)
    if labels.is_labelled(words, kind.words):
        yield "its label right before"
        return
    around = [
        word
        for word in (*words, "", *next_words)
        if word not in _EVERYDAY or word.upper() in before + after
    ]
    if labels.is_named(around, kind.words):
        yield "its word near"
    if labels.is_other(words) or labels.is_labelled(words, labels.PHONE):
        yield "another label right before"
    if len(groups) > 1 and len({len(group) for group in groups}) == 1:
        yield from _as_any_number(groups, before, after, next_words)


def _as_any_number(
    groups: Sequence[bytes], before: str, after: str, next_words: Sequence[str]
) -> Iterator[str]:
    """Yield what speaks against groups of one size: amounts, years and tables are written so."""
    if not any(map(str.isalpha, before + after)):
        yield "nothing but numbers beside"
    if all(len(group) == 4 and group[:2] in (b"19", b"20") for group in groups):
        yield "groups that are years"
    signs = before[-2:] + after[:2]
    if any(unicodedata.category(sign) == "Sc" or sign == "%" for sign in signs) or any(
        map(_COUNTED, next_words[:1])
    ):
        yield "an amount"
