"""Whether a feature gets served by one person alone, in time."""

from pytest_mlgates.gates.lead_time.gate import LeadTime

__all__ = ["LeadTime"]
