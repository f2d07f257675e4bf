"""What a long gate shows on a terminal while it measures."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from pytest_mlgates.core import Measurement

__all__ = ["progress_of", "uncapture"]


def progress_of(config: pytest.Config, name: str) -> Callable[[Measurement], None] | None:
    """Return what shows the state of an entry's gate, or None in a log and on a worker."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    capture = config.pluginmanager.getplugin("capturemanager")
    if hasattr(config, "workerinput") or os.environ.get("CI") or capture is None:
        return None
    if reporter is None or not reporter.isatty:
        return None

    def show(measurement: Measurement) -> None:
        line = f"{name}: {measurement.n:,} so far, {measurement.value:.4g} {measurement.unit}"
        with capture.global_and_fixture_disabled():
            reporter.rewrite(line, erase=True)

    return show


def uncapture(config: pytest.Config) -> None:
    """Let what is written next reach the terminal."""
    if capture := config.pluginmanager.getplugin("capturemanager"):
        capture.suspend_global_capture()
