"""Reports that earlier versions made and signed are read, replayed, verified and shown.

``data/report-0.1.0`` and ``data/report-0.2.0`` hold two pieces of evidence of each gate of then, a
FAIL that fails the run, a waiver and an entry without evidence; the private halves of their keys
were thrown away.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from pathlib import Path

import pytest

from pytest_mlgates import __version__
from pytest_mlgates.cli import main
from pytest_mlgates.core import Evidence
from pytest_mlgates.core.rules import rules_of
from pytest_mlgates.core.seeds import seed_for
from pytest_mlgates.registry import load
from pytest_mlgates.report.read import read_report, report_of
from pytest_mlgates.report.replay import replay
from pytest_mlgates.writers.html_report.render import page
from pytest_mlgates.writers.json_report import text
from pytest_mlgates.writers.summary import markdown

DATA = Path(__file__).parent / "data"
VERSIONS = ("0.1.0", "0.2.0")
#: pieces by outcome
COUNTS = {"0.1.0": {"pass": 9, "fail": 11}, "0.2.0": {"pass": 20, "fail": 22}}


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


@pytest.fixture
def place(version):
    return DATA / f"report-{version}"


@pytest.fixture
def old(place):
    return read_report(place)


def faults(data):
    return [result.fault for result in replay(data) if result.fault]


def test_its_records_are_its_json(old, place, version):
    """What a later version added is there, empty; all else is as it was written."""
    assert old["environment"]["pytest_mlgates"] == version
    again, was = (
        json.loads(t) for t in (text(report_of(place, old)), (place / "report.json").read_text())
    )
    assert again.pop("schema") > was.pop("schema")
    assert again == was


def test_every_outcome_is_the_same(old, version):
    results = list(replay(old))
    assert [(r.name, r.fault) for r in results if r.fault] == []
    assert Counter(r.outcome for r in results if r.digest) == COUNTS[version]
    told = {r.note.partition(":")[0] for r in results if r.note}
    assert told <= {"same outcome, other words", "its number stands alone"}


def test_the_commands(capsys, place, version):
    assert main(["replay", str(place)]) == 0
    out = capsys.readouterr().out
    if version == "0.1.0":  # "mend the gate" has other words now
        assert "summary: problems: same outcome, other words: made by 0.1.0" in out
    pytest.importorskip("securesystemslib")
    words = ["--key", f"{place}.pub", "--json", "--config", f"{place}.yaml"]
    assert main(["verify", str(place), *words]) == 1
    answers = json.loads(capsys.readouterr().out)["answers"]
    assert [name for name, answer in answers.items() if not answer["yes"]] == ["completeness"]
    (reason,) = answers["completeness"]["reasons"]
    assert reason.startswith("demo: left_out left no evidence")
    (told,) = answers["consistency"]["reasons"]
    assert f"{sum(COUNTS[version].values())} decisions replayed" in told


def test_it_is_shown(old, place):
    made = report_of(place, old)
    assert "left_out" in page(made)
    assert "ML gates: FAIL" in markdown(made)


def forged(data, version, **changes):
    """Return the report with its first piece changed under digests that fit, as of a version."""
    copied = copy.deepcopy(data)
    copied["environment"]["pytest_mlgates"] = version
    piece = copied["evidence"][0]
    was = piece.pop("digest")
    for path, value in changes.items():
        *parents, last = path.split("__")
        inner = piece
        for name in parents:
            inner = inner[name]
        inner[last] = value
    piece["digest"] = Evidence.from_dict(piece).digest
    return json.loads(json.dumps(copied).replace(was, piece["digest"]))


def test_other_words_are_a_fault_of_this_version_only(old, version):
    change = {"verdict__reason": "so it is"}
    assert faults(forged(old, version, **change)) == []
    assert any(
        "they were taken out" in fault for fault in faults(forged(old, __version__, **change))
    )


def test_another_outcome_is_a_fault_of_every_version(old, version):
    told = faults(forged(old, version, verdict__outcome="pass"))
    (fault,) = [fault for fault in told if fault.startswith("decides differently: FAIL")]
    assert f'`pip install "pytest-mlgates=={version}"` decides as then' in fault


@pytest.mark.parametrize("field", ["value", "unit"])
def test_a_forged_number_is_a_fault_of_every_version(old, version, field):
    piece = next(p for p in old["evidence"] if p["gate"] == "bandwidth_budget")
    old["evidence"].insert(0, old["evidence"].pop(old["evidence"].index(piece)))
    was = piece["measurement"][field]
    change = {f"measurement__{field}": f"{was}s" if field == "unit" else was + 1}
    assert any("contradicts itself" in fault or "decides diff" in fault
               for fault in faults(forged(old, version, **change)))  # fmt: skip


def test_a_rule_changed_on_purpose_is_told_from_a_forgery(old):
    """Under other rules, of another version, the fault names both; under the same it is a forgery."""
    now = rules_of(load(old["evidence"][0]["gate"]))
    names = (old["evidence"][0][name] for name in ("test", "entry", "call"))
    change = {"verdict__outcome": "pass", "seed": str(seed_for(0, *names))}
    same = faults(forged(old, "0.9.9", rules=now, **change))
    assert any(
        fault.startswith("decides differently: FAIL") and "pip" not in fault for fault in same
    )
    other = faults(forged(old, "0.9.9", rules="1" * 64, **change))
    (told,) = [fault for fault in other if fault.startswith("was decided by other rules")]
    assert f"made by 0.9.9, by rules 11111111 (here {now[:8]})" in told
    assert '`pip install "pytest-mlgates==0.9.9"` decides as then' in told
    # the same words under other rules are nobody's fault, nor are other words
    change = {"rules": "1" * 64, "seed": change["seed"]}
    assert faults(forged(old, "0.9.9", **change)) == []
    assert faults(forged(old, "0.9.9", verdict__reason="so it is", **change)) == []


@pytest.mark.parametrize(
    "change",
    [lambda lines: lines.pop(), lambda lines: lines.append("x: y"), lambda lines: lines.reverse()],
)
def test_other_problems_are_a_fault_of_every_version(old, change):
    renamed = copy.deepcopy(old)
    renamed["problems"][0] = renamed["problems"][0].replace("demo", "other")
    assert faults(renamed)
    changed = copy.deepcopy(old)
    change(changed["problems"])
    assert faults(changed)
