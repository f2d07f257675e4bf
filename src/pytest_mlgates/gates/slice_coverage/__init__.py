"""Whether every slice is present in a data set."""

from pytest_mlgates.gates.slice_coverage.gate import SliceCoverage

__all__ = ["SliceCoverage"]
