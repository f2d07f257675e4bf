"""The code in the documentation runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """Every Python block, joined with the ones it continues."""
    found = []
    for page in PAGES:
        parts = BLOCK.findall(page.read_text(encoding="utf-8"))
        files: dict[str, str] = {}
        for number, code in enumerate(parts):
            head = code.splitlines()[0]
            name = head.rpartition(" ")[2] if head.startswith("# ") else f"block{number}.py"
            files[name] = files.get(name, "") + code
        found += [(f"{page.name}-{name}", code) for name, code in files.items()]
    return found


@pytest.mark.parametrize(("name", "code"), blocks(), ids=[name for name, _ in blocks()])
def test_python_block(name, code, tmp_path, monkeypatch):
    """A block runs as a module; a block of tests passes under pytest."""
    if "def test_" in code:
        pytest.skip("run by test_readme")  # a block of tests needs its project
    module = tmp_path / "documented.py"
    module.write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("documented", None)
    __import__("documented")


def test_the_example_is_the_walk_through():
    """The example plugin under tests/ and the walk-through are one gate."""
    code = (ROOT / "tests/example_plugin/answer_length.py").read_text(encoding="utf-8")
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    walk_through = BLOCK.findall(text)[0].partition("\n")[2]
    assert code.endswith(walk_through)
