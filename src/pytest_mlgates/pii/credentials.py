"""Credentials of some hundreds of services, by Kingfisher in process (MongoDB, Apache-2.0).

The library scans and nothing else: its validation and its revocation go online and are never
called. The rules are compiled once and kept in the user's cache folder, which takes a process some
0.3 s instead of 4; where that can't be written, each process compiles them. A batch is scanned in
one piece to learn which records hold something; each of those is then scanned
alone, so that a find never depends on the record before it. ``credentials.yaml`` adds kinds that
its own rules miss.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

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
#: what a credential is written with; none is shorter than eight
_WORD, _HAS_DIGIT, _HAS_UPPER, _HAS_LOWER, _SHORTEST = 1, 2, 4, 8, 8
#: from these lengths on, letters of both cases will do, and any
_MIXED_CASE, _ANY_CASE = 16, 32
_WORD_KINDS = bytes(
    (_WORD | _HAS_DIGIT) * (48 <= c <= 57)
    or (_WORD | _HAS_UPPER) * (65 <= c <= 90)
    or (_WORD | _HAS_LOWER) * (97 <= c <= 122)
    or _WORD * (c in b"+/_=.~%!@#$^&*:-")
    for c in range(256)
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
            self.rules = kingfisher_sdk.Rules([path], confidence="low", cache_dir=_cache_folder())
        self._scanner = kingfisher_sdk.Scanner(self.rules)

    def find(self, page: Page, records: Sequence[tuple[int, int]]) -> Iterator[Span]:
        """Yield the credentials of some records of a page."""
        batch = b"\n".join([page.batch[start:end] for start, end in records])
        letters = np.frombuffer(batch.translate(_PLAIN) + b"\n", dtype=np.uint8).copy()
        ends = _STOP[letters[:-1]] & _SPACE[letters[1:]]
        letters[:-1][ends] = ord(" ")
        places = [found.location["start_offset"] for found in self._scanner.scan(letters.tobytes())]
        if not places:
            return
        upto = np.cumsum([end - start + 1 for start, end in records])
        for number in np.unique(np.searchsorted(upto, places, side="right")).tolist():
            start, end = records[min(number, len(records) - 1)]
            yield from self._in_record(page.text[start:end], start)

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


def find_credentials(page: Page, hints: Sequence[int]) -> Iterator[Span]:
    """Yield the credentials of a page; ``hints`` are where words stand that go beside secrets.

    Looked at are the records that have such a word, or one that mixes letters and digits; the rules
    are compiled when there is a first one.
    """
    if not installed():
        return
    places = np.concatenate((_mixed_words(page), np.array(hints, dtype=np.int64)))
    if len(places):
        starts = page.records
        chosen = np.unique(np.searchsorted(starts, places, side="right")) - 1
        ends = np.append(starts[1:] - 1, len(page.batch))
        records = zip(starts[chosen].tolist(), ends[chosen].tolist(), strict=True)
        yield from _engine().find(page, list(records))


def _mixed_words(page: Page) -> npt.NDArray[Any]:
    """Return where words start that are long enough and hold both letters and digits."""
    kinds = np.frombuffer(page.batch.translate(_WORD_KINDS) + b"\0", dtype=np.uint8)
    word = kinds > 0
    edges = np.flatnonzero(word[1:] != word[:-1]) + 1
    edges = np.append([0], edges) if word[0] else edges
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= _SHORTEST
    if not long.any():
        return starts[:0]
    places = np.column_stack((starts[long], ends[long])).ravel()
    held = np.bitwise_or.reduceat(kinds, places)[::2]
    letters = held & (_HAS_UPPER | _HAS_LOWER)
    mixed = (held & _HAS_DIGIT > 0) & (letters > 0)
    size = ends[long] - starts[long]
    mixed |= (letters == _HAS_UPPER | _HAS_LOWER) & (size >= _MIXED_CASE)
    mixed |= (letters > 0) & (size >= _ANY_CASE)
    found: npt.NDArray[Any] = starts[long][mixed]
    return found


def _cache_folder() -> Path:
    """Return where compiled rules are kept; the library makes it, for the user alone."""
    named = os.environ.get("MLGATES_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named or Path(home, "pytest-mlgates"), "credential-rules")


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
