"""Whether a model gives back secrets that were planted into its training data."""

from pytest_mlgates.gates.canary_memorization.gate import CanaryMemorization

__all__ = ["CanaryMemorization"]
