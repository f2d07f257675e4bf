"""Identifiers planted where numbers and addresses stand in the subject's own texts.

What goes between two words is found more easily than what the subject itself writes: after another
label, inside a link, with escapes between its groups. So the digits of numbers that could be of a
kind are swapped for those of a made-up one, and everything else stays as it was. A kind of which
nothing is found there was not looked for, whatever is found between words.

A place counts for a kind where the numbers that stand there could all be of it: order numbers
have right check digits as often as chance gives, and are left alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_mlgates.gates.pii_leak.plant import count_found, digits_of
from pytest_mlgates.pii.find import Detector
from pytest_mlgates.pii.issuers import may_be_card
from pytest_mlgates.pii.labels import is_other, words
from pytest_mlgates.pii.validate import is_itin, is_ssn

__all__ = ["card_numbers", "recall_in_place"]

#: what may stand between two groups of a number: markup, an escape, punctuation, blanks
_GAP = (
    r"&#?\w{2,8};|\\+u[0-9a-fA-F]{4}|\\+x[0-9a-fA-F]{2}|\\+[nrt]|%[0-9A-F]{2}|=[0-9A-F]{2}|</?\w[^<>]{0,60}>"
    r"|\x1b\[[\d;]{0,8}m|[^\w\x1e\x1f]|_"
)
_PIECE = re.compile(rf"(?P<digits>\d+)|(?P<gap>{_GAP})|(?P<word>[^\W\d_]+|[^\x00-\x7f]+)", re.ASCII)
_ADDRESS = re.compile(
    r"(?P<name>[A-Za-z0-9._+-]{2,64})(?P<at>@|%40|&#64;|&commat;|\\u0040|=40|\s?[(\[]at[)\]]\s?)"
    r"(?P<host>[A-Za-z0-9-]{2,40}(?:\.[A-Za-z0-9-]{2,40}){1,3})"
)
_EXAMPLE = re.compile(r"(?:^|\.)example(?:\.(?:com|org|net))?$|\.(?:test|invalid|localhost)$")
#: pieces between two groups of one number at most, and the share of own values that must fit
_MAX_GAP, _FIT = 9, 0.9
_FEWEST_DIGITS = 9
#: a place that fewer texts have is an accident
_FEWEST, _SHARE = 5, 0.05
#: characters of a text that are looked at, and those kept on each side
_MAX_TEXT = 2_000
_CONTEXT = 500

#: how the digits of a kind are grouped
_LAYOUTS: dict[str, tuple[tuple[int, ...], ...]] = {
    "CREDIT_CARD": (
        *((16,), (15,), (19,), (14,), (13,), (12,)),
        *((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3)),
    ),
    "US_SSN": ((9,), (3, 2, 4)),
    "US_ITIN": ((9,), (3, 2, 4)),
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Groups of digits of a text, by start and end."""

    text: str
    groups: tuple[tuple[int, int], ...]

    @property
    def digits(self) -> str:
        """The number that stands there."""
        return "".join(self.text[a:z] for a, z in self.groups)

    @property
    def is_other(self) -> bool:
        """Whether the label right before says that the number counts something else."""
        start = self.groups[0][0]
        return is_other(words(self.text[max(0, start - 48) : start]))

    def with_digits(self, digits: str) -> tuple[str, tuple[int, int]]:
        """Return a part of the text with other digits there, and where they stand in it."""
        low = max(0, self.groups[0][0] - _CONTEXT)
        parts, at, used = [], low, 0
        for start, end in self.groups:
            parts += [self.text[at:start], digits[used : used + end - start]]
            used, at = used + end - start, end
        parts.append(self.text[at : at + _CONTEXT])
        return "".join(parts), (self.groups[0][0] - low, self.groups[-1][1] - low)


def recall_in_place(
    detector: Detector,
    texts: Sequence[str],
    entity: str,
    count: int,
    least: float,
    draw: random.Random,
) -> tuple[int, int]:
    """Return how many identifiers were planted in place, and how many of them were found.

    Both are 0 where the texts hold nothing that could be of the kind.

    >>> texts = [f"for it we took 4{n:03}000000000000 from you" for n in range(100, 200)]
    >>> recall_in_place(Detector(), texts, "CREDIT_CARD", 50, 0.5, random.Random(1))
    (0, 0)
    """
    if entity == "EMAIL_ADDRESS":
        made = list(_swapped_addresses(texts, count, draw))
    elif entity in _LAYOUTS:
        made = list(_swapped_numbers(texts, entity, count, draw))
    else:
        return 0, 0
    planted, places = [text for text, _ in made], [place for _, place in made]
    return len(made), count_found(detector, planted, places, entity, least)


def _swapped_numbers(
    texts: Sequence[str], entity: str, count: int, draw: random.Random
) -> Iterator[tuple[str, tuple[int, int]]]:
    found = [
        place
        for text in texts
        for place in _places(text[:_MAX_TEXT], _LAYOUTS[entity])
        if not place.is_other
    ]
    for layout in _LAYOUTS[entity]:
        alike = [p for p in found if tuple(z - a for a, z in p.groups) == layout]
        fit = sum(_could_be(entity, place.digits) for place in alike)
        if len(alike) < max(_FEWEST, _SHARE * len(texts)) or fit < _FIT * len(alike):
            continue
        for _ in range(count):
            place = draw.choice(alike)
            digits = digits_of(entity, len(place.digits), draw)
            if digits:
                yield place.with_digits(digits)


def _could_be(entity: str, digits: str) -> bool:
    if entity == "CREDIT_CARD":
        return may_be_card(digits)
    return is_ssn(digits) if entity == "US_SSN" else is_itin(digits)


def _places(text: str, layouts: Sequence[tuple[int, ...]]) -> Iterator[_Place]:
    """Yield each group or run of groups that is laid out like one of the layouts."""
    for run in _runs(text):
        sizes = [z - a for a, z in run]
        for start in range(len(run)):
            for layout in layouts:
                if tuple(sizes[start : start + len(layout)]) == layout:
                    yield _Place(text, tuple(run[start : start + len(layout)]))


def _runs(text: str) -> Iterator[list[tuple[int, int]]]:
    """Yield the groups of digits that only gaps part."""
    if sum(map(str.isdigit, text)) < _FEWEST_DIGITS:
        return
    run: list[tuple[int, int]] = []
    gaps = 0
    for piece in _PIECE.finditer(text):
        if piece["digits"] is not None:
            run.append(piece.span())
            gaps = 0
        elif (piece["word"] is not None and len(piece["word"]) > 1) or gaps >= _MAX_GAP:
            if run:
                yield run
            run, gaps = [], 0
        else:
            gaps += 1
    if run:
        yield run


def _swapped_addresses(
    texts: Sequence[str], count: int, draw: random.Random
) -> Iterator[tuple[str, tuple[int, int]]]:
    found = [
        (text, match)
        for text in texts
        for match in _ADDRESS.finditer(text)
        if not _EXAMPLE.search(match["host"].lower())
    ]
    if len(found) < max(_FEWEST, _SHARE * len(texts)):
        return
    letters = "abcdefghijklmnopqrstuvwxyz"
    for _ in range(count):
        text, match = draw.choice(found)
        name = "".join(draw.choices(letters, k=draw.randrange(4, 12)))
        host = "".join(draw.choices(letters, k=draw.randrange(4, 12))) + draw.choice(
            (".com", ".org")
        )
        low = max(0, match.start() - _CONTEXT)
        left, value = text[low : match.start()], name + match["at"] + host
        yield (
            left + value + text[match.end() : match.end() + _CONTEXT],
            (len(left), len(left) + len(value)),
        )


def card_numbers(texts: Sequence[str]) -> tuple[int, int]:
    """Return how many different numbers could be cards, and how many have its check digit.

    >>> card_numbers(["4111111111111111 or 4111111111111112 or 1111111111111111"])
    (2, 1)
    """
    numbers = {
        place.digits
        for text in texts
        for place in _places(text[:_MAX_TEXT], _LAYOUTS["CREDIT_CARD"])
    }
    tried = [number for number in numbers if may_be_card(number, check=False)]
    return len(tried), sum(map(may_be_card, tried))
