"""The commands of docs/signing.md do what it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.signing.conftest import TESTS

PAGE = Path(__file__).parents[2] / "docs" / "signing.md"
NOT_RUN = "These commands are not run by our tests"


def test_the_commands_of_the_docs(project, monkeypatch):
    """Those of Sigstore need the network, and say that they are not run."""
    if sys.platform == "win32":
        pytest.skip("they are written for a shell")
    project.tests(TESTS)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    text = PAGE.read_text(encoding="utf-8").partition(NOT_RUN)[0]
    lines = re.findall(r"^\$ (.*?)(?: +#.*)?$", text, re.MULTILINE)
    assert len(lines) == 9
    for line in lines:
        told = subprocess.run(
            line, shell=True, check=False, cwd=project.path, capture_output=True, text=True
        )
        assert told.returncode == 0, (line, told.stdout, told.stderr)


def test_the_page_names_what_is_there():
    from pytest_mlgates.signing.keys import PASSPHRASE
    from pytest_mlgates.signing.statement import GATES, TEST_RESULT

    text = PAGE.read_text(encoding="utf-8")
    assert all(word in text for word in (PASSPHRASE, GATES, TEST_RESULT, NOT_RUN))
