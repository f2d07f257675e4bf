"""What a worker is told to offer, and what it tells afterwards: plain values, for any wire."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ORDER", "REPORT", "Order", "Report", "array", "boot_id", "text"]

#: names of the messages between master and workers
ORDER, REPORT = "mlgates_order", "mlgates_report"


def text(values: NDArray[Any] | bytes) -> str:
    """Return bytes, or those of an array, as text.

    >>> array(text(np.array([1.5])), np.float64).tolist()
    [1.5]
    """
    return base64.b64encode(values if isinstance(values, bytes) else values.tobytes()).decode()


def array(said: str, kind: type[np.generic]) -> NDArray[Any]:
    """Return an array that was told as text."""
    return np.frombuffer(base64.b64decode(said), kind)


def boot_id() -> str:
    """Return what tells this machine, since its start, from all others; empty where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Requests of one worker: when each is due, and which of ``bodies`` it carries.

    With ``at_once`` they go to a server that the worker starts on its own machine, and that answers
    at once: what comes out is the worker's own part of a latency.
    """

    number: int
    part: int
    url: str
    method: str
    headers: Mapping[str, str]
    due: str
    which: str
    bodies: tuple[str | None, ...]
    grace_s: float
    timeout_s: float
    at_once: bool = False

    @property
    def times(self) -> NDArray[np.float64]:
        """When each request is due, in seconds after the start."""
        return array(self.due, np.float64)

    @property
    def last_s(self) -> float:
        """When waiting for answers ends, in seconds after the start."""
        times = self.times
        return self.grace_s + (float(times[-1]) if len(times) else 0.0)

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Order:
        """Return the order that came as a mapping."""
        return cls(**{**said, "bodies": tuple(said["bodies"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of an order: times of each request after ``started``, and the worker's own part.

    ``boot`` tells its machine, ``started`` is on that machine's steady clock. ``latency`` and
    ``lag`` are HdrHistograms in microseconds, as their own codec writes them. ``first`` is a digest
    of the first answer, ``fault`` the type of the first error.
    """

    number: int
    part: int
    boot: str
    pid: int
    started: float
    ended: float
    begun: str
    answered: str
    wrong: str
    latency: str
    lag: str
    first: str
    differ: bool
    fault: str
    own_cpu_s: float

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Report:
        """Return the report that came as a mapping; raises TypeError where it is none."""
        return cls(**{field.name: said[field.name] for field in dataclasses.fields(cls)})
