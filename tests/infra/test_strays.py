"""What no rule reads is not silent: files of no kind or of other tools, deployers, fields by other names."""

from __future__ import annotations

import gzip
import json

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.infra_guardrails import InfraGuardrails
from pytest_mlgates.gates.infra_guardrails.machines import is_gpu_machine
from tests.gate_cases.infra_guardrails import JOB, run

FAIL, OPEN, PASS = Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS
SKY = "name: train\nresources: {accelerators: 'H100:8'}\n"
BUILD = {"resources": [{"type": "Microsoft.ContainerService/managedClusters", "properties": {
    "agentPoolProfiles": [{"vmSize": "Standard_NC24ads_A100_v4"}]}}]}  # fmt: skip

#: file, text, verdict beside one sound job
FILES = {
    "values of a chart elsewhere": ("values.yaml", "resources:\n  limits:\n    nvidia.com/gpu: 8\n", OPEN),
    "values by another word": ("prod.yaml", "servingEngineSpec: {modelSpec: [{requestGPU: 0.5}]}\n", OPEN),
    "values that ask for none": ("values.yaml", "gpu: 0\ngpuMemoryUtilization: 0.9\ntolerations: [{key: nvidia.com/gpu}]\n", PASS),
    "SkyPilot": ("train.yaml", SKY, OPEN),
    "SkyPilot, counted": ("train.yaml", "resources: {accelerators: {A100: 8}}\n", OPEN),
    "Compose": ("docker-compose.yml", "services: {a: {deploy: {resources: {reservations: {devices: [{driver: nvidia, capabilities: [gpu]}]}}}}}\n", OPEN),
    "Ray's cluster launcher": ("ray.yaml", "available_node_types: {w: {node_config: {InstanceType: p4d.24xlarge}}}\n", OPEN),
    "ParallelCluster": ("cluster.yaml", "Scheduling: {SlurmQueues: [{ComputeResources: [{InstanceType: g4dn.xlarge}]}]}\n", OPEN),
    "Pulumi": ("Pulumi.yaml", "resources: {g: {properties: {instanceTypes: [ml.p5.48xlarge]}}}\n", OPEN),
    "settings with a kind of their own": ("tool.yaml", "kind: Settings\nmachineType: a3-highgpu-8g\n", OPEN),
    "a list of machines, named once": ("map.yaml", "- {instanceType: p4d.24xlarge}\n- {instanceType: p5.48xlarge}\n", OPEN),
    "CI": ("ci.yml", "jobs: {a: {runs-on: x, steps: []}}\n", PASS),
    "ARM": ("main.json", json.dumps(BUILD), OPEN),
    "CloudFormation in JSON": ("c.json", json.dumps({"Resources": {"N": {"Type": "AWS::EKS::Nodegroup"}}}), OPEN),
    "JSON of some tool": ("package.json", '{"name": "gpuless"}', PASS),
    "Bicep": ("main.bicep", "resource a 'Microsoft.ContainerService/managedClusters@2024-01-01' = {}\n", OPEN),
    "Bicep of a network": ("net.bicep", "resource a 'Microsoft.Network/virtualNetworks@2024-01-01' = {}\n", PASS),
    "jsonnet": ("job.jsonnet", '{apiVersion: "batch/v1", kind: "Job"}\n', OPEN),
    "a dashboard in jsonnet": ("board.jsonnet", '{title: "latency"}\n', PASS),
    "lines of JSON": ("jobs.jsonl", '{"apiVersion": "batch/v1", "kind": "Job"}\n', OPEN),
    "packed": ("jobs.yaml.gz", gzip.compress(b"kind: Job\n"), OPEN),
    "Terragrunt that calls a module": ("terragrunt.hcl", 'terraform {\n  source = "git::https://example.org/m"\n}\n', OPEN),
    "Terragrunt that calls none": ("terragrunt.hcl", 'remote_state {\n  backend = "s3"\n}\n', PASS),
    "a stack": ("main.tfcomponent.hcl", 'component "a" {\n  source = "./m"\n}\n', OPEN),
    "Nomad": ("x.nomad.hcl", 'job "train" {\n}\n', OPEN),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_no_rule_reads(case):
    name, text, wanted = FILES[case]
    evidence = run({"job.yaml": JOB, name: text})
    assert evidence.outcome == wanted, evidence.verdict
    if wanted is OPEN:
        (line,) = evidence.findings
        assert line.startswith(f"not decided: {name}")
        assert "gate " in line
        named = "AWS::EKS::Nodegroup" if "Cloud" in case else name
        settled = run({"job.yaml": JOB, name: text}, InfraGuardrails(harmless_kinds=(named,)))
        assert settled.outcome == PASS


def test_what_is_passed_over_is_counted():
    evidence = run({"job.yaml": JOB, "ci.yml": "jobs: {}\n", "a.json": "{}"})
    assert "2 passed over" in evidence.verdict.reason


def test_values_of_a_chart_that_is_here_are_its_own():
    chart = {
        "c/Chart.yaml": "name: c\n",
        "c/values.yaml": "requestGPU: 1\n",
        "c/templates/job.yaml": JOB,
    }
    assert run(chart).outcome == PASS


def of(kind, body):
    return f'resource "{kind}" "x" {{\n{body}\n}}\n'


OWNED = 'tags = { owner = "a" }\n'

#: resource, verdict beside one sound job, word of a finding
RESOURCES = {
    "azapi": (of("azapi_resource", OWNED + 'body = { properties = { vmSize = "Standard_NC24ads_A100_v4", availabilityZones = ["1", "2"] } }'), FAIL, "2 zones"),
    "a platform": (of("nebius_mk8s_v1_node_group", 'template = { resources = { platform = "gpu-h100-sxm" } }'), FAIL, "owner"),
    "a number of GPUs": (of("foo_thing", "gpu_count = 8"), FAIL, "owner"),
    "no GPU": (of("foo_thing", "gpu_count = 0"), PASS, ""),
    "a cloud of GPUs": (of("vastai_instance", "offer_id = 8"), OPEN, "if it holds GPUs"),
    "a machine spoken of": (of("aws_ssm_parameter", 'value = "p5.48xlarge"'), OPEN, "harmless_kinds"),
    "a fleet over zones": (
        of("aws_ec2_fleet", OWNED + "".join(f'launch_template_config {{\n override {{\n instance_type = "p5.48xlarge"\n availability_zone = "us-east-1{z}"\n }}\n}}\n' for z in "ab")),
        FAIL, "2 zones"),
    "a fleet over subnets": (
        of("aws_ec2_fleet", OWNED + "".join(f'launch_template_config {{\n override {{\n instance_type = "p5.48xlarge"\n subnet_id = "subnet-{z}"\n }}\n}}\n' for z in "ab")),
        OPEN, "several zones"),
    "blocks of zones": (of("ibm_container_vpc_worker_pool", OWNED + 'flavor = "gx3.16x80.l4"\nzones {\n name = "a"\n}\nzones {\n name = "b"\n}'), FAIL, "2 zones"),
    "one block of zones": (of("ibm_container_vpc_worker_pool", OWNED + 'flavor = "gx3.16x80.l4"\nzones {\n name = "a"\n}'), PASS, ""),
    "a stack of CloudFormation": (of("aws_cloudformation_stack", 'template_body = file("a.yaml")'), OPEN, "gate what it deploys"),
    "a template of Azure": (of("azurerm_resource_group_template_deployment", 'name = "a"'), OPEN, "gate what it deploys"),
    "an application of Argo CD": (of("argocd_application", ""), OPEN, "gate what it deploys"),
    "a command that applies": (of("terraform_data", 'provisioner "local-exec" {\n command = "kubectl apply -f job.yaml"\n}'), OPEN, "kubectl apply"),
    "a command that applies nothing": (of("terraform_data", 'provisioner "local-exec" {\n command = "echo done"\n}'), PASS, ""),
}  # fmt: skip


@pytest.mark.parametrize("case", RESOURCES)
def test_a_resource_that_no_list_knows(case):
    text, wanted, word = RESOURCES[case]
    evidence = run({"job.yaml": JOB, "main.tf": text})
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)
    assert word in " ".join(evidence.findings)


@pytest.mark.parametrize("note", ["gpu-fraction", "gpu-memory", "example.com/gpu-count"])
def test_gpus_by_an_annotation(note):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "annotations": {note: "1"}},
           "spec": {"containers": [{"name": "a"}]}}  # fmt: skip
    assert "no label owner" in InfraGuardrails(rules=("owner_label",)).run([pod]).verdict.reason


def test_whole_names_of_machines_only():
    yes = (
        "p6-b200.48xlarge",
        "trn2.48xlarge",
        "g5.metal",
        "a4x-highgpu-4g",
        "ct6e-standard-4t",
        "VM.GPU.A10.1",
    )
    no = (
        "p5",
        "g-1.2",
        "m7i.large",
        "e2-standard-4",
        "Standard_D4s_v5",
        "a2-b",
        "in p5.48xlarge we trust",
    )
    assert all(map(is_gpu_machine, yes))
    assert not any(map(is_gpu_machine, no))
