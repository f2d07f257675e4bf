"""What is signed: by in-toto's own definitions, and how our outcomes are told in its three words."""

from __future__ import annotations

import base64
import json

import pytest

from pytest_mlgates.signing.folder import Stored
from pytest_mlgates.signing.statement import GATES, TEST_RESULT, Sealing, check, statements

FILES = {"report.json": Stored(10, "a" * 64)}
SEALING = Sealing(signed="2026-01-01T00:00:00+00:00", keyid="k", public_pem="p")


def piece(**more):
    return {
        "digest": "d" * 64, "system": "s", "entry": "e", "gate": "g", "role": "gate", "test": "t[secret]",
        "verdict": {"outcome": "pass", "reason": "the answer was 4111"}, "measurement": None,
        "limit": "", "policy": {}, "subject": "m:f", "subject_digest": "f" * 64, **more,
    }  # fmt: skip


def report(status="pass", problems=(), evidence=None, **rules):
    known = {"inconclusive": "fail", "complete": False, **rules}
    gate = {"entry": "e", "gate": "g", "status": status, "evidence": []}
    return {
        "outcome": status,
        "problems": list(problems),
        "systems": [{"system": "s", "rules": known, "gates": [gate]}],
        "evidence": [piece()] if evidence is None else evidence,
        "missing": [], "incomplete": [], "waived": [],
        "environment": {},
        "configs": [{"path": "c.yaml", "sha256": "c" * 64}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "rules", "problems", "kind", "result"),
    [
        ("pass", {}, [], "passed", "PASSED"),
        ("fail", {}, ["x"], "failed", "FAILED"),
        ("error", {}, ["x"], "failed", "FAILED"),
        ("waived", {}, [], "warned", "WARNED"),
        ("inconclusive", {}, ["x"], "failed", "FAILED"),
        ("inconclusive", {"inconclusive": "warn"}, [], "warned", "WARNED"),
        ("missing", {}, [], "warned", "WARNED"),
        ("missing", {"complete": True}, ["x"], "failed", "FAILED"),
        ("pass", {}, ["the run was interrupted"], "passed", "FAILED"),
        ("unheard of", {}, [], "failed", "FAILED"),
    ],
)
def test_three_words(status, rules, problems, kind, result):
    both = statements(report(status, problems, **rules), FILES, SEALING)
    check(both)
    said = both[0]["predicate"]
    assert said["result"] == result
    tests = {name: said[f"{name}Tests"] for name in ("passed", "warned", "failed")}
    assert tests == {name: ["s/e"] if name == kind else [] for name in tests}


def test_nothing_gated_is_no_pass():
    empty = {**report(evidence=[]), "systems": []}
    assert statements(empty, FILES, SEALING)[0]["predicate"]["result"] == "FAILED"


def test_subjects():
    found = report(evidence=[piece(), piece(subject_digest=f"sha256:{'1' * 64}"), piece(subject_digest=None),
                             piece(role="known_bad", subject="m:bad")])  # fmt: skip
    first, second = statements(found, FILES, SEALING)
    assert first["subject"] == second["subject"] == [
        {"name": "report:report.json", "digest": {"sha256": "a" * 64}},
        {"name": "config:c.yaml", "digest": {"sha256": "c" * 64}},
        {"name": "gated:1:m:f", "digest": {"mlgatesSubject": "f" * 64}},
        {"name": "gated:2:m:f", "digest": {"sha256": "1" * 64}},
    ]  # fmt: skip


def test_no_text_of_a_subject_is_signed():
    text = json.dumps(statements(report("fail", ["4111"]), FILES, SEALING))
    assert "4111" not in text
    assert "secret" not in text


def test_what_our_predicate_carries(made):
    """The numbers of a real run, by which a reader without the folder can judge."""
    lines = (made.report_folder / "attestation.intoto.jsonl").read_bytes().splitlines()
    first, second = (json.loads(base64.b64decode(json.loads(line)["payload"])) for line in lines)
    assert (first["predicateType"], second["predicateType"]) == (TEST_RESULT, GATES)
    said = second["predicate"]
    data = json.loads((made.report_folder / "report.json").read_bytes())
    assert said["outcome"] == data["outcome"]
    assert said["passed"] is True
    for row, whole in zip(said["evidence"], data["evidence"], strict=True):
        assert row["digest"] == whole["digest"]
        assert row["value"] == whole["measurement"]["value"]
        assert row["n"] == whole["measurement"]["n"]
        assert row["limit"] == {"field": "max_chars", "value": 10}
        assert (row["alpha"], row["beta"]) == (None, None)  # a deterministic gate
    files = {file["name"] for file in said["files"]}
    on_disk = {file.name for file in made.report_folder.iterdir()}
    assert files == on_disk - {"attestation.intoto.jsonl"}
