"""Resources whose content stands elsewhere, with the command that shows it."""

from __future__ import annotations

from pytest_mlgates.gates.infra_guardrails.world import Resource

__all__ = ["rendered"]

_HELM = "what the chart creates is not seen: gate the output of `helm template`"
_KUSTOMIZE = "what its path holds is not seen: gate the output of `kustomize build` of that path"
_ARGO_CD = (
    "what its source holds is not seen: gate the output of `argocd app manifests`, or that source"
)
_FLEET = "what its source holds is not seen: gate the output of `fleet apply -o -`, or that source"

_COMMANDS = {
    ("argoproj.io", "Application"): _ARGO_CD,
    ("argoproj.io", "ApplicationSet"): _ARGO_CD,
    ("helm.toolkit.fluxcd.io", "HelmRelease"): _HELM,
    ("helm.fluxcd.io", "HelmRelease"): _HELM,
    ("helm.cattle.io", "HelmChart"): _HELM,
    ("helm.cattle.io", "HelmChartConfig"): _HELM,
    ("helm.crossplane.io", "Release"): _HELM,
    ("addons.cluster.x-k8s.io", "HelmChartProxy"): _HELM,
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): _KUSTOMIZE,
    ("fleet.cattle.io", "GitRepo"): _FLEET,
    ("fleet.cattle.io", "Bundle"): _FLEET,
}


def rendered(resource: Resource) -> str | None:
    """Return what a resource hides and the command that shows it, or None."""
    return _COMMANDS.get((resource.group, resource.kind))
