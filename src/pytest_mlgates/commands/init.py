"""``mlgates init``: a first gate config and a test that asks its gate; or one gate more."""

from __future__ import annotations

import json
import re
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_mlgates.commands.starters import starter_test
from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.load import load_config
from pytest_mlgates.config.schema import config_schema
from pytest_mlgates.core import Gate
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.fields import describe, hints, required
from pytest_mlgates.core.files import put
from pytest_mlgates.core.gate import make
from pytest_mlgates.registry import load

__all__ = ["init", "write_starter"]

_CONFIG = """\
# yaml-language-server: $schema=gate-config.schema.json
version: 1
system: {system}
owner: {owner}
gates:
"""


def init(args: Namespace) -> int:
    """Write a gate config and a test below the working directory, or add a gate to them."""
    system = args.system or re.sub(r"\W", "_", Path.cwd().name.lower()) or "my_system"
    gate, words = args.gate or "p99_latency", list(args.fields)
    if not args.gate:
        words = ["max_ms=100"]
    elif sys.stdin.isatty():
        words += _asked(load(gate), words)
    for file in write_starter(Path.cwd(), system, gate, words):
        print(f"wrote {file}")
    print(f"next: python -m pytest tests/test_{system}_gates.py --mlgates-report=report")
    return 0


def _asked(cls: type[Gate], words: Sequence[str]) -> Iterator[str]:
    """Ask at the terminal for what the gate needs and nobody gave."""
    given = {word.partition("=")[0] for word in words}
    for field in required(cls):
        if field not in given:
            yield f"{field}={input(f'{field} ({describe(hints(cls)[field])}): ').strip()}"


def write_starter(root: Path, system: str, gate: str, words: Sequence[str]) -> Iterator[Path]:
    """Write a config, its JSON Schema for editors and a test below ``root``; yield their paths.

    What exists gets one gate more; nothing that stands there is changed.
    """
    cls = load(gate)
    fields = dict(_field(word) for word in words)
    make(cls, fields)
    if not system.isidentifier():
        raise UsageError(f"{system}: a system's name here is letters, digits and underscores")
    config = root / "gate_configs" / f"{system}.yaml"
    test = root / "tests" / f"test_{system}_gates.py"
    line = f"  {gate}: {json.dumps(fields)}\n"
    texts = {
        config: _with_gate(config, gate, line)
        if config.exists()
        else _CONFIG.format(system=system, owner="your-team") + line,
        test: _with_test(test, starter_test(cls, system, gate, first=not test.exists())),
    }
    schema = root / "gate_configs" / "gate-config.schema.json"
    if not schema.exists():
        texts[schema] = json.dumps(config_schema(), indent=2) + "\n"
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        put(file, text)
        yield file


def _with_gate(file: Path, gate: str, line: str) -> str:
    """Return a config with one gate more, below its last one."""
    if gate in load_config(file).entries:
        raise UsageError(f"{file}: already exists and has an entry {gate!r}; nothing was written")
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next((n for n, text in enumerate(lines) if re.match(r"gates:\s*(#.*)?$", text)), None)
    found = re.match(r"( +)\S", lines[at + 1]) if at is not None and at + 1 < len(lines) else None
    if at is None or found is None:
        raise UsageError(
            f"{file}: its gates are not written one below the other: add this to them:\n{line}"
        )
    line = found[1] + line.lstrip()
    text = "".join([*lines[: at + 1], line, *lines[at + 1 :]])
    trial = file.with_name(f".{file.name}.new")
    try:
        put(trial, text)
        load_config(trial, file.as_posix())
    except ConfigError as error:
        raise UsageError(f"{file}: the gate can't be added to it: {error}") from None
    finally:
        trial.unlink(missing_ok=True)
    return text


def _with_test(file: Path, text: str) -> str:
    """Return a test module with one test more at its end."""
    if not file.exists():
        return text
    old = file.read_text(encoding="utf-8")
    name = re.search(r"def (test_\w+)", text)
    if name and f"def {name[1]}(" in old:
        return old
    return old.rstrip("\n") + "\n" + text


def _field(word: str) -> tuple[str, object]:
    name, equals, text = word.partition("=")
    if not equals:
        raise UsageError(f"{word}: write FIELD=VALUE, such as max_ms=12")
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text
