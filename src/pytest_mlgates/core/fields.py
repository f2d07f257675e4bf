"""What the fields of a policy may hold: one converter for YAML, Python and replay alike."""

from __future__ import annotations

import dataclasses
import enum
import functools
import math
import operator
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import did_you_mean, shorten

__all__ = [
    "Checked",
    "FieldError",
    "Limit",
    "convert",
    "describe",
    "describe_value",
    "hints",
    "limit_of",
    "meant",
    "required",
]


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """What a number in a policy may be, and in which direction it gets stricter.

    Written as ``Annotated[float, Limit(tighten="down", gt=0, unit="ms"), "largest P99"]``.

    ``tighten`` is ``"down"`` where a smaller number is stricter and ``"up"`` where a larger one
    is. A field without it can't be changed by a marker.
    """

    tighten: Literal["up", "down"] | None = None
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    unit: str = ""

    def fault(self, value: float) -> str | None:
        """Say what is wrong with ``value``, or None.

        >>> Limit(gt=0).fault(-1)
        'must be greater than 0'
        >>> Limit(gt=0, lt=1).fault(5)
        'must be less than 1 (a share: 5 % is 0.05)'
        """
        checks = (
            (self.gt, operator.gt, "greater than"),
            (self.ge, operator.ge, "at least"),
            (self.lt, operator.lt, "less than"),
            (self.le, operator.le, "at most"),
        )
        for bound, holds, words in checks:
            if bound is not None and not holds(value, bound):
                share = (
                    not self.unit and words.endswith(("than", "most")) and bound <= 1 < value <= 100
                )
                percent = f" (a share: {value:g} % is {value / 100:g})" if share else ""
                return f"must be {words} {bound:g}{' ' + self.unit if self.unit else ''}{percent}"
        return None

    def is_looser(self, new: float, old: float) -> bool:
        """Tell whether ``new`` allows more than ``old``."""
        return new > old if self.tighten == "down" else new < old


class FieldError(UsageError, ValueError):
    """A policy field that does not fit; ``field`` names it (``""`` for the policy as a whole)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


class Checked:
    """A frozen dataclass whose fields are checked and converted when an instance is made."""

    def __post_init__(self) -> None:
        for field, annotation in hints(type(self)).items():
            object.__setattr__(self, field, convert(annotation, getattr(self, field), field))


def hints(cls: type) -> dict[str, Any]:
    """Return the annotation of each dataclass field of ``cls``, ``Annotated`` kept."""
    return dict(_hints(cls))


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    if not dataclasses.is_dataclass(cls):
        raise TypeError(
            f"{cls.__name__} is not a dataclass: write @dataclass(frozen=True, kw_only=True)"
        )
    resolved = typing.get_type_hints(cls, include_extras=True)
    return {field.name: resolved[field.name] for field in dataclasses.fields(cls)}


def meant(field: str, value: object, known: Mapping[str, object]) -> str:
    """Return the words that end an error about an unknown field: the likely one, with its unit.

    >>> fields = {"max_ms": Annotated[float, Limit(gt=0, unit="ms"), "largest latency"]}
    >>> meant("max_s", 0.012, fields)
    ": did you mean 'max_ms'? It is in ms: max_ms: 12 for what you wrote"
    >>> meant("max_m", 3, fields)
    ": did you mean 'max_ms'? It is in ms"
    """
    hint = did_you_mean(field, tuple(known))
    close = next((name for name in known if f"mean {name!r}?" in hint), None)
    if close is None or not (unit := limit_of(known[close]).unit):
        return hint
    written = field.rpartition("_")[2]
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or written not in _SECONDS
        or unit not in _SECONDS
    ):
        return f"{hint} It is in {unit}"
    same = float(value) * _SECONDS[written] / _SECONDS[unit]
    return f"{hint} It is in {unit}: {close}: {same:.6g} for what you wrote"


#: seconds in what the names of fields end with
_SECONDS = {
    "us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "seconds": 1.0, "min": 60.0, "minutes": 60.0,
    "h": 3600.0, "hours": 3600.0,
}  # fmt: skip


def required(cls: type) -> list[str]:
    """Return the names of the dataclass fields of ``cls`` that have no default."""
    missing = dataclasses.MISSING
    return [
        field.name
        for field in dataclasses.fields(cls)
        if field.default is missing and field.default_factory is missing
    ]


def limit_of(annotation: object) -> Limit:
    """Return the :class:`Limit` in an annotation, or an empty one."""
    extras = getattr(annotation, "__metadata__", ())
    return next((extra for extra in extras if isinstance(extra, Limit)), Limit())


def describe(annotation: object) -> str:
    """Return the sentence in an annotation, or an empty string."""
    extras = getattr(annotation, "__metadata__", ())
    return next((extra for extra in extras if isinstance(extra, str)), "")


def convert(annotation: object, value: object, field: str) -> Any:
    """Return ``value`` as the annotation wants it, or raise :class:`FieldError`.

    Lists become tuples and names become enum members, so that a gate stays hashable and survives
    a round trip through JSON. A boolean or NaN is not a number.

    >>> convert(tuple[float, ...], [1, 2], "quantiles")
    (1.0, 2.0)
    >>> convert(Annotated[float, Limit(gt=0, unit="ms")], "12ms", "max_ms")
    Traceback (most recent call last):
        ...
    pytest_mlgates.core.fields.FieldError: max_ms: expected a number (ms), got the string '12ms'
    """
    limit = limit_of(annotation)
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        kind = typing.get_args(annotation)[0]
        value = _convert_plain(kind, value, field, limit.unit)
        numbers = value if isinstance(value, tuple) else (value,)
        for number in numbers:
            counts = isinstance(number, (int, float)) and not isinstance(number, bool)
            if counts and (fault := limit.fault(number)):
                raise FieldError(field, f"{fault}, got {number!r}")
        return value
    return _convert_plain(annotation, value, field, "")


def _convert_plain(kind: object, value: object, field: str, unit: str) -> object:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _union(args, value, field, unit)
    if origin is Annotated:
        return convert(kind, value, field)
    if origin is Literal:
        if isinstance(value, str) and value in args:
            return value
        raise FieldError(
            field, f"expected one of {', '.join(map(str, args))}, got {describe_value(value)}"
        )
    if origin is tuple:
        return _convert_tuple(args, value, field)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        try:
            return kind(value)
        except ValueError:
            choices = ", ".join(str(member.value) for member in kind)
            raise FieldError(
                field, f"expected one of {choices}, got {describe_value(value)}"
            ) from None
    if kind is float or kind is int:
        return _convert_number(kind, value, field, unit)
    if kind in (bool, str):
        if type(value) is kind:
            return value
        raise FieldError(field, f"expected {_WORDS[kind]}, got {describe_value(value)}")
    raise FieldError(field, f"has a type that a policy can't hold: {kind!r}")


_WORDS = {bool: "true or false", str: "a string", float: "a number", int: "a whole number"}


def _convert_number(kind: type, value: object, field: str, unit: str) -> object:
    words = _WORDS[kind] + (f" ({unit})" if unit else "")
    allowed = (int, float) if kind is float else (int,)
    if isinstance(value, bool) or not isinstance(value, allowed):
        raise FieldError(field, f"expected {words}, got {describe_value(value)}")
    try:
        number = kind(value)
    except OverflowError:
        raise FieldError(field, f"expected {words}, got an integer too large to hold") from None
    if abs(number) > 2**53 and kind is int:
        raise FieldError(field, f"expected {words}, got more than a record can hold (2**53)")
    if not math.isfinite(number):
        raise FieldError(field, f"expected {words}, got {value!r}")
    return number


def _convert_tuple(args: tuple[object, ...], value: object, field: str) -> tuple[object, ...]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, (list, tuple)):
        raise FieldError(field, f"expected a list, got {describe_value(value)}")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(convert(args[0], item, f"{field}[{i}]") for i, item in enumerate(value))
    if len(value) != len(args):
        raise FieldError(field, f"expected {len(args)} items, got {len(value)}")
    pairs = zip(args, value, strict=True)
    return tuple(convert(kind, item, f"{field}[{i}]") for i, (kind, item) in enumerate(pairs))


def _union(args: tuple[object, ...], value: object, field: str, unit: str) -> object:
    if value is None and type(None) in args:
        return None
    faults = []
    for kind in args:
        if kind is type(None):
            continue
        try:
            return _convert_plain(kind, value, field, unit)
        except FieldError as fault:
            faults.append(fault)
    raise faults[0]


def describe_value(value: object) -> str:
    """Return a value as an error names it, never longer than a line."""
    words = {type(None): "nothing", bool: "the boolean", str: "the string", Mapping: "a mapping"}
    if value is None:
        return "nothing (null)"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, Mapping):
        return "a mapping"
    text = repr(value)
    return f"{words.get(type(value), type(value).__name__)} {shorten(text, 60)}"
