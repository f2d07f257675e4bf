"""Whether what goes over an uplink stays inside its budget."""

from pytest_mlgates.gates.bandwidth_budget.gate import BandwidthBudget

__all__ = ["BandwidthBudget"]
