"""Manifests that are sound and look bad, and such that are bad and look sound."""

from __future__ import annotations

import json
import textwrap
from typing import get_args

import pytest
import yaml

from pytest_mlgates.core import Measurement, Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.infra_guardrails import InfraGuardrails
from pytest_mlgates.gates.infra_guardrails.gate import RuleName
from pytest_mlgates.gates.infra_guardrails.rules import RULES
from tests.gate_cases.infra_guardrails import JOB, POOL, run

PASS, FAIL, OPEN = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE

ENDS = InfraGuardrails(rules=("job_ttl", "job_deadline"))
ZONE = InfraGuardrails(rules=("one_zone",))
OWNER = InfraGuardrails(rules=("owner_label",))
GPUS = InfraGuardrails(rules=("gpu_limits",))
VOLUMES = InfraGuardrails(rules=("volume_reclaim",))


def job(spec, *, kind="Job", api="batch/v1", metadata="{name: a}"):
    body = textwrap.indent(textwrap.dedent(spec), "  ")
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {metadata}\nspec:\n{body}\n"


CRON = """\
schedule: "0 3 * * *"
{limits}
jobTemplate:
  spec:
    activeDeadlineSeconds: 600
    template: {{spec: {{containers: [{{name: a}}]}}}}
"""

#: name, manifest, outcome, and what a finding says
YAML = [
    ("ttl and deadline", job("ttlSecondsAfterFinished: 60\nactiveDeadlineSeconds: 60"), PASS, ""),
    (
        "in flow style, with anchors",
        (
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n"
            "spec: {ttlSecondsAfterFinished: &s 60, activeDeadlineSeconds: *s}\n"
        ),
        PASS,
        "",
    ),
    (
        "from a merge key",
        (
            "x: &ends {ttlSecondsAfterFinished: 60, activeDeadlineSeconds: 60}\n"
            "apiVersion: batch/v1\nkind: Job\nspec:\n  <<: *ends\n  parallelism: 2\n"
        ),
        PASS,
        "",
    ),
    (
        "overridden after a merge",
        (
            "x: &ends {ttlSecondsAfterFinished: 60, activeDeadlineSeconds: 60}\n"
            "apiVersion: batch/v1\nkind: Job\nspec:\n  <<: *ends\n  ttlSecondsAfterFinished: null\n"
        ),
        FAIL,
        "m.yaml:6: Job: ttlSecondsAfterFinished is null",
    ),
    (
        "no ttl",
        job("activeDeadlineSeconds: 60"),
        FAIL,
        "m.yaml:4: Job a: no ttlSecondsAfterFinished",
    ),
    ("no spec", "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n", FAIL, "no ttlSeconds"),
    ("a spec of nothing", "apiVersion: batch/v1\nkind: Job\nspec:\n", FAIL, "no ttlSeconds"),
    ("0", job("ttlSecondsAfterFinished: 0\nactiveDeadlineSeconds: 60"), FAIL, "is 0"),
    ("-1", job("ttlSecondsAfterFinished: 60\nactiveDeadlineSeconds: -1"), FAIL, "must be positive"),
    ("a text", job('ttlSecondsAfterFinished: "60"\nactiveDeadlineSeconds: 60'), FAIL, "in quotes?"),
    ("1h", job("ttlSecondsAfterFinished: 1h\nactiveDeadlineSeconds: 60"), FAIL, "is a text"),
    (
        "true",
        job("ttlSecondsAfterFinished: true\nactiveDeadlineSeconds: 60"),
        FAIL,
        "true or false",
    ),
    ("1.5", job("ttlSecondsAfterFinished: 1.5\nactiveDeadlineSeconds: 60"), FAIL, "a fraction"),
    ("6e1", job("ttlSecondsAfterFinished: 6e1\nactiveDeadlineSeconds: 60"), PASS, ""),
    ("a list", job("ttlSecondsAfterFinished: [60]\nactiveDeadlineSeconds: 60"), FAIL, "is a list"),
    ("~", job("ttlSecondsAfterFinished: ~\nactiveDeadlineSeconds: 60"), FAIL, "is null"),
    ("1e400", job("ttlSecondsAfterFinished: 1e400\nactiveDeadlineSeconds: 60"), FAIL, "is a text"),
    (
        "9" * 400,
        job(f"ttlSecondsAfterFinished: {'9' * 400}\nactiveDeadlineSeconds: 6"),
        FAIL,
        "at most",
    ),
    (
        "a year",
        job("ttlSecondsAfterFinished: 31536000\nactiveDeadlineSeconds: 60"),
        FAIL,
        "at most 86400",
    ),
    (
        "on the pod template",
        job("template:\n  ttlSecondsAfterFinished: 60\n  spec: {activeDeadlineSeconds: 60}"),
        FAIL,
        "ttlSecondsAfterFinished on line 6 stands where it does not count",
    ),
    (
        "in the metadata",
        job("activeDeadlineSeconds: 60", metadata="{name: a, ttlSecondsAfterFinished: 60}"),
        FAIL,
        "on line 3 stands where",
    ),
    (
        "beside the spec",
        job("activeDeadlineSeconds: 60") + "ttlSecondsAfterFinished: 60\n",
        FAIL,
        "on line 6 stands where",
    ),
    (
        "misspelled",
        job("ttlSecondAfterFinished: 60\nactiveDeadlineSeconds: 60"),
        FAIL,
        "ttlSecondAfterFinished is not a field: ttlSecondsAfterFinished is meant",
    ),
    (
        "in lower case",
        job("ttlsecondsafterfinished: 60\nactiveDeadlineSeconds: 60"),
        FAIL,
        "stands where it does not count",
    ),
    (
        "the second of three documents",
        "---\n" + JOB + "---\n" + job("{}") + "---\n" + JOB.replace("llama", "b"),
        FAIL,
        "m.yaml:22: Job a: no ttl",
    ),
    (
        "an item of a List",
        (
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: batch/v1\n  kind: Job\n"
            "  metadata: {name: deep}\n  spec: {activeDeadlineSeconds: 60}\n"
        ),
        FAIL,
        "m.yaml:7: Job deep: no ttl",
    ),
    (
        "a ConfigMap that holds a job as text",
        JOB
        + "---\napiVersion: v1\nkind: ConfigMap\ndata:\n  job: |\n    kind: Job\n    spec: {}\n",
        PASS,
        "",
    ),
    (
        "a Deployment is no job",
        JOB
        + "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 2}\n",
        PASS,
        "",
    ),
    (
        "somebody else's YAML beside it",
        JOB + "---\non: push\njobs: {build: {steps: [{run: make}]}}\n",
        PASS,
        "",
    ),
    (
        "a CronJob without ttl",
        job(CRON.format(limits=""), kind="CronJob"),
        FAIL,
        "CronJob a: no ttl",
    ),
    (
        "a CronJob that keeps three",
        job(CRON.format(limits="successfulJobsHistoryLimit: 3"), kind="CronJob"),
        FAIL,
        "CronJob a: no ttl",
    ),
    (
        "a CronJob that keeps none",
        job(
            CRON.format(limits="successfulJobsHistoryLimit: 0\nfailedJobsHistoryLimit: 0"),
            kind="CronJob",
        ),
        PASS,
        "",
    ),
    (
        "on the CronJob, not on its template",
        job(CRON.format(limits="ttlSecondsAfterFinished: 60"), kind="CronJob"),
        FAIL,
        "stands where it does not count",
    ),
    (
        "a PyTorchJob",
        job(
            "runPolicy: {ttlSecondsAfterFinished: 60, activeDeadlineSeconds: 60}",
            kind="PyTorchJob",
            api="kubeflow.org/v1",
        ),
        PASS,
        "",
    ),
    (
        "an MPIJob with both beside its runPolicy",
        job(
            "ttlSecondsAfterFinished: 60\nactiveDeadlineSeconds: 60\nrunPolicy: {}",
            kind="MPIJob",
            api="kubeflow.org/v2beta1",
        ),
        FAIL,
        "stands where it does not count",
    ),
    (
        "a RayJob that shuts down",
        job(
            "shutdownAfterJobFinishes: true\nttlSecondsAfterFinished: 60\nactiveDeadlineSeconds: 60",
            kind="RayJob",
            api="ray.io/v1",
        ),
        PASS,
        "",
    ),
    (
        "a RayJob whose cluster stays",
        job(
            "ttlSecondsAfterFinished: 60\nactiveDeadlineSeconds: 60", kind="RayJob", api="ray.io/v1"
        ),
        FAIL,
        "works only with shutdownAfterJobFinishes",
    ),
]


@pytest.mark.parametrize(
    ("text", "wanted", "says"), [case[1:] for case in YAML], ids=[case[0][:40] for case in YAML]
)
def test_jobs(text, wanted, says):
    evidence = run({"m.yaml": text}, ENDS)
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)
    assert says in "\n".join(evidence.findings)


def tf_job(spec, head="", meta=""):
    return f'{head}\nresource "kubernetes_job_v1" "a" {{\n{meta}\nspec {{\n{spec}\n}}\n}}\n'


BOTH = "ttl_seconds_after_finished = {0}\nactive_deadline_seconds = {0}"

TERRAFORM = [
    ("numbers", tf_job(BOTH.format(60)), PASS, ""),
    ("a text, which Terraform converts", tf_job(BOTH.format('"60"')), PASS, ""),
    ("0", tf_job(BOTH.format(0)), FAIL, "is 0"),
    ("-1", tf_job(BOTH.format(-1)), FAIL, "is -1: it must be positive"),
    ("null", tf_job(BOTH.format("null")), FAIL, "ttl_seconds_after_finished is null"),
    ("arithmetic", tf_job(BOTH.format("60 * (24 - 23) + 1")), PASS, ""),
    ("a fraction", tf_job(BOTH.format("10 / 4")), FAIL, "a fraction"),
    ("too long", tf_job(BOTH.format("7 * 24 * 3600")), FAIL, "is 604800, at most 86400"),
    ("a default", tf_job(BOTH.format("var.t"), 'variable "t" {\n default = 60\n}'), PASS, ""),
    (
        "a default of 0",
        tf_job(BOTH.format("var.t"), 'variable "t" {\n default = 0\n}'),
        FAIL,
        "is 0",
    ),
    (
        "a default of null",
        tf_job(BOTH.format("var.t"), 'variable "t" {\n default = null\n}'),
        FAIL,
        "null",
    ),
    (
        "through locals and an object",
        tf_job(BOTH.format("local.ends.ttl"), "locals {\n h = 60\n ends = { ttl = local.h }\n}"),
        PASS,
        "",
    ),
    ("an index", tf_job(BOTH.format("local.l[1]"), "locals { l = [1, 60] }"), PASS, ""),
    ("a known condition", tf_job(BOTH.format("true ? 60 : null")), PASS, ""),
    ("a condition of no effect", tf_job(BOTH.format("var.x ? 60 : 60")), PASS, ""),
    ("a template", tf_job(BOTH.format('"${30 + 30}"')), PASS, ""),
    ("max", tf_job(BOTH.format("max(60, 30)")), PASS, ""),
    ("coalesce", tf_job(BOTH.format("coalesce(null, 60)")), PASS, ""),
    (
        "coalesce of what is not known",
        tf_job(BOTH.format("coalesce(var.t, 60)")),
        OPEN,
        "coalesce(var.t",
    ),
    ("count", tf_job(BOTH.format("60 + count.index"), meta="count = 2"), PASS, ""),
    (
        "one instance is wrong",
        tf_job(BOTH.format("60 * count.index"), meta="count = 2"),
        FAIL,
        "a[0]: ",
    ),
    (
        "for_each over a map",
        tf_job(BOTH.format("each.value.t"), meta="for_each = { x = { t = 60 }, y = { t = 0 } }"),
        FAIL,
        'kubernetes_job_v1.a["y"]: ttl_seconds_after_finished is 0',
    ),
    (
        "constant in an unknown for_each",
        tf_job(BOTH.format(60), meta="for_each = var.jobs"),
        PASS,
        "",
    ),
    (
        "a dynamic block over a list",
        (
            'resource "kubernetes_job" "a" {\n dynamic "spec" {\n for_each = [60]\n'
            f" content {{\n{BOTH.format('spec.value')}\n }}\n }}\n}}\n"
        ),
        PASS,
        "",
    ),
    (
        "only in a comment",
        tf_job("# ttl_seconds_after_finished = 60\nactive_deadline_seconds = 60 /* ttl = 1 */"),
        FAIL,
        "no ttl_seconds_after_finished",
    ),
    (
        "in the metadata",
        tf_job(
            "active_deadline_seconds = 60", meta="metadata {\n ttl_seconds_after_finished = 60\n}"
        ),
        FAIL,
        "stands where it does not count",
    ),
    (
        "on the pod",
        tf_job(
            "template {\n spec {\n active_deadline_seconds = 60\n }\n}\nttl_seconds_after_finished = 60"
        ),
        FAIL,
        "active_deadline_seconds on line 7 stands where it does not count",
    ),
    (
        "misspelled",
        tf_job("ttl_seconds_after_finish = 60\nactive_deadline_seconds = 60"),
        FAIL,
        "ttl_seconds_after_finish is not a field",
    ),
    (
        "a cron job",
        'resource "kubernetes_cron_job_v1" "a" {\nspec {\njob_template {\nmetadata {}\nspec {\n'
        + BOTH.format(60)
        + "\n}\n}\n}\n}\n",
        PASS,
        "",
    ),
    (
        "a manifest, in which a text is no number",
        (
            'resource "kubernetes_manifest" "a" {\n manifest = {\n apiVersion = "batch/v1"\n kind = "Job"\n'
            ' spec = { ttlSecondsAfterFinished = "60", activeDeadlineSeconds = 60 }\n }\n}\n'
        ),
        FAIL,
        "m.tf:5: Job: ttlSecondsAfterFinished is a text",
    ),
    (
        "YAML in a heredoc",
        (
            'resource "kubectl_manifest" "a" {\n  yaml_body = <<-YAML\n    apiVersion: batch/v1\n'
            "    kind: Job\n    spec: {activeDeadlineSeconds: 60}\n  YAML\n}\n"
        ),
        FAIL,
        "m.tf:5: Job: no ttl",
    ),
]


@pytest.mark.parametrize(
    ("text", "wanted", "says"), [c[1:] for c in TERRAFORM], ids=[c[0][:40] for c in TERRAFORM]
)
def test_jobs_of_terraform(text, wanted, says):
    evidence = run({"m.tf": text}, ENDS)
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)
    assert says in "\n".join(evidence.findings)


def pool(attributes, *, kind="google_container_node_pool", label="gpu", more=""):
    return f'resource "{kind}" "{label}" {{\n{attributes}\n}}\n{more}'


GPU = 'node_config {\n guest_accelerator {\n type = "nvidia-l4"\n count = 1\n }\n}'
REGIONAL = (
    'resource "google_container_cluster" "c" {\n name = "train"\n location = "us-central1"\n%s\n}\n'
)
SUBNETS = "".join(
    f'resource "aws_subnet" "{name}" {{\n availability_zone = "us-east-1{zone}"\n}}\n'
    for name, zone in (("a", "a"), ("b", "b"), ("c", "a"))
)
EKS = {"kind": "aws_eks_node_group", "label": "train"}
P4 = 'instance_types = ["p4d.24xlarge"]\n'

ZONES = [
    ("the fix of the case", pool('node_locations = ["us-central1-a"]'), PASS, ""),
    ("two zones", pool('node_locations = ["us-central1-a", "us-central1-b"]'), FAIL, "2 zones"),
    ("one zone twice", pool('node_locations = ["us-central1-a", "us-central1-a"]'), PASS, ""),
    ("a set of one", pool('node_locations = toset(["us-central1-a"])'), PASS, ""),
    ("no zone", pool("node_locations = []"), FAIL, "no node_locations"),
    ("null", pool("node_locations = null"), FAIL, "no node_locations"),
    ("a text", pool('node_locations = "us-central1-a"'), FAIL, "is not a list"),
    ("an empty name", pool('node_locations = [""]'), FAIL, "not a zone"),
    ("a region, no zones", pool('location = "us-central1"'), FAIL, "in every zone of us-central1"),
    ("a zone for its location", pool('location = "us-central1-a"'), PASS, ""),
    ("an unknown location", pool("location = var.location"), OPEN, "var.location"),
    ("one zone that is not known", pool("node_locations = [var.zone]"), PASS, ""),
    ("two that are not known", pool("node_locations = [var.a, var.b]"), OPEN, "var.a"),
    ("one known, one not", pool('node_locations = ["us-central1-a", var.b]'), OPEN, "var.b"),
    (
        "one pool for each zone",
        pool('for_each = toset(["us-central1-a", "us-central1-b"])\nnode_locations = [each.value]'),
        PASS,
        "",
    ),
    (
        "zones by count",
        pool("count = 2\nnode_locations = [element(local.z, count.index)]")
        + 'locals { z = ["us-central1-a", "us-central1-b"] }\n',
        PASS,
        "",
    ),
    (
        "the first of a list",
        pool("node_locations = slice(local.z, 0, 1)") + "locals { z = [1, 2] }",
        FAIL,
        "",
    ),
    (
        "a CPU pool in three zones",
        pool('node_locations = ["a-1-a", "a-1-b", "a-1-c"]', label="web") + POOL,
        PASS,
        "",
    ),
    (
        "a CPU machine in a pool that is called gpu",
        pool('node_locations = ["a", "b"]\nnode_config {\n machine_type = "n2-standard-4"\n}')
        + POOL.replace('"gpu"', '"x"'),
        PASS,
        "",
    ),
    (
        "an accelerator in a pool of another name",
        pool(GPU, label="batch"),
        FAIL,
        "no node_locations",
    ),
    (
        "the location of its cluster",
        pool(f"cluster = google_container_cluster.c.name\n{GPU}") + REGIONAL % "",
        FAIL,
        "in every zone of us-central1",
    ),
    (
        "the one zone of its cluster",
        pool(f"cluster = google_container_cluster.c.id\n{GPU}")
        + REGIONAL % 'node_locations = ["us-central1-f"]',
        PASS,
        "",
    ),
    (
        "two zones of its cluster",
        pool(f"cluster = google_container_cluster.c.id\n{GPU}")
        + REGIONAL % 'node_locations = ["us-central1-f", "us-central1-a"]',
        FAIL,
        "node_locations of the cluster are 2 zones",
    ),
    (
        "its own zone, whatever its cluster has",
        pool(f'cluster = google_container_cluster.c.id\nnode_locations = ["us-central1-f"]\n{GPU}')
        + REGIONAL % 'node_locations = ["us-central1-f", "us-central1-a"]',
        PASS,
        "",
    ),
    (
        "the default pool of a cluster",
        pool(f'location = "us-central1"\n{GPU}', kind="google_container_cluster", label="c"),
        FAIL,
        "no node_locations",
    ),
    (
        "a default pool that is removed",
        pool(
            f'location = "us-central1"\nremove_default_node_pool = true\n{GPU}',
            kind="google_container_cluster",
            label="c",
        )
        + POOL,
        PASS,
        "",
    ),
    ("EKS, one subnet", pool(P4 + "subnet_ids = [module.vpc.private_subnets[0]]", **EKS), PASS, ""),
    (
        "EKS, all subnets",
        pool(P4 + "subnet_ids = module.vpc.private_subnets", **EKS),
        OPEN,
        "module.vpc",
    ),
    (
        "EKS, no GPU",
        pool('instance_types = ["m5.large"]\nsubnet_ids = var.s', **EKS) + POOL,
        PASS,
        "",
    ),
    (
        "EKS, two subnets of two zones",
        pool(P4 + "subnet_ids = [aws_subnet.a.id, aws_subnet.b.id]", **EKS) + SUBNETS,
        FAIL,
        "us-east-1a, us-east-1b",
    ),
    (
        "EKS, two subnets of one zone",
        pool(P4 + "subnet_ids = [aws_subnet.a.id, aws_subnet.c.id]", **EKS) + SUBNETS,
        PASS,
        "",
    ),
    (
        "EKS, by its image",
        pool('ami_type = "AL2023_x86_64_NVIDIA"\nsubnet_ids = []', **EKS),
        FAIL,
        "no subnet_ids",
    ),
    (
        "a scaling group by its launch template",
        pool(
            'availability_zones = ["us-east-1a", "us-east-1b"]\n'
            "launch_template {\n id = aws_launch_template.t.id\n}",
            kind="aws_autoscaling_group",
            label="train",
        )
        + 'resource "aws_launch_template" "t" {\n instance_type = "g5.xlarge"\n}\n',
        FAIL,
        "2 zones",
    ),
]


@pytest.mark.parametrize(
    ("text", "wanted", "says"), [c[1:] for c in ZONES], ids=[c[0] for c in ZONES]
)
def test_zones(text, wanted, says):
    evidence = run({"m.tf": text}, ZONE)
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)
    assert says in "\n".join(evidence.findings)


PODS = [
    ("limits alone", "resources: {limits: {nvidia.com/gpu: 8}}", "", PASS, ""),
    ("a text, which is a quantity", 'resources: {limits: {nvidia.com/gpu: "8"}}', "", PASS, ""),
    ("equal", "resources: {limits: {nvidia.com/gpu: 1}, requests: {nvidia.com/gpu: '1'}}", "", PASS, ""),
    ("unequal", "resources: {limits: {nvidia.com/gpu: 2}, requests: {nvidia.com/gpu: 1}}", "", FAIL, "another"),
    ("requests alone", "resources: {requests: {nvidia.com/gpu: 1}}", "", FAIL, "without a limit"),
    ("a fraction", "resources: {limits: {nvidia.com/gpu: 0.5}}", "", FAIL, "not a whole number"),
    ("a word", "resources: {limits: {amd.com/gpu: one}}", "", FAIL, "amd.com/gpu of container c"),
    ("a slice of a GPU", "resources: {limits: {nvidia.com/mig-1g.5gb: 1}}", "", PASS, ""),
    ("a template", "resources: {limits: {nvidia.com/gpu: '{{ .Values.gpus }}'}}", "", OPEN, "gpus"),
    ("no GPU at all", "resources: {limits: {cpu: 1}}", "", OPEN, ""),
    (
        "sent to a GPU node without a limit",
        "image: a",
        "nodeSelector: {cloud.google.com/gke-accelerator: nvidia-l4}",
        FAIL,
        "no container has a GPU limit",
    ),
    ("NVIDIA's runtime without a limit", "image: a", "runtimeClassName: nvidia", FAIL, "runtimeClassName"),
    ("a toleration alone asks for nothing", "image: a", "tolerations: [{key: nvidia.com/gpu}]", OPEN, ""),
    ("all GPUs past the scheduler", "env: [{name: NVIDIA_VISIBLE_DEVICES, value: all}]", "", FAIL, "takes all"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("container", "spec", "wanted", "says"), [c[1:] for c in PODS], ids=[c[0] for c in PODS]
)
@pytest.mark.parametrize("kind", ["Job", "Deployment", "CronJob", "PyTorchJob", "RayJob"])
def test_gpu_limits(kind, container, spec, wanted, says):
    """In the pods of every kind of owner."""
    pod = yaml.safe_load(f"containers: [{{name: c, {container}}}]\n{spec}")
    template = {"spec": pod}
    group, body = {
        "Job": ("batch/v1", {"template": template}),
        "Deployment": ("apps/v1", {"template": template}),
        "CronJob": ("batch/v1", {"jobTemplate": {"spec": {"template": template}}}),
        "PyTorchJob": (
            "kubeflow.org/v1",
            {"pytorchReplicaSpecs": {"Worker": {"template": template}}},
        ),
        "RayJob": ("ray.io/v1", {"rayClusterSpec": {"workerGroupSpecs": [{"template": template}]}}),
    }[kind]
    evidence = GPUS.run([{"apiVersion": group, "kind": kind, "spec": body}])
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)
    assert says in "\n".join(evidence.findings)


def test_an_agent_on_every_gpu_node_needs_no_gpu():
    agent = JOB.replace("kind: Job", "kind: DaemonSet").replace("batch/v1", "apps/v1")
    agent = agent.replace("resources: {limits: {nvidia.com/gpu: 8}}", "image: exporter")
    agent = agent.replace(
        "    spec:\n", "    spec:\n      nodeSelector: {nvidia.com/gpu.present: 'true'}\n"
    )
    assert run({"a.yaml": agent + "---\n" + JOB}).outcome == PASS


OWNERS = [
    ("a label", {"owner": "nlp"}, {}, PASS, ""),
    ("with a prefix", {"example.org/owner": "nlp"}, {}, PASS, ""),
    ("in capitals", {"Owner": "nlp"}, {}, PASS, ""),
    ("nothing", {}, {}, FAIL, "no label owner"),
    ("empty", {"owner": " "}, {}, FAIL, "names nobody"),
    ("to do", {"owner": "TODO"}, {}, FAIL, "names nobody"),
    ("null", {"owner": None}, {}, FAIL, "names nobody"),
    ("true", {"owner": True}, {}, FAIL, "names nobody"),
    ("a template", {"owner": "{{ .Release.Owner }}"}, {}, OPEN, "Release.Owner"),
    ("another label", {"ownership": "nlp"}, {}, FAIL, "no label owner"),
    ("an annotation", {}, {"owner": "nlp"}, FAIL, "it is an annotation"),
]


@pytest.mark.parametrize(
    ("labels", "notes", "wanted", "says"), [c[1:] for c in OWNERS], ids=[c[0] for c in OWNERS]
)
def test_owners(labels, notes, wanted, says):
    metadata = {"name": "a", "labels": labels, "annotations": notes}
    manifest = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {}}
    evidence = OWNER.run([manifest])
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)
    assert says in "\n".join(evidence.findings)


def test_other_names_for_the_owner():
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"labels": {"team": "nlp"}},
        "spec": {},
    }
    assert OWNER.run([manifest]).outcome == FAIL
    gate = InfraGuardrails(rules=("owner_label",), owner_labels=("owner", "team"))
    assert gate.run([manifest]).outcome == PASS


GROUP = 'resource "aws_eks_node_group" "gpu" {\n%s\n}\n'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (GROUP % 'tags = { Owner = "nlp" }', PASS),
        (GROUP % "", FAIL),
        (GROUP % 'tags = merge(var.tags, { Owner = "nlp" })', PASS),
        (GROUP % 'tags = merge({ Owner = "nlp" }, var.tags)', OPEN),
        (GROUP % "tags = var.tags", OPEN),
        (GROUP % "tags = local.t" + 'locals {\n t = { owner = "a" }\n}\n', PASS),
        (
            GROUP % "" + 'provider "aws" {\n default_tags {\n tags = { Owner = "nlp" }\n }\n}\n',
            PASS,
        ),
        (
            GROUP % "provider = aws"
            + 'provider "aws" {\n default_tags {\n tags = { Owner = "nlp" }\n }\n}\n',
            PASS,
        ),
        (GROUP % "provider = aws.west" + 'provider "aws" {\n alias = "west"\n}\n', OPEN),
        (
            (
                'resource "aws_autoscaling_group" "gpu" {\n tag {\n key = "owner"\n value = "a"\n'
                " propagate_at_launch = true\n }\n}\n"
            ),
            PASS,
        ),
    ],
)
def test_owners_of_terraform(text, wanted):
    evidence = run({"m.tf": text}, OWNER)
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("nodeSelector: {topology.kubernetes.io/zone: us-east-1a}", PASS),
        ("nodeSelector: {topology.kubernetes.io/zone: '{{ .Values.zone }}'}", OPEN),
        (
            "topologySpreadConstraints: [{topologyKey: topology.kubernetes.io/zone, maxSkew: 1}]",
            FAIL,
        ),
        ("topologySpreadConstraints: [{topologyKey: kubernetes.io/hostname, maxSkew: 1}]", OPEN),
        (
            (
                "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution:"
                " {nodeSelectorTerms: [{matchExpressions: [{key: topology.kubernetes.io/zone,"
                " operator: In, values: [a, b]}]}]}}}"
            ),
            FAIL,
        ),
        ("hostNetwork: true", OPEN),  # its pool decides, and no pool was met
    ],
)
def test_zones_of_gpu_pods(body, wanted):
    text = JOB.replace("    spec:\n", f"    spec:\n      {body}\n")
    assert run({"a.yaml": text}, ZONE).outcome == wanted


CLASS = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: a}\nprovisioner: x\n"
VOLUME = "apiVersion: v1\nkind: PersistentVolume\nspec: {persistentVolumeReclaimPolicy: %s}\n"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"a.yaml": CLASS}, PASS),
        ({"a.yaml": CLASS + "reclaimPolicy: Retain\n"}, FAIL),
        ({"a.yaml": CLASS + "reclaimPolicy: delete\n"}, FAIL),
        ({"a.yaml": VOLUME % "Delete"}, PASS),
        ({"a.yaml": VOLUME % "null"}, FAIL),
        (
            {"a.tf": 'resource "kubernetes_storage_class" "a" {\n reclaim_policy = "Retain"\n}\n'},
            FAIL,
        ),
        (
            {
                "a.tf": 'resource "aws_instance" "a" {\n ebs_block_device {\n volume_size = 9\n }\n}\n'
            },
            PASS,
        ),
        (
            {
                "a.tf": 'resource "aws_instance" "a" {\n root_block_device {\n'
                " delete_on_termination = false\n }\n}\n"
            },
            FAIL,
        ),
        (
            {
                "a.tf": 'resource "aws_launch_template" "a" {\n block_device_mappings {\n'
                " ebs {\n volume_size = 9\n }\n }\n}\n"
            },
            OPEN,
        ),
    ],
)
def test_volumes(files, wanted):
    evidence = run(files, VOLUMES)
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)


def test_volumes_are_judged_only_where_asked():
    assert run({"a.yaml": CLASS + "reclaimPolicy: Retain\n---\n" + JOB}).outcome == PASS


def test_values_beside_the_files():
    """terraform.tfvars wins over a default, an .auto.tfvars over both; one in sight leaves it open."""
    text = tf_job(BOTH.format("var.t"), 'variable "t" {\n default = 60\n}')
    assert run({"m.tf": text, "terraform.tfvars": "t = 0\n"}, ENDS).outcome == FAIL
    assert (
        run({"m.tf": text, "terraform.tfvars": "t = 0\n", "a.auto.tfvars": "t = 7\n"}, ENDS).outcome
        == PASS
    )
    assert run({"m.tf": text, "prod.tfvars": "t = 0\n"}, ENDS).outcome == OPEN
    assert run({"m.tf": text, "prod.tfvars": "t = 60\n"}, ENDS).outcome == PASS


def test_modules():
    inner = tf_job(BOTH.format("var.t"), 'variable "t" {}')
    call = 'module "jobs" {\n  source = "./jobs"\n  t = %s\n}\n'
    assert run({"jobs/m.tf": inner, "main.tf": call % "60"}, ENDS).outcome == PASS
    evidence = run({"jobs/m.tf": inner, "main.tf": call % "0"}, ENDS)
    assert evidence.outcome == FAIL
    assert "jobs/m.tf:5: kubernetes_job_v1.a" in evidence.findings[0]
    evidence = run({"jobs/m.tf": inner, "main.tf": call % "var.later"}, ENDS)
    assert evidence.outcome == OPEN
    assert run({"jobs/m.tf": inner}, ENDS).outcome == OPEN
    away = call.replace("./jobs", "hashicorp/consul/aws") % "1"
    both = {"m.tf": tf_job(BOTH.format(60)), "main.tf": away}
    assert run(both, ENDS).outcome == OPEN
    trusting = InfraGuardrails(rules=ENDS.rules, trusted_modules=("hashicorp/consul/aws",))
    assert run(both, trusting).outcome == PASS
    ring = {"m.tf": call % "1", "jobs/m.tf": 'module "up" {\n source = "../"\n}\n'}
    assert run(ring, ENDS).outcome == Outcome.ERROR


def plan(values, kind="kubernetes_job_v1", **more):
    resource = {
        "address": f"{kind}.a",
        "mode": "managed",
        "type": kind,
        "name": "a",
        "values": values,
    }
    module = {"resources": [], "child_modules": [{"address": "module.m", "resources": [resource]}]}
    return {"format_version": "1.2", "planned_values": {"root_module": module}, **more}


def test_plans(tmp_path):
    """`terraform show -json`: a TTL is a text there, and what apply decides is not known."""
    spec = {"ttl_seconds_after_finished": "60", "active_deadline_seconds": 60}
    assert ENDS.run(plan({"spec": [spec]})).outcome == PASS
    assert ENDS.run(plan({"spec": [{**spec, "ttl_seconds_after_finished": None}]})).outcome == FAIL
    unknown = [
        {
            "address": "kubernetes_job_v1.a",
            "change": {"after_unknown": {"spec": [{"ttl_seconds_after_finished": True}]}},
        }
    ]
    bare = {"active_deadline_seconds": 60}
    evidence = ENDS.run(plan({"spec": [bare]}, resource_changes=unknown))
    assert evidence.outcome == OPEN
    assert "known after apply" in evidence.findings[0]
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan({"spec": [bare]})))
    assert "plan.json: kubernetes_job_v1.a: no ttl" in ENDS.run(file).findings[0]
    state = {"values": plan({"spec": [spec]})["planned_values"]}
    assert ENDS.run(state).outcome == PASS
    zones = {"location": "us-central1", "node_locations": ["us-central1-a", "us-central1-b"]}
    gpu = {**zones, "node_config": [{"guest_accelerator": [{"count": 1, "type": "nvidia-l4"}]}]}
    assert ZONE.run(plan(gpu, "google_container_node_pool")).outcome == FAIL


def test_what_python_hcl2_returns():
    hcl2 = pytest.importorskip("hcl2")
    text = tf_job(BOTH.format("60 * 60"))
    assert ENDS.run(hcl2.loads(text)).outcome == PASS
    assert ENDS.run(hcl2.loads(text.replace("60 * 60", "var.t"))).outcome == OPEN
    assert ENDS.run(hcl2.loads(text.replace("60 * 60", "0"))).outcome == FAIL


def test_json_manifests_and_terraform_json(tmp_path):
    manifest = yaml.safe_load(JOB)
    (tmp_path / "job.json").write_text(
        json.dumps({"kind": "List", "apiVersion": "v1", "items": [manifest]})
    )
    (tmp_path / "package.json").write_text("{// not JSON")
    assert ENDS.run(tmp_path).outcome == PASS
    spec = {"ttl_seconds_after_finished": "${60 * 60}", "active_deadline_seconds": 0}
    (tmp_path / "main.tf.json").write_text(
        json.dumps({"resource": {"kubernetes_job": {"x": {"spec": spec}}}})
    )
    evidence = ENDS.run(tmp_path)
    assert evidence.outcome == FAIL
    assert evidence.findings[0].startswith(
        "main.tf.json: kubernetes_job.x: active_deadline_seconds is 0"
    )


def test_paths_and_mappings_together(tmp_path):
    (tmp_path / "a.yaml").write_text(JOB)
    (tmp_path / "b.tf").write_text(POOL)
    gate = InfraGuardrails()
    assert gate.run([tmp_path / "a.yaml", str(tmp_path / "b.tf")]).measurement.n == 2
    assert gate.run([tmp_path / "a.yaml", yaml.safe_load(JOB), None]).measurement.n == 2
    assert gate.run(str(tmp_path / "a.yaml")).outcome == PASS
    assert gate.run(tmp_path / "a.txt").outcome == Outcome.ERROR


def test_links_in_a_circle(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.yaml").write_text(JOB)
    (tmp_path / "sub" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "dead.yaml").symlink_to("nowhere.yaml")
    evidence = InfraGuardrails().run(tmp_path)
    assert evidence.outcome == PASS
    assert evidence.measurement.n == 1


def test_many_resources_are_counted_and_not_listed():
    text = "---\n".join(JOB.replace("llama", f"j{i}").replace("3600", "{}") for i in range(200))
    evidence = run({"a.yaml": text.replace("{}", "0")}, ENDS)
    assert evidence.measurement.value == 200
    assert "and 150 more that are broken" in evidence.findings[-1]
    assert len(evidence.to_json()) < 20_000


def test_a_policy_is_judged_again_on_what_was_recorded():
    """A stricter limit needs no second look, other labels do."""
    measurement = ENDS.run([yaml.safe_load(JOB)]).measurement
    assert ENDS.decide(measurement).outcome == PASS
    strict = InfraGuardrails(rules=ENDS.rules, max_ttl_s=60).decide(measurement)
    assert strict.outcome == FAIL
    assert "the TTL is 3600, at most 60" in strict.reason
    other = InfraGuardrails(rules=ENDS.rules, owner_labels=("team",)).decide(measurement)
    assert other.outcome == Outcome.ERROR
    assert InfraGuardrails(rules=("one_zone",)).decide(measurement).outcome == Outcome.ERROR
    assert ENDS.decide(Measurement(value=0, unit="", n=3)).outcome == Outcome.ERROR


def test_fields():
    assert set(get_args(RuleName)) == set(RULES)
    for wrong in (
        {"rules": ()},
        {"owner_labels": ()},
        {"owner_labels": ("",)},
        {"rules": ("ttl",)},
    ):
        with pytest.raises(FieldError):
            InfraGuardrails(**wrong)


def test_pictures_show_what_holds():
    (picture,) = ENDS.pictures(run({"a.yaml": JOB + "---\n" + job("{}")}, ENDS).measurement)
    assert [(point.value, point.bad) for point in picture.points] == [(50, True), (50, True)]


def test_a_chart_of_a_thousand_documents():
    evidence = run({"a.yaml": "---\n".join(JOB.replace("llama", f"j{i}") for i in range(1000))})
    assert evidence.outcome == PASS
    assert evidence.measurement.n == 1000
