"""Tail latency: is the slowest percent of calls still fast enough."""

from pytest_mlgates.gates.p99_latency.gate import P99Latency

__all__ = ["P99Latency"]
