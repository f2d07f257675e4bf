"""The code in the documentation runs."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from pytest_mlgates.config.controls import all_controls
from pytest_mlgates.config.load import find_configs
from pytest_mlgates.reading.yaml import read_yaml

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"^```(?:python|yaml)\n# (?:file: |continues )(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ALL = re.compile(r"^```python$", re.MULTILINE)


def files_of(page: Path) -> dict[str, str]:
    """The files that a page shows, each put together from its blocks."""
    files: dict[str, str] = {}
    for name, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        files[name] = files.get(name, "") + code
    return files


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_has_a_file(page):
    """A Python block that names no file would not be run."""
    text = page.read_text(encoding="utf-8")
    named = [name for name, _ in BLOCK.findall(text) if name.endswith(".py")]
    assert len(ALL.findall(text)) == len(named)


def test_walk_through_runs(tmp_path, monkeypatch):
    """The gate of CONTRIBUTING.md can be imported and does what its last block says."""
    (tmp_path / "answer_length.py").write_text(
        files_of(ROOT / "CONTRIBUTING.md")["answer_length.py"]
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "answer_length", raising=False)
    __import__("answer_length")


def test_the_example_is_the_walk_through():
    """The example plugin under tests/ is the gate of the walk-through."""
    code = (ROOT / "tests/example_plugin/answer_length.py").read_text(encoding="utf-8")
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert code.endswith(BLOCK.findall(text)[0][1])


@pytest.mark.timing
def test_readme_example_passes(project):
    """The README's test file and gate config work as they stand."""
    for name, text in files_of(ROOT / "README.md").items():
        file = project.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (project.path / "gate_configs" / "demo.yaml").unlink()
    result = project.run()
    result.assert_outcomes(passed=2)
    assert project.report()["outcome"] == "pass"


@pytest.mark.timing
def test_the_example_without_pytest_runs(tmp_path):
    """Its imports are all there."""
    (tmp_path / "example.py").write_text(files_of(ROOT / "README.md")["without_pytest.py"])
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("PASS ", "INCONCLUSIVE "))


# docs/signing.md calls openssl as well: tests/signing/test_signing_docs.py runs it
GUIDES = [page for page in sorted((ROOT / "docs").glob("*.md")) if page.name != "signing.md"]


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_commands_of_a_guide_do_what_it_says(page, project):
    """Each console block runs, on the files of the page; a shard alone may say that gates miss."""
    (project.path / "gate_configs" / "demo.yaml").unlink()
    for name, text in files_of(page).items():
        file = project.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for block in CONSOLE.findall(page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ "))
            words = ["-m", "pytest_mlgates", *words[1:]] if words[0] == "mlgates" else words[1:]
            done = subprocess.run(
                [sys.executable, *words],
                check=False,
                capture_output=True,
                text=True,
                cwd=project.path,
            )
            partly = "MISSING, must not merge" in done.stdout and "pytest" in words
            assert done.returncode == int(partly), f"{line}\n{done.stdout}{done.stderr}"


def test_the_schema_for_editors_is_fresh():
    """``mlgates schema`` gives what is committed for editors."""
    words = [sys.executable, "-m", "pytest_mlgates", "schema"]
    fresh = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    committed = (ROOT / "gate_configs/gate-config.schema.json").read_text(encoding="utf-8")
    assert committed == fresh, "run: mlgates schema > gate_configs/gate-config.schema.json"


def test_reference_configs_follow_the_schema():
    """The configs in this repository are valid against the schema that editors use."""
    schema = json.loads((ROOT / "gate_configs/gate-config.schema.json").read_text("utf-8"))
    for file in find_configs(ROOT / "gate_configs"):
        jsonschema.Draft202012Validator(schema).validate(read_yaml(file).value)


def test_the_controls_of_the_docs_can_be_read(tmp_path):
    text = files_of(ROOT / "docs/formats.md")["gate_configs/controls.yaml"]
    (tmp_path / "controls.yaml").write_text(text, encoding="utf-8")
    assert "our-policy:speed" in all_controls(tmp_path)


#: ours alone: a plugin that is installed beside them has a page of its own
GATES = {path.parent.name for path in (ROOT / "src/pytest_mlgates/gates").glob("*/gate.py")}
ASSUMED = re.compile(
    r"^\| it assumes \| where that does not hold \|\n\|---\|---\|\n((?:\|.*\n)+)", re.MULTILINE
)


def sections() -> dict[str, str]:
    """What docs/gates.md says of each gate: from its name in bold to the next one's."""
    text = (ROOT / "docs/gates.md").read_text(encoding="utf-8") + "\n"
    parts = re.split(r"^\*\*`(\w+)`\*\*", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("gate", sorted(GATES))
def test_every_gate_says_what_it_assumes_and_what_happens_where_that_does_not_hold(gate):
    """One list each, of two rows or more, with something in both columns."""
    (rows,) = ASSUMED.findall(sections()[gate])
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in rows.splitlines()]
    assert len(lines) >= 2
    assert all(len(cells) == 2 and all(len(cell) > 8 for cell in cells) for cells in lines), lines


def test_no_gate_is_described_that_is_not_there():
    assert set(sections()) == GATES
