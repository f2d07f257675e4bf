"""What everything speaks: Gate, Measurement, Verdict, Evidence."""

from pytest_mlgates.core.gate import *  # noqa: F403
from pytest_mlgates.core.gate import __all__ as __all__
