"""What goes over an uplink: records of transfers, and their peak rate."""

from pytest_mlgates.bandwidth.transfers import Transfer

__all__ = ["Transfer"]
