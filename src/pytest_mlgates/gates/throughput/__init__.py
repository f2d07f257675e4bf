"""The gate ``throughput``."""

from pytest_mlgates.gates.throughput.gate import Throughput

__all__ = ["Throughput"]
