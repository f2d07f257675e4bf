"""Whether a metric is above its floor, overall and on each slice."""

from pytest_mlgates.gates.quality_floor.gate import QualityFloor

__all__ = ["QualityFloor"]
