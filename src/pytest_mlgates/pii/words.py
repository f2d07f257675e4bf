"""E-mail addresses, IBANs, crypto wallets: what is made of letters and of digits.

Each pattern is bounded and anchored at the place a trigger gave, so that the whole is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from pytest_mlgates.pii import labels
from pytest_mlgates.pii.numbers import Array, Numbers
from pytest_mlgates.pii.page import Page
from pytest_mlgates.pii.spans import Span
from pytest_mlgates.pii.validate import base58check, bech32, iban, right_check

__all__ = ["by_digits", "email", "segwit"]

_LOCAL = re.compile(rb"[A-Za-z0-9.!#$%&'*+=?^_`{|}~/\x01\x80-]{1,64}")
_DOMAIN = re.compile(rb"[A-Za-z0-9.\x01\x80-]{3,253}")
_IBAN = re.compile(rb"[A-Za-z]{2}\d\d[A-Za-z0-9 \x01\n-]{11,60}")
#: no country's number has fewer digits
_IBAN_DIGITS = 8
_BASE58 = re.compile(rb"[13][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])")
_SEGWIT = re.compile(rb"(?i:bc1)[A-Za-z0-9]{11,87}(?![A-Za-z0-9])")
#: what a link, a form or a header puts before an address, none of which is part of it
_AHEAD = re.compile(rb".*[=?&/|!#{}`]|^(?:mailto|mail|email|e-mail|to|from|cc):", re.DOTALL)
#: scheme://user:password@ before a host
_USERINFO = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/?#@]{0,80}$")
# in names of files, not at the end of a host
_FILES = {b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"html", b"css", b"js", b"json", b"txt"}
#: set aside for documentation and tests (RFC 2606, RFC 6761)
_EXAMPLES = re.compile(
    rb"(?:^|\.)(?:example(?:\.(?:com|org|net|edu))?|test|invalid|localhost|local|internal)$"
)
#: an account of a service, or a stand-in for anybody
_NOBODY = frozenset(
    b"user users username name firstname lastname first.last your you me someone somebody anyone foo bar"
    b" baz email mail test tester admin root info help support hello contact sales alice bob john jane"
    b" john.doe jane.doe joe git noreply no-reply example sample demo abc x y a b u".split()
)


def email(page: Page, at: int) -> Iterator[Span]:
    """Yield the address round an ``@``.

    An address at a domain that is set aside for examples, or of nobody (``git@github.com:o/r``), is
    no leak: it is listed with a low score.
    """
    batch = page.batch
    local = _LOCAL.match(batch[max(0, at - 64) : at][::-1])
    domain = _DOMAIN.match(batch, at + 1)
    if not local or not domain:
        return
    name = local.group()[::-1].lstrip(b".'`*{|-\x01")
    name = name.lstrip(b"\x80\x01") if _has_letters(name) else name
    name = name[ahead.end() :] if (ahead := _AHEAD.match(name)) else name
    host = domain.group().rstrip(b".-\x01")
    if _has_letters(host.rpartition(b".")[2]):
        host = host.rstrip(b".-\x01\x80")  # the next word, of a script without blanks
    start, end = at - len(name), at + 1 + len(host)
    labels = host.replace(b"\x01", b"").split(b".")
    last = labels[-1].lower()
    good = (
        name
        and len(labels) >= 2
        and all(0 < len(label) <= 63 and label.strip(b"-") == label for label in labels)
        and ((last.isalpha() and 2 <= len(last) <= 24) or last.startswith(b"xn--") or _script(last))
        and last not in _FILES
    )
    if not good or _USERINFO.search(page.before(start, 110)):
        return
    if _is_path_of_ssh(batch, name, end):
        return
    sure = 0.9
    if _EXAMPLES.search(host.lower()):
        sure = 0.1 if name.lower() in _NOBODY or len(name) < 3 else 0.3
    yield Span("EMAIL_ADDRESS", start, end, sure, sure > 0.5)


def _has_letters(text: bytes) -> bool:
    return bool(text.strip(b"\x80\x01-0123456789._"))


def _script(label: bytes) -> bool:
    """Tell whether a label is written in another script, as in internationalised domains."""
    return len(label) >= 2 and not label.strip(b"\x80")


def _is_path_of_ssh(batch: bytes, name: bytes, end: int) -> bool:
    return name == b"git" and batch[end : end + 1] in (b":", b"/")


def segwit(batch: bytes, place: int) -> Iterator[Span]:
    """Yield the wallet that starts with ``bc1``."""
    found = _SEGWIT.match(batch, place)
    left = batch[max(0, place - 1) : place]
    if found and not (left.isalnum() or left == b"_") and bech32(found.group().decode("latin-1")):
        yield Span("CRYPTO", place, found.end(), 0.95, True)


def by_digits(numbers: Numbers, kinds: frozenset[str]) -> Iterator[Span]:
    """Yield IBANs and Base58 wallets: both are found by a digit and what stands beside it."""
    data, batch, starts = numbers.bytes, numbers.batch, numbers.start
    if not len(starts):
        return
    if "IBAN_CODE" in kinds:
        heads = starts[(starts >= 2) & (numbers.end - starts >= 2)]
        heads = heads[_letter(data[heads - 1]) & _letter(data[heads - 2])]
        for place in heads.tolist():
            yield from _iban(numbers.page, place - 2)
    if "CRYPTO" in kinds:
        heads = starts[starts + 26 <= len(data)]
        heads = heads[(data[heads] == ord("1")) | (data[heads] == ord("3"))]
        heads = heads[(heads == 0) | ~_alnum(data[heads - 1])]
        for step in range(25, 0, -1):
            heads = heads[_alnum(data[heads + step])]
        for place in heads.tolist():
            found = _BASE58.match(batch, place)
            if found and base58check(found.group().decode()):
                yield Span("CRYPTO", place, found.end(), 0.95, True)


def _iban(page: Page, start: int) -> Iterator[Span]:
    """Yield the account number at a place; one of a length that its country has not takes the word."""
    batch = page.batch
    found = _IBAN.match(batch, start)
    if not found or batch[max(0, start - 1) : start].isalnum():
        return
    text = found.group().decode("latin-1")
    kept, places = [], []
    for place, character in enumerate(text):
        if character.isalnum():
            kept.append(character.upper())
            places.append(place)
    compact, sure = "".join(kept), 0.95
    length = iban(compact)
    if not length:
        if not labels.is_labelled(labels.words(page.before(start, 24)), labels.IBAN):
            return
        ends = [n for n, c in enumerate(found[0] + b" ") if not (48 <= c <= 57 or chr(c).isalpha())]
        sizes = (sum(place < end for place in places) for end in ends)
        length = next((n for n in sizes if 15 <= n <= 34 and right_check(compact[:n])), 0)
        sure = 0.9
    if not length:
        return
    if sum(map(str.isdigit, compact[:length])) < _IBAN_DIGITS:
        return  # words of so many letters
    end = start + places[length - 1] + 1
    if not batch[end : end + 1].isalnum():
        yield Span("IBAN_CODE", start, end, sure, True)


def _alnum(data: Array) -> Array:
    lower = data | np.uint8(32)
    found: Array = ((data >= 48) & (data <= 57)) | ((lower >= 97) & (lower <= 122))
    return found


def _letter(data: Array) -> Array:
    lower = data | np.uint8(32)
    found: Array = (lower >= 97) & (lower <= 122)
    return found
