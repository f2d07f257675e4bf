"""Personal data and secrets in text: found, validated, masked, scrubbed."""

from pytest_mlgates.pii.find import Detector
from pytest_mlgates.pii.guard import LeakError, guard
from pytest_mlgates.pii.scrub import scrub
from pytest_mlgates.pii.spans import ENTITIES, Span

__all__ = ["ENTITIES", "Detector", "LeakError", "Span", "guard", "scrub"]
