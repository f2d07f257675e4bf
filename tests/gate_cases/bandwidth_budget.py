"""What the shared suites ask of ``bandwidth_budget``."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.bandwidth_budget import BandwidthBudget

SECRETS = ("ada.lovelace@example.org", "4111-1111-1111-1111")

GATE = BandwidthBudget(max_ratio=0.001, max_mbps=1.0, max_bytes=10_000_000)
RATIO = BandwidthBudget(max_ratio=0.001)
RATE = BandwidthBudget(max_mbps=50)
SIZE = BandwidthBudget(max_bytes=1000)
OWN = BandwidthBudget(max_bytes=1000, shared_uplink=False)


def _fleet(scale: float, **changes: Any) -> list[dict[str, Any]]:
    draw = random.Random(1)
    return [
        {
            "sent_bytes": round(scale * draw.uniform(400, 600)),
            "raw_bytes": 1_000_000,
            "at": 10 * n + draw.random(),
            "seconds": 2.0,
            "source": f"{SECRETS[0]} {n % 40} {SECRETS[1]}",
            **changes,
        }
        for n in range(400)
    ]


def sound() -> Evidence:
    """Return the evidence on a fleet that sends half a thousandth of what it sees."""
    return GATE.run(_fleet(1))


def flawed() -> Evidence:
    """Return the evidence on a fleet that sends everything."""
    return GATE.run(_fleet(2000))


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no transfers": lambda: SIZE.run([]),
    "an exhausted iterator": lambda: GATE.run(iter(())),
    "one record for a list": lambda: SIZE.run({"sent_bytes": 1}),
    "not an iterable": lambda: SIZE.run(7),
    "records of another kind": lambda: SIZE.run([1, 2]),
    "no sent_bytes": lambda: SIZE.run([{"send_bytes": 1}]),
    "NaN sent": lambda: SIZE.run([{"sent_bytes": math.nan}]),
    "negative sent": lambda: SIZE.run([{"sent_bytes": -5}, {"sent_bytes": 1}]),
    "infinite sent": lambda: SIZE.run([{"sent_bytes": math.inf}]),
    "True sent": lambda: SIZE.run([{"sent_bytes": True}]),
    "words for bytes": lambda: SIZE.run([{"sent_bytes": SECRETS[0]}]),
    "nothing was sent": lambda: SIZE.run([{"sent_bytes": 0}] * 50),
    "ratio without raw": lambda: RATIO.run(_fleet(1, raw_bytes=None)),
    "ratio with raw 0": lambda: RATIO.run(_fleet(1, raw_bytes=0)),
    "ratio with NaN raw": lambda: RATIO.run(_fleet(1, raw_bytes=math.nan)),
    "ratio with one source": lambda: RATIO.run(_fleet(1, source="a")),
    "ratio without sources": lambda: RATIO.run(_fleet(1, source=None)),
    "ratio with few sources": lambda: RATIO.run(_fleet(1)[:19]),
    "rate without times": lambda: RATE.run(_fleet(1, at=None)),
    "rate with NaN times": lambda: RATE.run(_fleet(1, at=math.nan)),
    "rate with negative durations": lambda: RATE.run(_fleet(1, seconds=-1.0)),
    "own uplinks without sources": lambda: OWN.run([{"sent_bytes": 1}]),
    "a file of unknown kind": lambda: SIZE.run("transfers.xlsx"),
    "a file that is not there": lambda: SIZE.run("no-such-folder/transfers.csv"),
}
