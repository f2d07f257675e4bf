"""Whether manifests carry what keeps a forgotten job, pool or volume from running up a bill."""

from pytest_mlgates.gates.infra_guardrails.gate import InfraGuardrails

__all__ = ["InfraGuardrails"]
