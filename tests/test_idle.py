"""An idle plugin costs nothing: few modules, no file, no socket, no line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import pytest_mlgates
from pytest_mlgates import registry

PROBE = """
import json, sys
opened = []
def hook(event, args):
    if event.startswith("socket.") or (event == "open" and "mlgates" in str(args[0])):
        opened.append([event, str(args[0])])
sys.addaudithook(hook)
import pytest
status = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:hypothesispytest",
                      *sys.argv[1:], "test_plain.py"])
print("\\n@" + json.dumps([int(status), sorted(sys.modules), opened]))
"""


def run(path, *words):
    (path / "test_plain.py").write_text("def test_it():\n    pass\n")
    seen = subprocess.run(
        [sys.executable, "-c", PROBE, *words], cwd=path, check=True, capture_output=True, text=True
    )
    said, _, data = seen.stdout.rpartition("\n@")
    status, modules, opened = json.loads(data)
    assert status == 0
    return said + seen.stderr, set(modules), opened


def test_idle(tmp_path):
    said, modules, opened = run(tmp_path)
    _, bare, _ = run(tmp_path, "-p", "no:mlgates")
    more = {name for name in modules - bare if name != "pytest_mlgates"}
    ours = {name for name in more if name.startswith("pytest_mlgates.")}
    assert ours == {"pytest_mlgates.plugin", "pytest_mlgates.registry"}
    assert len(more) + 1 <= 5
    assert {name.partition(".")[0] for name in more - ours} <= sys.stdlib_module_names
    # its code, and what pytest reads of every installed plugin
    read = [name for _, name in opened if ".dist-info" not in name]
    assert [name for name in read if not name.endswith((".py", ".pyc"))] == []
    assert "mlgates" not in said.lower()
    assert {file.name for file in tmp_path.iterdir()} <= {"test_plain.py", "__pycache__"}


def test_import_is_standard_library_only():
    program = "import sys, pytest_mlgates; print(*{n.partition('.')[0] for n in sys.modules})"
    seen = subprocess.run(
        [sys.executable, "-S", "-c", "import sys; sys.path.append('src')\n" + program],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert set(seen.stdout.split()) - {"pytest_mlgates"} <= sys.stdlib_module_names | {"__main__"}


def test_every_gate_is_a_name_of_the_package():
    """Lazily: with the third-party one, and none of them imported by asking for another."""
    for name in registry.names():
        kind = registry.load(name)
        assert getattr(pytest_mlgates, kind.__name__) is kind
    assert {"AnswerLength", "P99Latency", "Detector"} <= set(dir(pytest_mlgates))
    ours = {registry.class_name(name) for name in registry.names() if name != "answer_length"}
    assert ours <= set(pytest_mlgates.__all__), "name a new gate in pytest_mlgates/__init__.py"
    with pytest.raises(AttributeError, match="has no attribute 'NoSuchGate'"):
        pytest_mlgates.NoSuchGate  # noqa: B018


def test_one_name_loads_no_other_gate():
    program = (
        "import sys; from pytest_mlgates import SliceCoverage, stage, scrub, plant; "
        "print([n for n in sys.modules if 'p99_latency' in n or 'cost_budget' in n])"
    )
    seen = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert seen.stdout == "[]\n"
