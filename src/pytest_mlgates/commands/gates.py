"""``mlgates list``, ``schema`` and ``check``: the gates there are, and whether configs are right."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_mlgates.commands.extras import extras_of
from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.foresight import faults_ahead, notes_ahead
from pytest_mlgates.config.load import configs_in, load_configs
from pytest_mlgates.config.schema import DIALECT, config_schema, gate_schema, summary
from pytest_mlgates.core.instants import kernel_now
from pytest_mlgates.core.words import one_line, plural, table
from pytest_mlgates.registry import load, names

__all__ = ["check_configs", "list_gates", "print_schema"]


def list_gates(_: Namespace) -> int:
    """Print the gates with the question that each answers."""
    for name in names():
        cls = load(name)
        more = extras_of(name) or (f"extra {cls.extra}" if cls.extra else "")
        print(f"{name:24}{summary(cls)}{f'  [{more}]' if more else ''}")
    return 0


def print_schema(args: Namespace) -> int:
    """Print the fields of a gate; as JSON Schema with ``--json``, and for gate configs as a whole."""
    schema = config_schema() if args.gate is None else gate_schema(load(args.gate))
    if args.gate is not None and not args.json:
        print(f"{args.gate}: {schema['description']}\n")
        rows = [
            _row(name, field, schema["required"]) for name, field in schema["properties"].items()
        ]
        print("\n".join(table([("field", "default", "values", "meaning"), *rows])))
        return 0
    print(json.dumps({"$schema": DIALECT, **schema}, indent=2))
    return 0


def _row(name: str, field: Mapping[str, Any], needed: Sequence[str]) -> tuple[str, ...]:
    default = "needed" if name in needed else json.dumps(field.get("default"))
    signs = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
    kinds = [field, *field.get("anyOf", ())]
    bounds = [
        f"{sign} {kind[key]:g}" for kind in kinds for key, sign in signs.items() if key in kind
    ]
    choices = [json.dumps(value) for kind in kinds for value in kind.get("enum", ())]
    values = ", ".join(bounds) or " or ".join(choices) or " or ".join(_types(kinds))
    return name, default, values, one_line(str(field.get("description", "")), 100)


def _types(kinds: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(kind["type"]) for kind in kinds if isinstance(kind.get("type"), str)]


def check_configs(args: Namespace) -> int:
    """Find every mistake in gate configs, and what can't come to a PASS; ConfigError names them."""
    now = kernel_now()
    faults: list[str] = []
    for config in load_configs((file, file.as_posix()) for file in configs_in(args.configs)):
        found = list(faults_ahead(config, now))
        faults += found
        for note in notes_ahead(config):
            print(note)
        if not found:
            print(f"{config.path}: {plural(len(config.entries), 'gate')}, no mistake")
    if faults:
        raise ConfigError(*faults)
    return 0
