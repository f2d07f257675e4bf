"""Passports, medical record numbers and dates of birth: only a word beside them makes them any.

None has a check digit that holds everywhere. A value is looked at where its word stands near; it
is confirmed where that word is the label right before it, and listed otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mlgates.pii import labels
from pytest_mlgates.pii.page import Page
from pytest_mlgates.pii.spans import Span

__all__ = ["person_records"]

_SURE, _UNSURE = 0.85, 0.3
_REACH = 48


@dataclass(frozen=True, slots=True)
class _Kind:
    entity: str
    hints: tuple[bytes, ...]
    value: re.Pattern[bytes]
    words: labels.Names


_DAY, _MONTH, _YEAR = rb"(?:0?[1-9]|[12]\d|3[01])", rb"(?:0?[1-9]|1[0-2])", rb"(?:19|20)\d\d"
_NAMED = rb"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DATE = re.compile(
    rb"(?<![0-9A-Za-z])(?:"
    + _YEAR + rb"([-/. ]|\x80)" + _MONTH + rb"\1" + _DAY
    + rb"|" + _DAY + rb"([-/. ])" + _DAY + rb"\2(?:" + _YEAR + rb"|\d\d)"
    + rb"|" + _YEAR + rb"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    + rb"|" + _DAY + rb"(?:st|nd|rd|th)?[ -]" + _NAMED + rb",?[ -]" + _YEAR
    + rb"|" + _NAMED + rb" " + _DAY + rb"(?:st|nd|rd|th)?,? " + _YEAR
    + rb")(?![0-9A-Za-z])",
    re.IGNORECASE,
)  # fmt: skip

_KINDS = (
    _Kind(
        "PASSPORT",
        (b"pass", b"pasa", b"pasz", b"paspo", b"\x80"),
        # letters and digits, at least five of them digits
        re.compile(
            rb"(?<![0-9A-Za-z])(?:[A-Z]{1,2} ?\d{6,8}|(?=(?:[A-Z]{0,3}\d){5})[A-Z0-9]{7,9})(?![0-9A-Za-z])"
        ),
        labels.one_of(
            r"passports?|passportn\w{1,6}|passeports?|pasaportes?|passaportes?|passaport[oi]|paszport\w{0,3}",
            r"reisepass\w*|paspoorts?|paspoortn\w*|passnummer",
            anywhere="护照|護照|여권|旅券|パスポート|पासपोर्ट|паспорт",
        ),
    ),
    _Kind(
        "MEDICAL_RECORD",
        (b"mrn", b"medical", b"patient", b"hospital", b"health", b"chart"),
        re.compile(
            rb"(?<![0-9A-Za-z])(?:[A-Z]{1,3}-?)?(?:\d{5,12}|\d{2,4}(?:-\d{2,5}){1,3})(?![0-9A-Za-z])"
        ),
        labels.one_of(
            r"mrns?|medicalrecords?|medicalrec|medrec\w*|patientids?|patientn\w{1,6}|hospitaln\w{1,6}|healthrecord|chartn\w{1,6}",
            r"patient(?:en)?nummer|patientennummer",
        ),
    ),
    _Kind(
        "BIRTH_DATE",
        (
            b"dob", b"d.o.b", b"born", b"birth", b"geb", b"nac", b"naiss", b"nasc", b"nat", b"urodz", b"syntym",
            b"f\x80d", b"fod", b"\x80\x80",
        ),
        _DATE,
        labels.BIRTH,
    ),
)  # fmt: skip


def person_records(page: Page, wanted: frozenset[str]) -> Iterator[Span]:
    """Yield passports, medical record numbers and dates of birth, where asked for."""
    for kind in _KINDS:
        if kind.entity not in wanted or not any(hint in page.lower for hint in kind.hints):
            continue
        for found in kind.value.finditer(page.batch):
            start, end = found.span()
            near = page.lower[max(0, start - _REACH) : start]
            if not any(hint in near for hint in kind.hints):
                continue
            before = labels.words(page.before(start, _REACH))
            if labels.is_labelled(before, kind.words):
                yield Span(kind.entity, start, end, _SURE, True)
            elif labels.is_named(before, kind.words):
                yield Span(kind.entity, start, end, _UNSURE, False)
