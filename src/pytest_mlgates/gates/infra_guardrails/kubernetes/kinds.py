"""What is known of kinds: which hold nothing that a rule is about, and which run as long as wanted.

A kind on neither list, and on none of those of :mod:`ends`, :mod:`zones` and :mod:`indirect`, is not
taken for harmless: it is open, and the message says how a policy settles it.
"""

from __future__ import annotations

from pytest_mlgates.gates.infra_guardrails.world import Resource

__all__ = ["holds_nothing", "runs_on"]

#: groups of settings, routes, rights, certificates, storage and watching: no pod, no job, no GPU
_HARMLESS_GROUPS = frozenset(
    [
        "acme.cert-manager.io",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apiserver.config.k8s.io",
        "apiserver.k8s.io",
        "argo-rollouts.io",
        "audit.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "autoscaling.k8s.io",
        "aquasecurity.github.io",
        "backstage.io",
        "bitnami.com",
        "cert-manager.io",
        "certificates.k8s.io",
        "cilium.io",
        "client.authentication.k8s.io",
        "config.gatekeeper.sh",
        "config.kueue.x-k8s.io",
        "configuration.konghq.com",
        "constraints.gatekeeper.sh",
        "coordination.k8s.io",
        "crd.k8s.amazonaws.com",
        "crd.projectcalico.org",
        "cri-api.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "external-secrets.io",
        "externaldns.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "gateway.envoyproxy.io",
        "gateway.networking.k8s.io",
        "generators.external-secrets.io",
        "getambassador.io",
        "imagepolicy.k8s.io",
        "image.toolkit.fluxcd.io",
        "inference.networking.k8s.io",
        "inference.networking.x-k8s.io",
        "internal.apiserver.k8s.io",
        "k8s.cni.cncf.io",
        "keda.sh",
        "kind.x-k8s.io",
        "kubeadm.k8s.io",
        "kubelet.config.k8s.io",
        "kubeproxy.config.k8s.io",
        "kubescheduler.config.k8s.io",
        "kueue.x-k8s.io",
        "kustomize.config.k8s.io",
        "kyverno.io",
        "metallb.io",
        "metrics.k8s.io",
        "migration.k8s.io",
        "monitoring.coreos.com",
        "monitoring.googleapis.com",
        "networking.gke.io",
        "networking.istio.io",
        "networking.k8s.io",
        "networking.x-k8s.io",
        "node.k8s.io",
        "notification.toolkit.fluxcd.io",
        "operators.coreos.com",
        "policies.kyverno.io",
        "policy",
        "policy.networking.k8s.io",
        "project.openshift.io",
        "projectcontour.io",
        "proxy.open-cluster-management.io",
        "rbac.authorization.k8s.io",
        "route.openshift.io",
        "scheduling.k8s.io",
        "scheduling.sigs.k8s.io",
        "scheduling.volcano.sh",
        "scheduling.x-k8s.io",
        "secrets-store.csi.x-k8s.io",
        "security.istio.io",
        "security.openshift.io",
        "snapshot.storage.k8s.io",
        "source.toolkit.fluxcd.io",
        "spec.tekton.dev",
        "storage.k8s.io",
        "storagemigration.k8s.io",
        "telemetry.istio.io",
        "templates.gatekeeper.sh",
        "traefik.containo.us",
        "traefik.io",
        "triggers.tekton.dev",
        "user.openshift.io",
        "vpcresources.k8s.aws",
        "wgpolicyk8s.io",
        "whereabouts.cni.cncf.io",
    ]
)

#: kinds of other groups that hold none either; a ConfigMap's text is looked through before
_HARMLESS = {
    "": """
        Binding ComponentStatus Config ConfigMap Endpoints Event LimitRange Namespace Node
        PersistentVolume PersistentVolumeClaim ResourceQuota Secret Service ServiceAccount Status
        """,
    "apps": "ControllerRevision",
    "argoproj.io": "AppProject EventBus EventSource WorkflowArtifactGCTask WorkflowEventBinding "
    "WorkflowTaskResult WorkflowTaskSet",
    "app.k8s.io": "Application",
    "config.openshift.io": "*",
    "dataplane.openshift.io": "*",
    "eventing.knative.dev": "Broker Trigger EventType EventPolicy",
    "messaging.knative.dev": "*",
    "flows.knative.dev": "*",
    "fleet.cattle.io": "Cluster ClusterGroup",
    "image.openshift.io": "*",
    "kafka.strimzi.io": "KafkaTopic KafkaUser KafkaConnector KafkaRebalance",
    "karpenter.k8s.aws": "EC2NodeClass AWSNodeTemplate",
    "karpenter.azure.com": "AKSNodeClass",
    "kubeflow.org": "Profile PodDefault Suggestion Viewer",
    "machineconfiguration.openshift.io": "*",
    "nvidia.com": "ClusterPolicy NVIDIADriver",
    "resource.k8s.io": "DeviceClass ResourceSlice ResourceClass ResourceClaimTemplate "
    "PodSchedulingContext ResourceClaimParameters ResourceClassParameters",
    "resource.nvidia.com": "*",
    "serving.knative.dev": "Route DomainMapping",
    "serving.kserve.io": "ClusterStorageContainer InferenceGraph TrainedModel",
    "tekton.dev": "PipelineResource",
    "operator.tekton.dev": "*",
    "topology.node.k8s.io": "*",
    "nfd.k8s-sigs.io": "*",
    "velero.io": "*",
}

#: kinds whose pods run as long as somebody wants them: owner, GPU limits and zones are asked, no end
_RUNS_ON = {
    "": "Pod ReplicationController PodTemplate PersistentVolume PersistentVolumeClaim DeploymentConfig",
    "apps": "Deployment StatefulSet DaemonSet ReplicaSet",
    "extensions": "Deployment DaemonSet ReplicaSet Ingress NetworkPolicy PodSecurityPolicy",
    "apps.kruise.io": "CloneSet StatefulSet DaemonSet UnitedDeployment SidecarSet",
    "apps.nvidia.com": "NIMService NIMCache NIMPipeline",
    "apps.openshift.io": "DeploymentConfig",
    "argoproj.io": "Rollout Sensor",
    "flink.apache.org": "FlinkDeployment",
    "kubeflow.org": "Notebook",
    "kubevirt.io": "VirtualMachine VirtualMachineInstance VirtualMachineInstanceReplicaSet",
    "leaderworkerset.x-k8s.io": "LeaderWorkerSet",
    "machinelearning.seldon.io": "SeldonDeployment",
    "nvidia.com": "DynamoGraphDeployment DynamoComponentDeployment",
    "ray.io": "RayCluster RayService",
    "resource.k8s.io": "ResourceClaim",
    "serving.knative.dev": "Service Configuration Revision",
    "serving.kserve.io": "InferenceService LLMInferenceService LLMInferenceServiceConfig "
    "ServingRuntime ClusterServingRuntime",
    "storage.k8s.io": "StorageClass",
    "snapshot.storage.k8s.io": "VolumeSnapshotClass",
    "tekton.dev": "Pipeline Task ClusterTask StepAction",
    "trainer.kubeflow.org": "TrainingRuntime ClusterTrainingRuntime",
}


def _listed(resource: Resource, table: dict[str, str]) -> bool:
    kinds = table.get(resource.group, "").split()
    return resource.kind in kinds or "*" in kinds


def holds_nothing(resource: Resource) -> bool:
    """Tell whether a kind is known to hold no pod, no job and no GPU."""
    return resource.group in _HARMLESS_GROUPS or _listed(resource, _HARMLESS)


def runs_on(resource: Resource) -> bool:
    """Tell whether a kind's pods are meant to stay, so that no end is asked of them."""
    return _listed(resource, _RUNS_ON)
