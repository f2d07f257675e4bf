"""Every command: what it says when used well, and one line with exit status 4 when not."""

from __future__ import annotations

import json
import re

import pytest

from pytest_mlgates.cli import main


@pytest.fixture
def run(project, capsys, monkeypatch):
    """Return a function that runs a command and returns status, output and error lines."""
    monkeypatch.chdir(project.path)

    def command(*words):
        try:
            status = main([str(word) for word in words])
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        return status, out, err

    return command


GOOD = "def test_it(answer_length):\n    answer_length(lambda p: 'ok', ['a'])\n"
BAD = (
    "\n@pytest.mark.known_bad\ndef test_incident(answer_length):\n"
    "    answer_length(lambda p: 'x' * 20, ['a'])\n"
)


def test_list(run):
    status, out, _ = run("list")
    assert status == 0
    assert re.search(r"^answer_length +Is every answer short enough\?$", out, re.MULTILINE)


@pytest.mark.parametrize("words", [(), ("answer_length",)])
def test_schema(run, words):
    status, out, _ = run("schema", *words)
    assert status == 0
    assert json.loads(out)["$schema"].endswith("2020-12/schema")


def test_check(run, project):
    assert run("check", "gate_configs") == (0, "gate_configs/demo.yaml: 1 gate, no mistake\n", "")
    project.config("version: 1\nsystem: demo\ngates: {}\n", name="other")
    project.config("version: 2\n", name="third")
    status, _, err = run("check", "gate_configs")
    assert status == 4
    assert len(err.splitlines()) == 4


def test_init_then_check(run, project):
    status, out, _ = run("init", "bot", "answer_length", "max_chars=5")
    assert status == 0
    assert out.count("wrote ") == 3  # config, its schema, test
    assert run("check", "gate_configs/bot.yaml")[0] == 0
    compile((project.path / "tests" / "test_bot_gates.py").read_text(), "t", "exec")


def test_init_alone(run, project):
    """The folder's name and a first gate; nothing that exists is changed."""
    assert run("init")[0] == 0
    assert run("check", "gate_configs")[0] == 0
    status, _, err = run("init")
    assert status == 4
    assert "already exists" in err


def test_plan(run):
    status, out, _ = run("plan", "gate_configs", "--ms", "3")
    assert status == 0
    assert "demo" in out


def test_prove_replay_report(run, project):
    project.tests(GOOD + BAD)
    # a user's own settings: workers, and warnings as errors
    (project.path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\naddopts = -n 2\n")
    status, out, err = run("prove", "test_it.py", "--seeds", "2", "--out", "proof.json")
    assert status == 0, out + err
    assert "2 of 2" in out
    (proof,) = json.loads((project.path / "proof.json").read_text())
    assert proof["proved"]
    assert proof["incident"] == {"fail": 2}
    (project.path / "pytest.ini").unlink()
    assert project.run().ret == 0
    assert run("replay", "report")[0] == 0
    assert run("report", "report")[0] == 0
    text = (project.path / "report" / "report.json").read_text()
    (project.path / "report" / "report.json").write_text(text.replace('"value": 2', '"value": 3'))
    status, out, _ = run("replay", "report")
    assert status == 1
    assert "was changed" in out


def test_replay_of_one_piece(run, project):
    project.tests(GOOD + BAD)
    assert project.run().ret == 0
    digest = project.report()["evidence"][0]["digest"]
    status, out, _ = run("replay", "report", "--evidence", digest[:16])
    assert status == 0
    assert out.endswith("1 replayed, 0 with a fault\n")
    status, _, err = run("replay", "report", "--evidence", "zz")
    assert status == 4
    assert "no such piece" in err


def test_prove_says_no(run, project):
    project.tests(GOOD)
    status, out, _ = run("prove", "test_it.py", "--seeds", "1")
    assert status == 1
    assert "never run" in out


BAD_USE = {
    "no command": (),
    "an unknown command": ("lst",),
    "an unknown gate": ("schema", "answer_lenght"),
    "no config": ("check", "nowhere"),
    "nothing to check": ("check",),
    "init without a value": ("init", "bot", "answer_length", "max_chars"),
    "init with a bad value": ("init", "bot", "answer_length", "max_chars=many"),
    "init of an unknown gate": ("init", "bot", "nothing"),
    "init with a bad name": ("init", "a b", "answer_length", "max_chars=5"),
    "plan without a config": ("plan", "nowhere"),
    "plan of an unknown profile": ("plan", "gate_configs", "--profile", "release"),
    "plan of a call without time": ("plan", "gate_configs", "--ms", "0"),
    "prove of nothing": ("prove", "nowhere"),
    "prove over no seeds": ("prove", ".", "--seeds", "0"),
    "report of nothing": ("report", "nowhere"),
}


@pytest.mark.parametrize("case", BAD_USE)
def test_bad_use(run, case):
    status, out, err = run(*BAD_USE[case])
    assert status == 4
    assert out == ""
    said = [line for line in err.splitlines() if not line.startswith(("usage:", "       "))]
    assert len(said) == 1, err


def test_replay_of_nothing(run):
    status, _, err = run("replay", "nowhere")
    assert status == 1
    assert "can't be read" in err
