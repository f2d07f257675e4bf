"""IPv4 and IPv6 addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from pytest_mlgates.pii.numbers import Array, Numbers
from pytest_mlgates.pii.spans import Span
from pytest_mlgates.pii.validate import ip_address

__all__ = ["ipv4", "ipv6"]

_HEX = re.compile(rb"[0-9A-Fa-f:]{2,39}(?:\.\d{1,3}){0,3}")
_VERSION = re.compile(r"\bv(?:er(?:sion)?)?\.? ?$", re.IGNORECASE)


def ipv4(numbers: Numbers) -> Iterator[Span]:
    """Yield IPv4 addresses."""
    if len(numbers.size) < 4:
        return
    apart = numbers.start[1:] - numbers.end[:-1]
    dots = (apart == 1) & (numbers.bytes[numbers.end[:-1]] == ord("."))
    short = numbers.size <= 3
    four = dots[:-2] & dots[1:-1] & dots[2:]
    four &= short[:-3] & short[1:-2] & short[2:-1] & short[3:]
    for i in np.flatnonzero(four).tolist():
        start, end = int(numbers.start[i]), int(numbers.end[i + 3])
        hangs = numbers.left(start) in (b".", b"-") or (
            numbers.right(end) in (b".", b"-") and numbers.is_digit(end + 1)
        )
        if hangs or numbers.in_a_word(start, end):
            continue
        if _VERSION.search(numbers.page.before(start, 10)):
            continue
        if ip_address(numbers.batch[start:end].decode("latin-1")):
            yield Span("IP_ADDRESS", start, end, 0.9, True)


def ipv6(batch: bytes) -> Iterator[Span]:
    """Yield IPv6 addresses: found by colons close to each other."""
    colons = np.flatnonzero(np.frombuffer(batch, dtype=np.uint8) == ord(":"))
    if len(colons) < 2:
        return
    near = np.diff(colons) <= 5
    after = np.frombuffer(batch, dtype=np.uint8)[colons[:-1] + 1]
    near &= _hex(after) | (after == ord(":"))  # no blank, as after a word
    firsts = np.flatnonzero(near & ~np.concatenate(([False], near[:-1])))
    for place in colons[firsts].tolist():
        start = place
        while start > 0 and place - start < 4 and batch[start - 1] in b"0123456789abcdefABCDEF":
            start -= 1
        found = _HEX.match(batch, start)
        if not found or batch[max(0, start - 1) : start].isalnum():
            continue
        if b"::" not in found[0] and found[0].count(b":") < 6:
            continue  # a time of day, most often
        text = found.group().rstrip(b":" if not found.group().endswith(b"::") else b"")
        end = start + len(text)
        if text.count(b":") >= 2 and len(text) >= 5 and not batch[end : end + 1].isalnum():  # noqa: SIM102
            if ip_address(text.decode()):
                yield Span("IP_ADDRESS", start, end, 0.9, True)


def _hex(data: Array) -> Array:
    lower = data | np.uint8(32)
    found: Array = ((data >= 48) & (data <= 57)) | ((lower >= 97) & (lower <= 102))
    return found
