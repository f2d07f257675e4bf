"""``mlgates list``, ``schema`` and ``check``: the gates there are, and whether configs are right."""

from __future__ import annotations

import json
from argparse import Namespace
from datetime import UTC, datetime

from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.foresight import faults_ahead, notes_ahead
from pytest_mlgates.config.load import configs_in, load_configs
from pytest_mlgates.config.schema import DIALECT, config_schema, gate_schema, summary
from pytest_mlgates.core.words import plural
from pytest_mlgates.registry import load, names

__all__ = ["check_configs", "list_gates", "print_schema"]


def list_gates(_: Namespace) -> int:
    """Print the gates with the question that each answers."""
    for name in names():
        cls = load(name)
        extra = f"  [extra: {cls.extra}]" if cls.extra else ""
        print(f"{name:24}{summary(cls)}{extra}")
    return 0


def print_schema(args: Namespace) -> int:
    """Print the JSON Schema of gate configs, or of one gate."""
    schema = config_schema() if args.gate is None else gate_schema(load(args.gate))
    print(json.dumps({"$schema": DIALECT, **schema}, indent=2))
    return 0


def check_configs(args: Namespace) -> int:
    """Find every mistake in gate configs, and what can't come to a PASS; ConfigError names them."""
    now = datetime.now(UTC)
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
