"""Twenty kinds of identifiers and secrets, planted wherever data reaches evidence: none is shown."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re

import pytest

from pytest_mlgates.core import GateFailed
from pytest_mlgates.core.words import printable
from pytest_mlgates.pii.redact import Redactor

PLANTED = {
    "mail": "ola.nordmann@kommune-mail.example", "card": "5500 0000 0000 0004", "ssn": "219-09-9994",
    "iban": "GB29 NWBK 6016 1331 9268 19", "phone": "+44 20 7946 0958", "ip": "198.51.100.23",
    "mac": "00:1B:44:11:3A:B7", "aws": "AKIAI44QH8DHBEXAMPLE",
    "github": "ghp_9fA3kLmQ2xR7tYv1Zb8Nc4WdEe5Ug6HjKp0S",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvbGEifQ.c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4x",
    "name": "Wilhelmina Oakenshield", "born": "1974-11-02", "address": "17 Privet Lane",
    "passport": "L01X00T52", "record": "MRN 77120943", "vin": "WVWZZZ1JZXW000001", "nhs": "485 777 3456",
    "place": "59.913868, 10.752245", "url": "https://admin:Tr0ub4dor@db.internal/x",
    "password": "Tr0ub4dor-And-3-Staples",
}  # fmt: skip
#: what of each must not be seen
CLEAR = {**PLANTED, "url": "Tr0ub4dor@", "record": "77120943"}

CONFIG = """
version: 1
system: demo
owner: team-a
gates:
  bandwidth_budget: {max_bytes: 1000, shared_uplink: false}
  shadow_divergence: {max_rate: 0.05}
  slice_coverage: {min_count: 5}
  pii_leak: {max_leak_rate: 0.5}
  infra_guardrails: {}
"""

TESTS = f"""
VALUES = {list(PLANTED.values())!r}

def test_sources(bandwidth_budget):
    bandwidth_budget([{{"sent_bytes": 5000 + i, "source": v}} for i, v in enumerate(VALUES)])

def test_slices(slice_coverage):
    slice_coverage([{{"s": VALUES[i % 20]}} for i in range(60)], "s")

def test_shadow(shadow_divergence):
    shadow_divergence(lambda i: 0, lambda i: i % 2, range(1000), slice_of=lambda i: VALUES[i % 20])

def test_replies(pii_leak):
    pii_leak(lambda p: "you are " + p, VALUES)

def test_exception(pii_leak):
    def bad(p): raise ValueError(p)
    pii_leak(bad, VALUES)

def test_files(infra_guardrails, tmp_path):
    job = "apiVersion: batch/v1\\nkind: Job\\nmetadata: {{name: job, labels: {{owner: " + VALUES[0] + "}}}}\\nspec: {{}}\\n"
    (tmp_path / (VALUES[0] + ".yaml")).write_text(job)
    infra_guardrails(tmp_path)

@pytest.mark.parametrize("v", VALUES)
def test_parameters(slice_coverage, v):
    slice_coverage([{{"s": "a"}}] * 9, "s")

def test_claim(slice_coverage):
    slice_coverage([{{"s": "::stop-commands::x"}}, {{"s": "##[add-mask]y"}}], "s")
test_claim.__doc__ = "Checked for " + ", ".join(VALUES)
"""


def texts_of(folder):
    """Return all that is in the files of a report, what the page packs unpacked, by name."""
    found = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
    for packed in re.findall(r'id="packed"[^>]*>([^<]+)<', found["report.html"]):
        found["packed"] = gzip.decompress(base64.b64decode(packed)).decode()
    return found


def test_nothing_planted_is_shown(project, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    project.config(CONFIG)
    project.tests(TESTS)
    result = project.run("-q", "--tb=no", "-rN")
    shown = texts_of(project.report_folder)
    # pytest itself prints no parameter here; what we print is the rest
    shown["terminal"] = "\n".join(result.outlines)
    for place, text in shown.items():
        seen = [k for k, v in CLEAR.items() if v in text or html.escape(v) in text]
        assert seen == [], place
    pieces = json.loads(shown["report.json"])["evidence"]
    assert len([p for p in pieces if "test_parameters" in p["test"]]) == len(PLANTED)
    by_test = {p["test"].partition("::")[2]: p for p in pieces}
    assert by_test["test_slices"]["verdict"]["outcome"] == "fail"
    assert len(by_test["test_slices"]["measurement"]["details"]["slices"]) == len(PLANTED)
    assert not any(re.match(r"\s*::(?!error|warning|notice)", line) for line in result.outlines)
    assert not any("##[" in line for line in result.outlines)
    from pytest_mlgates.report.read import read_report
    from pytest_mlgates.report.replay import replay

    assert [r.fault for r in replay(read_report(project.report_folder)) if r.fault] == []


@pytest.mark.parametrize(
    "frame",
    [
        "{}",
        "it is {} here",
        "x={};",
        "'{}'",
        "({})",
        "Job {}: no TTL",
        "Job {0}/{0}: no TTL",
        "{}.yaml:3",
        "step 3 {} took",
        "invoice {}, line 2",
    ],
)
@pytest.mark.parametrize("kind", PLANTED)
def test_each_kind_in_a_text(kind, frame):
    masked = Redactor().text(frame.format(PLANTED[kind]))
    assert CLEAR[kind] not in masked
    assert "<" in masked
    # nor a part of it that would be enough
    parts = [part for part in re.split(r"[\s\-/@:]+", CLEAR[kind]) if len(part) > 5]
    assert [part for part in parts if part in masked] == []


@pytest.mark.parametrize(
    "text",
    ["left_turn", "turn=left & rain=yes", "New York", "San Francisco", "EU AI Act Article 15", "2026-11-01",
     "A bid leaves before the exchange stops listening.", "Deployment api-server/v1", "38000.00", "(none)",
     "the busiest 60 s began at 1700000000 s: 4.79 Mbit/s", "P99.9 of the stage tokenize", "a" * 64,
     "gate_configs/x.yaml:6", 'CREDIT_CARD "#### #### #### ####" (digest ea8f1cf8)'],
)  # fmt: skip
def test_what_is_nobodys_stays(text):
    assert Redactor().text(text) == text


def test_two_values_stay_two():
    one, two = Redactor().texts(["a@example.org", "b@example.org"]).values()
    assert one != two


@pytest.mark.parametrize(
    ("text", "safe"),
    [("::error::x", ": :error::x"), ("  ::add-mask::x", "  : :add-mask::x"), ("a ##[group]x", "a # #[group]x"),
     ("##vso[task.setvariable]x", "# #vso[task.setvariable]x"), ("t.py::test", "t.py::test"), ("## a", "## a")],
)  # fmt: skip
def test_no_text_is_a_command(text, safe):
    assert printable(text) == safe


def test_an_exception_holds_no_command():
    from pytest_mlgates.core import Evidence, Measurement, Verdict

    seen = Measurement(value=1, unit="", n=1, details={"findings": ["::stop-commands::x"]})
    piece = Evidence(gate="g", policy={}, verdict=Verdict("fail", "r"), measurement=seen)
    assert "\n  ::" not in str(GateFailed(piece))
