"""Whether each group is selected nearly as often as the most selected one."""

from pytest_mlgates.gates.impact_ratio.gate import ImpactRatio

__all__ = ["ImpactRatio"]
