"""What the tests share: projects to run pytest in, with a tiny third-party gate installed."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

EXAMPLE = Path(__file__).parent / "example_plugin"

CONFIG = """
version: 1
system: demo
owner: team-a
gates:
  answer_length: {max_chars: 10}
"""


class Project:
    """A folder with a gate config and tests, in which pytest runs as a user runs it."""

    def __init__(self, pytester: pytest.Pytester, site: Path) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.report_folder = self.path / "report"
        pytester.plugins = []
        self._site = site
        self.config(CONFIG)

    def config(self, text: str, name: str = "demo") -> Path:
        """Write a gate config."""
        file = self.path / "gate_configs" / f"{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    def tests(self, text: str, name: str = "test_it") -> None:
        """Write a test module that names the system ``demo``."""
        head = 'import pytest\npytestmark = pytest.mark.system("demo")\n'
        (self.path / f"{name}.py").write_text(head + textwrap.dedent(text), encoding="utf-8")

    def run(self, *args: str, report: bool = True) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        options = ["--mlgates-report", str(self.report_folder)] if report else []
        # Hypothesis's own plugin costs each of these runs a second
        off = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:anyio"]
        return self.pytester.runpytest_subprocess(*off, *options, *args)

    def report(self) -> dict:
        """Read the report that the last run wrote."""
        import json

        return json.loads((self.report_folder / "report.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def example_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for sys.path that holds the example plugin as pip would install it."""
    site = tmp_path_factory.mktemp("site")
    shutil.copy(EXAMPLE / "answer_length.py", site)
    info = site / "example_gate-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example-gate\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[pytest_mlgates.gates]\nanswer_length = answer_length:AnswerLength\n"
    )
    return site


@pytest.fixture
def project(
    pytester: pytest.Pytester, example_site: Path, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """An empty project whose config knows the example gate."""
    monkeypatch.setenv("PYTHONPATH", str(example_site), prepend=":")
    for variable in ("GITHUB_STEP_SUMMARY", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(variable, raising=False)
    return Project(pytester, example_site)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Write a gate config into a folder of its own and return its path."""

    def writer(text: str | bytes) -> Path:
        file = tmp_path / "c.yaml"
        file.write_bytes(text.encode() if isinstance(text, str) else textwrap.dedent(text))
        return file

    return writer
