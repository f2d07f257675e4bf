"""Evidence is decided again, and the summary made again; a changed digit shows."""

from __future__ import annotations

import copy
import json

import pytest

from pytest_mlgates.core import Evidence
from pytest_mlgates.report.read import read_report
from pytest_mlgates.report.replay import replay


@pytest.fixture
def data(project):
    """Return the report of a run with a pass and an incident."""
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


def faults(data):
    return [result.fault for result in replay(data) if result.fault]


def test_the_same_again(data):
    assert faults(data) == []
    assert [r.outcome for r in replay(data)] == ["fail", "pass"]


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from leaves(item, (*path, i))
    else:
        yield path


def changed(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return "x" if value is None else f"{value}1"


def at(data, path):
    for key in path:
        data = data[key]
    return data


def test_any_change_of_evidence_is_found(data):
    """Each leaf of each piece, one after another."""
    for path in leaves(data["evidence"]):
        forged = copy.deepcopy(data)
        parent = at(forged["evidence"], path[:-1])
        parent[path[-1]] = changed(parent[path[-1]])
        assert faults(forged), path


@pytest.mark.parametrize(
    "path",
    [("outcome",), ("systems", 0, "outcome"), ("systems", 0, "gates", 0, "status"),
     ("systems", 0, "gates", 0, "incident")],
)  # fmt: skip
def test_any_change_of_the_summary_is_found(data, path):
    forged = copy.deepcopy(data)
    at(forged, path[:-1])[path[-1]] = "waived" if path[-1] != "incident" else "not shown"
    assert faults(forged)


def test_a_forged_measurement_with_its_digest_is_found(data):
    """Whoever forges the digests too meets ``decide``."""
    forged = copy.deepcopy(data)
    (piece,) = (p for p in forged["evidence"] if p["verdict"]["outcome"] == "fail")
    old = piece.pop("digest")
    piece["measurement"]["value"] = 2
    new = Evidence.from_dict(piece).digest
    forged = json.loads(json.dumps({**forged}).replace(old, new))
    for e in forged["evidence"]:
        e.setdefault("digest", new)
    assert any(fault.startswith("decides differently: PASS") for fault in faults(forged))


def test_evidence_left_out_is_found(data):
    forged = copy.deepcopy(data)
    forged["evidence"].pop()
    assert faults(forged)
    forged["systems"][0]["gates"][0].update(evidence=[], proof=[])
    assert faults(forged)


def test_a_profile_that_counts_the_last_attempt(project):
    """What ``reruns: last`` forgave is no fault."""
    project.config(
        """
        version: 1
        system: demo
        gates:
          answer_length: {max_chars: 10}
        profiles:
          default: {reruns: last}
        """
    )
    project.tests(
        """
        runs = []
        def test_it(answer_length):
            runs.append(1)
            answer_length(lambda p: "x" * (20 if len(runs) == 1 else 1), ["a"])
        """
    )
    assert project.run("--reruns", "1").ret == 0
    assert faults(read_report(project.report_folder)) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 1}', "[" * 100_000])
def test_no_report(tmp_path, text):
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ValueError, match=r"report.json: (is not JSON|does not follow)"):
        read_report(tmp_path)
