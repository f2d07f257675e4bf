"""JSON that can be signed: frozen values, and one byte string for each of them.

The canonical form is RFC 8785 (JSON Canonicalization Scheme). It has no NaN, no integer beyond
2**53 and no lone surrogate, so :func:`freeze` removes them before a value enters a record.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn, TypeAlias

from pytest_mlgates.core.errors import Unrecordable

__all__ = [
    "FrozenDict",
    "Json",
    "canonical",
    "freeze",
    "parse",
    "sha256",
]

Json: TypeAlias = "bool | int | float | str | tuple[Json, ...] | Mapping[str, Json] | None"

_LARGEST_EXACT = 2**53 - 1


class FrozenDict(dict[str, Any]):
    """A dict that can't change once made; ``json.dumps`` and ``==`` work as on a dict.

    >>> FrozenDict(a=1)["a"]
    1
    >>> FrozenDict(a=1)["a"] = 2
    Traceback (most recent call last):
        ...
    TypeError: a record can't be changed
    """

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a record can't be changed")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, memo: object) -> FrozenDict:
        return self

    def __reduce__(self) -> tuple[type[FrozenDict], tuple[dict[str, Any]]]:
        return type(self), (dict(self),)


def freeze(value: object, path: str = "value") -> Json:
    """Return ``value`` as immutable JSON, or raise :class:`Unrecordable` naming the place.

    Sequences become tuples, integers beyond 2**53 (nanoseconds, seeds) become strings, lone
    surrogates are replaced. NumPy scalars count as the Python numbers they hold. A whole float
    becomes an integer, as it would on its way through JSON: what decides now must see what a
    replay will see.

    >>> freeze({"ns": 2**60, "looks": [1, 2.5]})
    {'ns': '1152921504606846976', 'looks': (1, 2.5)}
    >>> freeze({"p": float("nan")})
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unrecordable: value.p is nan: a recorded number must be finite
    """
    try:
        frozen: Json = _freeze(value)
    except _Refused as fault:
        raise Unrecordable(f"{path}{fault.where} {fault.what}") from None
    return frozen


class _Frozen(FrozenDict):
    """What :func:`freeze` made: frozen all the way down, so it is not looked through again."""

    __slots__ = ()


class _Refused(Exception):
    """A value that can't be frozen; the place grows as the containers around it are left."""

    def __init__(self, what: str) -> None:
        self.where, self.what = "", what


def _freeze(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if kind is float:
        return _freeze_number(value)
    if value is None or kind is bool or kind is _Frozen:
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST_EXACT else str(int(value))
    if isinstance(value, (list, tuple)):
        return _frozen_items(value)
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, float):
        return _freeze_number(float(value))
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode()
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return _freeze(value.item())
    raise _Refused(f"is a {kind.__name__}, which JSON can't hold")


def _freeze_number(value: float) -> float | int:
    if not math.isfinite(value):
        raise _Refused(f"is {value}: a recorded number must be finite")
    whole = value.is_integer() and abs(value) <= _LARGEST_EXACT
    return int(value) if whole else value


def _frozen_items(value: list[Any] | tuple[Any, ...]) -> tuple[Json, ...]:
    frozen: list[Json] = []
    try:
        for item in value:
            frozen.append(_freeze(item))  # noqa: PERF401  (its length says which was refused)
    except _Refused as fault:
        fault.where = f"[{len(frozen)}]{fault.where}"
        raise
    return tuple(frozen)


def _mapping(value: Mapping[Any, Any]) -> _Frozen:
    frozen = {}
    key: Any = None
    try:
        for key, item in value.items():
            if not isinstance(key, str):
                break
            frozen[str(_freeze(key))] = _freeze(item)
        else:
            return _Frozen(frozen)
    except _Refused as fault:
        fault.where = f".{key}{fault.where}"
        raise
    raise _Refused("has a key that is not a string: JSON keys are strings")


def canonical(value: object) -> bytes:
    """Return the RFC 8785 bytes of ``value``.

    >>> canonical({"b": 1.0, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    import rfc8785

    return rfc8785.dumps(freeze(value))


def parse(text: str | bytes) -> Any:
    """Read JSON that :func:`canonical` wrote.

    RFC 8785 writes the float 1e20 without an exponent; a record holds no such integer.

    >>> parse("[1, 100000000000000000000]")
    [1, 1e+20]
    """
    return json.loads(text, parse_int=_parse_whole)


def _parse_whole(digits: str) -> int | float:
    number = float(digits)  # first, since the time that int() takes grows faster than the length
    return int(digits) if abs(number) <= _LARGEST_EXACT else number


def sha256(value: object) -> str:
    """Return the hex SHA-256 of the canonical form of ``value``.

    >>> sha256({"a": 1})[:12]
    '015abd7f5cc5'
    """
    return hashlib.sha256(canonical(value)).hexdigest()
