"""What the tests share: projects to run pytest in, with a tiny third-party gate installed."""

from __future__ import annotations

import importlib
import json
import pkgutil
import shutil
import signal
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

import pytest_mlgates
from pytest_mlgates import plugin, registry

pytest_plugins = ["pytester"]

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # a job that a script started in the background ignores Ctrl-C, and so would the runs in it
    signal.signal(signal.SIGINT, signal.default_int_handler)

EXAMPLE = Path(__file__).parent / "example_plugin"

SITE = pytest.StashKey[Path]()

CONFIG = """
version: 1
system: demo
owner: team-a
gates:
  answer_length: {max_chars: 10}
"""


class Project:
    """A folder with a gate config and tests, in which pytest runs as a user runs it."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.path = pytester.path
        self.report_folder = self.path / "report"
        pytester.plugins = []
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

    def run(self, *args: str, report: bool = True, process: bool = False) -> pytest.RunResult:
        """Run pytest; in a process of its own with workers, or where a test needs one."""
        options = ["--mlgates-report", str(self.report_folder)] if report else []
        # Hypothesis's own plugin costs a process a second
        off = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:anyio"]
        words = [*off, *options, *args]
        if process or ("-n" in words and words[words.index("-n") + 1] != "0"):
            return self.pytester.runpytest_subprocess(*words)
        return self.pytester.runpytest_inprocess(*words, no_reraise_ctrlc=True)

    def report(self) -> dict:
        """Read the report that the last run wrote."""
        return json.loads((self.report_folder / "report.json").read_text(encoding="utf-8"))


def pytest_configure(config: pytest.Config) -> None:
    """Install the example plugin as pip would, into a folder that sys.path holds."""
    site = Path(tempfile.mkdtemp(prefix="mlgates-example-"))
    config.add_cleanup(lambda: shutil.rmtree(site, ignore_errors=True))
    shutil.copy(EXAMPLE / "answer_length.py", site)
    info = site / "example_gate-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example-gate\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[pytest_mlgates.gates]\nanswer_length = answer_length:AnswerLength\n"
    )
    sys.path.insert(0, str(site))
    for cached in (registry.names, registry.classes, registry.load, registry._entry_points):
        cached.cache_clear()
    # as the plugin does at import, which was before the installation
    plugin.answer_length = plugin._fixture("answer_length")
    # pytester forgets what a run in this process imports: a second copy of a class is no equal
    for module in pkgutil.walk_packages(pytest_mlgates.__path__, "pytest_mlgates."):
        if module.name != "pytest_mlgates.__main__":
            importlib.import_module(module.name)
    for name in registry.names():
        registry.load(name)
    config.stash[SITE] = site


@pytest.fixture
def project(
    pytester: pytest.Pytester, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """An empty project whose config knows the example gate."""
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.stash[SITE]), prepend=":")
    for variable in ("GITHUB_STEP_SUMMARY", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(variable, raising=False)
    return Project(pytester)
