"""Imports run one way; the contracts stand in pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_arrows():
    pytest.importorskip("importlinter", reason="import-linter is a tool of the developers")
    seen = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT, check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PATH": sysconfig.get_path("scripts")},
    )  # fmt: skip
    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert " 0 broken" in seen.stdout
