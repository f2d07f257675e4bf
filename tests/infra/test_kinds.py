"""Kinds of workload and pool, by operator and cloud: judged, open with a way out, or harmless; none silent.

Each stands beside one sound job, so that a PASS means that it was not looked at. All of these hold
GPUs without an owner, have no end, or hide what they start.
"""

from __future__ import annotations

import pytest
import yaml

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.infra_guardrails import InfraGuardrails
from tests.gate_cases.infra_guardrails import JOB, run

FAIL, OPEN, PASS = Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS

#: words with which a finding says how a doubt is settled
WAYS = (
    "harmless_kinds",
    "trusted_kinds",
    "rendered_by",
    "gate ",
    "set it",
    "hand ",
    "write ",
    "name ",
    "mend ",
)

POD = "{containers: [{name: c, image: i, resources: {limits: {nvidia.com/gpu: 8}}}]}"
T = f"{{template: {{spec: {POD}}}}}"


def of(group, kind, spec, metadata="{name: x}"):
    return f"apiVersion: {group}\nkind: {kind}\nmetadata: {metadata}\nspec: {spec}\n"


#: kind, manifest, verdict, word of a finding
KUBERNETES = {
    "Pod": (of("v1", "Pod", POD), FAIL, "no label owner"),
    "Pod that ends": (of("v1", "Pod", f"{{restartPolicy: Never, {POD[1:]}"), FAIL, "activeDeadline"),
    "ReplicationController": (of("v1", "ReplicationController", T), FAIL, "owner"),
    "Deployment": (of("apps/v1", "Deployment", T), FAIL, "owner"),
    "StatefulSet": (of("apps/v1", "StatefulSet", T), FAIL, "owner"),
    "ReplicaSet": (of("apps/v1", "ReplicaSet", T), FAIL, "owner"),
    "Job": (of("batch/v1", "Job", T), FAIL, "ttlSecondsAfterFinished"),
    "CronJob": (of("batch/v1", "CronJob", f"{{jobTemplate: {{spec: {T}}}}}"), FAIL, "ttlSeconds"),
    "KEDA ScaledJob": (of("keda.sh/v1alpha1", "ScaledJob", f"{{jobTargetRef: {T}}}"), FAIL, "ttl"),
    "OpenShift DeploymentConfig": (of("apps.openshift.io/v1", "DeploymentConfig", T), FAIL, "owner"),
    "OpenShift Template": (
        ("apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: t}\nobjects:\n"
         "- {apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {}}\n"),
        FAIL,
        "Job j: no ttl",
    ),
    "Argo Workflow": (of("argoproj.io/v1alpha1", "Workflow", "{entrypoint: a}"), FAIL, "ttlStrategy"),
    "Argo container": (
        of("argoproj.io/v1alpha1", "Workflow", "{entrypoint: a, templates: [{name: a, container:"
           " {image: i, resources: {requests: {nvidia.com/gpu: 1}}}}]}"),
        FAIL,
        "requests nvidia.com/gpu without a limit",
    ),
    "Argo WorkflowTemplate": (
        of("argoproj.io/v1alpha1", "WorkflowTemplate", "{entrypoint: a}"), FAIL, "activeDeadline"),
    "Argo ClusterWorkflowTemplate": (
        of("argoproj.io/v1alpha1", "ClusterWorkflowTemplate", "{entrypoint: a}"), FAIL, "ttlStrategy"),
    "Argo CronWorkflow": (
        of("argoproj.io/v1alpha1", "CronWorkflow", "{workflowSpec: {entrypoint: a}}"), FAIL, "ttl"),
    "Argo Workflow by reference": (
        of("argoproj.io/v1alpha1", "Workflow", "{workflowTemplateRef: {name: w}}",
           "{name: x, labels: {owner: a}}"), OPEN, "WorkflowTemplate w is not in these files"),
    "Argo Rollout": (of("argoproj.io/v1alpha1", "Rollout", T), FAIL, "owner"),
    "Argo AnalysisTemplate": (
        of("argoproj.io/v1alpha1", "AnalysisTemplate", "{metrics: [{provider: {job: {spec: {}}}}]}"),
        FAIL, "activeDeadline"),
    "Argo Sensor": (
        of("argoproj.io/v1alpha1", "Sensor", "{triggers: [{template: {k8s: {source: {resource:"
           " {apiVersion: batch/v1, kind: Job, metadata: {name: t}, spec: {}}}}}}]}"),
        FAIL, "Job t"),
    "Argo CD Application": (
        of("argoproj.io/v1alpha1", "Application", "{source: {path: jobs}}"), OPEN, "argocd app manifests"),
    "Argo CD ApplicationSet": (of("argoproj.io/v1alpha1", "ApplicationSet", "{}"), OPEN, "argocd"),
    "Flux HelmRelease": (
        of("helm.toolkit.fluxcd.io/v2", "HelmRelease", "{chart: {}}"), OPEN, "helm template"),
    "Flux Kustomization": (
        of("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "{path: ./a}"), OPEN, "kustomize build"),
    "Rancher HelmChart": (of("helm.cattle.io/v1", "HelmChart", "{chart: a}"), OPEN, "helm template"),
    "Fleet GitRepo": (of("fleet.cattle.io/v1alpha1", "GitRepo", "{repo: a}"), OPEN, "fleet apply"),
    "JobSet": (
        of("jobset.x-k8s.io/v1alpha2", "JobSet", f"{{replicatedJobs: [{{name: w, template: {{spec: {T}}}}}]}}"),
        FAIL, "set it in template.spec of the replicated job"),
    "Volcano Job": (
        of("batch.volcano.sh/v1alpha1", "Job", f"{{tasks: [{{name: w, template: {{spec: {POD}}}}}]}}"),
        FAIL, "set it in template.spec of the task"),
    "Volcano JobTemplate": (of("flow.volcano.sh/v1alpha1", "JobTemplate", "{}"), FAIL, "ttlSeconds"),
    "Volcano JobFlow": (of("flow.volcano.sh/v1alpha1", "JobFlow", "{flows: [{name: a}]}"), FAIL, "jobRetain"),
    "PyTorchJob": (
        of("kubeflow.org/v1", "PyTorchJob", f"{{pytorchReplicaSpecs: {{Worker: {T}}}}}"), FAIL, "ttlSeconds"),
    "MPIJob": (of("kubeflow.org/v2beta1", "MPIJob", "{runPolicy: {}}"), FAIL, "activeDeadline"),
    "TrainJob": (
        of("trainer.kubeflow.org/v1alpha1", "TrainJob", "{runtimeRef: {name: torch}, trainer:"
           " {resourcesPerNode: {requests: {nvidia.com/gpu: 8}}}}", "{name: x, labels: {owner: a}}"),
        FAIL, "without a limit"),
    "TrainJob of a runtime elsewhere": (
        of("trainer.kubeflow.org/v1alpha1", "TrainJob", "{runtimeRef: {name: torch}}",
           "{name: x, labels: {owner: a}}"), OPEN, "ClusterTrainingRuntime torch is not in these files"),
    "Katib Experiment": (
        of("kubeflow.org/v1beta1", "Experiment", "{trialTemplate: {trialSpec: {apiVersion: batch/v1,"
           " kind: Job, spec: {}}}}", "{name: x, labels: {owner: a}}"), FAIL, "activeDeadline"),
    "Notebook": (of("kubeflow.org/v1", "Notebook", T), FAIL, "owner"),
    "RayJob": (of("ray.io/v1", "RayJob", "{entrypoint: a}"), FAIL, "shutdownAfterJobFinishes"),
    "RayCronJob": (of("ray.io/v1", "RayCronJob", "{jobTemplate: {}}"), FAIL, "shutdownAfter"),
    "RayCluster": (of("ray.io/v1", "RayCluster", f"{{headGroupSpec: {T}}}"), FAIL, "owner"),
    "RayService": (of("ray.io/v1", "RayService", f"{{a: {{headGroupSpec: {T}}}}}"), FAIL, "owner"),
    "SparkApplication": (
        of("sparkoperator.k8s.io/v1beta2", "SparkApplication",
           "{driver: {}, executor: {gpu: {name: nvidia.com/gpu, quantity: 8}}}"), FAIL, "timeToLiveSeconds"),
    "ScheduledSparkApplication": (
        of("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication", "{template: {driver: {}}}"),
        FAIL, "driver.template.spec"),
    "Spark of Apache": (of("spark.apache.org/v1", "SparkApplication", "{}"), OPEN, "trusted_kinds"),
    "Tekton TaskRun": (
        of("tekton.dev/v1", "TaskRun", "{timeout: 1h}", "{name: x, labels: {owner: a}}"), OPEN, "TektonConfig"),
    "Tekton PipelineRun without end": (
        of("tekton.dev/v1", "PipelineRun", "{timeouts: {pipeline: '0'}}"), FAIL, "timeout is 0"),
    "Tekton Task": (
        of("tekton.dev/v1", "Task", "{steps: [{name: s, computeResources: {requests: {nvidia.com/gpu: 1}}}]}"),
        FAIL, "without a limit"),
    "KServe InferenceService": (
        of("serving.kserve.io/v1beta1", "InferenceService",
           "{predictor: {model: {resources: {requests: {nvidia.com/gpu: 2}}}}}"), FAIL, "without a limit"),
    "KServe LLMInferenceService": (
        of("serving.kserve.io/v1alpha1", "LLMInferenceService", f"{{template: {POD}}}"), FAIL, "owner"),
    "Knative Service": (of("serving.knative.dev/v1", "Service", T), FAIL, "owner"),
    "Knative JobSink": (of("sinks.knative.dev/v1alpha1", "JobSink", "{job: {spec: {}}}"), FAIL, "ttl"),
    "SeldonDeployment": (
        of("machinelearning.seldon.io/v1", "SeldonDeployment", f"{{predictors: [{{componentSpecs: [{{spec: {POD}}}]}}]}}"),
        FAIL, "owner"),
    "LeaderWorkerSet": (
        of("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", f"{{a: {{workerTemplate: {{spec: {POD}}}}}}}"),
        FAIL, "owner"),
    "NIMService": (
        of("apps.nvidia.com/v1alpha1", "NIMService", "{resources: {limits: {nvidia.com/gpu: 1}}}"), FAIL, "owner"),
    "DynamoGraphDeployment": (
        of("nvidia.com/v1alpha1", "DynamoGraphDeployment", "{services: {w: {resources: {limits: {gpu: 1}}}}}"),
        FAIL, "owner"),
    "VirtualMachine": (
        of("kubevirt.io/v1", "VirtualMachine", "{template: {spec: {domain: {devices: {gpus: [{name: g}]}}}}}"),
        FAIL, "owner"),
    "AppWrapper": (
        of("workload.codeflare.dev/v1beta2", "AppWrapper", "{components: [{template: {apiVersion: kubeflow.org/v1,"
           " kind: PyTorchJob, metadata: {name: p}, spec: {}}}]}"), FAIL, "PyTorchJob p: no ttl"),
    "AppWrapper of nothing": (of("workload.codeflare.dev/v1beta2", "AppWrapper", "{}"), OPEN, "wraps"),
    "ManifestWork": (
        of("work.open-cluster-management.io/v1", "ManifestWork",
           "{workload: {manifests: [{apiVersion: batch/v1, kind: Job, metadata: {name: m}, spec: {}}]}}"),
        FAIL, "Job m: no ttl"),
    "ConfigMap with a job": (
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  job.yaml: |\n    apiVersion: batch/v1\n"
         "    kind: Job\n    metadata: {name: j}\n    spec: {}\n"), FAIL, "Job j: no ttl"),
    "Kruise CloneSet": (of("apps.kruise.io/v1alpha1", "CloneSet", T), FAIL, "owner"),
    "Kruise BroadcastJob": (of("apps.kruise.io/v1alpha1", "BroadcastJob", "{}"), FAIL, "ttl"),
    "Kruise AdvancedCronJob": (of("apps.kruise.io/v1alpha1", "AdvancedCronJob", "{}", "{labels: {owner: a}}"), OPEN, "harmless_kinds"),
    "FlinkDeployment": (
        of("flink.apache.org/v1beta1", "FlinkDeployment", f"{{podTemplate: {{spec: {POD}}}}}"), FAIL, "owner"),
    "DaskJob": (of("kubernetes.dask.org/v1", "DaskJob", "{}", "{labels: {owner: a}}"), OPEN, "trusted_kinds"),
    "run.ai": (of("run.ai/v2alpha1", "TrainingWorkload", "{gpu: {value: '8'}}"), OPEN, "trusted_kinds"),
    "Crossplane Object": (
        of("kubernetes.crossplane.io/v1alpha2", "Object", "{forProvider: {manifest: {apiVersion: batch/v1,"
           " kind: Job, metadata: {name: o}, spec: {}}}}"), FAIL, "Job o: no ttl"),
    "ACK node group": (
        of("eks.services.k8s.aws/v1alpha1", "Nodegroup", "{instanceTypes: [p5.48xlarge]}"), OPEN, "Nodegroup.eks"),
    "Config Connector": (
        of("container.cnrm.cloud.google.com/v1beta1", "ContainerNodePool", "{}"), OPEN, "harmless_kinds"),
    "Cluster API": (
        of("infrastructure.cluster.x-k8s.io/v1beta2", "AWSMachineTemplate", "{}"), OPEN, "harmless_kinds"),
    "ResourceClaim": (
        of("resource.k8s.io/v1", "ResourceClaim", "{devices: {requests: [{exactly: {deviceClassName:"
           " gpu.nvidia.com}}]}}"), FAIL, "owner"),
    "pod by claim": (
        of("v1", "Pod", "{resourceClaims: [{name: g, resourceClaimTemplateName: t}], containers: [{name: c}]}"),
        OPEN, "if it holds GPUs"),
    "Karpenter NodePool": (
        of("karpenter.sh/v1", "NodePool", "{template: {spec: {requirements: [{key:"
           " karpenter.k8s.aws/instance-family, operator: In, values: [p5]}, {key: topology.kubernetes.io/zone,"
           " operator: In, values: [a-1a, a-1b]}]}}}"), FAIL, "are 2 zones"),
    "Karpenter NodePool of anything": (
        of("karpenter.sh/v1", "NodePool", "{template: {spec: {requirements: []}}}"), OPEN, "bound its instance types"),
    "Karpenter Provisioner": (
        of("karpenter.sh/v1alpha5", "Provisioner", "{requirements: [{key: node.kubernetes.io/instance-type,"
           " operator: In, values: [g5.xlarge]}]}"), FAIL, "topology.kubernetes.io/zone"),
    "eksctl": (
        ("apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: x, region: a}\n"
         "managedNodeGroups: [{name: g, instanceType: p4d.24xlarge, availabilityZones: [a-1a, a-1b]}]\n"),
        FAIL, "availabilityZones are 2 zones"),
    "CloudFormation": (
        "Resources:\n  G:\n    Type: AWS::EKS::Nodegroup\n    Properties: {InstanceTypes: [p5.48xlarge]}\n",
        OPEN, "AWS::EKS::Nodegroup"),
    "of nobody": (of("example.org/v1", "Trainer", f"{{a: {T}}}"), FAIL, "owner"),
    "of nobody, without GPUs": (of("example.org/v1", "Trainer", "{}"), OPEN, "Trainer.example.org"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KUBERNETES)
def test_none_is_silent(kind):
    text, wanted, says = KUBERNETES[kind]
    evidence = run({"a.yaml": text, "sound.yaml": JOB})
    assert evidence.outcome == wanted, (evidence.verdict, evidence.findings)
    found = [line for line in evidence.findings if says in line]
    assert found, evidence.findings
    for line in evidence.findings:
        assert not line.startswith("not decided") or any(way in line for way in WAYS), line


def test_there_are_as_many_as_are_promised():
    assert len(KUBERNETES) >= 60


HARMLESS = [
    ("v1", "Service"), ("v1", "Namespace"), ("v1", "ResourceQuota"), ("networking.k8s.io/v1", "Ingress"),
    ("rbac.authorization.k8s.io/v1", "Role"), ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"), ("cert-manager.io/v1", "Certificate"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"), ("kueue.x-k8s.io/v1beta1", "ClusterQueue"),
    ("scheduling.volcano.sh/v1beta1", "Queue"), ("argoproj.io/v1alpha1", "AppProject"),
    ("source.toolkit.fluxcd.io/v1", "GitRepository"), ("nvidia.com/v1", "ClusterPolicy"),
    ("kyverno.io/v1", "ClusterPolicy"), ("karpenter.k8s.aws/v1", "EC2NodeClass"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"), ("scheduling.k8s.io/v1", "PriorityClass"),
]  # fmt: skip


@pytest.mark.parametrize(("group", "kind"), HARMLESS, ids=[kind for _, kind in HARMLESS])
def test_what_starts_nothing_leaves_nothing_open(group, kind):
    assert run({"a.yaml": of(group, kind, "{}"), "sound.yaml": JOB}).outcome == PASS


LABELS = "{name: x, labels: {owner: a}}"
CONTAINER = "{name: c, image: i, resources: {limits: {nvidia.com/gpu: 8}}}"

#: the same kinds, mended: what the fields of each operator allow
MENDED = {
    "Argo Workflow": of(
        "argoproj.io/v1alpha1", "Workflow", "{entrypoint: a, activeDeadlineSeconds: 600, ttlStrategy:"
        f" {{secondsAfterCompletion: 60}}, templates: [{{name: a, container: {CONTAINER}}}]}}", LABELS),
    "Argo, after success and failure": of(
        "argoproj.io/v1alpha1", "Workflow", "{entrypoint: a, activeDeadlineSeconds: 600, ttlStrategy:"
        " {secondsAfterSuccess: 60, secondsAfterFailure: 3600}}", LABELS),
    "Argo by its template": of(
        "argoproj.io/v1alpha1", "Workflow", "{workflowTemplateRef: {name: w}}", LABELS) + "---\n" + of(
        "argoproj.io/v1alpha1", "WorkflowTemplate", "{entrypoint: a, activeDeadlineSeconds: 600,"
        " ttlStrategy: {secondsAfterCompletion: 60}}", "{name: w, labels: {owner: a}}"),
    "Argo CronWorkflow by its history": of(
        "argoproj.io/v1alpha1", "CronWorkflow", "{successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 1,"
        " workflowSpec: {entrypoint: a, activeDeadlineSeconds: 600}}", LABELS),
    "JobSet": of(
        "jobset.x-k8s.io/v1alpha2", "JobSet", "{ttlSecondsAfterFinished: 60, replicatedJobs: [{template: {spec:"
        f" {{activeDeadlineSeconds: 600, template: {{spec: {POD}}}}}}}}}]}}", LABELS),
    "Volcano": of(
        "batch.volcano.sh/v1alpha1", "Job", "{ttlSecondsAfterFinished: 60, tasks: [{template: {spec:"
        f" {{activeDeadlineSeconds: 600, containers: [{CONTAINER}]}}}}}}]}}", LABELS),
    "TrainJob": of(
        "trainer.kubeflow.org/v1alpha1", "TrainJob", "{activeDeadlineSeconds: 600, runtimeRef: {name: torch}}",
        LABELS) + "---\n" + of("trainer.kubeflow.org/v1alpha1", "ClusterTrainingRuntime", "{template: {spec:"
        " {ttlSecondsAfterFinished: 60}}}", "{name: torch}"),
    "Spark": of(
        "sparkoperator.k8s.io/v1beta2", "SparkApplication", "{timeToLiveSeconds: 60, driver: {template: {spec:"
        " {activeDeadlineSeconds: 600, containers: [{name: d}]}}}}", LABELS),
    "Tekton": of("tekton.dev/v1", "PipelineRun", "{timeouts: {pipeline: 30m}}", LABELS) + "---\n" + of(
        "operator.tekton.dev/v1alpha1", "TektonConfig", "{pruner: {keep: 5}}", "{name: config}"),
    "Ray by rules": of(
        "ray.io/v1", "RayJob", "{activeDeadlineSeconds: 600, deletionStrategy: {deletionRules: [{policy:"
        " DeleteCluster, condition: {jobStatus: SUCCEEDED, ttlSeconds: 60}}, {policy: DeleteSelf, condition:"
        " {jobStatus: FAILED, ttlSeconds: 600}}]}}", LABELS),
    "Katib": of(
        "kubeflow.org/v1beta1", "Experiment", "{trialTemplate: {trialSpec: {apiVersion: batch/v1, kind: Job,"
        " spec: {activeDeadlineSeconds: 600}}}}", LABELS),
    "a hook of Helm": of(
        "batch/v1", "Job", "{activeDeadlineSeconds: 600}", "{name: x, labels: {owner: a}, annotations:"
        " {helm.sh/hook: post-install, helm.sh/hook-delete-policy: 'hook-succeeded,hook-failed'}}"),
    "no GPU after all": of("apps/v1", "Deployment", T.replace("8", "0")),
    "Karpenter": of(
        "karpenter.sh/v1", "NodePool", "{template: {metadata: {labels: {owner: a}}, spec: {requirements: [{key:"
        " karpenter.k8s.aws/instance-family, operator: In, values: [p5]}, {key: topology.kubernetes.io/zone,"
        " operator: In, values: [a-1a]}]}}}"),
    "Karpenter without GPUs": of(
        "karpenter.sh/v1", "NodePool", "{template: {spec: {requirements: [{key: karpenter.k8s.aws/instance-category,"
        " operator: In, values: [c, m, r]}]}}}"),
}  # fmt: skip


@pytest.mark.parametrize("kind", MENDED)
def test_what_is_mended_is_green(kind):
    evidence = run({"a.yaml": MENDED[kind], "sound.yaml": JOB})
    assert evidence.outcome == PASS, (evidence.verdict, evidence.findings)


@pytest.mark.parametrize(
    ("group", "kind", "spec", "says"),
    [
        ("argoproj.io/v1alpha1", "Workflow", ("{entrypoint: a, activeDeadlineSeconds: 9, ttlStrategy:"
         " {secondsAfterSuccess: 60}}"), "when it has failed"),
        ("jobset.x-k8s.io/v1alpha2", "JobSet", ("{ttlSecondsAfterFinished: 60, failurePolicy: {maxRestarts: 9},"
         " replicatedJobs: [{template: {spec: {activeDeadlineSeconds: 80000}}}]}"), "times 10 tries is 800000"),
        ("ray.io/v1", "RayJob", ("{shutdownAfterJobFinishes: true, activeDeadlineSeconds: 80000,"
         " backoffLimit: 1}"), "times 2 tries is 160000"),
        ("ray.io/v1", "RayJob", ("{activeDeadlineSeconds: 9, deletionStrategy: {deletionRules: [{policy:"
         " DeleteSelf, condition: {jobStatus: SUCCEEDED}}]}}"), "when the job has failed"),
        ("ray.io/v1", "RayJob", ("{activeDeadlineSeconds: 9, deletionStrategy: {onSuccess: {policy:"
         " DeleteWorkers}, onFailure: {policy: DeleteSelf}}}"), "onSuccess leaves the cluster"),
        ("tekton.dev/v1", "PipelineRun", "{timeouts: {pipeline: 48h}}", "is 172800"),
        ("kubeflow.org/v1beta1", "Experiment", ("{trialTemplate: {retain: true, trialSpec: {apiVersion: batch/v1,"
         " kind: Job, spec: {activeDeadlineSeconds: 600}}}}"), "no ttlSecondsAfterFinished"),
    ],
)  # fmt: skip
def test_mended_by_half_is_red(group, kind, spec, says):
    evidence = run({"a.yaml": of(group, kind, spec, LABELS)})
    assert evidence.outcome == FAIL
    assert says in "\n".join(evidence.findings)


GPU_NAMES = [
    "nvidia.com/gpu",
    "nvidia.com/gpu.shared",
    "nvidia.com/mig-1g.5gb",
    "nvidia.com/gpumem",
    "amd.com/gpu",
    "gpu.intel.com/i915",
    "gpu.intel.com/xe",
    "habana.ai/gaudi",
    "google.com/tpu",
    "aws.amazon.com/neuron",
    "aws.amazon.com/neuroncore",
    "huawei.com/Ascend910",
    "huawei.com/npu",
    "volcano.sh/vgpu-number",
    "cambricon.com/mlu",
    "cambricon.com/vmlu",
    "hygon.com/dcunum",
    "iluvatar.ai/vgpu",
    "metax-tech.com/sgpu",
    "mthreads.com/vgpu",
    "kunlunxin.com/xpu",
    "aliyun.com/gpu-mem",
    "tencent.com/vcuda-core",
    "enflame.com/gcu",
    "qualcomm.com/qaic",
    "furiosa.ai/npu",
    "rebellions.ai/ATOM",
    "tenstorrent.com/n150",
    "k8s.amazonaws.com/vgpu",
    "run.ai/shared-gpu",
    "baidu.com/xpu",
]
NO_GPUS = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "hugepages-2Mi",
    "rdma/hca_shared_devices_a",
    "vpc.amazonaws.com/efa",
    "intel.com/sriov_netdevice",
    "devices.kubevirt.io/kvm",
    "smarter-devices/fuse",
    "vpc.amazonaws.com/pod-eni",
]


@pytest.mark.parametrize("name", GPU_NAMES)
def test_gpus_of_all_vendors(name):
    spec = f"{{template: {{spec: {{containers: [{{name: c, resources: {{limits: {{{name}: 1}}}}}}]}}}}}}"
    assert run({"a.yaml": of("apps/v1", "Deployment", spec), "b.yaml": JOB}).outcome == FAIL


@pytest.mark.parametrize("name", NO_GPUS)
def test_devices_that_are_no_gpus(name):
    spec = f"{{template: {{spec: {{containers: [{{name: c, resources: {{limits: {{{name}: 1}}}}}}]}}}}}}"
    assert run({"a.yaml": of("apps/v1", "Deployment", spec), "b.yaml": JOB}).outcome == PASS


def test_a_device_of_nobody_may_be_a_gpu():
    spec = (
        "{template: {spec: {containers: [{name: c, resources: {limits: {example.org/chip: 1}}}]}}}"
    )
    files = {"a.yaml": of("apps/v1", "Deployment", spec), "b.yaml": JOB}
    assert run(files).outcome == OPEN


def test_the_policy_settles_what_no_rule_knows():
    files = {"a.yaml": of("example.org/v1", "Trainer", "{}"), "b.yaml": JOB}
    for names in (("Trainer",), ("Trainer.example.org",), ("*.example.org",)):
        for field in ("harmless_kinds", "trusted_kinds"):
            evidence = run(files, InfraGuardrails(**{field: names}))
            assert evidence.outcome == PASS, (field, evidence.verdict)
            assert evidence.measurement.details[field] == names
    assert run(files, InfraGuardrails(harmless_kinds=("Other",))).outcome == OPEN
    flow = {"a.yaml": of("argoproj.io/v1alpha1", "Workflow", "{entrypoint: a}", LABELS)}
    assert run(flow).outcome == FAIL
    assert run(flow, InfraGuardrails(trusted_kinds=("Workflow.argoproj.io",))).outcome == PASS


def test_what_a_controller_has_made_is_judged_by_it():
    owned = yaml.safe_load(JOB)
    owned["metadata"]["ownerReferences"] = [{"kind": "JobSet", "name": "x", "controller": True}]
    del owned["spec"]["ttlSecondsAfterFinished"]
    gate = InfraGuardrails()
    assert gate.run([owned]).outcome == FAIL
    assert gate.run([owned, yaml.safe_load(MENDED["JobSet"])]).outcome == PASS
