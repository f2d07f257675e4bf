"""What is wrong in a gate config, a marker, or a file of controls."""

from __future__ import annotations

from pytest_mlgates.core.errors import UsageError

__all__ = ["ConfigError", "ControlsError"]


class ConfigError(UsageError):
    """What is wrong in a config or a marker: ``lines`` holds one line for each mistake."""


class ControlsError(ConfigError):
    """A file of controls is wrong: one line with file, line and column."""
