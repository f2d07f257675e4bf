"""One line of a search: what it must be, and what is wrong with it in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.core.words import a, one_line
from reference_systems.parts.commands import BadLine, record
from reference_systems.shopfast_two_tower.errors import ShopError

__all__ = ["MAX_K", "Request", "Unreadable", "read_request"]

MAX_K = 10_000
#: bytes of a line
MAX_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks, and for how many items; ``id`` is given back as it came."""

    id: object
    user: str
    k: int


class Unreadable(ShopError):
    """A line that is not a request; ``id`` is its own where it has one."""

    def __init__(self, id_: object, text: str) -> None:
        super().__init__(text)
        self.id = id_


def read_request(line: bytes | BadLine, number: int) -> Request:
    """Read line ``number`` of a search.

    >>> read_request(b'{"id": 7, "user": "17850", "k": 2}', 1)
    Request(id=7, user='17850', k=2)
    >>> read_request(b'{"user": 17850, "k": 2}', 3)
    Traceback (most recent call last):
        ...
    reference_systems.shopfast_two_tower.requests.Unreadable: line 3: user is a number: give a \
text, such as "17850"
    """
    found = _object(line, f"line {number}")
    id_, where = found.get("id"), f"line {number}"
    user, k = found.get("user"), found.get("k")
    if "user" not in found:
        raise Unreadable(id_, f'{where}: there is no user: give {{"user": …, "k": …}}')
    if not isinstance(user, str):
        example = json.dumps(str(user)) if type(user) in (int, float) else '"17850"'
        kind = _kind(user)
        raise Unreadable(
            id_, f"{where}: user is {kind}: give a text, such as {one_line(example, 60)}"
        )
    return Request(id_, user, _k(k, "k" in found, id_, where))


def _k(value: object, there: bool, id_: object, where: str) -> int:
    way = f"give a whole number from 1 to {MAX_K}"
    if not there:
        raise Unreadable(id_, f"{where}: there is no k: {way}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        shown = one_line(json.dumps(value), 40)
        raise Unreadable(id_, f"{where}: k is {shown}: {way}")
    if not (1 <= value <= MAX_K and float(value).is_integer()):
        raise Unreadable(id_, f"{where}: k is {one_line(json.dumps(value), 40)}: {way}")
    return int(value)


def _object(line: bytes | BadLine, where: str) -> dict[str, Any]:
    try:
        if isinstance(line, BadLine):
            raise line
        return record(line, '{"user": …, "k": …}', constants=True)
    except BadLine as fault:
        raise Unreadable(None, f"{where}: {fault}") from None


def _kind(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", dict: "an object"}
    return "null" if value is None else names.get(type(value), a(type(value).__name__))
