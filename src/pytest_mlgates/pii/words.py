"""E-mail and IPv6 addresses, keys and tokens, crypto wallets, IBANs: what is made of letters.

Each pattern is bounded and anchored at the place a trigger gave, so that the whole is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.pii.numbers import Numbers
from pytest_mlgates.pii.spans import Span
from pytest_mlgates.pii.triggers import Engine
from pytest_mlgates.pii.validate import base58check, bech32, iban, ip_address, jwt

__all__ = ["by_digits", "ipv6", "triggered"]

_LOCAL = re.compile(rb"[A-Za-z0-9.!#$%&'*+=?^_`{|}~\x01\x80-]{1,64}")
_DOMAIN = re.compile(rb"[A-Za-z0-9.\x01\x80-]{3,253}")
_IBAN = re.compile(rb"[A-Za-z]{2}\d\d[A-Za-z0-9 \x01\n-]{11,60}")
_BASE58 = re.compile(rb"[13][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z0-9])")
_HEX = re.compile(rb"[0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3}")

# in names of files, not at the end of a host
_FILES = {b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"html", b"css", b"js", b"json", b"txt"}

_KEYS = {
    "aws": re.compile(rb"A[KS]IA[A-Z2-7]{16}(?![A-Za-z0-9])"),
    "github": re.compile(rb"(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{60,90})"),
    "slack": re.compile(rb"(?:xox[bpars]-[A-Za-z0-9-]{15,250}|xapp-\d-[A-Za-z0-9-]{15,250})"),
    "stripe": re.compile(rb"[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}"),
    "google": re.compile(rb"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    "google oauth": re.compile(rb"ya29\.[A-Za-z0-9_-]{30,1024}"),
    "model api": re.compile(rb"sk-(?:ant|proj|svcacct)-[A-Za-z0-9_-]{32,250}"),
    "gitlab": re.compile(rb"glpat-[A-Za-z0-9_-]{20,64}(?![A-Za-z0-9_-])"),
    "hugging face": re.compile(rb"hf_[A-Za-z0-9]{34}(?![A-Za-z0-9_])"),
    "npm": re.compile(rb"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])"),
    "pypi": re.compile(rb"pypi-AgE[A-Za-z0-9_-]{50,250}"),
    "sendgrid": re.compile(rb"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
    "jwt": re.compile(rb"eyJ[\w-]{8,1024}\.eyJ[\w-]{4,4000}\.[\w-]{16,1024}"),
    "pem": re.compile(rb"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----"),
    "bech32": re.compile(rb"(?i:bc1)[A-Za-z0-9]{11,87}(?![A-Za-z0-9])"),
}


def triggered(batch: bytes, engine: Engine, kinds: set[str]) -> Iterator[Span]:
    """Yield what starts with a word of the engine; ``kinds`` are entities asked for."""
    for kind, place in engine.scan(batch):
        if kind == "email":
            if "EMAIL_ADDRESS" in kinds:
                yield from _email_words(batch, place)
        elif ("CRYPTO" if kind == "bech32" else "API_KEY") in kinds:
            yield from _key_words(batch, kind, place)


def _email_words(batch: bytes, at: int) -> Iterator[Span]:
    local = _LOCAL.match(batch[max(0, at - 64) : at][::-1])
    domain = _DOMAIN.match(batch, at + 1)
    if not local or not domain:
        return
    name = local.group()[::-1].lstrip(b".'`*{|-\x01\x80") or b""
    host = domain.group().rstrip(b".-\x01\x80")
    start, end = at - len(name), at + 1 + len(host)
    labels = host.replace(b"\x01", b"").split(b".")
    last = labels[-1].lower()
    good = (
        name
        and len(labels) >= 2
        and all(0 < len(label) <= 63 and label.strip(b"-") == label for label in labels)
        and ((last.isalpha() and 2 <= len(last) <= 24) or last.startswith(b"xn--"))
        and last not in _FILES
    )
    in_url = (
        batch[start - 1 : start] in (b"/", b":") and b"://" in batch[max(0, start - 80) : start]
    )
    if good and not in_url:
        yield Span("EMAIL_ADDRESS", start, end, 0.9, True)


def _key_words(batch: bytes, kind: str, place: int) -> Iterator[Span]:
    left = batch[max(0, place - 1) : place]
    if kind != "pem" and (left.isalnum() or left == b"_"):
        return
    found = _KEYS[kind].match(batch, place)
    if not found:
        return
    text = found.group().decode("latin-1")
    if (kind == "jwt" and not jwt(text)) or (kind == "bech32" and not bech32(text)):
        return
    yield Span("CRYPTO" if kind == "bech32" else "API_KEY", place, found.end(), 0.95, True)


def by_digits(numbers: Numbers, kinds: set[str]) -> Iterator[Span]:
    """Yield IBANs and Base58 wallets: both are found by a digit and what stands beside it."""
    data, batch, starts = numbers.bytes, numbers.batch, numbers.start
    if not len(starts):
        return
    if "IBAN_CODE" in kinds:
        heads = starts[(starts >= 2) & (numbers.end - starts >= 2)]
        heads = heads[_letter(data[heads - 1]) & _letter(data[heads - 2])]
        for place in heads.tolist():
            yield from _iban_words(batch, place - 2)
    if "CRYPTO" in kinds:
        heads = numbers.places
        heads = heads[heads + 26 <= len(data)]
        heads = heads[(data[heads] == ord("1")) | (data[heads] == ord("3"))]
        heads = heads[(heads == 0) | ~_alnum(data[heads - 1])]
        for step in (25, 12, 6, 18):
            heads = heads[_alnum(data[heads + step])]
        for place in heads.tolist():
            found = _BASE58.match(batch, place)
            if found and base58check(found.group().decode()):
                yield Span("CRYPTO", place, found.end(), 0.95, True)


def _iban_words(batch: bytes, start: int) -> Iterator[Span]:
    found = _IBAN.match(batch, start)
    if not found or batch[max(0, start - 1) : start].isalnum():
        return
    text = found.group().decode("latin-1")
    plain, places = [], []
    for place, character in enumerate(text):
        if character.isalnum():
            plain.append(character.upper())
            places.append(place)
    length = iban("".join(plain))
    if not length:
        return
    end = start + places[length - 1] + 1
    if not batch[end : end + 1].isalnum():
        yield Span("IBAN_CODE", start, end, 0.95, True)


def ipv6(batch: bytes) -> Iterator[Span]:
    """Yield IPv6 addresses: found by colons close to each other."""
    colons = np.flatnonzero(np.frombuffer(batch, dtype=np.uint8) == ord(":"))
    if len(colons) < 2:
        return
    near = np.diff(colons) <= 5
    after = np.frombuffer(batch, dtype=np.uint8)[colons[:-1] + 1]
    near &= _alnum(after) | (after == ord(":"))  # no blank, as after a word
    firsts = np.flatnonzero(near & ~np.concatenate(([False], near[:-1])))
    for place in colons[firsts].tolist():
        start = place
        while start > 0 and place - start < 4 and batch[start - 1] in b"0123456789abcdefABCDEF":
            start -= 1
        found = _HEX.match(batch, start)
        if not found or batch[max(0, start - 1) : start].isalnum():
            continue
        text = found.group().rstrip(b":" if not found.group().endswith(b"::") else b"")
        end = start + len(text)
        if text.count(b":") >= 2 and len(text) >= 5 and not batch[end : end + 1].isalnum():  # noqa: SIM102
            if ip_address(text.decode()):
                yield Span("IP_ADDRESS", start, end, 0.9, True)


def _alnum(data: npt.NDArray[Any]) -> npt.NDArray[Any]:
    lower = data | np.uint8(32)
    return ((data >= 48) & (data <= 57)) | ((lower >= 97) & (lower <= 122))


def _letter(data: npt.NDArray[Any]) -> npt.NDArray[Any]:
    lower = data | np.uint8(32)
    return (lower >= 97) & (lower <= 122)
