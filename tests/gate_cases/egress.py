"""What the shared suites ask of ``egress``."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.egress import Egress

SECRETS = ("4111-1111-1111-1111", "a reply that nobody may see")

GATE = Egress()


def _quiet(item: Any) -> str:
    return f"{item}: {SECRETS[1]}"


def _calls_home(item: Any) -> None:
    with contextlib.suppress(OSError), socket.socket() as home:
        home.settimeout(1)
        home.connect(("203.0.113.5", 443))
    with contextlib.suppress(OSError):
        socket.getaddrinfo(f"{SECRETS[0]}.example.org", 443)


def _raises(item: Any) -> None:
    raise ValueError(SECRETS[1])


def sound() -> Evidence:
    """Return the evidence on a subject that keeps to itself."""
    return GATE.run(_quiet, [1, 2, 3])


def flawed() -> Evidence:
    """Return the evidence on a subject that calls home, and hides a number in a name."""
    return GATE.run(_calls_home, [1, 2])


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no inputs": lambda: GATE.run(_quiet, []),
    "no callable": lambda: GATE.run(None, [1]),
    "a text for a list": lambda: GATE.run(_quiet, "inputs"),
    "every call fails": lambda: GATE.run(_raises, [1, 2]),
    "one call of many fails": lambda: GATE.run(lambda n: 1 / n, [1, 0, 2]),
    "a factory that fails": lambda: GATE.run(lambda: 1 / 0, [1], factory=True),
    "a factory that makes nothing": lambda: GATE.run(lambda: None, [1], factory=True),
    "inputs forgotten": lambda: GATE.run(_quiet),
}
