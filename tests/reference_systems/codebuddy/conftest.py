"""Fixtures of the code assistant's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip(
    "tree_sitter_java", reason="Java is read by tree-sitter: extra 'systems-codebuddy'"
)

sys.path.insert(0, str(Path(__file__).parent))

from helpers import Tree, oracle


@pytest.fixture
def tree(tmp_path):
    """An empty tree; ``tree.write(A="class A {}")`` fills and indexes it."""
    return Tree(tmp_path)


@pytest.fixture(scope="session")
def javac():
    """The oracle with a JDK to run it."""
    found = oracle()
    program = found.java()
    if program is None:
        pytest.skip("no JDK of release 17 or later is on the path: nothing to compare with")
    return found
