"""Whether training and serving see the same feature values, each at the right time."""

from pytest_mlgates.gates.feature_parity.gate import FeatureParity

__all__ = ["FeatureParity"]
