"""Personal data and secrets in text, found fast: batches of records, validators, offsets kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

import numpy as np

from pytest_mlgates.core.words import a
from pytest_mlgates.pii.cards import cards
from pytest_mlgates.pii.credentials import find_credentials
from pytest_mlgates.pii.keys import Keys, password_in_link
from pytest_mlgates.pii.national_ids import known_regions, national_ids
from pytest_mlgates.pii.national_kinds import REGIONS
from pytest_mlgates.pii.network import ipv4, ipv6
from pytest_mlgates.pii.normalise import GLUE, RECORD, fold
from pytest_mlgates.pii.numbers import Numbers
from pytest_mlgates.pii.page import Page
from pytest_mlgates.pii.person_records import person_records
from pytest_mlgates.pii.phones import phones
from pytest_mlgates.pii.spans import BY_REGION, ENTITIES, NAMES, Span, settle
from pytest_mlgates.pii.triggers import engine
from pytest_mlgates.pii.unescape import unescape
from pytest_mlgates.pii.us_numbers import licences, ssns
from pytest_mlgates.pii.validate import ip_address
from pytest_mlgates.pii.words import by_digits, email, segwit

__all__ = ["Detector"]

#: characters looked at together, and how far parts of a longer text overlap
_BATCH, _OVERLAP = 1 << 20, 1 << 14


class Detector:
    r"""Finds personal data and secrets in text.

    ``entities`` are the kinds looked for (default: all of :data:`ENTITIES`); ``allow`` holds
    values that are none, such as test cards or a company's own address, compared without case,
    blanks and punctuation; ``*`` stands for anything (``*@example.org``). ``names``
    adds PERSON and LOCATION, which take a language model (extra ``pii``) and are never confirmed.
    ``regions`` are those whose phone numbers are written without ``+``, by their codes (``DE``), and
    whose national identifiers are looked for (``IN``: Aadhaar): with one of the latter, and where
    ``entities`` is left out, passports, medical record numbers and dates of birth too.

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
        regions: Iterable[str] = ("US",),
        engine_name: str = "",
    ) -> None:
        for name, value in (("entities", entities), ("allow", allow), ("regions", regions)):
            if isinstance(value, str):
                raise TypeError(f"{name} is a text: give a list, as in {name}=[{value!r}]")
        self.regions = tuple(regions)
        wanted = self._wanted(entities)
        #: whose national identifiers are looked for
        self.id_regions = known_regions(self.regions) if "NATIONAL_ID" in wanted else ()
        self.names = bool(names or wanted & set(NAMES))
        self.entities = frozenset(wanted | set(NAMES if names else ()))
        self.allow = {_canonical(value) for value in allow}
        self._globs = [value for value in self.allow if "*" in value]
        self._engine = engine(engine_name)

    def _wanted(self, entities: Iterable[str] | None) -> set[str]:
        """Return the kinds that are looked for."""
        here = any(region in REGIONS for region in self.regions)
        if entities is None:
            return {*ENTITIES, *(BY_REGION if here else ())}
        wanted, known = set(entities), (*ENTITIES, *BY_REGION, *NAMES)
        if unknown := wanted - set(known):
            raise ValueError(f"no entity is called {min(unknown)!r}: known are {', '.join(known)}")
        if "NATIONAL_ID" in wanted and not here:
            raise ValueError(f"NATIONAL_ID takes one of these regions: {', '.join(REGIONS)}")
        return wanted

    def find(self, text: str) -> list[Span]:
        """Return the spans in one text, in order, none over another."""
        if not isinstance(text, str):
            raise TypeError(f"find takes a text, not {a(type(text).__name__)}")
        return next(self.find_all([text]))

    def find_all(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """Yield for each text the list of its spans; memory stays that of a batch."""
        if isinstance(texts, str):
            raise TypeError("find_all takes several texts: write find(text) for one")
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
        page = Page.of(joined)
        spans = list(self._scan(page))
        if view := unescape(page):
            for span in self._scan(view.page):
                start, end = view.origin(span.start, span.end)
                spans.append(Span(span.entity, start, end, span.score, span.confirmed))
        if spans:
            records = np.searchsorted(page.records, [span.start for span in spans], side="right")
            for span, record in zip(spans, (records - 1).tolist(), strict=True):
                found[record].append(span)
            for record in set((records - 1).tolist()):
                at, size = int(page.records[record]), len(part[record])
                inside = [span for span in found[record] if span.end - at <= size]
                found[record] = [span.moved(-at) for span in settle(inside)]
        if self.names:
            from pytest_mlgates.pii.people import find_names

            for record, more in enumerate(find_names(part)):
                its = (span for span in more if span.entity in self.entities)
                found[record] = settle([*found[record], *its])
        if self.allow:
            found = [
                [span for span in its if not self._allowed(text, span)]
                for text, its in zip(part, found, strict=True)
            ]
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
                span.moved(start) for span in self._batch([piece])[0] if low <= span.start < high
            ]
            if last:
                break
        return spans

    def _scan(self, page: Page) -> Iterator[Span]:
        wanted = self.entities
        numbers = Numbers(page)
        if "CREDIT_CARD" in wanted:
            yield from cards(numbers)
        if wanted & {"US_SSN", "US_ITIN"}:
            yield from (span for span in ssns(numbers) if span.entity in wanted)
        if "IP_ADDRESS" in wanted:
            yield from ipv4(numbers)
            yield from ipv6(page.batch)
        if "MEDICAL_LICENSE" in wanted:
            yield from licences(numbers)
        if "PHONE_NUMBER" in wanted:
            yield from phones(numbers, self.regions)
        if self.id_regions:
            yield from national_ids(page, self.id_regions)
        yield from person_records(page, wanted)
        yield from by_digits(numbers, wanted)
        if wanted & {"EMAIL_ADDRESS", "API_KEY", "CRYPTO"}:
            yield from self._triggered(page)

    def _triggered(self, page: Page) -> Iterator[Span]:
        """Yield what starts with a word of the engine."""
        wanted, keys = self.entities, Keys(page)
        hints: list[int] = []
        for kind, place in self._engine.scan(page.batch):
            if kind == "email":
                if "EMAIL_ADDRESS" in wanted:
                    yield from email(page, place)
                if "API_KEY" in wanted:
                    yield from password_in_link(page, place)
            elif kind == "bech32":
                if "CRYPTO" in wanted:
                    yield from segwit(page.batch, place)
            elif kind == "secret":
                hints.append(place)
            elif "API_KEY" in wanted:
                yield from keys.at(kind, place)
        if "API_KEY" in wanted:
            yield from find_credentials(page, hints)

    def _allowed(self, text: str, span: Span) -> bool:
        value = _canonical(text[span.start : span.end])
        return value in self.allow or any(fnmatchcase(value, glob) for glob in self._globs)


def _canonical(value: str) -> str:
    """Return what a value is compared by: letters and digits; addresses as they are."""
    plain = fold(value).replace(bytes([GLUE]), b"").decode("latin-1").lower().strip()
    if "@" in plain or "*" in plain or ip_address(plain):
        return plain
    return "".join(c for c in plain if c.isalnum())
