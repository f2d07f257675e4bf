"""Cards, social security numbers, phones, IPv4 addresses: what is made of digits.

Digits are gathered into groups (nothing between them) and groups into runs (only separators
between them) for a whole batch at once; every window of groups with 12 to 19 digits is tried for
its check digit with prefix sums. Python looks only at what is left. All steps are linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.pii.issuers import issued, luhn_sums
from pytest_mlgates.pii.normalise import GLUE
from pytest_mlgates.pii.spans import Span
from pytest_mlgates.pii.validate import dea, ip_address, is_itin, is_ssn

__all__ = ["Numbers"]

Array = npt.NDArray[Any]

_GLUE = bytes([GLUE])
_NO_DIGITS = bytes(c for c in range(256) if not 48 <= c <= 57)
#: what may stand between two groups of one number; replies quote the lines of a letter with ">"
_BLANK, _BREAK, _SLASH, _COMMA, _QUOTE = 1, 2, 4, 8, 16
_KINDS = np.zeros(256, dtype=np.uint8)
_KINDS[list(b" \t\x0b\x0c-._()" + bytes([GLUE]))] = _BLANK
_KINDS[list(b"\n\r/,>")] = _BREAK, _BREAK, _SLASH, _COMMA, _QUOTE
_LETTERS = np.zeros(256, dtype=bool)
_LETTERS[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] = True

#: most characters between two groups of one number, without and with a line break among them
_NEAR, _WRAPPED = 4, 8

_CARD_WORDS = re.compile(
    rb"card|credit|debit|\bcc\b|visa|master|maestro|amex|\bpan\b|payment|karte|carte|tarjeta",
    re.IGNORECASE,
)
# right before a number: it counts something else
_OTHER_WORDS = re.compile(
    rb"(?:order|track|invoice|(?<![a-z])u?u?ids?\b|\bref|parcel|shipment|serial|isbn|imei|ticket"
    rb"|time|sku|transaction|booking|case|barcode|\bean\b|batch|code|confirmation|receipt|\bpo\b"
    rb"|package|waybill|consignment|fedex|\bups\b|usps|\bdhl\b|voucher|coupon|loyalty|membership"
    rb"|meter|model|commit|hash|\bsha|(?<![a-z])[tmn]s\b|epoch|version|build|session|request"
    rb"|claim|policy|licen[cs]e|registration|asset)[a-z_ ]{0,14}[\s:#=.\"'-]{0,4}$"
    rb"|://[^\s<>\"']*[/=]$",
    re.IGNORECASE,
)
_SSN_WORDS = re.compile(rb"\bssn\b|social|\bitin\b|taxpayer|tax id|\btin\b", re.IGNORECASE)
_PHONE_WORDS = re.compile(
    rb"\btel\b|phone|\bcall|mobile|\bcell|\bfax|whatsapp|\btext me|\bring\b|dial|reach",
    re.IGNORECASE,
)
_DEA_WORDS = re.compile(
    rb"\bdea\b|licen[cs]e|prescri|physician|\bdoctor\b|\bm\.?d\b", re.IGNORECASE
)
_US_PHONES = {(3, 3, 4), (1, 3, 3, 4)}
# places in a number where a group ends, by how cards of a length are printed or dictated
_FOURS, _TWOS, _ONES = (frozenset(range(step, 19, step)) for step in (4, 2, 1))
_LAYOUTS: dict[int, tuple[frozenset[int], ...]] = {
    **dict.fromkeys(range(12, 20), (_FOURS, _ONES)),
    14: (frozenset({4, 10}), _FOURS, _ONES, _TWOS),
    15: (frozenset({4, 10}), _FOURS, _ONES, _TWOS),
    16: (_FOURS, _ONES, _TWOS),
    19: (_FOURS, _ONES, _TWOS, frozenset({6})),
}


class Numbers:
    """The groups of digits of one batch, and what they spell."""

    def __init__(self, batch: bytes) -> None:
        self.batch = batch
        self.bytes = np.frombuffer(batch, dtype=np.uint8)
        places = np.flatnonzero((self.bytes - np.uint8(48)) < 10)
        cuts = np.flatnonzero(np.diff(places) > 1)
        firsts = np.concatenate(([0], cuts + 1)) if len(places) else places
        lasts = np.append(cuts, len(places) - 1) if len(places) else places
        self.places = places
        self.start, self.end = places[firsts], places[lasts] + 1
        self.size = self.end - self.start
        self._into_runs()

    def _into_runs(self) -> None:
        """Number the runs; two groups share one where only separators part them."""
        self.run = np.zeros(len(self.start), dtype=np.int64)
        if not len(self.start):
            return
        apart = self.start[1:] - self.end[:-1]
        joined = apart <= _WRAPPED
        between = np.zeros(len(apart), dtype=np.uint8)
        for step in range(_WRAPPED):
            near = np.flatnonzero(joined & (apart > step))
            kinds = _KINDS[self.bytes[self.end[near] + step]]
            joined[near] &= kinds > 0
            between[near] |= kinds
        wrapped = (between & _BREAK) > 0
        joined &= ((apart <= _NEAR) & (between < _QUOTE)) | wrapped
        joined &= (between & _SLASH == 0) | (apart == 1)  # "a / b" parts two numbers
        single = (self.size[:-1] == 1) & (self.size[1:] == 1)
        joined &= (between & _COMMA == 0) | single  # commas part what is not a digit
        self.run[1:] = np.cumsum(~joined)

    def _before(self, place: int, reach: int = 40) -> bytes:
        """Return what stands before a place, in its own record."""
        return self.batch[max(0, place - reach) : place].rpartition(b"\x1e")[2]

    def _after(self, place: int, reach: int = 20) -> bytes:
        return self.batch[place : place + reach].partition(b"\x1e")[0]

    def cards(self) -> Iterator[Span]:
        """Yield card numbers."""
        if not len(self.run):
            return
        total = np.bincount(self.run, weights=self.size)
        wide = np.flatnonzero(total[self.run] >= 12)
        if not len(wide):
            return
        run, size = self.run[wide], self.size[wide]
        upto = np.cumsum(size)
        since = upto - size
        chosen = np.repeat(self.start[wide] - since, size) + np.arange(upto[-1])
        digits = (self.bytes[chosen] - np.uint8(48)).astype(np.int64)
        sums = luhn_sums(digits)
        for more in range(min(19, len(wide))):
            last = np.arange(more, len(wide))
            first = last - more
            length = upto[last] - since[first]
            fits = (run[last] == run[first]) & (length >= 12) & (length <= 19)
            first, last, length = first[fits], last[fits], length[fits]
            if not len(first):
                continue
            ends = upto[last]
            check = (sums[ends % 2, ends] - sums[ends % 2, since[first]]) % 10 == 0
            check &= issued(digits, since[first], length)
            for a, z in zip(wide[first[check]], wide[last[check]], strict=True):
                if span := self._card(int(a), int(z)):
                    yield span

    def _card(self, a: int, z: int) -> Span | None:
        """Judge a window of groups whose check digit is right: is it written like a card?"""
        start, end = int(self.start[a]), int(self.end[z])
        digits = self.batch[start:end].translate(None, _NO_DIGITS)
        length = len(digits)
        if digits.count(digits[:1]) == length:
            return None
        if not self._laid_out(a, z, length) or not self._stands_alone(a, z):
            return None
        before = self._before(start)
        named = bool(_CARD_WORDS.search(before + b"\n" + self._after(end)))
        between = {self.batch[self.end[i] : self.start[i + 1]] for i in range(a, z)}
        mixed = 0.2 * (len(between) > 1)  # of two that overlap, the one with even gaps is meant
        if named:
            return Span("CREDIT_CARD", start, end, 1.0 - mixed, True)
        three = digits[:1] == b"3"
        usual = (
            length == 16
            or (length in (14, 15) and three)
            or (length == 19 and digits[:1] == b"4")
            or (length == 13 and digits[:1] == b"4" and a != z)
        )
        grouped = a != z and length >= 14
        # digits with commas between them are a list of numbers, but for a word that says otherwise
        other = _OTHER_WORDS.search(before) if a == z else any(b"," in gap for gap in between)
        if (usual or grouped) and not other:
            return Span("CREDIT_CARD", start, end, 0.9 - mixed, True)
        return Span("CREDIT_CARD", start, end, 0.3, False)

    def _laid_out(self, a: int, z: int, length: int) -> bool:
        """Tell whether the groups end where those of a card end; line wraps fall anywhere."""
        if a == z:
            return True
        firm: set[int] = set()
        loose: set[int] = set()
        at = 0
        for i in range(a, z):
            at += int(self.size[i])
            between = self.batch[self.end[i] : self.start[i + 1]]
            unseen = not between.strip(_GLUE) or b"\n" in between or b"\r" in between
            (loose if unseen else firm).add(at)
        if not firm:
            return True
        for layout in _LAYOUTS[length]:
            wanted = {place for place in layout if place < length}
            if firm <= wanted <= firm | loose:
                return True
        return False

    def _stands_alone(self, a: int, z: int) -> bool:
        """Tell whether a window is not part of a longer number, word, decimal or list."""
        start, end = int(self.start[a]), int(self.end[z])
        left, right = self.batch[start - 1 : start], self.batch[end : end + 1]
        if left == b"_" or right == b"_":
            return False
        if (left.isalpha() or right.isalpha()) and not _CARD_WORDS.search(self._before(start, 12)):
            return False
        if a == z:  # no decimal, and no part of a longer number with dashes
            return not (
                (left in (b".", b"-") and self.batch[start - 2 : start - 1].isalnum())
                or (right == b"-" and self.batch[end + 1 : end + 2].isalnum())
                or (right == b"." and self._digit(end + 1))
            )
        inside = self.batch[self.end[a] : self.start[a + 1]]
        return not (self._listed(a - 1, a, inside) or self._goes_on(z, inside))

    def _listed(self, i: int, j: int, inside: bytes) -> bool:
        """Tell whether the group before belongs to the same list of numbers."""
        if i < 0 or self.run[i] != self.run[j] or self.size[i] != self.size[j]:
            return False
        return bool(self.batch[self.end[i] : self.start[j]] == inside)

    def _goes_on(self, z: int, inside: bytes) -> bool:
        """Tell whether a list goes on; a date of expiry (MMYY) or a code of 3 digits may follow."""
        sizes: list[int] = []
        usual, last = int(self.size[z - 1]), z
        while last + 1 < len(self.run) and self.run[last + 1] == self.run[z] and len(sizes) < 2:
            if self.batch[self.end[last] : self.start[last + 1]] != inside:
                break
            last += 1
            sizes.append(int(self.size[last]))
        if not sizes or sizes[0] != usual:
            return False
        month = self.batch[self.start[z + 1] : self.start[z + 1] + 2]
        expiry = usual == 4 and b"01" <= month <= b"12"
        return not expiry or sizes[1:] in ([2], [4])

    def _digit(self, place: int) -> bool:
        return 0 <= place < len(self.batch) and 48 <= self.batch[place] <= 57

    def ssns(self) -> Iterator[Span]:
        """Yield US social security numbers and taxpayer numbers."""
        size, run = self.size, self.run
        if len(size) >= 3:
            three = (size[:-2] == 3) & (size[1:-1] == 2) & (size[2:] == 4)
            for i in np.flatnonzero(three & (run[:-2] == run[2:])):
                yield from self._ssn(int(i), int(i) + 2)
        for i in np.flatnonzero(size == 9):
            yield from self._ssn(int(i), int(i))

    def _ssn(self, a: int, z: int) -> Iterator[Span]:
        start, end = int(self.start[a]), int(self.end[z])
        if self._in_a_word(start, end) or (a != z and self._longer(a, z)):
            return
        digits = self.batch[start:end].translate(None, _NO_DIGITS).decode()
        entity = "US_SSN" if is_ssn(digits) else "US_ITIN" if is_itin(digits) else ""
        if not entity:
            return
        dashed = a != z and b"-" in self.batch[self.end[a] : self.start[a + 1]]
        named = bool(_SSN_WORDS.search(self._before(start)) or _SSN_WORDS.search(self._after(end)))
        score = 0.95 if named else 0.85 if dashed else 0.4 if a != z else 0.05
        if score > 0.1:
            yield Span(entity, start, end, score, score > 0.5)

    def _longer(self, a: int, z: int) -> bool:
        """Tell whether more groups hang on with the same separator."""
        inside = self.batch[self.end[a] : self.start[a + 1]]
        before = a > 0 and self.batch[self.end[a - 1] : self.start[a]] == inside
        after = z + 1 < len(self.end) and self.batch[self.end[z] : self.start[z + 1]] == inside
        return bool(before or after)

    def _in_a_word(self, start: int, end: int) -> bool:
        left, right = self.batch[start - 1 : start], self.batch[end : end + 1]
        return left.isalnum() or right.isalnum() or left == b"_" or right == b"_"

    def addresses(self) -> Iterator[Span]:
        """Yield IPv4 addresses."""
        if len(self.size) < 4:
            return
        dots = (self.start[1:] - self.end[:-1] == 1) & (self.bytes[self.end[:-1]] == ord("."))
        short = self.size <= 3
        four = dots[:-2] & dots[1:-1] & dots[2:]
        four &= short[:-3] & short[1:-2] & short[2:-1] & short[3:]
        for i in np.flatnonzero(four):
            start, end = int(self.start[i]), int(self.end[i + 3])
            hangs = self.batch[start - 1 : start] in (b".", b"-") or (
                self.batch[end : end + 1] in (b".", b"-") and self._digit(end + 1)
            )
            if hangs or self._in_a_word(start, end):
                continue
            if re.search(rb"\bv(?:er(?:sion)?)?\.? ?$", self._before(start, 10), re.IGNORECASE):
                continue
            if ip_address(self.batch[start:end].decode("latin-1")):
                yield Span("IP_ADDRESS", start, end, 0.9, True)

    def licences(self) -> Iterator[Span]:
        """Yield DEA registration numbers: two letters, seven digits, the last a check digit."""
        for i in np.flatnonzero((self.size == 7) & (self.start >= 2)):
            start, end = int(self.start[i]) - 2, int(self.end[i])
            if not (_LETTERS[self.bytes[start]] and _LETTERS[self.bytes[start + 1]]):
                continue
            if self._in_a_word(start, end):
                continue
            if dea(self.batch[start:end].decode("latin-1").upper()):
                named = bool(_DEA_WORDS.search(self._before(start)))
                yield Span("MEDICAL_LICENSE", start, end, 0.95 if named else 0.3, named)

    def phones(self, region: str = "US") -> Iterator[Span]:
        """Yield phone numbers: with ``+``, written as in the USA, or beside a word for a phone."""
        if not len(self.run):
            return
        heads = np.flatnonzero(np.diff(self.run, prepend=-1))
        tails = np.append(heads[1:], len(self.run)) - 1
        total = np.bincount(self.run, weights=self.size)
        keep = (total >= 7) & ((total <= 15) | self._hold_a_phone(heads))
        keep[self.run[heads[tails - heads == 2]]] &= ~self._dated(heads[tails - heads == 2])
        for a, z, n in zip(heads[keep].tolist(), tails[keep].tolist(), total[keep], strict=True):
            yield from self._phones_of(a, z, int(n), region)

    def _hold_a_phone(self, heads: Array) -> Array:
        """Tell for each run whether one may stand in it, however long it is: a card holds none."""
        size, run = self.size, self.run
        shaped = (size[:-2] == 3) & (size[1:-1] == 3) & (size[2:] == 4) & (run[:-2] == run[2:])
        found: Array = np.zeros(len(heads), dtype=bool)
        found[run[:-2][shaped]] = True
        for back in (1, 2, 3):
            found |= self.bytes[np.maximum(self.start[heads] - back, 0)] == ord("+")
        return found

    def _dated(self, first: Array) -> Array:
        """Tell for each run of three groups whether it is a date; most short runs are."""
        sizes = self.size[first] * 100 + self.size[first + 1] * 10 + self.size[first + 2]
        dates: Array = (sizes == 422) | (sizes == 224)
        return dates

    def _phones_of(self, a: int, z: int, total: int, region: str) -> Iterator[Span]:
        sizes = tuple(self.size[a : z + 1].tolist()) if z - a < 64 else ()
        start = int(self.start[a])
        if self._before(start, 3).rstrip(b"(\x01").endswith(b"+"):
            last = min(z, a + 7)  # other numbers may follow
            for end in self.end[a : last + 1][::-1].tolist():
                if found := self._phone(start, end, True, True, region):
                    yield found
                    return
        if total <= 15:
            shaped = sizes in _US_PHONES
            if shaped or _PHONE_WORDS.search(self._before(start, 24)):
                found = self._phone(start, int(self.end[z]), False, shaped, region)
                if found:
                    yield found
            return
        for i in range(len(sizes) - 2):
            if sizes[i : i + 3] == (3, 3, 4) and not self._longer(a + i, a + i + 2):
                first, last = int(self.start[a + i]), int(self.end[a + i + 2])
                if found := self._phone(first, last, False, True, region):
                    yield found

    def _phone(self, start: int, end: int, plus: bool, shaped: bool, region: str) -> Span | None:
        try:
            import phonenumbers
        except ImportError:
            raise Unmeasurable(
                "PHONE_NUMBER takes phonenumbers: `pip install 'pytest-mlgates[pii]'`"
            ) from None
        digits = self.batch[start:end].translate(None, _NO_DIGITS).decode()
        extension = self._after(end, 2).lower().startswith(b"x") and self._digit(end + 1)
        if not 7 <= len(digits) <= 15 or (self._in_a_word(start, end) and not extension):
            return None
        try:
            number = phonenumbers.parse("+" * plus + digits, None if plus else region)
        except phonenumbers.NumberParseException:
            return None
        if not phonenumbers.is_valid_number(number):
            likely = shaped and phonenumbers.is_possible_number(number)
            return Span("PHONE_NUMBER", start, end, 0.3, False) if likely else None
        sure = plus or (shaped and bool(_PHONE_WORDS.search(self._before(start, 24))))
        return Span("PHONE_NUMBER", start, end, 0.8 if sure else 0.4, sure)
