"""Credentials of some hundreds of services, by Kingfisher in process (MongoDB, Apache-2.0).

The library scans and nothing else: its validation and its revocation go online and are never
called. The rules are compiled once a process, with its cache off, so that nothing is written. A
batch is scanned in one piece to learn which records hold something; each of those is then scanned
alone, so that a find never depends on the record before it. ``credentials.yaml`` adds kinds that
its own rules miss.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import metadata, resources
from typing import Any

import numpy as np

from pytest_mlgates.pii.keys import is_placeholder
from pytest_mlgates.pii.normalise import OTHER, RECORD
from pytest_mlgates.pii.page import Page
from pytest_mlgates.pii.spans import Span

__all__ = ["Credentials", "described", "find_credentials", "installed"]

#: what ends a sentence or an argument is no part of a credential, and its rules do not end there
_STOPS = re.compile(r"[.,)!?](?=[\s)]|$)|[\]}](?=[\s,]|$)")
_STOP, _SPACE = np.zeros(256, dtype=bool), np.zeros(256, dtype=bool)
_STOP[list(b".,)!?]}")] = True
_SPACE[list(b" \n\t\r)")] = True
#: a batch as the rules read it: records are lines, other scripts are blanks
_PLAIN = bytes(10 if c == ord(RECORD) else 32 if c == OTHER else c for c in range(256))
#: no credential is shorter, or letters alone
_LONG = re.compile(rb"[A-Za-z0-9+/_=.~%!@#$^&*:-]{8,}")
_DIGIT, _LETTER = re.compile(rb"[0-9]"), re.compile(rb"[A-Za-z]")
_HINTS = (
    b"ecret",
    b"assw",
    b"pwd",
    b"oken",
    b"PRIVATE",
    b"_key",
    b"_KEY",
    b"iKey",
    b"uthorization",
)
#: how sure Kingfisher is, as a score
_SURE = {"high": 0.95, "medium": 0.85}
_UNSURE = 0.35
#: rules that take what everybody may see, or an id, for a secret
_PUBLIC = re.compile(r"generic-credential-uri|public|publishable|\.id$|account-id|client-id|jwt")


class Credentials:
    """Kingfisher's rules and ours, compiled."""

    def __init__(self) -> None:
        import kingfisher_sdk

        own = resources.files("pytest_mlgates.pii").joinpath("credentials.yaml")
        with resources.as_file(own) as path:
            self.rules = kingfisher_sdk.Rules([path], confidence="low", cache=False)
        self._scanner = kingfisher_sdk.Scanner(self.rules)

    def find(self, page: Page) -> Iterator[Span]:
        """Yield the credentials of a page."""
        letters = np.frombuffer(page.batch.translate(_PLAIN) + b"\n", dtype=np.uint8).copy()
        ends = _STOP[letters[:-1]] & _SPACE[letters[1:]]
        letters[:-1][ends] = ord(" ")
        code, done = letters.tobytes(), 0
        places = sorted(found.location["start_offset"] for found in self._scanner.scan(code))
        for place in places:
            if place < done:
                continue
            start = page.text.rfind(RECORD, 0, place) + 1
            end = page.text.find(RECORD, place)
            done = end if end >= 0 else len(page.text)
            yield from self._in_record(page.text[start:done], start)

    def _in_record(self, text: str, at: int) -> Iterator[Span]:
        code = _STOPS.sub(" ", text).encode("utf-8", "replace")
        for found in self._scanner.scan(code):
            if span := _span(found, code):
                yield span.moved(at)


def _span(found: Any, code: bytes) -> Span | None:
    """Return a find as a span of characters, or nothing where it is no secret."""
    if not found.visible or _PUBLIC.search(found.rule_id):
        return None
    place = found.location
    if code[place["start_offset"] - 1 : place["start_offset"]].isalnum():
        return None  # a part of a longer word
    start, end = (
        len(code[: place[at]].decode("utf-8", "replace")) for at in ("start_offset", "end_offset")
    )
    sure = _SURE.get(found.confidence, _UNSURE)
    if is_placeholder(found.secret):
        sure = 0.1
    return Span("API_KEY", start, end, sure, sure > 0.5)


def find_credentials(page: Page) -> Iterator[Span]:
    """Yield the credentials of a page; the rules are compiled when one can first stand in a page."""
    if installed() and _may_hold_one(page.batch):
        yield from _engine().find(page)


def _may_hold_one(batch: bytes) -> bool:
    """Tell whether a page has a word that mixes letters and digits, or a label of a secret."""
    return any(hint in batch for hint in _HINTS) or any(
        _DIGIT.search(word[0]) and _LETTER.search(word[0]) for word in _LONG.finditer(batch)
    )


@cache
def _engine() -> Credentials:
    return Credentials()


@cache
def installed() -> str:
    """Return the version of Kingfisher, or nothing where it is not installed."""
    try:
        return metadata.version("kingfisher-secret-scanner")
    except metadata.PackageNotFoundError:
        return ""


def described() -> str:
    """Return by what rules a run looked for credentials; they are compiled for that."""
    release = installed()
    return f"credentials by Kingfisher {release}, {len(_engine().rules)} rules" if release else ""
