"""What a gate records beside its number, as a frozen dataclass: written and read by one reader.

A gate's ``details.py`` declares the record; :func:`plain` turns it into JSON and :func:`read` turns
recorded JSON back into it, or says which key does not fit, what was expected and what stands there.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.fields import FieldError, Limit, convert, describe_value, hints

__all__ = ["Count", "Share", "plain", "read"]

T = TypeVar("T")

#: how many; and which part of a whole
Count = Annotated[int, Limit(ge=0)]
Share = Annotated[float, Limit(ge=0, le=1)]


def plain(record: Any) -> dict[str, Json]:
    """Return a dataclass as JSON; a field that is None by default and None is left out.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Seen:
    ...     over: Count
    ...     note: str | None = None
    >>> plain(Seen(over=3))
    {'over': 3}
    """
    found = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if not (value is None and field.default is None):
            found[field.name] = _plain_value(value)
    return found


def _plain_value(value: object) -> Any:
    if dataclasses.is_dataclass(value):
        return plain(value)
    if isinstance(value, (list, tuple)):
        return tuple(map(_plain_value, value))
    if isinstance(value, Mapping):
        return {key: _plain_value(item) for key, item in value.items()}
    return value


def read(cls: type[T], details: object, where: str = "details") -> T:
    """Return recorded details as the dataclass that wrote them, or raise :class:`Unfit`.

    Keys that ``cls`` does not know are left alone: they are for people.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Seen:
    ...     over: Count
    >>> read(Seen, {"over": 3, "findings": ()})
    Seen(over=3)
    >>> read(Seen, {"over": "3"})
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.errors.Unfit: details.over: expected a whole number, got the string '3'
    """
    if not isinstance(details, Mapping):
        raise Unfit(f"{where}: expected a mapping, got {describe_value(details)}")
    values = {}
    kinds = hints(typing.cast("type", cls))
    for field in dataclasses.fields(typing.cast("Any", cls)):
        place = f"{where}.{field.name}"
        if field.name in details:
            values[field.name] = _value(kinds[field.name], details[field.name], place)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise Unfit(f"{place}: is missing")
    try:
        return cls(**values)
    except Unfit:
        raise
    except ValueError as error:  # what the dataclass itself says of its fields together
        raise Unfit(f"{where}: {error}") from None


def _value(kind: object, value: object, where: str) -> object:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return read(kind, value, where)
    if origin in (typing.Union, types.UnionType):
        return _either(args, value, where)
    if origin is tuple and args[1:] == (...,):
        if not isinstance(value, (list, tuple)):
            raise Unfit(f"{where}: expected a list, got {describe_value(value)}")
        return tuple(_value(args[0], item, f"{where}[{at}]") for at, item in enumerate(value))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise Unfit(f"{where}: expected a mapping, got {describe_value(value)}")
        return {key: _value(args[1], item, f"{where}.{key}") for key, item in value.items()}
    if kind is object:  # any JSON: for people, nothing is decided on it
        return value
    try:
        return convert(kind, value, where)
    except FieldError as fault:
        raise Unfit(str(fault)) from None


def _either(kinds: tuple[object, ...], value: object, where: str) -> object:
    if value is None and types.NoneType in kinds:
        return None
    faults = []
    for kind in kinds:
        if kind is not types.NoneType:
            try:
                return _value(kind, value, where)
            except Unfit as fault:
                faults.append(fault)
    raise faults[0]
