"""Every command: what it says when used well, and one line with exit status 4 when not."""

from __future__ import annotations

import json
import re
from pathlib import Path

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


@pytest.mark.parametrize("words", [(), ("answer_length", "--json")])
def test_schema(run, words):
    status, out, _ = run("schema", *words)
    assert status == 0
    assert json.loads(out)["$schema"].endswith("2020-12/schema")


def test_the_fields_of_a_gate_as_a_table(run):
    status, out, _ = run("schema", "p99_latency")
    assert status == 0
    assert re.search(r"^max_ms +needed +> 0 +Largest latency", out, re.MULTILINE), out
    assert re.search(r"^alpha +0.0001 +>= 1e-09, <= 0.1 ", out, re.MULTILINE), out


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


def test_init_adds_a_gate_and_its_test_runs_as_it_is(run, project):
    """What stands in the config stays; what is printed last is the next command."""
    for words in (("slice_coverage", "min_share=0.05"), ("shadow_divergence", "max_rate=0.05")):
        status, out, _ = run("init", "bot", *words)
        assert status == 0
        assert out.endswith(
            "next: python -m pytest tests/test_bot_gates.py --mlgates-report=report\n"
        )
    assert (
        run("check", "gate_configs/bot.yaml")[1] == "gate_configs/bot.yaml: 2 gates, no mistake\n"
    )
    result = project.run("tests/test_bot_gates.py")
    assert result.ret == 0
    assert sorted(e["entry"] for e in project.report()["evidence"]) == [
        "shadow_divergence", "slice_coverage",
    ]  # fmt: skip
    assert {e["verdict"]["outcome"] for e in project.report()["evidence"]} == {"pass"}
    assert run("init", "bot", "grounding")[0] == 0
    assert project.run("tests/test_bot_gates.py").ret == 0  # skipped, and named as absent
    file = project.config(
        "version: 1\nsystem: flow\ngates: {answer_length: {max_chars: 3}}\n", "flow"
    )
    before = file.read_text()
    status, _, err = run("init", "flow", "slice_coverage", "min_share=0.1")
    assert status == 4
    assert "slice_coverage: {" in err
    assert file.read_text() == before


def test_plan(run):
    status, out, _ = run("plan", "gate_configs", "--ms", "3")
    assert status == 0
    assert "demo" in out


CAPPED = """
version: 1
system: demo
owner: team
gates:
  p99_latency: {max_ms: 5, max_calls: %d}
  pii_leak: {max_prompts: 7780}
  answers: {gate: name_invariance, max_gap: 0.1, max_group_gap: 0.1}
profiles:
  pre-merge: {inconclusive: warn}
  release: {beta: 1.0e-6}
waivers:
  - {gate: answers, reason: r, approved_by: risk, expires: %s}
"""


def test_what_can_not_come_to_a_pass_is_known_before_a_run(run, project):
    project.config(CAPPED % (100, "2020-01-01"))
    status, out, err = run("check", "gate_configs")
    assert status == 4
    assert "no mistake" not in out
    assert "p99_latency can never PASS: that takes 5,000 calls or more, and max_calls is 100" in err
    assert "pii_leak can never PASS: that takes 7,781 replies or more" in err
    assert "the waiver for answers expired (2020-01-01)" in err
    assert "answers can never" not in err
    _, out, _ = run("plan", "gate_configs", "--ms", "1000")
    assert "never" in out
    assert "and max_calls is 100" in out


def test_a_cap_that_is_too_small_for_one_profile_names_it(run, project):
    text = CAPPED % (20000, "2099-01-01")
    project.config(text.replace("7780", "8000"))
    status, out, err = run("check", "gate_configs")
    assert status == 4
    assert err.count("can never PASS") == 1
    assert "and max_prompts is 8,000 (profile release)" in err
    assert "the waiver for answers names no limit, so it is about max_gap and no other" in out
    project.config(text.replace("7780", "100000"))
    assert run("check", "gate_configs")[0] == 0


def test_plan_reckons_with_calls_at_a_time_and_the_usual_recall(run, project):
    project.config(CAPPED.replace("max_prompts: 7780", "concurrency: 100") % (20000, "2099-01-01"))
    _, out, _ = run("plan", "gate_configs", "--ms", "1000")
    row = next(line for line in out.splitlines() if "pii_leak" in line)
    assert "7,781 replies (usually " in row
    usual = int(row.split("usually ")[1].split(")")[0].replace(",", ""))
    assert 7_900 < usual < 9_000
    assert f"{-(-usual // 100):.1f} s where it is awaited (100 at a time)" in row
    project.config("version: 1\nsystem: demo\ngates:\n  bandwidth_budget: {max_bytes: 9}\n")
    _, out, _ = run("plan", "gate_configs", "--ms", "1000")
    assert out.splitlines()[1].split()[-1] == "-"  # nothing is called


def test_what_was_not_observed_is_no_zero(run, project):
    project.config("version: 1\nsystem: demo\ngates:\n  bandwidth_budget: {max_bytes: 9}\n")
    project.tests("def test_it(bandwidth_budget):\n    bandwidth_budget([])\n")
    result = project.run("--junitxml", "junit.xml")
    row = next(line for line in result.outlines if "INCONCLUSIVE" in line and "demo" in line)
    assert " 0 bytes" not in row
    assert "measured" not in (project.path / "junit.xml").read_text()
    page = (project.report_folder / "report.html").read_text()
    assert "nothing was observed" in page
    assert ">0 bytes" not in page


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


def test_prove_takes_the_minutes_it_has_and_gives_each_path_one_seed(run, project):
    project.tests(GOOD + BAD)
    (project.path / "test_more.py").write_text((project.path / "test_it.py").read_text())
    words = ("test_it.py", "test_more.py", "--seeds", "40", "--minutes", "1e-6")
    status, _, err = run("prove", *words, "--out", "proof.json")
    assert (status, err) == (0, "")
    (proof,) = json.loads((project.path / "proof.json").read_text())
    assert (proof["fixed"], proof["incident"]) == ({"pass": 2}, {"fail": 2})


def test_prove_goes_on_while_there_is_time(monkeypatch):
    from pytest_mlgates.commands import prove

    clock = iter(range(1000))
    monkeypatch.setattr(prove.time, "monotonic", lambda: next(clock))
    quick, slow = Path("quick"), Path("slow")
    took = {quick: 1, slow: 20}
    ran = []
    for seed, (path,) in prove._rounds([slow, quick], range(9), 60):
        ran.append((seed, path.name))
        any(next(clock) < 0 for _ in range(took[path]))
    assert ran[:2] == [(0, "slow"), (0, "quick")]
    assert [name for _, name in ran].count("slow") == 2
    assert [name for _, name in ran].count("quick") > 2


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
    "prove in no time": ("prove", ".", "--minutes", "0"),
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
