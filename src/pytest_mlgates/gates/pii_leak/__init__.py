"""Whether replies, or a data set, hold personal data or secrets."""

from pytest_mlgates.gates.pii_leak.gate import PiiLeak

__all__ = ["PiiLeak"]
