"""The formats that other tools read, validated against those tools' own schemas."""

from __future__ import annotations

import dataclasses
import gzip
import json
import random
import re
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
import regress
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_mlgates.config.controls import all_controls, look_up
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.waivers import Waiver
from pytest_mlgates.core import Evidence, Measurement, Role, Verdict
from pytest_mlgates.core.words import place
from pytest_mlgates.report.build import build
from pytest_mlgates.report.model import EntryInfo, Scope
from pytest_mlgates.report.notes import github, notes
from pytest_mlgates.writers import oscal as oscal_writer
from pytest_mlgates.writers import sarif as sarif_writer
from pytest_mlgates.writers.gitlab import code_quality
from pytest_mlgates.writers.oscal import oscal, token
from pytest_mlgates.writers.sarif import sarif

SCHEMAS = Path(__file__).parents[1] / "schemas"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FACTS = {"started": NOW.isoformat(), "finished": NOW.isoformat()}
HOSTILE = "<b>\x1b[31m \u202e \x00 [x](http://y) {0} `c` | % , :: \nnext 'é"
STATES = ("pass", "fail", "inconclusive", "error")


def _pattern(validator, pattern, instance, schema):
    """Judge a pattern as the standard's own dialect (ECMAScript) does; ``re`` has no \\p{L}."""
    if isinstance(instance, str) and regress.Regex(pattern, "u").find(instance) is None:
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


def _validator(file, base):
    schema = json.loads((SCHEMAS / file).read_text("utf-8"))
    kind = jsonschema.validators.extend(base, {"pattern": _pattern})
    return kind(schema, format_checker=base.FORMAT_CHECKER)


SARIF = _validator("sarif-2.1.0-rtm.5.json", jsonschema.Draft4Validator)
OSCAL = _validator("oscal-ar-1.2.3.json", jsonschema.Draft7Validator)


def piece(outcome="pass", **about):
    known = {
        "gate": "p99_latency", "policy": {"max_ms": 12.0, "alpha": 1e-4}, "limit": "max_ms",
        "system": "s", "entry": "a", "test": "tests/test_it.py::test_a", "source": "g c/s.yaml:6",
        "verdict": Verdict(outcome, "P99 is 8 ms"), "subject": "m:f", "subject_digest": "d" * 64,
        "measurement": Measurement(value=8.0, unit="ms", n=500, interval=(7.0, 9.0)),
    }  # fmt: skip
    return Evidence(**known | about)


def report(evidence, waivers=(), lost=(), named=("EU-AI-Act:Art-15", "HIPAA", "ours:1"), **profile):
    entries = tuple(
        EntryInfo(entry=e, gate="p99_latency", source=f"g c/s.yaml:{i}")
        for i, e in enumerate("ab", 6)
    )
    table = all_controls()
    scope = Scope(
        path="g c/s.yaml", sha256="0" * 64, system="s", owner="o", controls=named,
        entries=entries, profile=Profile(**profile), waivers=waivers,
        known_controls=tuple(c for name in named for c in look_up(name, table)),
    )  # fmt: skip
    return build(list(evidence), [scope], list(lost), FACTS, NOW)


WAIVER = Waiver(
    gate="a", reason="known [x](y)", approved_by="b", owner="o", expires="2026-12-31", source="c:1"
)

pieces = st.builds(
    lambda outcome, role, entry, text, bare, test: piece(
        outcome, role=role, entry=entry, test=f"{test}{text}", subject=text, claim=text,
        source="" if bare else "g c/s.yaml:6", verdict=Verdict(outcome, text),
        subject_digest=None if bare else "e" * 64,
        measurement=None if bare else Measurement(value=1, unit=text, n=3, details={"findings": [text]}),
    ),
    st.sampled_from(STATES), st.sampled_from(list(Role)), st.sampled_from(["a", "b", "stray"]),
    st.sampled_from(["plain", "", HOSTILE, "x" * 5000]) | st.text(max_size=20), st.booleans(),
    st.sampled_from(["t1", "t2"]),
)  # fmt: skip
reports = st.builds(
    lambda found, waived, lost, named, inconclusive: report(
        found, [WAIVER] if waived else [], lost, named, inconclusive=inconclusive
    ),
    st.lists(pieces, max_size=5), st.booleans(), st.lists(st.just(HOSTILE), max_size=1),
    st.sampled_from([(), ("EU-AI-Act",), ("our policy: §7 (b)", "HIPAA:164.312(b)")]),
    st.sampled_from(["warn", "fail"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(reports)
def test_every_report_is_valid(made):
    for validator, written in ((SARIF, sarif(made)), (OSCAL, oscal(made))):
        data = json.loads(json.dumps(written))
        assert [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(data)] == []
    for text in (json.dumps(sarif(made)), json.dumps(oscal(made))):
        shown = json.dumps(json.loads(text), ensure_ascii=False)
        assert not re.search(r"[\x00-\x1f\u202e]", shown)
    for issue in code_quality(made):
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["location"]["path"]
        assert issue["location"]["lines"]["begin"] >= 1
    for command in github(made):
        assert re.fullmatch(r"::(error|warning|notice) [^\n\r]*::[^\n\r]*", command)


def results(made):
    return sarif(made)["runs"][0]["results"]


@pytest.mark.parametrize(
    ("outcome", "role", "kind", "level"),
    [
        ("fail", "gate", "fail", "error"),
        ("error", "gate", "fail", "error"),
        ("inconclusive", "gate", "open", None),
        ("pass", "known_bad", "fail", "error"),
        ("inconclusive", "known_bad", "fail", "error"),
    ],
)
def test_sarif_kinds(outcome, role, kind, level):
    found = [r for r in results(report([piece(outcome, role=role)])) if "digest" in r.get("properties", {})]  # fmt: skip
    assert [(r["kind"], r.get("level")) for r in found] == [(kind, level)]


@pytest.mark.parametrize(("outcome", "role"), [("pass", "gate"), ("fail", "known_bad")])
def test_what_passed_is_no_alert(outcome, role):
    """Code scanners make an alert of every result, whatever its kind."""
    made = report([piece(outcome, role=role)])
    assert [r["ruleId"] for r in results(made)] == ["p99_latency/missing"] * len(made.missing)
    assert sarif(made)["runs"][0]["properties"]["passed"] == 1


def test_what_is_undecided_or_missing_is_a_warning_of_its_own_rule():
    made = sarif(report([piece("inconclusive")]))["runs"][0]
    levels = {r["id"]: r["defaultConfiguration"]["level"] for r in made["tool"]["driver"]["rules"]}
    assert {r["ruleId"]: levels[r["ruleId"]] for r in made["results"]} == {
        "p99_latency/undecided": "warning", "p99_latency/missing": "warning",
    }  # fmt: skip
    assert all(rule["fullDescription"]["text"] for rule in made["tool"]["driver"]["rules"])


def test_results_on_one_line_are_told_apart_by_github():
    made = report([piece("fail", test=f"t{i}") for i in range(4)])
    hashes = [r["partialFingerprints"]["primaryLocationLineHash"] for r in results(made)]
    assert len(set(hashes)) == len(hashes)
    assert all(re.fullmatch("[0-9a-f]{16}:1", one) for one in hashes)


def test_a_log_of_26_000_failures_keeps_the_limits_of_github():
    """At most 5,000 results are shown of a run, and a file has at most 10 MB compressed.

    Source: docs.github.com, "SARIF support for code scanning", validating your file.
    """
    one = piece("fail", verdict=Verdict("fail", "x" * 2_000), claim="c" * 500)
    pieces = [dataclasses.replace(one, test=f"t.py::test[{i}]") for i in range(26_000)]
    run = sarif(report(pieces))["runs"][0]
    assert len(run["results"]) == 5_000
    assert "results of lesser weight are in report.json only" in json.dumps(run["invocations"])
    assert len(gzip.compress(json.dumps(run).encode(), 1)) < 10_000_000
    rules = run["tool"]["driver"]["rules"]
    assert len(rules) < 25_000
    assert all(len(r["shortDescription"]["text"]) <= 1024 for r in rules)


def test_a_log_of_texts_that_do_not_compress_keeps_them_too():
    chance = random.Random(2)

    def noise(count):
        return "".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(count))

    pieces = [piece("fail", test=f"{i}{noise(800)}", verdict=Verdict("fail", noise(900))) for i in range(3_000)]  # fmt: skip
    run = sarif(report(pieces))["runs"][0]
    text = json.dumps(run, indent=1, ensure_ascii=False).encode()
    assert len(gzip.compress(text, 6)) < 10_000_000
    assert 500 < len(run["results"]) < 3_000
    assert "results of lesser weight are in report.json only" in json.dumps(run["invocations"])


@pytest.mark.parametrize(
    ("found", "waivers"),
    [([], []), ([piece()], []), ([piece("fail"), piece("fail", role="known_bad", test="t2")], [1, 2]),
     ([piece(HOSTILE and "error", test=HOSTILE, subject=HOSTILE)], [])],
)  # fmt: skip
def test_oscal_is_read_by_trestle(found, waivers, tmp_path):
    """compliance-trestle: its models, and ids that are there once. It is of OSCAL 1.2.1."""
    results = pytest.importorskip(
        "trestle.oscal.assessment_results", reason="pip install compliance-trestle"
    )
    catalog = pytest.importorskip("trestle.core.validator_factory")
    made = oscal(report(found, [dataclasses.replace(WAIVER, source=f"c:{n}") for n in waivers]))
    made["assessment-results"]["metadata"]["oscal-version"] = "1.2.1"
    (tmp_path / "ar.json").write_text(json.dumps(made))
    read = results.AssessmentResults.oscal_read(tmp_path / "ar.json")
    assert read.uuid == made["assessment-results"]["uuid"]
    import argparse

    for name in ("duplicates", "refs"):
        checker = catalog.validator_factory.get(
            argparse.Namespace(mode=name, type="x", quiet=False)
        )
        assert checker.model_is_valid(read, quiet=False, trestle_root=tmp_path), name


def test_a_killed_run_is_a_blocker_for_gitlab():
    made = report([piece()], lost=["the run has not ended"])
    blocker = next(code_quality(made))
    assert (blocker["severity"], blocker["check_name"]) == ("blocker", "mlgates")
    assert "the run has not ended" in blocker["description"]
    prints = [issue["fingerprint"] for issue in code_quality(made)]
    assert len(set(prints)) == len(prints)


def test_oscal_names_who_answers_and_what_measured():
    made = oscal(report([piece()]))["assessment-results"]
    (party,) = made["metadata"]["parties"]
    assert made["metadata"]["responsible-parties"][0]["party-uuids"] == [party["uuid"]]
    result = made["results"][0]
    known = {c["uuid"] for c in result["local-definitions"]["components"]}
    for observation in result["observations"]:
        assert {a["actor-uuid"] for o in observation["origins"] for a in o["actors"]} <= known


def test_two_waivers_of_an_entry_have_two_ids():
    one = dataclasses.replace(WAIVER, expires="2099-01-01", source="g c/s.yaml:20")
    made = oscal(report([piece("fail")], [WAIVER, one]))["assessment-results"]["results"][0]
    assert len({risk["uuid"] for risk in made["risks"]}) == len(made["risks"]) == 2


def test_sarif_points_at_the_config_and_says_what_is_missing():
    made = report([piece("fail", verdict=Verdict("fail", "see [x](y) {0}"))])
    missing, failed = results(made)
    where = failed["locations"][0]["physicalLocation"]
    assert where["artifactLocation"] == {"uri": "g%20c/s.yaml", "uriBaseId": "SRCROOT"}
    assert where["region"] == {"startLine": 6}
    assert failed["message"]["text"] == "see [x] (y) {{0}}"
    assert [taxon["id"] for taxon in failed["taxa"]] == [
        "EU-AI-Act:Art-15", "HIPAA:164.308(a)(8)", "HIPAA:164.312(b)", "ours:1",
    ]  # fmt: skip
    assert "b is configured and left no evidence" in missing["message"]["text"]
    assert missing["kind"] == "open"


def test_a_fingerprint_outlives_the_numbers():
    first, second = (
        results(report([piece("fail", verdict=Verdict("fail", text))]))[1] for text in ("a", "b")
    )
    assert first["message"] != second["message"]
    assert first["partialFingerprints"] == second["partialFingerprints"]


def test_a_waiver_is_a_suppression_and_a_risk():
    made = report([piece("fail")], [WAIVER])
    (waived,) = [r for r in results(made) if "suppressions" in r]
    assert waived["kind"] == "fail"
    assert "approved by b" in waived["suppressions"][0]["justification"]
    result = oscal(made)["assessment-results"]["results"][0]
    assert [risk["status"] for risk in result["risks"]] == ["deviation-approved"]
    assert result["findings"][0]["related-risks"] == [{"risk-uuid": result["risks"][0]["uuid"]}]
    (note, _) = notes(made)
    assert (note.level, note.title) == ("notice", "s: a WAIVED")


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        ("pass", "satisfied", "pass"),
        ("fail", "not-satisfied", "fail"),
        ("inconclusive", "not-satisfied", "other"),
        ("error", "not-satisfied", "other"),
    ],
)
def test_oscal_states(outcome, state, reason):
    first, missing = oscal(report([piece(outcome)]))["assessment-results"]["results"][0]["findings"]
    assert first["target"]["status"] == {"state": state, "reason": reason}
    assert first["props"][0]["value"] == outcome
    assert missing["target"]["status"] == {"state": "not-satisfied", "reason": "other"}
    assert missing["props"][0]["value"] == "missing"


def test_the_same_report_gives_the_same_documents():
    assert oscal(report([piece()])) == oscal(report([piece()]))
    assert oscal(report([piece()])) != oscal(report([piece("fail")]))


def test_what_is_left_out_is_said(monkeypatch):
    monkeypatch.setattr(sarif_writer, "MAX_RESULTS", 3)
    monkeypatch.setattr(oscal_writer, "MAX_OBSERVATIONS", 3)
    made = report([piece("fail" if i == 4 else "inconclusive", test=f"t{i}") for i in range(5)])
    run = sarif(made)["runs"][0]
    assert len(run["results"]) == 3
    assert run["results"][1]["kind"] == "fail"
    notes_ = run["invocations"][0]["toolExecutionNotifications"]
    assert notes_[0]["message"]["text"] == "3 results of lesser weight are in report.json only"
    result = oscal(made)["assessment-results"]["results"][0]
    assert len(result["observations"]) == 3
    assert result["description"].startswith("2 more observations")
    assert list(OSCAL.iter_errors(oscal(made))) == []


def test_levels_of_annotations_follow_the_rules_of_the_profile():
    warned = report([piece("inconclusive")], inconclusive="warn")
    assert [n.level for n in notes(warned)] == ["warning", "warning"]
    failed = report([piece("inconclusive")], inconclusive="fail", complete=True)
    assert [n.level for n in notes(failed)] == ["error", "error"]
    assert [n.level for n in notes(report([piece(), piece(entry="b")]))] == []


def test_annotations_begin_with_what_is_lost_then_errors():
    """GitHub takes ten of a level, and a reader fewer."""
    found = [piece("inconclusive"), piece("fail", entry="b", test="t2")]
    made = report(found, lost=["a worker died"], inconclusive="warn")
    levels = [line.split()[0] for line in github(made)]
    assert levels == ["::error", "::error", "::warning"]
    assert "a worker died" in next(github(made))


def test_places():
    assert place("C:/x/c.yaml:12") == ("C:/x/c.yaml", 12)
    assert place("no line") == ("no line", 1)
    assert place("") == ("", 1)
    assert token("§7") == "_7"


def test_a_run_that_has_not_ended_leaves_no_result_of_an_earlier_one(tmp_path):
    oscal_writer.write(report([piece()]), tmp_path)
    assert (tmp_path / "oscal-assessment-results.json").exists()
    open_ = dataclasses.replace(report([]), environment={"started": NOW.isoformat()})
    oscal_writer.write(open_, tmp_path)
    assert not (tmp_path / "oscal-assessment-results.json").exists()
