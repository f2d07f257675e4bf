"""JSON Schema (2020-12) read off a gate's fields."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from typing import Annotated, Any, Literal

from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.waivers import Waiver
from pytest_mlgates.core import Gate
from pytest_mlgates.core.canonical import freeze
from pytest_mlgates.core.docstrings import docstring_of
from pytest_mlgates.core.fields import describe, hints, limit_of, required
from pytest_mlgates.registry import load, names

__all__ = ["DIALECT", "config_schema", "gate_schema", "summary"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}


def summary(cls: type[Gate]) -> str:
    """Return the first line of a gate's docstring."""
    return next(iter(docstring_of(cls).strip().splitlines()), cls.name)


def gate_schema(cls: type[Gate]) -> dict[str, Any]:
    """Return the JSON Schema of a gate's policy."""
    needed = required(cls)
    defaults = {
        f.name: f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
        for f in dataclasses.fields(cls)
        if f.name not in needed
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
        "required": needed,
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
            "profile": _record_schema(Profile),
            "waiver": _record_schema(Waiver),
        },
    }


def _record_schema(cls: type) -> dict[str, Any]:
    known = {field: kind for field, kind in hints(cls).items() if field not in ("name", "source")}
    properties = {
        field: {**_schema(kind), "description": describe(kind)} for field, kind in known.items()
    }
    needed = [name for name in required(cls) if name in known]
    return {
        "type": "object",
        "properties": properties,
        "required": needed,
        "additionalProperties": False,
    }


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
