"""What the shared suites ask of ``throughput``.

Generous limits, so that the machine of the tests may be busy: the flawed subject can answer a fifth
of what is offered, which no neighbour explains.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.throughput import Throughput
from pytest_mlgates.load.counters import Served
from pytest_mlgates.load.subjects import Batch, Http, Socket

SECRETS = ("4111-1111-1111-1111", "Ada Lovelace", "hunter2")
GATE = Throughput(
    min_per_second=100, max_p99_ms=500, seconds=8, warmup_s=0.2, beta=0.05, realtime=True
)
SHORT = Throughput(min_per_second=100, max_p99_ms=500, seconds=0.5, warmup_s=0.1)
_INPUTS = [f"pay with {SECRETS[0]}", f"ship to {SECRETS[1]}"]


def _quick(text: str) -> str:
    return text[::-1]


def _slow(text: str) -> str:
    time.sleep(0.05)
    return text


def _raises(text: str) -> str:
    raise RuntimeError(f"{SECRETS[2]}: {text}")


def _yields(text: str) -> Iterator[str]:
    yield text


def _hangs(text: str) -> None:
    time.sleep(60)


async def _async_raises(text: str) -> str:
    raise RuntimeError(f"{SECRETS[2]}: {text}")


def sound() -> Evidence:
    """Return the evidence on a subject that answers at once."""
    return GATE.run(_quick, _INPUTS)


def flawed() -> Evidence:
    """Return the evidence on a subject that can answer 20 a second."""
    return GATE.run(_slow, _INPUTS)


def _nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no inputs": lambda: SHORT.run(_quick, []),
    "inputs no iterable": lambda: SHORT.run(_quick, 7),
    "not callable": lambda: SHORT.run("quick", _INPUTS),
    "call raises": lambda: SHORT.run(_raises, _INPUTS),
    "async call raises": lambda: SHORT.run(_async_raises, _INPUTS),
    "a generator is no answer": lambda: SHORT.run(_yields, _INPUTS),
    "a future is no answer": lambda: SHORT.run(lambda _: Future(), _INPUTS),
    "call hangs": lambda: Throughput(
        min_per_second=10, max_p99_ms=1, seconds=1, timeout_s=0.05
    ).run(_hangs, _INPUTS),
    "the same answer to all": lambda: SHORT.run(lambda _: "yes", _INPUTS),
    "a batch of another length": lambda: SHORT.run(Batch(lambda found: found[1:]), _INPUTS),
    "check says no": lambda: SHORT.run(_quick, _INPUTS, check=lambda *_: False),
    "too short for a PASS": lambda: SHORT.run(_quick, _INPUTS),
    "arrivals too slow": lambda: SHORT.run(_quick, _INPUTS, arrivals=[0.0, 1.0, 2.0]),
    "arrivals out of order": lambda: SHORT.run(_quick, _INPUTS, arrivals=[0.0, 1.0, 0.5]),
    "no arrivals": lambda: SHORT.run(_quick, _INPUTS, arrivals=[]),
    "nobody listens": lambda: SHORT.run(Socket(_nobody()), [{"a": 1}]),
    "nobody answers over HTTP": lambda: SHORT.run(Http(f"http://{_nobody()}/"), [None, "a"]),
    "inputs that a socket can't send": lambda: SHORT.run(Socket(_nobody()), _INPUTS),
    "served by nothing": lambda: SHORT.run(_quick, _INPUTS, served_by=Served(pid=2**22 + 1)),
    "served by a folder that is no cgroup": lambda: SHORT.run(
        _quick, _INPUTS, served_by=Served(cgroup="/nowhere")
    ),
}
