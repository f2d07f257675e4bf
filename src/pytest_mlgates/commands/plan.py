"""``mlgates plan``: how many observations a verdict needs, and how long they take."""

from __future__ import annotations

from argparse import Namespace

from pytest_mlgates.config.load import configs_in, load_config
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import table

__all__ = ["plan"]


def plan(args: Namespace) -> int:
    """Print what each entry needs for a PASS and for a FAIL."""
    if args.ms is not None and not args.ms > 0:
        raise UsageError(f"--ms {args.ms:g}: a call takes more than 0 ms")
    lines: list[tuple[str, ...]] = [("system", "gate", "to PASS", "to FAIL", "time to PASS")]
    for file in configs_in(args.configs):
        config = load_config(file)
        profile = config.profile(args.profile)
        for entry in config.entries.values():
            needs = config.gate(entry, profile).needs()
            if needs is None:
                lines.append((config.system, entry.name, "not fixed", "not fixed", "-"))
                continue
            took = "-" if args.ms is None else _duration(needs.to_pass * args.ms / 1000)
            counts = (f"{needs.to_pass:,} {needs.unit}", f"{needs.to_fail:,} {needs.unit}")
            lines.append((config.system, entry.name, *counts, took))
    print("\n".join(table(lines)))
    if args.ms is None:
        print("the time: add --ms with the milliseconds that one call takes")
    return 0


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
