"""Where configs are looked for: pytest's root first, several projects, several options."""

from __future__ import annotations

import os

import pytest

CONFIG = "version: 1\nsystem: {name}\nowner: me\ngates:\n  slice_coverage: {{min_share: 0.1}}\n"
TEST = """
import pytest
pytestmark = pytest.mark.system("{name}")
def test_it(slice_coverage):
    slice_coverage([{{"k": "a"}}] * 50 + [{{"k": "b"}}] * 50, "k")
"""
MARKS = {
    "pytest.ini": "[pytest]\n",
    "setup.py": "",
    "tox.ini": "[tox]\n",
    "setup.cfg": "[metadata]\nname = x\n",
    "pyproject.toml": "[project]\nname = 'x'\n",
    ".git": None,
}


def make(folder, name, mark=None):
    (folder / "gate_configs").mkdir(parents=True)
    (folder / "gate_configs" / f"{name}.yaml").write_text(CONFIG.format(name=name))
    (folder / "tests").mkdir()
    (folder / "tests" / f"test_{name}.py").write_text(TEST.format(name=name))
    if mark == ".git":
        (folder / mark).mkdir()
    elif mark:
        (folder / mark).write_text(MARKS[mark])


@pytest.fixture
def shop(guest):
    (guest.path / "gate_configs" / "demo.yaml").unlink()
    (guest.path / "gate_configs").rmdir()
    return guest


def run(shop, *words):
    # with "=": a path of its own would count as one of tests
    return shop.run(f"--mlgates-report={shop.report_folder}", *words, report=False)


@pytest.mark.parametrize("mark", MARKS)
def test_from_outside_and_from_the_tests(shop, mark, monkeypatch):
    """`pytest a`, `pytest /abs/a` from elsewhere, and `pytest` in a/tests find the same configs."""
    make(shop.path / "a", "alone", mark)
    assert run(shop, "a").ret == 0
    elsewhere = shop.path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert run(shop, str(shop.path / "a")).ret == 0
    monkeypatch.chdir(shop.path / "a" / "tests")
    assert run(shop).ret == 0
    assert shop.report()["outcome"] == "pass"


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_two_projects_in_one_session(shop, workers):
    make(shop.path / "a", "first")
    make(shop.path / "b", "second")
    assert run(shop, "a", "b", *workers).ret == 0
    report = shop.report()
    assert [system["system"] for system in report["systems"]] == ["first", "second"]
    assert report["outcome"] == "pass"
    (shop.path / "b" / "gate_configs" / "second.yaml").write_text(CONFIG.format(name="first"))
    result = run(shop, "a", "b")
    assert result.ret == 4
    assert "the system 'first' is in " in result.stderr.str()


def test_the_option_more_than_once(shop):
    make(shop.path / "a", "first")
    make(shop.path / "b", "second")
    words = [f"--mlgates-config={name}{os.sep}gate_configs" for name in "ab"]
    assert run(shop, "a", "b", *words).ret == 0
    result = run(shop, "a", "b", words[0])
    assert result.ret == 4
    assert f"(looked in {shop.path / 'a' / 'gate_configs'})" in result.stderr.str()
