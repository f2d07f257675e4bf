"""``mlgates plan``: how many observations a verdict needs, and how long they take."""

from __future__ import annotations

import math
from argparse import Namespace

from pytest_mlgates.config.foresight import why_never_passes
from pytest_mlgates.config.load import configs_in, load_config
from pytest_mlgates.core import Gate
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import table

__all__ = ["plan"]


def plan(args: Namespace) -> int:
    """Print what each entry needs at least for a PASS and for a FAIL."""
    if args.ms is not None and not args.ms > 0:
        raise UsageError(f"--ms {args.ms:g}: a call takes more than 0 ms")
    lines: list[tuple[str, ...]] = [("system", "gate", "to PASS", "to FAIL", "time to PASS")]
    faults = []
    for file in configs_in(args.configs):
        config = load_config(file)
        profile = config.profile(args.profile)
        for entry in config.entries.values():
            gate = config.gate(entry, profile)
            lines.append((config.system, entry.name, *_needed(gate, args.ms)))
            if why := why_never_passes(gate):
                faults.append(f"{entry.source}: {entry.name} {why}")
    print("\n".join(table(lines)))
    print("at least: the clearest case, a subject far from its limit")
    if args.ms is None:
        print("the time: add --ms with the milliseconds that one call takes")
    print(*faults, sep="\n", end="\n" if faults else "")
    return 0


def _needed(gate: Gate, ms: float | None) -> tuple[str, str, str]:
    """Return what a PASS and a FAIL take, and how long the PASS does."""
    needs = gate.needs()
    if needs is None:
        return "not fixed", "not fixed", "-"
    usual = f" (usually {needs.usual:,})" if needs.usual else ""
    counts = f"{needs.to_pass:,} {needs.unit}{usual}", f"{needs.to_fail:,} {needs.unit}"
    if why_never_passes(gate):
        return "never", counts[1], "-"
    seconds = getattr(gate, "seconds", None)
    if seconds is not None:  # a load that is offered for so long, however long a call takes
        return *counts, _duration(seconds)
    if ms is None or not hasattr(gate, "timeout_s"):  # without one nothing is called
        return *counts, "-"
    calls = needs.usual or needs.to_pass
    one_by_one = _duration(calls * ms / 1000)
    at_a_time = getattr(gate, "concurrency", 1)
    if at_a_time == 1:
        return *counts, one_by_one
    together = _duration(math.ceil(calls / at_a_time) * ms / 1000)
    return *counts, f"{together} where it is awaited ({at_a_time} at a time), else {one_by_one}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
