"""What the shared contract suite needs to know of `p99_latency`.

A P95 with generous limits, so that the machine of the tests may be busy: the flawed subject takes
twenty times the limit, which no neighbour explains.
"""

import time
from collections.abc import Callable

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.p99_latency import P99Latency

GATE = P99Latency(max_ms=1, quantile=0.95, max_calls=4000, warmup=5, min_seconds=0.5)
SECRETS = ("4111-1111-1111-1111", "Ada Lovelace", "hunter2")
_INPUTS = [f"pay with {SECRETS[0]}", f"ship to {SECRETS[1]}"]


def _quick(text: str) -> str:
    return text[::-1]


def _slow(text: str) -> str:
    time.sleep(0.02)
    return text


def _raises(text: str) -> str:
    raise RuntimeError(f"{SECRETS[2]}: {text}")


def _hangs(text: str) -> None:
    time.sleep(60)


async def _async_raises(text: str) -> str:
    raise RuntimeError(f"{SECRETS[2]}: {text}")


def sound() -> Evidence:
    return GATE.run(_quick, _INPUTS)


def flawed() -> Evidence:
    return GATE.run(_slow, _INPUTS)


def _few() -> P99Latency:
    return P99Latency(max_ms=1000, max_calls=60, warmup=1)


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no inputs": lambda: GATE.run(_quick, []),
    "exhausted iterator": lambda: GATE.run(_quick, iter(())),
    "inputs no iterable": lambda: GATE.run(_quick, 7),
    "not callable": lambda: GATE.run("quick", _INPUTS),
    "call raises": lambda: GATE.run(_raises, _INPUTS),
    "async call raises": lambda: GATE.run(_async_raises, _INPUTS),
    "call hangs": lambda: P99Latency(max_ms=1, timeout_s=0.05).run(_hangs, _INPUTS),
    "too few calls for a PASS": lambda: _few().run(_quick, _INPUTS),
    "baseline without max_regression": lambda: GATE.run(_quick, _INPUTS, _quick),
    "max_regression without baseline": lambda: P99Latency(max_ms=1, max_regression=0.1).run(
        _quick, _INPUTS
    ),
    "open loop with baseline": lambda: P99Latency(
        max_ms=1, max_regression=0.1, arrivals_per_s=10
    ).run(_quick, _INPUTS, _quick),
}
