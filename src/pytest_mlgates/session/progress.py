"""What a long gate shows on a terminal while it measures."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from pytest_mlgates.core import Measurement, Needs
from pytest_mlgates.core.instants import steady_clock
from pytest_mlgates.core.words import number

__all__ = ["progress_line", "progress_of", "uncapture"]

_clock = steady_clock()


def progress_of(
    config: pytest.Config, name: str, needs: Needs | None
) -> Callable[[Measurement], None] | None:
    """Return what shows the state of an entry's gate, or None in a log and on a worker.

    ``needs`` is what a PASS takes, if that is known: with it the line tells the time left.
    """
    reporter = config.pluginmanager.getplugin("terminalreporter")
    capture = config.pluginmanager.getplugin("capturemanager")
    if hasattr(config, "workerinput") or os.environ.get("CI") or capture is None:
        return None
    if reporter is None or not reporter.isatty:
        return None
    begun = _clock()

    def show(measurement: Measurement) -> None:
        line = progress_line(name, measurement, needs, _clock() - begun)
        with capture.global_and_fixture_disabled():
            reporter.rewrite(line, erase=True)

    return show


def progress_line(name: str, measurement: Measurement, needs: Needs | None, seconds: float) -> str:
    """Return one line: how far a gate is, what it has seen so far, how fast, how long it may take.

    >>> seen = Measurement(value=0.91, unit="ms", n=500, interval=(0.8, 1.2))
    >>> progress_line("p99_latency", seen, Needs(5000, 300), 2.0)
    'p99_latency: 500 of 5,000 calls, 0.91 ms (0.8 to 1.2), 250/s, at most 18 s left'
    >>> progress_line("other", Measurement(value=3, unit="", n=7), None, 0.0)
    'other: 7 so far, 3'
    """
    whole = needs.to_pass if needs is not None else 0
    parts = [f"{measurement.n:,} so far"]
    if needs is not None and whole >= measurement.n:
        parts = [f"{measurement.n:,} of {whole:,} {needs.unit}"]
    value = f"{number(measurement.value)} {measurement.unit}".strip()
    if measurement.interval is not None:
        low, high = map(number, measurement.interval)
        value += f" ({low} to {high})"
    parts.append(value)
    if seconds > 0 and measurement.n:
        rate = measurement.n / seconds
        parts.append(f"{number(rate)}/s")
        if whole > measurement.n:
            parts.append(f"at most {number((whole - measurement.n) / rate)} s left")
    return f"{name}: {', '.join(parts)}"


def uncapture(config: pytest.Config) -> None:
    """Let what is written next reach the terminal."""
    if capture := config.pluginmanager.getplugin("capturemanager"):
        capture.suspend_global_capture()
