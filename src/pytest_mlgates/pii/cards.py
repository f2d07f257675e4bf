"""Card numbers: every window of groups with 12 to 19 digits and a right check digit, weighed.

The check digits of a whole batch are computed at once from prefix sums. A window whose digits are
right is a find; how it is laid out and what stands around it only say how sure it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from pytest_mlgates.pii import labels
from pytest_mlgates.pii.issuers import issued, luhn_sums
from pytest_mlgates.pii.normalise import GLUE
from pytest_mlgates.pii.numbers import Numbers
from pytest_mlgates.pii.spans import Span
from pytest_mlgates.pii.weigh import CONFIRMED, score

__all__ = ["cards"]

_GLUE = bytes([GLUE])
# places in a number where a group ends, by how cards of a length are printed or dictated
_FOURS, _TWOS, _ONES = (frozenset(range(step, 19, step)) for step in (4, 2, 1))
_LAYOUTS: dict[int, tuple[frozenset[int], ...]] = {
    **dict.fromkeys(range(12, 20), (_FOURS, _ONES)),
    14: (frozenset({4, 10}), _FOURS, _ONES, _TWOS),
    15: (frozenset({4, 10}), _FOURS, _ONES, _TWOS),
    16: (_FOURS, _ONES, _TWOS, frozenset({8})),
    19: (_FOURS, _ONES, _TWOS, frozenset({6})),
}
_PATH = re.compile(r"://[^\s<>\"']{0,200}[/=]$")
#: the magnetic stripe: track 1 has a B before the number and ^NAME^ after it, track 2 an =
_STRIPE = re.compile(r"^(?:\^[^^\n]{2,26}\^|=)\d{4}")
_LETTER = re.compile(r"[^\W\d_]")
#: windows of a run that are looked at side by side
_MAX_ROWS = 400
#: what is surely no card is not told
_LEAST = 0.05


def cards(numbers: Numbers) -> Iterator[Span]:
    """Yield every window of groups that can be a card number, with how sure that is."""
    if not len(numbers.run):
        return
    total = np.bincount(numbers.run, weights=numbers.size)
    wide = np.flatnonzero(total[numbers.run] >= 12)
    if not len(wide):
        return
    run, size = numbers.run[wide], numbers.size[wide]
    upto = np.cumsum(size)
    since = upto - size
    chosen = np.repeat(numbers.start[wide] - since, size) + np.arange(upto[-1])
    digits = (numbers.bytes[chosen] - np.uint8(48)).astype(np.int64)
    sums = luhn_sums(digits)
    seen: dict[tuple[int, int, int], tuple[int, int]] = {}
    for more in range(min(19, len(wide))):
        last = np.arange(more, len(wide))
        first = last - more
        length = upto[last] - since[first]
        fits = (run[last] == run[first]) & (length >= 12) & (length <= 19)
        first, last, length = first[fits], last[fits], length[fits]
        if not len(first):
            continue
        ends = upto[last]
        right = (sums[ends % 2, ends] - sums[ends % 2, since[first]]) % 10 == 0
        first, last, length = first[right], last[right], length[right]
        known = issued(digits, since[first], length)
        for a, z, its in zip(wide[first], wide[last], known.tolist(), strict=True):
            if span := _Window(numbers, int(a), int(z), seen).span(known=its):
                yield span


class _Window:
    """Groups ``a`` to ``z``, whose check digit is right."""

    def __init__(
        self, numbers: Numbers, a: int, z: int, seen: dict[tuple[int, int, int], tuple[int, int]]
    ) -> None:
        self.numbers, self.a, self.z, self.seen = numbers, a, z, seen
        self.start, self.end = numbers.starts[a], numbers.ends[z]
        self.gaps = [numbers.gap(i) for i in range(a, z)]

    def span(self, *, known: bool) -> Span | None:
        """Return the find, or nothing where no evidence is worth telling."""
        numbers, page = self.numbers, self.numbers.page
        if not known and not self._laid_out_firmly():
            return None  # nine in ten windows of a long run end here
        before = page.before(self.start)
        near = labels.words(before) if _LETTER.search(before) else []
        if not known and not near:
            return None
        digits = numbers.digits(self.start, self.end)
        if digits.count(digits[:1]) == len(digits):
            return None
        labelled = labels.is_labelled(near, labels.CARD)
        if not known and not labelled:
            return None
        evidence = ["length of its scheme"] if known and self._usual(digits) else []
        evidence += [] if known else ["issuer unknown"]
        evidence += self._layout(len(digits)) if self.gaps else self._alone()
        if not near and "a row of a table" in evidence and not _LETTER.search(page.after(self.end)):
            return None
        evidence += self._around(before, near, labelled=labelled)
        sure = score("CREDIT_CARD", evidence)
        if sure < _LEAST:
            return None
        return Span("CREDIT_CARD", self.start, self._whole_end(), sure, sure >= CONFIRMED)

    def _whole_end(self) -> int:
        """Return the end, with the ``.0`` of a number that went through a float."""
        zeros = re.match(rb"\.0{1,2}(?![\d.])", self.numbers.batch[self.end : self.end + 4])
        return self.end + (zeros.end() if zeros and not self.gaps else 0)

    def _usual(self, digits: bytes) -> bool:
        length, three, four = len(digits), digits[:1] == b"3", digits[:1] == b"4"
        if self.gaps and length >= 14:
            return True
        fourteen = length == 14 and digits[:1] == b"3" and digits[:2] != b"37"
        amex = length == 15 and digits[:2] in (b"34", b"37")
        jcb = length == 15 and digits[:4] in (b"2131", b"1800")
        thirteen = length == 13 and four and bool(self.gaps)
        return (
            length == 16
            or (fourteen and three)
            or amex
            or jcb
            or thirteen
            or (length == 19 and four)
        )

    def _around(self, before: str, near: list[str], *, labelled: bool) -> Iterator[str]:
        after = self.numbers.page.after(self.end)
        left, right = self.numbers.left(self.start), self.numbers.right(self.end)
        stripe = left == b";" or before.endswith("%B")
        stripe = stripe and bool(_STRIPE.match(after))
        if labelled or stripe:
            yield "a card's label right before"
        elif labels.is_named(near, labels.CARD) or any(map(labels.CARD, labels.words(after[:20]))):
            yield "a card's word near"
        if any(map(labels.PAID, near)) or labels.PAID_AFTER.match(after):
            yield "a word of paying near"
        if not labelled and labels.is_other(near):
            yield "another label right before"
        elif "://" in before and _PATH.search(before):
            yield "in the path of a link"
        hangs = left.isalpha() or right.isalpha() or left == b"_" or right == b"_"
        if hangs and not stripe:
            yield "letters hang on"

    def _alone(self) -> Iterator[str]:
        """Weigh a window that is one group."""
        numbers, start, end = self.numbers, self.start, self.end
        left, right = numbers.left(start), numbers.right(end)
        if (
            (left in (b".", b"-") and numbers.batch[max(0, start - 2) : start - 1].isalnum())
            or (right == b"-" and numbers.batch[end + 1 : end + 2].isalnum())
            or (right == b"." and numbers.is_digit(end + 1) and self._whole_end() == end)
        ):
            yield "a decimal or a longer number"

    def _laid_out_firmly(self) -> bool:
        """Tell whether the window is one group, or cut as nearly all cards are."""
        if not self.gaps:
            return True
        sizes = self.numbers.sizes[self.a : self.z + 1]
        return (sizes[0] == 4 and (len(sizes) == 3 or set(sizes[:-1]) == {4})) or set(sizes) == {1}

    def _layout(self, length: int) -> Iterator[str]:
        """Weigh how the groups are cut, and what goes on beside them."""
        if not self._as_printed(length):
            yield "grouped otherwise"
        elif length >= 14:
            yield "grouped as on a card"
        if any(b"," in gap for gap in self.gaps):
            yield "parted by commas"
        if len(set(self.gaps)) > 1:
            yield "parted in several ways"  # of two that overlap, the one with even gaps is meant
        if any(b"\n" in gap or b"\r" in gap for gap in self.gaps):
            yield "over a line's end"
        numbers = self.numbers
        dotted = numbers.left(self.start) == b"." and numbers.is_digit(self.start - 2)
        if dotted and not any(b"." in gap for gap in self.gaps):
            yield "a decimal or a longer number"
        yield from self._aside()

    def _as_printed(self, length: int) -> bool:
        """Tell whether the groups end where those of a card end; line wraps fall anywhere."""
        firm: set[int] = set()
        loose: set[int] = set()
        at = 0
        for i, gap in zip(range(self.a, self.z), self.gaps, strict=True):
            at += self.numbers.sizes[i]
            unseen = not gap.strip(_GLUE) or b"\n" in gap or b"\r" in gap
            (loose if unseen else firm).add(at)
        if not firm:
            return True
        for layout in _LAYOUTS[length]:
            wanted = {place for place in layout if place < length}
            if firm <= wanted <= firm | loose:
                return True
        return False

    def _aside(self) -> Iterator[str]:
        """Weigh the groups that go on beside the window: an expiry, another card, a table."""
        numbers, count = self.numbers, self.z - self.a + 1
        usual = numbers.sizes[self.a]
        low, high = numbers.bounds(self.a)
        sizes = numbers.sizes
        aside = sizes[max(low, self.a - 4) : self.a].count(usual)
        aside += sizes[self.z + 1 : min(high, self.z + 4) + 1].count(usual)
        if not aside:
            return
        if usual == 1:
            if aside >= 4:
                yield "a row of a table"
            return
        rows, right = self.rows(low, high, count)
        if rows >= 3 and right < 0.5 * rows:
            yield "a row of a table"
        elif rows >= 2 and right == rows:
            yield "rows with right check digits"
        elif self._goes_on(low, high):
            yield "the number goes on"
        else:
            yield "groups go on"

    def rows(self, low: int, high: int, count: int) -> tuple[int, int]:
        """Return how many windows like this stand side by side in its run, and how many are right."""
        numbers = self.numbers
        phase = (self.a - low) % count
        key = (low, phase, count)
        if key not in self.seen:
            firsts = np.arange(low + phase, min(high, low + _MAX_ROWS * count) - count + 2, count)
            sizes = numbers.size[firsts[:, None] + np.arange(count)]
            alike = (sizes == numbers.size[self.a : self.z + 1]).all(axis=1)
            found = [
                numbers.digits(int(numbers.start[a]), int(numbers.end[a + count - 1]))
                for a in firsts[alike].tolist()
            ]
            self.seen[key] = len(found), _count_right(found)
        return self.seen[key]

    def _goes_on(self, low: int, high: int) -> bool:
        """Tell whether the window is part of a longer number by fours, whose last group is short.

        An expiry (MMYY), a year or a code of three digits may stand beside a card.
        """
        numbers = self.numbers
        inside = self.gaps[0]
        first, last = self.a, self.z
        while first > low and numbers.sizes[first - 1] == 4 and numbers.gap(first - 1) == inside:
            first -= 1
        while last < high and numbers.sizes[last] == 4 and numbers.gap(last) == inside:
            last += 1
        sizes = numbers.sizes[first : last + 1]
        return len(sizes) > 5 and set(sizes[:-1]) == {4} and sizes[-1] in (1, 2)


def _count_right(numbers: list[bytes]) -> int:
    """Return how many numbers of one length have a right check digit and an issuer."""
    if not numbers:
        return 0
    length = len(numbers[0])
    digits = np.frombuffer(b"".join(numbers), dtype=np.uint8).astype(np.int64) - 48
    sums = luhn_sums(digits)
    starts = np.arange(len(numbers)) * length
    ends = starts + length
    right = (sums[ends % 2, ends] - sums[ends % 2, starts]) % 10 == 0
    known = issued(digits, starts, np.full(len(starts), length))
    return int((right & known).sum())
