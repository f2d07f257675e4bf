"""Whether blocked attributes are out of the features, and can't be told from what is left."""

from pytest_mlgates.gates.blocked_features.gate import BlockedFeatures

__all__ = ["BlockedFeatures"]
