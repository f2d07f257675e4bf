"""``mlgates init``: a first gate config and a test that asks its gate."""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_mlgates.config.schema import config_schema
from pytest_mlgates.core import Gate
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.gate import make
from pytest_mlgates.registry import load

__all__ = ["init", "write_starter"]

_CONFIG = """\
# yaml-language-server: $schema=gate-config.schema.json
version: 1
system: {system}
owner: {owner}
gates:
  {gate}: {fields}
"""

_TEST = '''\
"""The gates of {system}."""

import pytest

pytestmark = pytest.mark.system("{system}")


def test_{system}_{gate}({gate}):
    """Say here, in one sentence, what this gate promises: auditors read it."""
    from my_package import {arguments}  # what to gate, and on which inputs

    {gate}({arguments})
'''


def init(args: Namespace) -> int:
    """Write a first gate config and test below the working directory."""
    system = args.system or re.sub(r"\W", "_", Path.cwd().name.lower()) or "my_system"
    fields = args.fields if args.gate else ["max_ms=100"]
    for file in write_starter(Path.cwd(), system, args.gate or "p99_latency", fields):
        print(f"wrote {file}")
    return 0


def write_starter(root: Path, system: str, gate: str, words: Sequence[str]) -> Iterator[Path]:
    """Write a config, its JSON Schema for editors and a test below ``root``; yield their paths.

    Nothing that exists is changed.
    """
    cls = load(gate)
    fields = dict(_field(word) for word in words)
    make(cls, fields)
    if not system.isidentifier():
        raise UsageError(f"{system}: a system's name here is letters, digits and underscores")
    texts = {
        root / "gate_configs" / f"{system}.yaml": _CONFIG.format(
            system=system, owner="your-team", gate=gate, fields=json.dumps(fields)
        ),
        root / "tests" / f"test_{system}_gates.py": textwrap.dedent(_TEST).format(
            system=system, gate=gate, arguments=_arguments(cls)
        ),
    }
    for file in texts:
        if file.exists():
            raise UsageError(f"{file}: already exists; nothing was written")
    schema = root / "gate_configs" / "gate-config.schema.json"
    if not schema.exists():
        texts[schema] = json.dumps(config_schema(), indent=2) + "\n"
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        yield file


def _field(word: str) -> tuple[str, object]:
    name, equals, text = word.partition("=")
    if not equals:
        raise UsageError(f"{word}: write FIELD=VALUE, such as max_ms=12")
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text


def _arguments(cls: type[Gate]) -> str:
    parameters = list(inspect.signature(cls.measure).parameters.values())[1:]
    needed = [
        p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    return ", ".join(needed)
