"""What the benchmarks take from the product is there: a name that moved breaks a command in the docs."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("pytest_mlgates", "tests", "reference_systems")
FILES = sorted((ROOT / "benchmarks").rglob("*.py"))


def taken(path: Path) -> list[tuple[str, str, int]]:
    """The names that a file imports from this repository: module, name, line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (node.module, alias.name, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS
        for alias in node.names
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_benchmark_imports_is_there(path):
    gone = []
    for module, name, line in taken(path):
        try:
            held = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] in OURS:
                gone.append(f"line {line}: {module}")
            continue  # a library of an extra that is not installed here
        if not hasattr(held, name):
            try:
                importlib.import_module(f"{module}.{name}")
            except ModuleNotFoundError:
                gone.append(f"line {line}: {name} of {module}")
    assert not gone


def test_every_benchmark_is_told_of():
    """A command that no page names is found by nobody; parts of one are imported by another."""
    pages = "".join(
        (ROOT / name).read_text(encoding="utf-8")
        for name in ("benchmarks/README.md", "docs/measured.md", "CONTRIBUTING.md", "tox.ini")
    )
    code = "".join(path.read_text(encoding="utf-8") for path in FILES)
    for path in (ROOT / "benchmarks").glob("*.py"):
        imported = f"import {path.stem}" in code or f"from {path.stem} import" in code
        assert imported or f"{path.stem}.py" in pages, path.name
