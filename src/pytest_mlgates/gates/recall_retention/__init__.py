"""What pruning and quantising an index cost in recall."""

from pytest_mlgates.gates.recall_retention.gate import RecallRetention

__all__ = ["RecallRetention"]
