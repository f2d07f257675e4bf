"""``mlgates doctor``: what this machine and installation can and can't do."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from pytest_mlgates.commands.extras import extra_lines
from pytest_mlgates.core.errors import UnknownGate
from pytest_mlgates.gates.p99_latency.machine import machine_use, open_counters
from pytest_mlgates.gates.p99_latency.speed import calibrate, stored_quiet
from pytest_mlgates.load.priority import realtime_priority
from pytest_mlgates.registry import load, names

__all__ = ["doctor", "examine"]


def doctor(args: Namespace) -> int:
    """Print what this machine and installation can and can't do."""
    for line in examine(calibrate_now=args.calibrate):
        print(line)
    return 0


def examine(*, calibrate_now: bool = False) -> Iterator[str]:
    """Yield a line for each thing found; with ``calibrate_now`` store this machine's speed."""
    for name in names():
        try:
            load(name)
        except (ImportError, UnknownGate) as error:
            yield f"gate {name}: can't be loaded: {error}"
    yield f"gates: {', '.join(names())}"
    yield from extra_lines()
    with open_counters() as counters:
        both = counters is not None and machine_use() is not None
    yield "scheduler counters: " + (
        "readable" if both else "not readable: on a busy machine latency gates end INCONCLUSIVE"
    )
    with realtime_priority(wanted=True) as answer:
        yield f"real-time priority: {'permitted' if answer == 'on' else answer}"
    known = calibrate() if calibrate_now else stored_quiet()
    speed = f"{known.quiet_ns:,.0f} ns a spin" if known.quiet_ns else known.note
    yield f"quiet speed of {known.kind}: {speed}"
