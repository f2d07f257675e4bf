"""Imports run one way; the contracts stand in pyproject.toml."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GATES = ROOT / "src" / "pytest_mlgates" / "gates"


def test_arrows():
    pytest.importorskip("importlinter", reason="import-linter is a tool of the developers")
    seen = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT, check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PATH": sysconfig.get_path("scripts")},
    )  # fmt: skip
    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert " 0 broken" in seen.stdout


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    given = function.args
    more = [arg for arg in (given.vararg, given.kwarg) if arg is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *more]


def test_helpers_never_receive_the_gate():
    """What a helper needs is handed to it as plain numbers: it can't depend on what it is not."""
    found = [
        f"{path.relative_to(GATES)}:{function.lineno} {function.name}"
        for path in sorted(GATES.rglob("*.py"))
        if path.name != "gate.py"
        for function in _functions(path)
        if any(arg.arg == "gate" for arg in _parameters(function))
    ]
    assert found == []


def test_verdicts_are_typed():
    """Where a verdict is made, a misspelt field is found by mypy and not by a user."""
    found = [
        f"{path.relative_to(GATES)}:{function.lineno} {function.name}"
        for path in sorted([*GATES.rglob("details.py"), *GATES.rglob("judge.py")])
        for function in _functions(path)
        for kind in [*(arg.annotation for arg in _parameters(function)), function.returns]
        if kind is not None and re.search(r"\bAny\b", ast.unparse(kind))
    ]
    assert found == []


def test_a_gate_is_a_folder_with_four_rooms():
    folders = {path.name for path in GATES.iterdir() if path.is_dir() and path.name[0] != "_"}
    rooms = {"gate.py", "measure.py", "details.py", "judge.py"}
    lacking = {name: rooms - {p.name for p in (GATES / name).iterdir()} for name in folders}
    assert {name: gone for name, gone in lacking.items() if gone} == {}


def test_no_contract_is_excused():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    settings = tomllib.loads(text)["tool"]["importlinter"]
    assert not settings.get("exclude_type_checking_imports", False)
    for contract in settings["contracts"]:
        assert not {"ignore_imports", "skip_descendants"} & set(contract), contract["name"]
