"""What `mlgates diff` says of two reports."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest

from pytest_mlgates.cli import main
from pytest_mlgates.report import diff as differ
from pytest_mlgates.report.read import read_report, report_of


@pytest.fixture
def old(project):
    project.config(
        """
        version: 1
        system: demo
        owner: team-a
        controls: [NIST-AI-RMF:MEASURE-2.4]
        gates:
          answer_length: {max_chars: 10}
        profiles:
          default: {complete: true}
        """
    )
    project.tests(
        """
        def test_it(answer_length):
            answer_length(lambda p: "ok", ["a", "b"])

        @pytest.mark.known_bad
        def test_incident(answer_length):
            answer_length(lambda p: "x" * 20, ["a"])
        """
    )
    assert project.run().ret == 0
    return read_report(project.report_folder)


def diff(old, new):
    return differ.diff(*(report_of(Path("r"), data) for data in (old, new)))


def waiver(**changes):
    return {
        "system": "demo", "gate": "answer_length", "reason": "r", "owner": "a",
        "approved_by": "b", "expires": "2027-01-01", "up_to": None, "source": "x:1",
        "state": "in force", **changes,
    }  # fmt: skip


def gate(report):
    return report["systems"][0]["gates"][0]


def piece(report):
    return next(e for e in report["evidence"] if e["role"] == "gate")


CASES = {
    "a system is gone": (lambda r: r["systems"].clear(), "vanished: demo"),
    "an entry is gone": (lambda r: r["systems"][0]["gates"].clear(), "vanished: demo: answer"),
    "a test is gone": (lambda r: r["evidence"].remove(piece(r)), "vanished: demo: answer"),
    "it fails": (lambda r: gate(r).update(status="fail"), "regressed: .* PASS to FAIL"),
    "it is missing": (lambda r: gate(r).update(status="missing"), "regressed: .* to MISSING"),
    "the incident is not shown": (
        lambda r: gate(r).update(incident="not shown"),
        "regressed: .*incident was caught and is not shown",
    ),
    "a looser limit": (
        lambda r: piece(r)["policy"].update(max_chars=20),
        "looser: .*max_chars: 10 to 20 in .*test_it",
    ),
    "a looser rule": (
        lambda r: r["systems"][0]["rules"].update(complete=False),
        "looser: demo: profile rule complete: true to false",
    ),
    "a waiver": (lambda r: r["waived"].append(waiver()), "looser: .*waived until 2027-01-01"),
}


@pytest.mark.parametrize("name", CASES)
def test_for_the_worse(name, old):
    spoil, expected = CASES[name]
    new = copy.deepcopy(old)
    spoil(new)
    assert [c for c in diff(old, new) if c.bad and re.match(expected, str(c))], diff(old, new)
    # seen from the other side it is no loss
    assert not any(change.bad for change in diff(new, old))


def test_nothing_changed(old):
    assert diff(old, copy.deepcopy(old)) == []


def test_a_longer_waiver(old):
    new = copy.deepcopy(old)
    old["waived"] = [waiver()]
    new["waived"] = [waiver(expires="2027-06-01", up_to=12.0)]
    assert [str(c) for c in diff(old, new)] == [
        "looser: demo: answer_length: waiver until 2027-01-01 to 2027-06-01",
        "changed: demo: answer_length: waiver up to none to 12",
    ]


def test_alpha_and_limits_that_come_and_go(old):
    for report, policy in (
        (old, {"alpha": 1e-4, "max_epsilon": 3.0, "max_ms": 12}),
        (new := copy.deepcopy(old), {"alpha": 1e-6, "max_epsilon": 3.0, "max_ms": None}),
    ):
        piece(report).update(gate="p99_latency", policy=policy)
    assert {str(c).split(" in ")[0] for c in diff(old, new)} == {
        "looser: demo: answer_length: alpha: 0.0001 to 1e-06",
        "looser: demo: answer_length: max_ms: 12 to none",
    }


def test_the_command(project, old, tmp_path, capsys):
    worse = copy.deepcopy(old)
    gate(worse)["status"] = "fail"
    (tmp_path / "new.json").write_text(json.dumps(worse), encoding="utf-8")
    assert main(["diff", str(project.report_folder), str(tmp_path / "new.json")]) == 1
    assert "1 change, 1 for the worse" in capsys.readouterr().out
    assert main(["diff", str(project.report_folder), str(project.report_folder)]) == 0
    assert main(["diff", str(project.report_folder), str(tmp_path / "none.json")]) == 4
