"""Folders as they are handed in: charts, overlays, templates, files that are broken or no manifests."""

from __future__ import annotations

import shutil

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.infra_guardrails import InfraGuardrails
from tests.gate_cases.infra_guardrails import JOB, POOL, run

FAIL, OPEN, PASS = Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS
BAD = JOB.replace("  ttlSecondsAfterFinished: 3600\n", "")
NOBODY = JOB.replace("  labels: {owner: nlp}\n", "")
LESS = "- op: remove\n  path: /spec/ttlSecondsAfterFinished\n"
CHART = "apiVersion: v2\nname: a\nversion: 1.0.0\n"

#: files, verdict, word of the verdict's reason
OVERLAYS = {
    "without a kind": (
        {"base/job.yaml": JOB, "base/kustomization.yaml": "resources: [job.yaml]\n",
         "prod/kustomization.yaml": "resources: [../base]\npatches: [{path: p.yaml}]\n"},
        OPEN, "kustomize build"),
    "of a component": (
        {"job.yaml": JOB, "kustomization.yaml": "resources: [job.yaml]\ncomponents: [c]\n",
         "c/kustomization.yaml": "kind: Component\npatches: [{path: p.yaml}]\n"},
        OPEN, "kustomize build"),
    "from elsewhere": (
        {"job.yaml": JOB, "kustomization.yaml": "resources: [job.yaml, 'https://example.org/a?ref=v1']\n"},
        OPEN, "is fetched from elsewhere"),
    "of a folder that is not there": (
        {"job.yaml": JOB, "Kustomization": "resources: [job.yaml, ../gone]\n"}, OPEN, "is not here"),
    "that patches a broken base": (
        {"job.yaml": BAD, "kustomization.yml": "resources: [job.yaml]\npatches: [{path: p.yaml}]\n"},
        OPEN, "kustomize build"),
    "beside a broken job": (
        {"job.yaml": JOB, "kustomization.yaml": "resources: [job.yaml]\npatches: [{path: p.yaml}]\n",
         "z/other.yaml": BAD}, FAIL, "z/other.yaml"),
    "that sets the owner": (
        {"job.yaml": NOBODY, "kustomization.yaml": "resources: [job.yaml]\nlabels: [{pairs: {owner: a}}]\n"},
        OPEN, "kustomization.yaml may change it"),
    "that sets labels, of a job without TTL": (
        {"job.yaml": BAD, "kustomization.yaml": "resources: [job.yaml]\nlabels: [{pairs: {a: b}}]\n"},
        FAIL, "ttlSecondsAfterFinished"),
    "that only names": (
        {"job.yaml": JOB, "kustomization.yaml": "resources: [job.yaml]\nnamePrefix: a-\nimages: []\n"}, PASS, ""),
    "a chart of charts": (
        {"Chart.yaml": CHART + "dependencies: [{name: gpu-job, version: 1.0.0}]\n", "job.yaml": JOB},
        OPEN, "helm dependency build"),
    "a chart with its charts": (
        {"Chart.yaml": CHART + "dependencies: [{name: b, version: 1.0.0}]\n", "charts/b/Chart.yaml": CHART,
         "job.yaml": JOB}, PASS, ""),
    "what Helm renders in a comment": (
        {"Chart.yaml": CHART, "templates/job.yaml": JOB + "  # {{- toYaml .Values.x | nindent 2 }}\n"},
        OPEN, "helm template"),
}  # fmt: skip


@pytest.mark.parametrize("case", OVERLAYS)
def test_what_is_changed_before_it_is_applied(case):
    files, wanted, says = OVERLAYS[case]
    evidence = run(files)
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)
    assert says in "\n".join([evidence.verdict.reason, *evidence.findings])


def test_one_bad_file_hides_nothing():
    """Each is named, what is no manifest is counted, and what is broken beside them is found."""
    files = {
        "a.yaml": JOB + "  - x: [\n", "b.tf": POOL + 'resource "x" "y" {\n  z = = 1\n}\n',
        "c.json": '{"apiVersion": ', "d.yaml": JOB.encode("utf-16"), "values.yaml": "a: 1\na: 2\n",
    }  # fmt: skip
    evidence = run({**files, "job.yaml": BAD})
    assert evidence.outcome == FAIL
    assert "job.yaml" in evidence.verdict.reason
    found = "\n".join(evidence.findings)
    for place in ("a.yaml:", "b.tf:12", "c.json:1", "d.yaml:1"):
        assert f"not decided: {place}" in found
    assert evidence.measurement.details["passed_over"] == 1
    assert run({**files, "job.yaml": JOB}).outcome == OPEN
    assert run({"values.yaml": files["values.yaml"], "job.yaml": JOB}).outcome == PASS


def test_where_nothing_can_be_read_all_is_named():
    evidence = run({"a.yaml": "kind: [", "b.json": '{"apiVersion": '})
    assert evidence.outcome == Outcome.ERROR
    assert "a.yaml:" in evidence.verdict.reason
    assert "b.json:1" in evidence.verdict.reason


def test_a_broken_block_is_left_out_and_the_rest_is_judged():
    pools = [
        POOL.replace('"gpu"', f'"p{i}"').replace('variable "mail"', f'variable "m{i}"')
        for i in range(4)
    ]
    pools = [p.replace("var.mail", "null") for p in pools]
    pools[1] = pools[1].replace("node_config {", "node_config {{")
    pools[3] = pools[3].replace('["us-central1-a"]', '["us-central1-a", "us-central1-b"]')
    evidence = run({"main.tf": "\n".join(pools)})
    assert evidence.outcome == FAIL
    assert "p3: node_locations are 2 zones" in evidence.findings[0]
    assert evidence.measurement.n == 3
    assert "this is not expected here" in evidence.findings[-1]


@pytest.mark.parametrize(
    "line", ["x = 1e10", "x = -1.5E-3", "x = { if = 1, null : 2 }", "x = <<EOT\nhi\nEOT", "é = 1",
             'x = "${a["b"]}"', "x = a.*.b", "x = b.0.c", "x = f(b...)", 'x = provider::a::b("c")',
             "x = [for k, v in m : v if k != \"\"]", "x = { for k, v in m : k => v... }", "x = (\n a\n ? b\n : c\n)",
             ],
)  # fmt: skip
def test_forms_of_hcl(line):
    assert run({"m.tf": f"{POOL}locals {{\n{line}\n}}\n"}).outcome == PASS


def tool(folder, text, code=0):
    """Write a program that prints what a tool would."""
    folder.mkdir(exist_ok=True)
    (folder / "out.yaml").write_text(text)
    for name in ("kustomize", "helm"):
        path = folder / name
        path.write_text(f'#!/bin/sh\n/bin/cat "{folder}/out.yaml"\nexit {code}\n')
        path.chmod(0o755)


@pytest.mark.parametrize(
    ("by", "files"),
    [
        ("kustomize", {"kustomization.yaml": "resources: [job.yaml]\npatches: [{path: p}]\n", "job.yaml": BAD}),
        ("helm", {"Chart.yaml": CHART, "templates/job.yaml": "{{ if .Values.x }}\n" + BAD + "{{ end }}\n"}),
    ],
)  # fmt: skip
def test_a_tool_is_run_where_the_policy_allows_it(by, files, tmp_path, monkeypatch):
    """Its output is judged in place of the files, and only then."""
    gate = InfraGuardrails(rendered_by=(by,))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    evidence = run(files, gate)
    assert evidence.outcome == OPEN
    assert f"{by} is not on the path" in "\n".join(evidence.findings)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    tool(tmp_path / "bin", JOB)
    assert run(files).outcome == OPEN
    assert run(files, gate).outcome == PASS
    tool(tmp_path / "bin", BAD)
    assert run(files, gate).outcome == FAIL
    tool(tmp_path / "bin", JOB, code=1)
    evidence = run(files, gate)
    assert evidence.outcome == OPEN
    assert "ended with 1" in "\n".join(evidence.findings)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
def test_kubectl_renders_an_overlay():
    files = {
        "base/job.yaml": JOB,
        "base/kustomization.yaml": "resources: [job.yaml]\n",
        "prod/kustomization.yaml": "resources: [../base]\npatches:\n- target: {kind: Job}\n  patch: |-\n"
        + "".join(f"    {line}\n" for line in LESS.splitlines()),
    }
    evidence = run(files, InfraGuardrails(rendered_by=("kustomize",)))
    assert evidence.outcome == FAIL
    assert "prod/kustomization.yaml (kustomize)" in evidence.verdict.reason
    assert evidence.measurement.n == 1


def test_a_long_line_that_is_broken_takes_no_time():
    """As many words as there are, and no bracket: a pattern with two ways to read them never ends."""
    words = "a" * 200 + " b" * 200
    evidence = run({"m.tf": f"{POOL}{words}\n{words} = = 1\n", "job.yaml": JOB})
    assert evidence.outcome == OPEN
