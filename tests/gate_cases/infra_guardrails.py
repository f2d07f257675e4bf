"""What the shared suites ask of ``infra_guardrails``."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.infra_guardrails import InfraGuardrails

SECRETS = ("hunter2-and-more", "ada.lovelace@example.org")

GATE = InfraGuardrails(max_ttl_s=3600, max_deadline_s=86_400)
NAMED = InfraGuardrails(rules=("job_ttl", "one_zone"))

JOB = """\
apiVersion: batch/v1
kind: Job
metadata:
  name: llama
  namespace: training
  labels: {owner: nlp}
spec:
  ttlSecondsAfterFinished: 3600
  activeDeadlineSeconds: 86400
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: train
          env: [{name: TOKEN, value: hunter2-and-more}]
          resources: {limits: {nvidia.com/gpu: 8}}
"""

POOL = """\
variable "mail" { default = "ada.lovelace@example.org" }
resource "google_container_node_pool" "gpu" {
  location       = "us-central1"
  node_locations = ["us-central1-a"]
  node_config {
    machine_type    = "a2-highgpu-1g"
    service_account = var.mail
    resource_labels = { owner = "ada.lovelace@example.org" }
  }
}
"""


def run(files: dict[str, str | bytes], gate: InfraGuardrails = GATE) -> Evidence:
    """Write files into a folder and gate it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return gate.run(folder)


def sound() -> Evidence:
    """Return the evidence on a job and a pool that keep all rules."""
    return run({"k8s/job.yaml": JOB, "terraform/main.tf": POOL})


def flawed() -> Evidence:
    """Return the evidence on those of the incident."""
    job = JOB.replace("  ttlSecondsAfterFinished: 3600\n  activeDeadlineSeconds: 86400\n", "")
    pool = POOL.replace('["us-central1-a"]', '["us-central1-a", "us-central1-b"]')
    return run({"k8s/job.yaml": job, "terraform/main.tf": pool})


def _yaml(old: str, new: str) -> Callable[[], Evidence]:
    assert old in JOB
    return functools.partial(run, {"job.yaml": JOB.replace(old, new)})


def _tf(body: str, head: str = "") -> Callable[[], Evidence]:
    labels = 'metadata { labels = { owner = "nlp" } }'
    text = f'{head}\nresource "kubernetes_job" "a" {{\n  {labels}\n  {body}\n}}\n'
    return functools.partial(run, {"main.tf": text})


_SPEC = "spec {\n ttl_seconds_after_finished = %s\n active_deadline_seconds = 3600\n}"
_BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
)


def _given(value: Any, gate: InfraGuardrails = GATE) -> Callable[[], Evidence]:
    return lambda: gate.run(value)


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "nothing": _given([]),
    "an exhausted iterator": lambda: GATE.run(iter(())),
    "None": _given(None),
    "a number": _given(7),
    "bytes": _given(b"kind: Job"),
    "the text of a manifest for its path": _given(JOB),
    "a path that is not there": _given("no-such-folder/jobs.yaml"),
    "a list of numbers": _given([1, 2]),
    "an empty mapping": _given({}),
    "mappings without a kind": _given([{"spec": {}}]),
    "an empty folder": lambda: run({}),
    "a folder of other files": lambda: run({"README.md": "# Job", "values.csv": "a,b"}),
    "an empty file": lambda: run({"job.yaml": ""}),
    "only comments": lambda: run({"job.yaml": "# kind: Job\n---\n# nothing\n"}),
    "the values of a chart": lambda: run({"values.yaml": "ttlSecondsAfterFinished: 3600\n"}),
    "no job, no GPU": lambda: run(
        {"a.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"}
    ),
    "a deployment without GPUs": lambda: run(
        {
            "job.yaml": JOB.replace("batch/v1", "apps/v1")
            .replace("kind: Job", "kind: Deployment")
            .replace("nvidia.com/gpu", "cpu")
        }
    ),
    "a pool without GPUs": lambda: run(
        {"main.tf": POOL.replace("a2-highgpu-1g", "e2-small").replace('"gpu"', '"cpu"')}
    ),
    "a rule that was named and met nothing": lambda: run({"job.yaml": JOB}, NAMED),
    "broken YAML": lambda: run({"job.yaml": JOB + "  - nothing: [\n"}),
    "a tab": _yaml("  ttlSeconds", "\tttlSeconds"),
    "YAML that is not UTF-8": lambda: run({"job.yaml": JOB.encode("utf-16")}),
    "binary": lambda: run({"job.yaml": bytes(range(32)) * 9}),
    "a duplicate key": _yaml("spec:\n  ttl", "spec:\n  activeDeadlineSeconds: 5\n  ttl"),
    "an alias of nothing": _yaml("3600", "*nothing"),
    "an alias of itself": lambda: run({"a.yaml": "a: &a [*a]\n"}),
    "an alias bomb": lambda: run({"a.yaml": _BOMB}),
    "nested too deep": lambda: run({"a.yaml": "[" * 5000}),
    "a huge file": lambda: run({"a.yaml": "# " + "x" * (9 << 20)}),
    "a template that is not rendered": _yaml("3600", "{{ .Values.ttl }}"),
    "a quoted template": _yaml("3600", '"{{ .Values.ttl }}"'),
    "an envsubst template": _yaml("3600", "${TTL}"),
    "a kind in lower case": _yaml("kind: Job", "kind: job"),
    "a kind that is a list": _yaml("kind: Job", "kind: [Job]"),
    "no kind": _yaml("kind: Job\n", ""),
    "a kind of job that no rule knows": _yaml("batch/v1", "batch.example.org/v1"),
    "an own tag": _yaml("ttlSecondsAfterFinished: 3600", "ttlSecondsAfterFinished: !secret ttl"),
    "a variable without a default": _tf(_SPEC % "var.ttl", 'variable "ttl" {}'),
    "a variable that nobody declared": _tf(_SPEC % "var.ttl"),
    "a local that refers to itself": _tf(_SPEC % "local.a", "locals { a = local.a }"),
    "a data source": _tf(_SPEC % "data.consul_keys.app.var.ttl"),
    "a function that is not known": _tf(_SPEC % 'parseint(file("ttl"), 10)'),
    "an unknown condition": _tf(_SPEC % "var.prod ? 3600 : null"),
    "division by zero": _tf(_SPEC % "1 / 0"),
    "a dynamic block": _tf('dynamic "spec" {\n for_each = var.x\n content {}\n}'),
    "each.value of what is not known": _tf(f"for_each = var.jobs\n{_SPEC % 'each.value.ttl'}"),
    "count of nothing": _tf(f"count = 0\n{_SPEC % '3600'}"),
    "for_each over nothing": _tf(f"for_each = toset([])\n{_SPEC % '3600'}"),
    "a comment": lambda: run({"main.tf": "# ttl_seconds_after_finished = 3600\n"}),
    "a module from a registry": lambda: run(
        {
            "job.yaml": JOB,
            "main.tf": 'module "gke" {\n  source = "terraform-google-modules/gke"\n}\n',
        }
    ),
    "a chart": lambda: run({"job.yaml": JOB, "main.tf": 'resource "helm_release" "a" {}\n'}),
    "a manifest from a file": lambda: run(
        {"main.tf": 'resource "kubernetes_manifest" "a" {\n manifest = yamldecode(file("a"))\n}'}
    ),
    "zones that are a variable": lambda: run(
        {"main.tf": POOL.replace('["us-central1-a"]', "var.zones")}
    ),
    "broken HCL": lambda: run({"main.tf": POOL + "resource {"}),
    "an attribute twice": _tf(_SPEC % "3600\n ttl_seconds_after_finished = 60"),
    "a resource twice": lambda: run({"a.tf": POOL, "b.tf": POOL}),
    "an override file": lambda: run({"main.tf": POOL, "override.tf": POOL}),
    "brackets without end": _tf(_SPEC % ("(" * 3000 + "1" + ")" * 3000)),
    "a plan of nothing": _given({"format_version": "1.2", "planned_values": {"root_module": {}}}),
    "a plan that is broken": _given({"planned_values": {"root_module": {"resources": [7]}}}),
    "broken JSON": lambda: run({"plan.json": '{"planned_values": '}),
    "JSON with a key twice": lambda: run({"a.json": '{"apiVersion": "v1", "apiVersion": "v1"}'}),
    "JSON that is too deep": lambda: run({"a.json": '{"apiVersion":' + "[" * 100_000}),
}
