"""The same twenty kinds as names: of stages, files, jobs, templates and names, and in what is raised."""

from __future__ import annotations

import html
import json
import re

from tests.plugin.test_redaction import CLEAR, PLANTED, texts_of

CONFIG = """
version: 1
system: demo
owner: team-a
gates:
  p99_latency: {max_ms: 0.5, max_calls: 200}
  infra_guardrails: {}
  name_invariance: {}
  quality_floor: {metric: accuracy, min_value: 0.9}
  lead_time: {max_minutes: 1}
"""

TESTS = f"""
import time
from pytest_mlgates import stage

VALUES = {list(PLANTED.values())!r}
# two capitalised words name kinds and controllers in a manifest, and are shown: docs/threats.md
MANIFESTS = [value for value in VALUES if value != {PLANTED["name"]!r}]

def test_stages(p99_latency):
    def call(value):
        with stage(value):
            time.sleep(0.002)
    p99_latency(call, VALUES)  # obviously too slow: it ends at the first look, or finds no verdict

def test_jobs(infra_guardrails):
    jobs = [
        {{"apiVersion": "batch/v1", "kind": "Job", "metadata": {{"name": v, "namespace": v, "labels": {{"owner": v}}}}, "spec": {{}}}}
        for v in MANIFESTS
    ]
    infra_guardrails(jobs)

def test_files(infra_guardrails, tmp_path):
    for value in MANIFESTS:
        name = value.replace("/", "_") + ".yaml"
        (tmp_path / name).write_text("apiVersion: batch/v1\\nkind: Job\\nmetadata: {{name: j}}\\nspec: {{}}\\n")
    infra_guardrails(tmp_path)

def test_templates(name_invariance):
    name_invariance(lambda text: len(text) % 2, ["{{NAME}} of " + v for v in VALUES], ["Ann", "Al"])

def test_names(name_invariance):
    name_invariance(lambda text: len(text) % 2, ["{{NAME}} has led a team."], MANIFESTS)  # shows names

def test_slices(quality_floor):
    quality_floor(lambda x: 1, range(400), [0] * 400, slice_of=lambda x: VALUES[x % 20])

def test_steps(lead_time):
    def step(): raise RuntimeError(VALUES)
    step.__name__ = step.__qualname__ = VALUES[0]
    lead_time([step])

def test_raised(name_invariance):
    def score(text): raise KeyError(VALUES)
    name_invariance(score, ["{{NAME}} of it"], ["Ann", "Al"])

def test_odd_type(quality_floor):
    Odd = type(VALUES[0], (Exception,), {{}})
    def predict(x): raise Odd(VALUES[1])
    quality_floor(predict, range(400), [0] * 400)
"""


def test_no_name_is_shown(project, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    project.config(CONFIG)
    project.tests(TESTS)
    result = project.run("-q", "--tb=no", "-rN")
    shown = texts_of(project.report_folder)
    shown["terminal"] = "\n".join(result.outlines)
    for place, text in shown.items():
        seen = [k for k, v in CLEAR.items() if v in text or html.escape(v) in text]
        assert seen == [], (place, [re.search(".{60}" + re.escape(CLEAR[k]), text) for k in seen])
    pieces = json.loads(shown["report.json"])["evidence"]
    assert len(pieces) == 9
    by_test = {p["test"].partition("::")[2]: p for p in pieces}
    assert len(by_test["test_stages"]["measurement"]["details"]["slowest"]["stages"]) > 1
