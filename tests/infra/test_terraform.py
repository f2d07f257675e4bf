"""Terraform: what it loads, which machines have GPUs, plans and states, by cloud and resource."""

from __future__ import annotations

import json

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.infra_guardrails import InfraGuardrails
from pytest_mlgates.gates.infra_guardrails.machines import any_cloud, aws, azure, google
from tests.gate_cases.infra_guardrails import JOB, run

FAIL, OPEN, PASS = Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS
WAYS = ("harmless_kinds", "trusted_kinds", "gate ", "set it", "set zones", "name ")


def block(kind, body, label="x"):
    return f'resource "{kind}" "{label}" {{\n{body}\n}}\n'


def flat(**fields):
    return "\n".join(f"{key} = {json.dumps(value)}" for key, value in fields.items())


OWNED = flat(tags={"owner": "a"})
TWO = ["subnet-a", "subnet-b"]
MIXED = """mixed_instances_policy {
 launch_template {
  launch_template_specification {
   launch_template_id = "lt-1"
  }
  override {
   instance_type = "p3.16xlarge"
  }
 }
}"""
PROVISIONED = """cluster_autoscaling {
 resource_limits {
  resource_type = "nvidia-tesla-a100"
  maximum = 8
 }
}"""

#: resource, verdict, word of a finding
KINDS = {
    "EKS node group": (
        block("aws_eks_node_group", flat(instance_types=["p6-b200.48xlarge"], subnet_ids=TWO)), FAIL, "owner"),
    "EKS node group over subnets": (
        block("aws_eks_node_group", flat(instance_types=["p5.48xlarge"], subnet_ids=TWO) + "\n" + OWNED),
        OPEN, "the zone of subnet-"),
    "EKS node group of a variable": (
        block("aws_eks_node_group", "instance_types = var.x\nsubnet_ids = var.y"), OPEN, "var.y"),
    "EKS node group by a template elsewhere": (
        block("aws_eks_node_group", 'subnet_ids = []\nlaunch_template {\n id = "lt-1"\n version = 1\n}'),
        OPEN, "if it has GPUs"),
    "auto-scaling group, mixed": (
        block("aws_autoscaling_group", flat(vpc_zone_identifier=TWO) + "\n" + MIXED), FAIL, "owner"),
    "auto-scaling group by its configuration": (
        block("aws_autoscaling_group", "launch_configuration = aws_launch_configuration.x.name\n"
              'availability_zones = ["a-1a", "a-1b"]') + block("aws_launch_configuration", flat(instance_type="g5.xlarge")),
        FAIL, "2 zones"),
    "launch template": (block("aws_launch_template", flat(instance_type="p4d.24xlarge")), FAIL, "owner"),
    "instance": (block("aws_instance", flat(ami="a", instance_type="p4d.24xlarge")), FAIL, "owner"),
    "instance of a variable": (block("aws_instance", "instance_type = var.x"), OPEN, "if it holds GPUs"),
    "spot instance": (block("aws_spot_instance_request", flat(instance_type="g6.xlarge")), FAIL, "owner"),
    "fleet": (
        block("aws_ec2_fleet", "launch_template_config {\n override {\n instance_type = \"p5.48xlarge\"\n }\n}"), FAIL, "owner"),
    "batch": (
        block("aws_batch_compute_environment", f"compute_resources {{\n{flat(instance_type=['p4d'], subnets=TWO)}\n}}"),
        FAIL, "owner"),
    "batch job definition": (
        block("aws_batch_job_definition", flat(container_properties='{"resourceRequirements": [{"type": "GPU", "value": "8"}]}')),
        FAIL, "owner"),
    "batch job definition, encoded": (
        block("aws_batch_job_definition", 'container_properties = jsonencode({ resourceRequirements = [{ type = "GPU" }] })'),
        FAIL, "owner"),
    "ECS task": (
        block("aws_ecs_task_definition", 'container_definitions = jsonencode([{ resourceRequirements = [{ type = "GPU" }] }])'),
        FAIL, "owner"),
    "SageMaker notebook": (
        block("aws_sagemaker_notebook_instance", flat(instance_type="ml.p4d.24xlarge")), FAIL, "owner"),
    "SageMaker endpoint": (
        block("aws_sagemaker_endpoint_configuration", 'production_variants {\n instance_type = "ml.g5.xlarge"\n}'), FAIL, "owner"),
    "EMR": (
        block("aws_emr_cluster", 'core_instance_group {\n instance_type = "g4dn.xlarge"\n}'), FAIL, "owner"),
    "GKE pool": (
        block("google_container_node_pool", 'location = "r1"\nnode_config {\n machine_type = "a4-highgpu-8g"\n}'), FAIL, "r1"),
    "GKE pool of TPUs": (
        block("google_container_node_pool", 'location = "r1"\nnode_config {\n machine_type = "tpu7x-standard-4t"\n}'), FAIL, "r1"),
    "GKE pool of a variable": (
        block("google_container_node_pool", 'location = "r1"\nnode_config {\n machine_type = var.m\n}'), OPEN, "if it has GPUs"),
    "GKE auto-provisioning": (
        block("google_container_cluster", 'location = "us-central1"\nremove_default_node_pool = true\n' + PROVISIONED),
        FAIL, "in every zone of us-central1"),
    "instance of Google": (
        block("google_compute_instance", flat(machine_type="a3-highgpu-8g", zone="us-central1-a")), FAIL, "owner"),
    "instance with an accelerator": (
        block("google_compute_instance", 'machine_type = "n1-standard-8"\nguest_accelerator {\n type = "t4"\n count = 1\n}'),
        FAIL, "owner"),
    "regional group": (
        block("google_compute_region_instance_group_manager",
              "version {\n instance_template = google_compute_instance_template.x.id\n}\nlabels = { owner = \"a\" }")
        + block("google_compute_instance_template", flat(machine_type="g2-standard-4", labels={"owner": "a"})),
        FAIL, "distribution_policy_zones"),
    "TPU": (block("google_tpu_v2_vm", flat(accelerator_type="v5p-128")), FAIL, "owner"),
    "TPU queue": (
        block("google_tpu_v2_queued_resource", 'tpu {\n node_spec {\n node {\n accelerator_type = "v5e-8"\n }\n }\n}'), FAIL, "owner"),
    "workbench": (
        block("google_workbench_instance", 'gce_setup {\n accelerator_configs {\n type = "NVIDIA_L4"\n core_count = 1\n }\n}'),
        FAIL, "owner"),
    "AKS pool": (
        block("azurerm_kubernetes_cluster_node_pool", flat(vm_size="Standard_NC24ads_A100_v4", zones=["1", "2", "3"])),
        FAIL, "zones are 3 zones"),
    "AKS pool without zones": (
        block("azurerm_kubernetes_cluster_node_pool", flat(vm_size="Standard_ND96isr_H100_v5") + "\n" + OWNED),
        OPEN, "set zones"),
    "AKS default pool": (
        block("azurerm_kubernetes_cluster", 'default_node_pool {\n vm_size = "Standard_NC6s_v3"\n zones = ["1", "2"]\n}'),
        FAIL, "zones are 2 zones"),
    "scale set": (
        block("azurerm_linux_virtual_machine_scale_set", flat(sku="Standard_NC6s_v3", zones=["1", "2"])), FAIL, "2 zones"),
    "VM of Azure": (block("azurerm_linux_virtual_machine", flat(size="Standard_NV6")), FAIL, "owner"),
    "compute of Azure ML": (
        block("azurerm_machine_learning_compute_cluster", flat(vm_size="STANDARD_NC6S_V3")), FAIL, "owner"),
    "Cloud Run": (
        block("google_cloud_run_v2_service", 'template {\n containers {\n resources {\n limits = { "nvidia.com/gpu" = "1" }\n }\n }\n}'),
        FAIL, "owner"),
    "Cloud Run by its selector": (
        block("google_cloud_run_v2_job", 'template {\n node_selector {\n accelerator = "nvidia-l4"\n }\n}'), FAIL, "owner"),
    "capacity block": (block("aws_ec2_capacity_block_reservation", ""), OPEN, "if it holds GPUs"),
    "a kind of Kubernetes that comes later": (
        block("kubernetes_swarm_v1", 'spec {\n container {\n resources {\n limits = { "nvidia.com/gpu" = 1 }\n }\n }\n}'),
        FAIL, "owner"),
    "Databricks": (block("databricks_cluster", flat(node_type_id="g5.xlarge")), FAIL, "owner"),
    "OCI": (block("oci_containerengine_node_pool", flat(node_shape="BM.GPU.H100.8")), FAIL, "owner"),
    "DigitalOcean": (
        block("digitalocean_kubernetes_node_pool", flat(size="gpu-h100x8-640gb")), FAIL, "owner"),
    "a new type of AWS": (block("aws_instance", flat(instance_type="q9.48xlarge")), OPEN, "if it holds GPUs"),
    "a chart": (block("helm_release", flat(name="a")), OPEN, "helm template"),
    "a module": ('module "m" {\n source = "a/b/c"\n}\n', OPEN, "trusted_modules"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_none_is_silent(kind):
    text, wanted, says = KINDS[kind]
    evidence = run({"main.tf": text, "job.yaml": JOB})
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)
    assert says in "\n".join(evidence.findings)
    for line in evidence.findings:
        assert not line.startswith("not decided") or any(way in line for way in WAYS), line


@pytest.mark.parametrize(
    "text",
    [
        block("aws_instance", flat(instance_type="m7i-flex.large")),
        block("aws_eks_node_group", flat(instance_types=["m5.large"], subnet_ids=TWO)),
        block(
            "aws_batch_compute_environment", 'compute_resources {\n instance_type = ["optimal"]\n}'
        ),
        block(
            "google_container_node_pool",
            'location = "r"\nnode_config {\n machine_type = "n1-standard-4"\n}',
        ),
        block("google_compute_instance", flat(machine_type="e2-small")),
        block("azurerm_kubernetes_cluster_node_pool", flat(vm_size="Standard_D4s_v5")),
        block("aws_db_instance", "instance_class = var.x"),
        block("aws_s3_bucket", flat(bucket="gpu-models")),
        block("aws_iam_role", 'name = "gpu"'),
        block("aws_security_group_rule", 'type = "ingress"'),
        block("aws_elasticache_cluster", flat(node_type="cache.t3.micro")),
    ],
)
def test_machines_without_gpus_are_nobodys_business(text):
    assert run({"main.tf": text, "job.yaml": JOB}).outcome == PASS


#: name of a machine, and whether it has GPUs; none of these is written down in the product
MACHINES = {
    aws: {"p6e-gb200.36xlarge": "yes", "p4de.24xlarge": "yes", "g6e.12xlarge": "yes", "gr6.4xlarge": "yes",
          "trn2u.48xlarge": "yes", "inf2.xlarge": "yes", "dl2q.24xlarge": "yes", "g5g.metal": "yes", "p9.large": "yes",
          "m7gd.metal": "no", "c7gn.xlarge": "no", "u7i-12tb.224xlarge": "no", "x2iedn.metal": "no", "hpc7g.4xlarge": "no",
          "im4gn.large": "no", "mac2-m2.metal": "no", "t4g.nano": "no", "i8g.large": "no", "b1.large": "maybe"},
    google: {"a2-ultragpu-1g": "yes", "a4x-highgpu-4g": "yes", "g2-standard-96": "yes", "g4-standard-48": "yes",
             "ct6e-standard-4t": "yes", "ct5lp-hightpu-4t": "yes", "c4d-standard-8": "no", "h4d-standard-192": "no",
             "m3-ultramem-32": "no", "z3-highmem-88": "no", "t2a-standard-1": "no", "e2-micro": "no", "x4-megamem-960": "no",
             "q1-standard-4": "maybe"},
    azure: {"Standard_ND96isr_MI300X_v5": "yes", "Standard_NG8ads_V620_v1": "yes", "standard_nv36ads_a10_v5": "yes",
            "Standard_E64-16s_v3": "no", "Standard_HB120rs_v3": "no", "Standard_M416ms_v2": "no", "Standard_X1": "maybe"},
    any_cloud: {"VM.GPU.A10.1": "yes", "VM.Standard.E5.Flex": "no", "ecs.gn7i-c8g1.2xlarge": "yes", "gx3-64x320x4l4": "yes",
                "gpu-h100x1-80gb": "yes", "s-2vcpu-4gb": "no", "p5.48xlarge": "yes", "a3-megagpu-8g": "yes",
                "e2-standard-4": "no", "g1-small": "no"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("cloud", "name"), [(cloud, name) for cloud, names in MACHINES.items() for name in names]
)
def test_machines_by_rule(cloud, name):
    assert cloud(name) == MACHINES[cloud][name]


ZONES = 'variable "zones" {\n default = ["us-central1-a"]\n}\n' + block(
    "google_container_node_pool",
    'location = "us-central1"\nnode_locations = var.zones\nnode_config {\n machine_type = "a2-highgpu-1g"\n'
    ' resource_labels = { owner = "ml" }\n}',
)
A, AB = '["us-central1-a"]', '["us-central1-a", "us-central1-b"]'


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({}, PASS),
        ({"terraform.tfvars.json": f'{{"zones": {AB}}}'}, FAIL),
        ({"z.auto.tfvars.json": f'{{"zones": {AB}}}'}, FAIL),
        ({"z.auto.tfvars": f"zones = {AB}", "terraform.tfvars": f"zones = {A}"}, FAIL),
        ({"prod.tfvars": f"zones = {AB}"}, OPEN),
        ({"prod.tfvars.json": f'{{"zones": {AB}}}'}, OPEN),
        ({"prod.tfvars": "zones = var.x"}, OPEN),
        ({"env/prod/main.tfvars": f"zones = {AB}"}, OPEN),
        ({"prod.tfvars": f"zones = {A}"}, PASS),
        ({"prod.tfvars": "other = 1"}, PASS),
        ({"prod.tfvars": f"zones = {AB}", "terraform.tfvars": f"zones = {A}"}, PASS),
        ({"terragrunt.hcl": f"inputs = {{\n zones = {AB}\n}}\n"}, OPEN),
        ({"terragrunt.hcl": "inputs = merge(local.a, {})\n"}, OPEN),
        ({"terragrunt.hcl": 'include "root" {\n path = find_in_parent_folders()\n}\n'}, OPEN),
        ({"terragrunt.hcl": "inputs = {\n other = 1\n}\n"}, PASS),
        ({"main.tofu": ZONES.replace(A, AB)}, FAIL),
        ({"extra.tofu": block("aws_instance", flat(instance_type="p5.48xlarge"))}, FAIL),
        ({"override.tf.json": "{}"}, OPEN),
        ({"more_override.tofu": ""}, OPEN),
        ({"more.tf.json": json.dumps({"resource": {"aws_instance": {"a": {"instance_type": "${var.t}"}}},
                                      "variable": {"t": {"default": "p5.48xlarge"}}})}, FAIL),
        ({"more.tf.json": json.dumps({"resource": {"aws_instance": {"a": {"dynamic": {"tags": {}},
                                      "instance_type": "p5.48xlarge"}}}})}, OPEN),
        ({"terraform.tfvars": "zones = [[["}, OPEN),
    ],
)  # fmt: skip
def test_what_terraform_would_load(files, wanted):
    evidence = run({"main.tf": ZONES, **files})
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)


def plan(values, later, kind="google_container_node_pool", written=None):
    one = {"address": f"{kind}.p", "mode": "managed", "type": kind, "name": "p", "values": values}
    change = {"address": f"{kind}.p", "change": {"actions": ["create"], "after_unknown": later}}
    found = {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": [one]}},
        "resource_changes": [change],
    }
    if written is not None:
        resource = {"address": f"{kind}.p", "mode": "managed", "expressions": written}
        found["configuration"] = {"root_module": {"resources": [resource]}}
    return found


LATER = {
    "node_locations": True,
    "id": True,
    "node_config": [{"labels": True, "guest_accelerator": True}],
}


def pool(machine, location, labels):
    config = {"machine_type": machine, "resource_labels": labels}
    return {"location": location, "node_config": [config]}


@pytest.mark.parametrize(
    ("values", "written", "wanted"),
    [
        (pool("e2-standard-4", "us-central1", {}), None, PASS),
        (pool("e2-standard-4", "us-central1-a", {"team": "x"}), None, PASS),
        (pool("a2-highgpu-1g", "us-central1-a", {"owner": "ml"}), None, PASS),
        (pool("a2-highgpu-1g", "us-central1", {"owner": "ml"}), None, OPEN),
        (pool("n1-standard-8", "us-central1", {}), None, OPEN),
        (pool("n1-standard-8", "us-central1", {}), {"node_config": [{"machine_type": {}}]}, PASS),
        (pool("a2-highgpu-1g", "us-central1", {"owner": "ml"}), {"node_config": [{}]}, FAIL),
        (pool("a2-highgpu-1g", "us-central1", {"owner": "ml"}), {"node_locations": {}}, OPEN),
    ],
)
def test_what_is_known_after_apply(values, written, wanted):
    """A machine decides where the accelerator does not; what nobody has set is the default."""
    found = plan(values, LATER, written=written)
    job = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [
        {"resources": {"limits": {"nvidia.com/gpu": 1}}}]}, "metadata": {"labels": {"owner": "a"}}}  # fmt: skip
    evidence = InfraGuardrails().run([found, job])
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)


def state(zones):
    subnets = [
        {"address": f"aws_subnet.s{i}", "mode": "managed", "type": "aws_subnet",
         "values": {"id": f"subnet-{i}", "availability_zone": zone}}
        for i, zone in enumerate(zones)
    ]  # fmt: skip
    group = {"instance_types": ["p4d.24xlarge"], "subnet_ids": [f"subnet-{i}" for i in range(len(zones))],
             "tags": {"owner": "ml"}}  # fmt: skip
    one = {
        "address": "aws_eks_node_group.g",
        "mode": "managed",
        "type": "aws_eks_node_group",
        "values": group,
    }
    return {"values": {"root_module": {"resources": [*subnets, one]}}}


def test_ids_of_a_state_are_joined():
    assert InfraGuardrails().run(state(["a-1a", "a-1b"])).outcome == FAIL
    assert InfraGuardrails().run(state(["a-1a", "a-1a"])).outcome == PASS


RAW = {"version": 4, "serial": 3, "lineage": "x", "resources": [
    {"mode": "managed", "type": "aws_eks_node_group", "name": "g", "module": "module.m", "instances": [
        {"index_key": "a", "attributes": {"instance_types": ["p4d.24xlarge"], "subnet_ids": ["a"]}}]}]}  # fmt: skip


def test_a_raw_state_is_read(tmp_path):
    evidence = InfraGuardrails().run(RAW)
    assert 'module.m.aws_eks_node_group.g["a"]: no tag or label owner' in evidence.findings[0]
    file = tmp_path / "terraform.tfstate"
    file.write_text(json.dumps(RAW))
    assert InfraGuardrails().run(file).outcome == FAIL


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_plan_as_a_shell_wrote_it(encoding):
    text = "[command]/usr/bin/terraform show -json\n" + json.dumps(state(["a-1a", "a-1b"]))
    assert run({"plan.json": text.encode(encoding)}).outcome == FAIL
