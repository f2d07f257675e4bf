"""A budget for false alarms is split over what runs, and the report says what became of it."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from pytest_mlgates.cli import main
from pytest_mlgates.report.diff import diff
from pytest_mlgates.report.older import upgraded
from pytest_mlgates.report.read import read_report, report_of
from pytest_mlgates.report.replay import replay

CONFIG = """
version: 1
system: demo
owner: team-a
gates:
  uplink: {gate: bandwidth_budget, max_bytes: 100}
  downlink: {gate: bandwidth_budget, max_bytes: 100}
  own: {gate: bandwidth_budget, max_bytes: 100, alpha: 2.0e-4}
  answer_length: {max_chars: 10}
profiles:
  default: {suite_alpha: 1.0e-3}
  release: {}
"""
TESTS = """
SOUND, BAD = [{"sent_bytes": 50}], [{"sent_bytes": 500}]

@pytest.mark.bandwidth_budget("uplink")
@pytest.mark.parametrize("n", range(4))
def test_up(bandwidth_budget, n):
    bandwidth_budget(SOUND)

@pytest.mark.bandwidth_budget("downlink")
def test_down(bandwidth_budget):
    for _ in range(CALLS):
        bandwidth_budget(SOUND)

@pytest.mark.bandwidth_budget("own")
def test_own(bandwidth_budget):
    bandwidth_budget(SOUND)

def test_answers(answer_length):
    answer_length(lambda prompt: "ok", ["a"])

@pytest.mark.known_bad
@pytest.mark.bandwidth_budget("uplink")
def test_incident(bandwidth_budget):
    bandwidth_budget(BAD)
"""


@pytest.fixture
def made(project):
    project.config(CONFIG)
    project.tests("CALLS = 1\n" + TESTS)
    return project


def alphas(report):
    return {(e["entry"], e["role"]): e["policy"].get("alpha") for e in report["evidence"]}


def test_it_is_split_over_entries_and_over_the_tests_of_an_entry(made):
    result = made.run()
    assert result.ret == 0
    data = read_report(made.report_folder)
    assert alphas(data) == {
        ("uplink", "gate"): 1e-4, ("uplink", "known_bad"): 1e-4, ("downlink", "gate"): 4e-4,
        ("own", "gate"): 2e-4, ("answer_length", "gate"): None,
    }  # fmt: skip
    assert data["false_alarm"] == {"at_most": pytest.approx(1e-3), "runs": 6}
    assert data["systems"][0]["false_alarm"] == {**data["false_alarm"], "budget": 1e-3}
    assert [r.fault for r in replay(data) if r.fault] == []
    result.stdout.fnmatch_lines(
        ["chance that a statistical gate passes*at most 0.001 (1 in 1,000) a call*"]
    )
    said = "chance that any of 6 statistical gate runs fails a sound subject: at most 0.001 (1 in 1,000)"
    result.stdout.fnmatch_lines([f"{said} (budget: demo spends 0.001 of 0.001)"])
    assert said.removeprefix("chance") in (made.report_folder / "summary.md").read_text().replace(
        "\\", ""
    )


@pytest.mark.parametrize("words", [("-k", "up and 2"), ("-n", "2")])
def test_the_same_test_has_the_same_alpha(made, words):
    assert made.run(*words).ret == 0
    assert alphas(made.report())["uplink", "gate"] == 1e-4


@pytest.mark.parametrize("made_by", [None, "0.2.0-older"])
def test_more_calls_than_were_split_over_fail_the_run(made, made_by):
    """Calls are what can cry wolf, not tests."""
    made.tests("CALLS = 3\n" + TESTS)
    assert made.run().ret == 1
    data = read_report(made.report_folder)
    (system,) = data["systems"]
    assert system["false_alarm"]["at_most"] == pytest.approx(1.8e-3)
    assert "MORE THAN IT MAY" in (made.report_folder / "summary.md").read_text()
    (problem,) = data["problems"]
    assert problem.startswith("demo: 8 calls of statistical gates can FAIL a sound subject")
    assert "suite_alpha is 0.001" in problem
    assert (system["outcome"], data["outcome"]) == ("pass", "fail")
    assert [r.fault for r in replay(data) if r.fault] == []
    if made_by:  # a report of a version in which nothing came of it still follows from its evidence
        older = {**data, "problems": [], "outcome": "pass"}
        older["environment"] = {**data["environment"], "pytest_mlgates": made_by}
        assert [r.fault for r in replay(older) if r.fault] == []


def test_attempts_that_do_not_stand_spend_nothing(made):
    pytest.importorskip("pytest_rerunfailures")
    made.config(CONFIG.replace("suite_alpha: 1.0e-3", "suite_alpha: 1.0e-3, reruns: last"))
    made.tests(
        "CALLS = 1\n"
        + TESTS
        + """
TRIES = []

@pytest.mark.flaky(reruns=2)
@pytest.mark.bandwidth_budget("own")
def test_flaky(bandwidth_budget):
    bandwidth_budget(SOUND)
    TRIES.append(1)
    assert len(TRIES) > 2
"""
    )
    result = made.run()
    told = result.stdout.str()
    assert "at most 0.003 (1 in 333) a call" in told  # three chances to pass
    assert made.report()["systems"][0]["false_alarm"]["runs"] == 7


def test_too_little_for_too_many(made):
    made.config(CONFIG.replace("1.0e-3", "2.001e-4"))
    made.tests("CALLS = 1\n" + TESTS.replace("range(4)", "range(4000)"))
    result = made.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*profile default: suite_alpha: *an alpha is at least 1e-09"])


def test_plan_knows_it(made, monkeypatch, capsys):
    monkeypatch.chdir(made.path)
    assert main(["plan", "gate_configs"]) == 0
    assert "uplink" in capsys.readouterr().out


def test_diff_tells_a_smaller_budget(made):
    made.run()
    old = read_report(made.report_folder)
    for budget, kind in ((1e-4, "looser"), (2e-3, "stricter"), (None, "changed")):
        new = copy.deepcopy(old)
        new["systems"][0]["rules"]["suite_alpha"] = budget
        assert [c.kind for c in diff(*(report_of(Path("r"), data) for data in (old, new)))] == [
            kind
        ]


def test_a_report_of_the_first_schema_is_read(made):
    """It knew no budget and no history; what follows from its evidence still does."""
    made.run("--mlgates-profile", "release")
    data = made.report()
    for part in (data, *data["systems"]):
        del part["false_alarm"]
    del data["history"], data["systems"][0]["rules"]["suite_alpha"]
    old = {**data, "schema": "pytest-mlgates/report/1"}
    new = upgraded(old)
    assert new["false_alarm"]["runs"] == 6
    assert [r.fault for r in replay(new) if r.fault] == []
    with pytest.raises(ValueError, match="newer mlgates"):
        upgraded({**data, "schema": "pytest-mlgates/report/99"})
    for broken in ({"schema": "pytest-mlgates/report/1"}, [], "text", {"schema": 7}):
        assert upgraded(broken) == broken
