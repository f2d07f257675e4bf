"""Where, and how often, a new model leaves the one in charge."""

from pytest_mlgates.gates.shadow_divergence.gate import ShadowDivergence

__all__ = ["ShadowDivergence"]
