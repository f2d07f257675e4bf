"""What goes over the wire: a JSON transaction a line in, a JSON answer a line out.

Lines are read one by one, so a line that is wrong costs its own answer and no other.
"""

from __future__ import annotations

import datetime as dt
import math
import zlib
from typing import NamedTuple

import orjson

__all__ = [
    "MOST_BYTES",
    "Framer",
    "InvalidLine",
    "Transaction",
    "failure",
    "read_json",
    "read_line",
]

#: the longest line that is read; a transaction takes about 120 bytes
MOST_BYTES = 64 * 1024
#: the longest id, card or merchant, in characters
MOST_TEXT = 256
#: numbers from here on are milliseconds since 1970, and above the next they are no time at all
_MILLISECONDS, _TOO_LATE = 1e11, 253402300800e3


class InvalidLine(ValueError):
    """A line that can't be used; ``key`` is its id as JSON, or ``null``."""

    def __init__(self, key: bytes, message: str) -> None:
        super().__init__(message)
        self.key = key


class Transaction(NamedTuple):
    """One payment: ``key`` is its id as JSON, ``time`` seconds since 1970, ``merchant`` a hash."""

    key: bytes
    card: str
    amount: float
    merchant: int
    time: float


class Framer:
    r"""Cuts bytes into lines; a line over ``MOST_BYTES`` becomes ``None`` and is not kept.

    >>> framer = Framer()
    >>> framer.feed(b'{"id":1}\n{"i'), framer.feed(b'd":2}\n'), framer.rest()
    ([b'{"id":1}'], [b'{"id":2}'], [])
    """

    __slots__ = ("_held", "_skipping")

    def __init__(self) -> None:
        self._held = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes | None]:
        """Return the lines that ``data`` completes."""
        lines: list[bytes | None] = (self._held + data).split(b"\n")  # type: ignore[assignment]
        last = lines.pop()
        self._held = last or b""
        if self._skipping and lines:
            lines[0], self._skipping = None, False
        if self._skipping or len(self._held) > MOST_BYTES:
            self._held, self._skipping = b"", True
        if len(data) > MOST_BYTES or (lines and lines[0] and len(lines[0]) > MOST_BYTES):
            lines = [None if line is None or len(line) > MOST_BYTES else line for line in lines]
        return lines

    def rest(self) -> list[bytes | None]:
        """Return the last line where the sender ended without a line break."""
        rest: list[bytes | None] = [None] if self._skipping else [self._held] if self._held else []
        self._held, self._skipping = b"", False
        return rest


def read_json(line: bytes | None) -> tuple[bytes, dict[str, object]]:
    """Return the id of a line, as JSON, and its object."""
    if line is None:
        raise InvalidLine(b"null", f"the line is longer than {MOST_BYTES} bytes")
    try:
        found = orjson.loads(line)
    except ValueError:
        message = "the line is not JSON" if line.strip() else "the line is empty"
        raise InvalidLine(b"null", message) from None
    if type(found) is not dict:
        raise InvalidLine(b"null", "the line is not a JSON object")
    name = found.get("id")
    if type(name) is str:
        if len(name) > MOST_TEXT or not name:
            raise InvalidLine(b"null", f"id must have 1 to {MOST_TEXT} characters")
    elif type(name) is not int:
        key = orjson.dumps(name) if isinstance(name, float | bool) else b"null"
        raise InvalidLine(key, "id must be a text, or a whole number below 2^64")
    return orjson.dumps(name), found


def read_line(line: bytes | None) -> Transaction:
    """Return the transaction of a line.

    >>> read_line(b'{"id":"a","card":"c","amount":12,"merchant":"m","time":"1970-01-01T00:01Z"}')
    Transaction(key=b'"a"', card='c', amount=12.0, merchant=1808062591, time=60.0)
    """
    key, found = read_json(line)
    card = found.get("card")
    if type(card) is int:
        card = str(card)
    if type(card) is not str or not card or len(card) > MOST_TEXT:
        raise InvalidLine(key, _wanted(found, "card", f"a text of 1 to {MOST_TEXT} characters"))
    amount = found.get("amount")
    if (type(amount) is not float and type(amount) is not int) or amount < 0:  # type: ignore[operator]
        raise InvalidLine(key, _wanted(found, "amount", "a number of at least 0"))
    merchant = found.get("merchant")
    if type(merchant) is not str or not merchant or len(merchant) > MOST_TEXT:
        raise InvalidLine(key, _wanted(found, "merchant", f"a text of 1 to {MOST_TEXT} characters"))
    time = found.get("time")
    if type(time) is float or type(time) is int:
        if time >= _MILLISECONDS:
            time /= 1000
        if not 0 <= time < _TOO_LATE / 1000:
            raise InvalidLine(key, _wanted(found, "time", _TIME))
    else:
        time = _seconds(key, found)
    return Transaction(key, card, float(amount), zlib.crc32(merchant.encode()), time)


_TIME = "seconds or milliseconds since 1970, or ISO 8601"


def _seconds(key: bytes, found: dict[str, object]) -> float:
    """Return seconds since 1970 of an ISO 8601 text; without a zone it is UTC."""
    text = found.get("time")
    try:
        when = dt.datetime.fromisoformat(text)  # type: ignore[arg-type]
        seconds = (when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise InvalidLine(key, _wanted(found, "time", _TIME)) from None
    if not (seconds >= 0 and math.isfinite(seconds)):
        raise InvalidLine(key, _wanted(found, "time", _TIME))
    return seconds


def _wanted(found: dict[str, object], field: str, wanted: str) -> str:
    """Return one line that says what a field must be; values stay out of it, cards are secret."""
    if field not in found:
        return f"{field} is missing: it must be {wanted}"
    kinds = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}
    kinds |= {str: "a text", int: "a number", float: "a number"}
    return f"{field} must be {wanted}, not {kinds[type(found[field])]} like this one"


def failure(key: bytes, message: str) -> bytes:
    r"""Return the answer to a line that can't be used.

    >>> failure(b"null", "the line is not JSON")
    b'{"id":null,"error":"the line is not JSON"}\n'
    """
    return b'{"id":%b,"error":%b}\n' % (key, orjson.dumps(message))
