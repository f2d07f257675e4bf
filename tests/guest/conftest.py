"""Projects that are gated by slice_coverage: cheap, deterministic, and shipped."""

from __future__ import annotations

import textwrap

import pytest

CONFIG = """
version: 1
system: demo
owner: me
gates:
  slice_coverage: {min_share: 0.1}
  other: {gate: slice_coverage, min_share: 0.1}
profiles:
  default: {}
  full: {complete: true}
"""

HEAD = """
import os, sys, time
import pytest
pytestmark = pytest.mark.system("demo")
GOOD = [{"k": "a"}] * 50 + [{"k": "b"}] * 50
BAD = [{"k": "a"}] * 5 + [{"k": "b"}] * 95
"""


class Guest:
    """A project as people have it: tests, a conftest, other plugins."""

    def __init__(self, project):
        self.project = project
        project.config(CONFIG)

    def __getattr__(self, name):
        return getattr(self.project, name)

    def tests(self, text, name="test_it"):
        text = HEAD + textwrap.dedent(text)
        (self.path / f"{name}.py").write_text(text, encoding="utf-8")

    def conftest(self, text):
        (self.path / "conftest.py").write_text(textwrap.dedent(text), encoding="utf-8")

    def seen(self):
        """Test and outcome of each piece of evidence, in order."""
        pieces = self.report()["evidence"]
        return [(e["test"].split("::")[-1], e["verdict"]["outcome"]) for e in pieces]


@pytest.fixture
def guest(project):
    return Guest(project)
