"""JSON Schema (2020-12) read off a gate's fields, and gates made from plain values."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pytest_mlgates.core import Gate
from pytest_mlgates.core.canonical import freeze
from pytest_mlgates.core.fields import FieldError, describe, hints, limit_of
from pytest_mlgates.core.words import did_you_mean
from pytest_mlgates.registry import load, names

__all__ = ["DIALECT", "config_schema", "gate_schema", "make", "summary"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}


def make(cls: type[Gate], values: Mapping[str, Any]) -> Gate:
    """Return ``cls`` with ``values``, or raise :class:`FieldError` naming the field at fault."""
    known = hints(cls)
    for field in values:
        if field not in known:
            raise FieldError(field, f"is no field of {cls.name}{did_you_mean(field, tuple(known))}")
    for required in _required(cls):
        if required not in values:
            raise FieldError("", f"{cls.name} needs {required}: {describe(known[required])}")
    try:
        return cls(**values)
    except FieldError:
        raise
    except (TypeError, ValueError) as error:  # a check of the gate's own
        raise FieldError("", f"{cls.name}: {error}") from None


def summary(cls: type[Gate]) -> str:
    """Return the first line of a gate's docstring."""
    return next(iter((cls.__doc__ or "").strip().splitlines()), cls.name)


def gate_schema(cls: type[Gate]) -> dict[str, Any]:
    """Return the JSON Schema of a gate's policy."""
    defaults = {
        f.name: f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
        for f in dataclasses.fields(cls)
        if _has_default(f)
    }
    properties = {}
    for field, annotation in hints(cls).items():
        schema = _schema(annotation)
        if field in defaults:
            schema["default"] = freeze(defaults[field])
        if text := describe(annotation):
            schema["description"] = text[0].upper() + text[1:]
        properties[field] = schema
    return {
        "type": "object",
        "description": summary(cls),
        "properties": properties,
        "required": _required(cls),
        "additionalProperties": False,
    }


def config_schema() -> dict[str, Any]:
    """Return the JSON Schema of a gate config, for editors; the loader says more in words."""
    schemas = {name: gate_schema(load(name)) for name in names()}
    named = {name: {"$ref": f"#/$defs/{name}"} for name in schemas}
    choose = [
        {
            "if": {"properties": {"gate": {"const": name}}},
            "then": {"$ref": f"#/$defs/{name}"},
        }
        for name in schemas
    ]
    for schema in schemas.values():
        schema["properties"]["gate"] = {"enum": list(schemas)}
    return {
        "$schema": DIALECT,
        "title": "pytest-mlgates gate config",
        "type": "object",
        "required": ["version", "system", "gates"],
        "additionalProperties": False,
        "properties": {
            "version": {"const": 1},
            "system": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$"},
            "owner": {"type": "string", "minLength": 1},
            "controls": {"type": "array", "items": {"type": "string"}},
            "gates": {
                "type": "object",
                "minProperties": 1,
                "properties": named,
                "additionalProperties": {
                    "type": "object",
                    "required": ["gate"],
                    "properties": {"gate": {"enum": list(schemas)}},
                    "allOf": choose,
                },
            },
            "profiles": {"type": "object", "additionalProperties": {"$ref": "#/$defs/profile"}},
            "waivers": {"type": "array", "items": {"$ref": "#/$defs/waiver"}},
        },
        "$defs": {
            **schemas,
            "profile": _record_schema("profile"),
            "waiver": _record_schema("waiver"),
        },
    }


def _record_schema(which: str) -> dict[str, Any]:
    from pytest_mlgates.config.profiles import Profile
    from pytest_mlgates.config.waivers import Waiver

    cls: type = {"profile": Profile, "waiver": Waiver}[which]
    known = {field: kind for field, kind in hints(cls).items() if field not in ("name", "source")}
    properties = {
        field: {**_schema(kind), "description": describe(kind)} for field, kind in known.items()
    }
    required = [f.name for f in dataclasses.fields(cls) if f.name in known and not _has_default(f)]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return dataclasses.MISSING is not field.default or (
        dataclasses.MISSING is not field.default_factory
    )


def _required(cls: type[Gate]) -> list[str]:
    return [field.name for field in dataclasses.fields(cls) if not _has_default(field)]


def _schema(kind: Any) -> dict[str, Any]:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Annotated:
        limit = limit_of(kind)
        bounds = {
            word: getattr(limit, name)
            for name, word in _BOUNDS.items()
            if getattr(limit, name) is not None
        }
        schema = _schema(args[0])
        target = schema["items"] if schema.get("type") == "array" else schema
        for branch in target.get("anyOf", [target]):
            if branch.get("type") in ("number", "integer"):
                branch.update(bounds)
        return schema
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(arg) for arg in args]}
    if origin is Literal:
        return {"enum": list(args)}
    if origin is tuple:
        if len(args) == 2 and args[1] is Ellipsis:
            return {"type": "array", "items": _schema(args[0])}
        return {
            "type": "array",
            "prefixItems": [_schema(arg) for arg in args],
            "minItems": len(args),
            "maxItems": len(args),
        }
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"enum": [member.value for member in kind]}
    words = {float: "number", int: "integer", bool: "boolean", str: "string", type(None): "null"}
    return {"type": words[kind]}
