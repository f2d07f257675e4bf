"""Whether a subject reaches for an address that is not on the list."""

from pytest_mlgates.gates.egress.gate import Egress

__all__ = ["Egress"]
