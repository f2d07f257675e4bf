"""A report that version 0.1.0 made and signed is read, replayed, verified and shown.

``data/report-0.1.0`` holds two pieces of evidence of each gate, a FAIL that fails the run, an expired
waiver and an entry without evidence; the private half of its key was thrown away.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path

import pytest

from pytest_mlgates.cli import main
from pytest_mlgates.core import Evidence
from pytest_mlgates.report.read import read_report, report_of
from pytest_mlgates.report.replay import replay
from pytest_mlgates.writers.html_report.render import page
from pytest_mlgates.writers.json_report import text
from pytest_mlgates.writers.summary import markdown

DATA = Path(__file__).parent / "data"
OLD, KEY, CONFIG = (
    DATA / name for name in ("report-0.1.0", "report-0.1.0.pub", "report-0.1.0.yaml")
)


@pytest.fixture
def old():
    return read_report(OLD)


def faults(data):
    return [result.fault for result in replay(data) if result.fault]


def test_its_records_are_its_json(old):
    assert old["environment"]["pytest_mlgates"] == "0.1.0"
    assert text(report_of(OLD, old)) == (OLD / "report.json").read_text(encoding="utf-8")


def test_every_outcome_is_the_same(old):
    assert len(old["evidence"]) == 20
    results = list(replay(old))
    assert [r.fault for r in results if r.fault] == []
    assert Counter(r.outcome for r in results if r.digest) == {"pass": 9, "fail": 11}
    (problems,) = [r for r in results if not r.digest]  # "mend the gate" has other words now
    assert problems.note == "same outcome, other words: made by 0.1.0"


def test_the_commands(capsys):
    assert main(["replay", str(OLD)]) == 0
    assert "summary: problems: same outcome, other words: made by 0.1.0" in capsys.readouterr().out
    pytest.importorskip("securesystemslib")
    words = ["--key", str(KEY), "--json", "--config", str(CONFIG)]
    assert main(["verify", str(OLD), *words]) == 1
    answers = json.loads(capsys.readouterr().out)["answers"]
    assert [name for name, answer in answers.items() if not answer["yes"]] == ["completeness"]
    (reason,) = answers["completeness"]["reasons"]
    assert reason.startswith("demo: left_out left no evidence")
    (told,) = answers["consistency"]["reasons"]
    assert "20 decisions replayed" in told
    assert "other words: made by 0.1.0" in told


def test_it_is_shown(old):
    made = report_of(OLD, old)
    assert "left_out" in page(made)
    assert "ML gates: FAIL" in markdown(made)


def reworded(data, version, outcome=None):
    """Return the report with the first reason, and perhaps its outcome, forged under a version."""
    forged = copy.deepcopy(data)
    forged["environment"]["pytest_mlgates"] = version
    piece = forged["evidence"][0]
    was = piece.pop("digest")
    piece["verdict"]["reason"] = "so it is"
    piece["verdict"]["outcome"] = outcome or piece["verdict"]["outcome"]
    now = Evidence.from_dict(piece).digest
    piece["digest"] = now
    return json.loads(json.dumps(forged).replace(was, now))


def test_other_words_are_a_fault_of_this_version_only(old):
    from pytest_mlgates import __version__

    assert faults(reworded(old, "0.1.0")) == []
    assert any(
        f.startswith("decides differently: FAIL") for f in faults(reworded(old, __version__))
    )


def test_another_outcome_is_a_fault_of_every_version(old):
    forged = reworded(old, "0.1.0", "pass")
    assert any(fault.startswith("decides differently: FAIL") for fault in faults(forged))


@pytest.mark.parametrize(
    "change",
    [lambda lines: lines.pop(), lambda lines: lines.append("x: y"), lambda lines: lines.reverse()],
)
def test_other_problems_are_a_fault_of_every_version(old, change):
    forged = copy.deepcopy(old)
    forged["problems"][0] = forged["problems"][0].replace("demo", "other")
    assert faults(forged)
    forged = copy.deepcopy(old)
    change(forged["problems"])
    assert faults(forged)
