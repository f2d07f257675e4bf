"""Whether changing only the name changes the score."""

from pytest_mlgates.gates.name_invariance.gate import NameInvariance

__all__ = ["NameInvariance"]
