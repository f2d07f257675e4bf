"""Personal data and secrets in text, found fast: batches of records, validators, offsets kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from pytest_mlgates.pii.normalise import GLUE, RECORD, fold
from pytest_mlgates.pii.numbers import Numbers
from pytest_mlgates.pii.spans import ENTITIES, NAMES, Span, settle
from pytest_mlgates.pii.triggers import engine
from pytest_mlgates.pii.validate import ip_address
from pytest_mlgates.pii.words import by_digits, ipv6, triggered

__all__ = ["Detector"]

#: characters looked at together, and how far parts of a longer text overlap
_BATCH, _OVERLAP = 1 << 20, 1 << 14


class Detector:
    r"""Finds personal data and secrets in text.

    ``entities`` are the kinds looked for (default: all of :data:`ENTITIES`); ``allow`` holds
    values that are none, such as test cards or a company's own address, compared without case,
    blanks and punctuation; ``*`` stands for anything (``*@example.org``). ``names``
    adds PERSON and LOCATION, which take a language model (extra ``pii``) and are never confirmed.
    ``region`` is whose phone numbers are written without ``+``.

    Not found: letters that look like digits, numbers in words, identifiers split over two texts.

    >>> spans = Detector().find("card 4111 1111\u00a01111 1111, thanks")
    >>> [(span.entity, span.start, span.end, span.confirmed) for span in spans]
    [('CREDIT_CARD', 5, 24, True)]
    >>> Detector(allow=["4111111111111111"]).find("card 4111 1111 1111 1111")
    []
    """

    def __init__(
        self,
        entities: Iterable[str] | None = None,
        allow: Iterable[str] = (),
        names: bool = False,
        region: str = "US",
        engine_name: str = "",
    ) -> None:
        wanted = set(ENTITIES if entities is None else entities)
        unknown = wanted - {*ENTITIES, *NAMES}
        if unknown:
            known = ", ".join((*ENTITIES, *NAMES))
            raise ValueError(f"no entity is called {min(unknown)!r}: known are {known}")
        self.names = bool(names or wanted & set(NAMES))
        self.entities = frozenset(wanted | set(NAMES if names else ()))
        self.region = region
        self.allow = {_canonical(value) for value in allow}
        self._globs = [value for value in self.allow if "*" in value]
        self._engine = engine(engine_name)

    def find(self, text: str) -> list[Span]:
        """Return the spans in one text, in order, none over another."""
        return next(self.find_all([text]))

    def find_all(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """Yield for each text the list of its spans; memory stays that of a batch."""
        part: list[str] = []
        size = 0
        for text in texts:
            if len(text) > _BATCH:
                yield from self._batch(part)
                part, size = [], 0
                yield self._long(text)
                continue
            part.append(text)
            size += len(text) + 1
            if size >= _BATCH:
                yield from self._batch(part)
                part, size = [], 0
        yield from self._batch(part)

    def _batch(self, part: Sequence[str]) -> list[list[Span]]:
        """Return the spans of each of a few texts, found in one go."""
        if not part:
            return []
        joined = RECORD.join(part)
        if joined.count(RECORD) != len(part) - 1:
            joined = RECORD.join(text.replace(RECORD, " ") for text in part)
        found: list[list[Span]] = [[] for _ in part]
        spans = list(self._scan(fold(joined)))
        if spans:
            starts = np.cumsum([0, *(len(text) + 1 for text in part)])
            records = np.searchsorted(starts, [span.start for span in spans], side="right") - 1
            for span, record in zip(spans, records.tolist(), strict=True):
                at = int(starts[record])
                if span.end - at <= len(part[record]):
                    found[record].append(_moved(span, -at))
        if self.names:
            from pytest_mlgates.pii.people import find_names

            for record, more in enumerate(find_names(part)):
                found[record] += [span for span in more if span.entity in self.entities]
        for record, text in enumerate(part):
            if found[record]:
                found[record] = [s for s in settle(found[record]) if not self._allowed(text, s)]
        return found

    def _long(self, text: str) -> list[Span]:
        """Scan a text in parts that overlap; each span counts in the part whose core it starts in."""
        spans: list[Span] = []
        margin = _OVERLAP // 2
        for start in range(0, len(text), _BATCH - _OVERLAP):
            piece = text[start : start + _BATCH]
            low = margin if start else 0
            last = start + _BATCH >= len(text)
            high = len(piece) if last else _BATCH - margin
            spans += [
                _moved(span, start) for span in self._batch([piece])[0] if low <= span.start < high
            ]
            if last:
                break
        return spans

    def _scan(self, batch: bytes) -> Iterator[Span]:
        wanted: Any = self.entities
        numbers = Numbers(batch)
        if "CREDIT_CARD" in wanted:
            yield from numbers.cards()
        if wanted & {"US_SSN", "US_ITIN"}:
            yield from (span for span in numbers.ssns() if span.entity in wanted)
        if "IP_ADDRESS" in wanted:
            yield from numbers.addresses()
            yield from ipv6(batch)
        if "MEDICAL_LICENSE" in wanted:
            yield from numbers.licences()
        if "PHONE_NUMBER" in wanted:
            yield from numbers.phones(self.region)
        yield from by_digits(numbers, wanted)
        if wanted & {"EMAIL_ADDRESS", "API_KEY", "CRYPTO"}:
            yield from triggered(batch, self._engine, wanted)

    def _allowed(self, text: str, span: Span) -> bool:
        if not self.allow:
            return False
        value = _canonical(text[span.start : span.end])
        return value in self.allow or any(fnmatchcase(value, glob) for glob in self._globs)


def _moved(span: Span, by: int) -> Span:
    return Span(span.entity, span.start + by, span.end + by, span.score, span.confirmed)


def _canonical(value: str) -> str:
    """Return what a value is compared by: letters and digits; addresses as they are."""
    plain = fold(value).replace(bytes([GLUE]), b"").decode("latin-1").lower().strip()
    if "@" in plain or "*" in plain or ip_address(plain):
        return plain
    return "".join(c for c in plain if c.isalnum())
