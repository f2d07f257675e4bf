"""Which runs of digits could be card numbers, and what their layout says: for a whole page at once.

A window is some groups of a run with 12 to 19 digits and a right check digit. How it is cut, what
parts its groups and what goes on beside it is evidence that needs no words, and is weighed here for
all windows together; evidence is kept as bits (``weigh.bit_of``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_mlgates.pii.issuers import issued, luhn_sums, may_be_card
from pytest_mlgates.pii.near import Pieces
from pytest_mlgates.pii.normalise import GLUE
from pytest_mlgates.pii.numbers import Array, Numbers
from pytest_mlgates.pii.weigh import bit_of

__all__ = ["Windows", "card_bit"]

_MOST_DIGITS = 19
# places in a number where a group ends, by how cards of a length are printed or dictated
_FOURS, _TWOS, _ONES = (frozenset(range(step, _MOST_DIGITS, step)) for step in (4, 2, 1))
_LAYOUTS: dict[int, tuple[frozenset[int], ...]] = {
    **dict.fromkeys(range(12, 20), (_FOURS, _ONES)),
    14: (frozenset({4, 10}), _FOURS, _ONES, _TWOS),
    15: (frozenset({4, 10}), _FOURS, _ONES, _TWOS),
    16: (_FOURS, _ONES, _TWOS, frozenset({8})),
    19: (_FOURS, _ONES, _TWOS, frozenset({6})),
}
#: the same as bits, four for each length
_PRINTED = np.zeros((_MOST_DIGITS + 1, 4), dtype=np.int64)
for _length, _layouts in _LAYOUTS.items():
    for _at in range(4):
        _layout = _layouts[min(_at, len(_layouts) - 1)]
        _PRINTED[_length, _at] = sum(1 << place for place in _layout if place < _length)

_ALPHA, _ALNUM = np.zeros((2, 256), dtype=np.bool_)
_ALPHA[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] = True
_ALNUM[:] = _ALPHA
_ALNUM[list(b"0123456789")] = True
_COMMA, _LINE, _DOT, _SEEN = 1, 2, 4, 8
_IN_GAP = np.full(256, _SEEN, dtype=np.uint8)
_IN_GAP[[ord(","), ord("\n"), ord("\r"), ord("."), GLUE]] = (
    _COMMA | _SEEN, _LINE | _SEEN, _LINE | _SEEN, _DOT | _SEEN, 0,
)  # fmt: skip
#: so many numbers of one record tell whether their check digits are right by chance
_MANY, _MOSTLY = 10, 0.4
#: most characters between two groups of a run
_MAX_GAP = 8


def card_bit(evidence: str) -> int:
    """Return the bit of a piece of evidence for a card."""
    return bit_of("CREDIT_CARD", evidence)


@dataclass(frozen=True)
class Windows:
    """Windows of groups ``a`` to ``z``, by arrays, with the evidence that needs no words."""

    numbers: Numbers
    a: Array
    z: Array
    length: Array
    #: whether some scheme gives out such numbers
    known: Array
    #: whether a word for a card may stand near
    named: Array
    bits: Array

    @classmethod
    def of(cls, numbers: Numbers, words: Pieces, before: int, after: int) -> Windows | None:
        """Return the windows of a page that may be cards, or None where there are none.

        Those that no scheme gives out are kept where one of some ``words`` may stand near.
        """
        found = _right(numbers)
        if found is None:
            return None
        a, z, length, lead = found
        firm = _laid_out_firmly(numbers.size, a, z)
        known = issued(lead, length)
        keep = known | firm  # nine in ten windows of a long run end here
        if not keep.any():
            return None
        a, z, length, lead, known = a[keep], z[keep], length[keep], lead[keep], known[keep]
        named = _may_be_named(numbers, a, z, words, before, after)
        keep = known | named
        a, z, length, lead, known = a[keep], z[keep], length[keep], lead[keep], known[keep]
        named = named[keep]
        usual = known & _usual(lead, length, z > a)
        bits = np.where(usual, card_bit("length of its scheme"), 0)
        bits |= np.where(known, 0, card_bit("issuer unknown"))
        bits |= np.where(_hang(numbers, a, z), card_bit("letters hang on"), 0)
        several = z > a
        if not len(a):
            return None
        bits[~several] |= _alone(numbers, a[~several])
        bits[~several] |= _by_chance(numbers, a[~several])
        if several.any():
            bits[several] |= _by_groups(numbers, a[several], z[several], length[several])
        return cls(numbers, a, z, length, known, named, bits)


def _may_be_named(
    numbers: Numbers, a: Array, z: Array, words: Pieces, before: int, after: int
) -> Array:
    """Tell for each window whether a word may stand near; many share their first or last group."""
    page = numbers.page
    first, of_first = np.unique(a, return_inverse=True)
    last, of_last = np.unique(z, return_inverse=True)
    ahead = words.before(page, numbers.start[first], before)
    found: Array = ahead[of_first] | words.after(page, numbers.end[last], after)[of_last]
    return found


def _right(numbers: Numbers) -> tuple[Array, Array, Array, Array] | None:
    """Return first and last group, length and first four digits of each window that Luhn allows."""
    wide = np.flatnonzero(numbers.total[numbers.run] >= 12) if len(numbers.run) else numbers.run
    if not len(wide):
        return None
    run, digits = numbers.run[wide], numbers.digit_values
    upto = np.cumsum(numbers.size)[wide]
    since = upto - numbers.size[wide]
    sums = luhn_sums(digits)
    found = []
    last = np.arange(len(wide))
    for more in range(min(_MOST_DIGITS, len(wide))):
        last = last[last >= more]
        first = last - more
        length = upto[last] - since[first]
        inside = (run[last] == run[first]) & (length <= _MOST_DIGITS)
        last, first, length = last[inside], first[inside], length[inside]
        if not len(last):
            break
        long = length >= 12
        ends, starts = upto[last[long]], since[first[long]]
        right = (sums[ends % 2, ends] - sums[ends % 2, starts]) % 10 == 0
        if right.any():
            rows = np.flatnonzero(long)[right]
            found.append((wide[first[rows]], wide[last[rows]], length[rows], starts[right]))
    if not found:
        return None
    a, z, length, place = (np.concatenate(column) for column in zip(*found, strict=True))
    return a, z, length, _lead(digits, place)


def _lead(digits: Array, place: Array) -> Array:
    """Return the number that the four digits from each place on make."""
    four = digits[place[:, None] + np.arange(4)].astype(np.int64)
    found: Array = (four * [1000, 100, 10, 1]).sum(axis=1)
    return found


def _laid_out_firmly(size: Array, a: Array, z: Array) -> Array:
    """Tell whether a window is one group, or cut as nearly all cards are."""
    fours, ones = (np.concatenate(([0], np.cumsum(size == wanted))) for wanted in (4, 1))
    more = z - a
    by_fours = (size[a] == 4) & ((more == 2) | (fours[z] - fours[a] == more))
    by_ones = ones[z + 1] - ones[a] == more + 1
    found: Array = (more == 0) | by_fours | by_ones
    return found


def _usual(lead: Array, length: Array, several: Array) -> Array:
    """Tell whether a number is as long as those of its scheme most often are."""
    two, one = lead // 100, lead // 1000
    fourteen = (length == 14) & (one == 3) & (two != 37)
    fifteen = (length == 15) & ((two == 34) | (two == 37) | (lead == 2131) | (lead == 1800))
    visa = (one == 4) & ((length == 19) | ((length == 13) & several))
    found: Array = (length == 16) | fourteen | fifteen | visa | (several & (length >= 14))
    return found


def _byte_at(numbers: Numbers, place: Array) -> Array:
    """Return the byte at each place, or 0 outside the page."""
    inside = (place >= 0) & (place < len(numbers.bytes))
    found: Array = np.where(inside, numbers.bytes[np.where(inside, place, 0)], 0)
    return found


def _hang(numbers: Numbers, a: Array, z: Array) -> Array:
    left, right = _byte_at(numbers, numbers.start[a] - 1), _byte_at(numbers, numbers.end[z])
    found: Array = _ALPHA[left] | _ALPHA[right] | (left == ord("_")) | (right == ord("_"))
    return found


def _alone(numbers: Numbers, a: Array) -> Array:
    """Weigh windows that are one group: is it a piece of a decimal or of a longer number?"""
    start, end = numbers.start[a], numbers.end[a]
    left, right = _byte_at(numbers, start - 1), _byte_at(numbers, end)
    after = _byte_at(numbers, end + 1)
    before = _byte_at(numbers, start - 2)
    longer = ((left == ord(".")) & (before != ord("."))) | ((left == ord("-")) & _ALNUM[before])
    longer |= (right == ord("-")) & _ALNUM[after]
    point = (right == ord(".")) & (after - np.uint8(48) < 10)
    second = _byte_at(numbers, end + 2)
    third = _byte_at(numbers, end + 3)
    # ".0" and ".00" are what a float leaves behind a whole number
    one = (after == 48) & (second - np.uint8(48) >= 10) & (second != ord("."))
    two = (after == 48) & (second == 48) & (third - np.uint8(48) >= 10) & (third != ord("."))
    longer |= point & ~(one | two)
    found: Array = np.where(longer, card_bit("a decimal or a longer number"), 0)
    factor = (right == ord("*")) & _ALNUM[after]
    found |= np.where(factor, card_bit("arithmetic beside"), 0)
    return found


def _by_chance(numbers: Numbers, a: Array) -> Array:
    """Weigh numbers among others of their record: where most are wrong, some are right by chance."""
    if not len(a):
        return np.zeros(0, dtype=np.int64)
    groups = np.flatnonzero((numbers.size >= 12) & (numbers.size <= _MOST_DIGITS))
    upto = np.concatenate(([0], np.cumsum(numbers.size)))
    since, size = upto[groups], numbers.size[groups]
    known = issued(_lead(numbers.digit_values, since), size)
    groups, since, size = groups[known], since[known], size[known]
    sums, ends = luhn_sums(numbers.digit_values), since + size
    right = (sums[ends % 2, ends] - sums[ends % 2, since]) % 10 == 0
    starts = numbers.page.records
    record = np.searchsorted(starts, numbers.start[groups], side="right") - 1
    tried = np.bincount(record, minlength=len(starts))
    correct = np.bincount(record[right], minlength=len(starts))
    chance = (tried >= _MANY) & (correct < _MOSTLY * tried)
    its = np.searchsorted(starts, numbers.start[a], side="right") - 1
    found: Array = np.where(chance[its], card_bit("others alike are wrong"), 0)
    return found


def _by_groups(numbers: Numbers, a: Array, z: Array, length: Array) -> Array:
    """Weigh how windows of several groups are cut, what parts them and what goes on beside."""
    gap, held = _gap_numbers(numbers, a, z)
    firm, loose = np.zeros((2, len(a)), dtype=np.int64)
    inside, uneven = np.zeros(len(a), dtype=np.uint8), np.zeros(len(a), dtype=np.bool_)
    at = np.zeros(len(a), dtype=np.int64)
    for step in range(int((z - a).max())):
        rows = np.flatnonzero(z - a > step)
        group = a[rows] + step
        at[rows] += numbers.size[group]
        its = held[group]
        unseen = (its & (_LINE | _SEEN) == 0) | (its & _LINE > 0)  # wraps fall anywhere
        place = 1 << at[rows]
        firm[rows] |= np.where(unseen, 0, place)
        loose[rows] |= np.where(unseen, place, 0)
        inside[rows] |= its
        uneven[rows] |= gap[group] != gap[a[rows]]
    wanted = _PRINTED[length]
    cuts = ((firm[:, None] & ~wanted) == 0) & ((wanted & ~(firm | loose)[:, None]) == 0)
    printed = (firm == 0) | cuts.any(axis=1)
    start = numbers.start[a]
    dotted = (_byte_at(numbers, start - 1) == ord(".")) & (
        _byte_at(numbers, start - 2) - np.uint8(48) < 10
    )
    bits = np.where(printed, 0, card_bit("grouped otherwise"))
    for told, evidence in (
        (printed & (length >= 14), "grouped as on a card"),
        (inside & _COMMA > 0, "parted by commas"),
        (uneven, "parted in several ways"),  # of two that overlap, the one with even gaps is meant
        (inside & _LINE > 0, "over a line's end"),
        (uneven & (length < 3 * (z - a + 1)), "digits parted unevenly"),
        (
            (dotted & (inside & _DOT == 0)) | (uneven & (inside & _DOT > 0)),
            "a decimal or a longer number",
        ),
    ):
        bits |= np.where(told, card_bit(evidence), 0)
    bits |= _aside(numbers, a, z)
    return bits


def _gap_numbers(numbers: Numbers, a: Array, z: Array) -> tuple[Array, Array]:
    """Return for each group what stands after it: all of it as one number, and what kinds."""
    gap = np.zeros(len(numbers.size), dtype=np.uint64)
    held = np.zeros(len(numbers.size), dtype=np.uint8)
    wanted = np.zeros(len(numbers.size) + 1, dtype=np.int64)
    np.add.at(wanted, a, 1)
    np.add.at(wanted, z, -1)
    groups = np.flatnonzero(np.cumsum(wanted)[:-1] > 0)
    apart, end = numbers.apart[groups], numbers.end[groups]
    for step in range(_MAX_GAP):
        inside = np.flatnonzero(apart > step)
        if not len(inside):
            break
        found = numbers.bytes[end[inside] + step]
        gap[groups[inside]] |= found.astype(np.uint64) << np.uint64(8 * step)
        held[groups[inside]] |= _IN_GAP[found]
    return gap, held


def _aside(numbers: Numbers, a: Array, z: Array) -> Array:
    """Weigh the groups that go on beside windows: an expiry, another card, a table."""
    run = numbers.run[a]
    low, high = numbers.heads[run], numbers.heads[run + 1] - 1
    usual = numbers.size[a]
    aside = np.zeros(len(a), dtype=np.int64)
    last = len(numbers.size) - 1
    for step in range(1, 5):
        before, after = a - step, z + step
        aside += (before >= low) & (numbers.size[np.maximum(before, 0)] == usual)
        aside += (after <= high) & (numbers.size[np.minimum(after, last)] == usual)
    bits = np.where((usual == 1) & (aside >= 4), card_bit("a row of a table"), 0)
    beside = (usual > 1) & (aside > 0)
    bits[beside] = card_bit("groups go on")
    many = beside & (high - low + 1 >= np.minimum(6, 2 * (z - a + 1)))
    rows = _SideBySide(numbers)
    for at in np.flatnonzero(many).tolist():
        bits[at] = rows.weigh(int(a[at]), int(z[at]), int(low[at]), int(high[at]))
    return bits


class _SideBySide:
    """Windows that stand side by side in one run: a table, or a list of cards."""

    #: windows of a run that are looked at
    _MOST = 400

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self._seen: dict[tuple[int, int, int], tuple[int, int]] = {}

    def weigh(self, a: int, z: int, low: int, high: int) -> int:
        """Return the evidence of one window whose run goes on from ``low`` to ``high``."""
        rows, right = self._count(a, z, low, high)
        if rows >= 3 and right < 0.5 * rows:
            return card_bit("a row of a table")
        if rows >= 2 and right == rows:
            return card_bit("rows with right check digits") if rows >= 3 else 0
        if rows >= 2 and right <= 0.5 * rows:
            return card_bit("the number goes on")
        return card_bit("the number goes on" if self._goes_on(a, z, low, high) else "groups go on")

    def _count(self, a: int, z: int, low: int, high: int) -> tuple[int, int]:
        """Return how many windows like this stand side by side in its run, and how many are right."""
        count = z - a + 1
        phase = (a - low) % count
        key = (low, phase, count)
        if high - low + 1 - phase < 2 * count:
            return 1, 1  # alone
        if key not in self._seen:
            size, start, end = self.numbers.size, self.numbers.start, self.numbers.end
            firsts = np.arange(low + phase, min(high, low + self._MOST * count) - count + 2, count)
            alike = (size[firsts[:, None] + np.arange(count)] == size[a : z + 1]).all(axis=1)
            found = [
                self.numbers.digits(int(start[first]), int(end[first + count - 1]))
                for first in firsts[alike].tolist()
            ]
            self._seen[key] = len(found), _count_right(found)
        return self._seen[key]

    def _goes_on(self, a: int, z: int, low: int, high: int) -> bool:
        """Tell whether a window is part of a longer number by fours, whose last group is short.

        An expiry (MMYY), a year or a code of three digits may stand beside a card.
        """
        numbers = self.numbers
        inside = numbers.gap(a)
        first, last = a, z
        while first > low and numbers.sizes[first - 1] == 4 and numbers.gap(first - 1) == inside:
            first -= 1
        while last < high and numbers.sizes[last] == 4 and numbers.gap(last) == inside:
            last += 1
        sizes = numbers.sizes[first : last + 1]
        return len(sizes) > 5 and set(sizes[:-1]) == {4} and sizes[-1] in (1, 2)


def _count_right(numbers: list[bytes]) -> int:
    """Return how many numbers have a right check digit and an issuer."""
    return sum(map(may_be_card, (number.decode() for number in numbers)))
