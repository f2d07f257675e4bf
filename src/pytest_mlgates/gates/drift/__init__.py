"""Whether the input, or the age of the model, has moved past its limit."""

from pytest_mlgates.gates.drift.gate import Drift

__all__ = ["Drift"]
