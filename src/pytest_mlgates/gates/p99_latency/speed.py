"""How fast this kind of machine spins when it is quiet: measured once, stored in the cache folder.

Without it a machine that is slow from the first call to the last (a throttled or crowded core)
can't be told from a slow subject, so a FAIL then needs a wider margin.
"""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from pytest_mlgates.core.files import put
from pytest_mlgates.core.machine import cpu_model
from pytest_mlgates.gates.p99_latency.machine import machine_use
from pytest_mlgates.gates.p99_latency.probe import SPIN, spin

__all__ = ["Calibration", "calibrate", "machine_kind", "stored_quiet"]

_BATCHES, _BATCH = 40, 101
MAX_TAKEN, MAX_SPREAD = 0.05, 0.10


@dataclass(frozen=True, slots=True)
class Calibration:
    """The quiet spin of a machine kind in ns (None: not known), and what there is to say of it."""

    kind: str
    quiet_ns: float | None
    note: str = ""


def machine_kind() -> str:
    """Return CPU model, core count and Python version: machines alike in these spin alike.

    >>> machine_kind().count("/")
    2
    """
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{cpu_model()}/{os.cpu_count()} cores/{python}"


def stored_quiet(folder: Path | None = None) -> Calibration:
    """Return what :func:`calibrate` stored for this kind of machine.

    A file that can't be read counts as none, and the note says so.
    """
    kind = machine_kind()
    way = "run `mlgates doctor --calibrate` once while it is quiet"
    file = _file(folder)
    try:
        value = json.loads(file.read_text("utf-8"))[kind]
        if value["steps"] != SPIN:
            raise KeyError(kind)
        quiet = float(value["spin_ns"])
        if not (math.isfinite(quiet) and quiet > 0):
            raise ValueError("no time")
    except (FileNotFoundError, KeyError):
        return Calibration(kind, None, f"this kind of machine is not calibrated: {way}")
    except (OSError, ValueError, TypeError, AttributeError):
        return Calibration(kind, None, f"the calibration in {file.name} can't be read: {way}")
    return Calibration(kind, quiet)


def calibrate(folder: Path | None = None) -> Calibration:
    """Measure the quiet spin (about two seconds) and store it, unless the machine is not quiet.

    ``folder`` replaces the user's cache folder.
    """
    kind, start = machine_kind(), machine_use()
    began = time.monotonic()
    for _ in range(_BATCH):
        spin()  # warm
    medians = [statistics.median(spin() for _ in range(_BATCH)) for _ in range(_BATCHES)]
    end = machine_use()
    quiet = float(statistics.quantiles(medians, n=4)[0])
    if start is not None and end is not None:
        taken = end.since(start).taken / max(1e-9, time.monotonic() - began)
        if taken > MAX_TAKEN:
            note = f"not stored: others used {taken:.2f} cores; calibrate while it is quiet"
            return Calibration(kind, None, note)
    # a shared host slows down now and then; at its quiet speed it has to be half of the time
    spread = statistics.median(medians) / statistics.quantiles(medians, n=10)[0] - 1
    if spread > MAX_SPREAD:
        note = f"not stored: the spin varied by {spread:.0%}; calibrate while it is quiet"
        return Calibration(kind, None, note)
    _store(_file(folder), kind, quiet)
    return Calibration(kind, quiet)


def _store(file: Path, kind: str, quiet_ns: float) -> None:
    try:
        known: object = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    if not isinstance(known, dict):
        known = {}
    known[kind] = {"spin_ns": quiet_ns, "steps": SPIN}
    file.parent.mkdir(parents=True, exist_ok=True)
    put(file, json.dumps(known, indent=1))


def _file(folder: Path | None) -> Path:
    if folder is None:
        if sys.platform == "win32":
            home = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
        elif sys.platform == "darwin":
            home = "~/Library/Caches"
        else:
            home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        folder = Path(home).expanduser() / "pytest-mlgates"
    return folder / "quiet-spin.json"
