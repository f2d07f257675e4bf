"""Quality gates with declared error rates for machine-learning systems, as a pytest plugin.

Importing this package loads the standard library only; each public name loads its module on
first use. The class of every gate is one of them, also of those that other packages register.

>>> from pytest_mlgates import SliceCoverage
>>> SliceCoverage(min_share=0.05).min_share
0.05
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_mlgates.calls.stages import stage
    from pytest_mlgates.core import (
        BrokenLimit,
        Evidence,
        Gate,
        GateFailed,
        Headline,
        Measurement,
        Needs,
        Outcome,
        StatisticalGate,
        Unmeasurable,
        Verdict,
    )
    from pytest_mlgates.core.fields import Limit
    from pytest_mlgates.gates.artifact_immutability import ArtifactImmutability
    from pytest_mlgates.gates.bandwidth_budget import BandwidthBudget
    from pytest_mlgates.gates.blocked_features import BlockedFeatures
    from pytest_mlgates.gates.canary_memorization import CanaryMemorization
    from pytest_mlgates.gates.context_budget import ContextBudget
    from pytest_mlgates.gates.cost_budget import CostBudget
    from pytest_mlgates.gates.drift import Drift
    from pytest_mlgates.gates.egress import Egress
    from pytest_mlgates.gates.feature_parity import FeatureParity
    from pytest_mlgates.gates.grounding import Grounding
    from pytest_mlgates.gates.impact_ratio import ImpactRatio
    from pytest_mlgates.gates.infra_guardrails import InfraGuardrails
    from pytest_mlgates.gates.lead_time import LeadTime
    from pytest_mlgates.gates.name_invariance import NameInvariance
    from pytest_mlgates.gates.p99_latency import P99Latency
    from pytest_mlgates.gates.pii_leak import PiiLeak
    from pytest_mlgates.gates.quality_floor import QualityFloor
    from pytest_mlgates.gates.recall_retention import RecallRetention
    from pytest_mlgates.gates.shadow_divergence import ShadowDivergence
    from pytest_mlgates.gates.slice_coverage import SliceCoverage
    from pytest_mlgates.gates.throughput import Throughput
    from pytest_mlgates.memorization import Canary, make_canaries, plant
    from pytest_mlgates.pii import Detector, scrub

__all__ = [
    "ArtifactImmutability",
    "BandwidthBudget",
    "BlockedFeatures",
    "BrokenLimit",
    "Canary",
    "CanaryMemorization",
    "ContextBudget",
    "CostBudget",
    "Detector",
    "Drift",
    "Egress",
    "Evidence",
    "FeatureParity",
    "Gate",
    "GateFailed",
    "Grounding",
    "Headline",
    "ImpactRatio",
    "InfraGuardrails",
    "LeadTime",
    "Limit",
    "Measurement",
    "NameInvariance",
    "Needs",
    "Outcome",
    "P99Latency",
    "PiiLeak",
    "QualityFloor",
    "RecallRetention",
    "ShadowDivergence",
    "SliceCoverage",
    "StatisticalGate",
    "Throughput",
    "Unmeasurable",
    "Verdict",
    "make_canaries",
    "plant",
    "scrub",
    "stage",
]

__version__ = "0.3.0"

#: the module of each public name but the gates
_HOME = {
    **dict.fromkeys(
        (
            "BrokenLimit",
            "Evidence",
            "Gate",
            "GateFailed",
            "Headline",
            "Measurement",
            "Needs",
            "Outcome",
            "StatisticalGate",
            "Unmeasurable",
            "Verdict",
        ),
        "core",
    ),
    "Canary": "memorization",
    "Detector": "pii",
    "Limit": "core.fields",
    "make_canaries": "memorization",
    "plant": "memorization",
    "scrub": "pii",
    "stage": "calls.stages",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        import importlib

        value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    elif gate := _gates().get(name) if name[:1].isupper() else None:
        from pytest_mlgates.registry import load

        value = load(gate)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _gates() -> dict[str, str]:
    """Return the gates by the name of their class; none of them is imported."""
    from pytest_mlgates.registry import classes

    return classes()


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_gates()})
