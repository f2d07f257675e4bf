"""A subject that another process serves: its CPU and waits are its own, its pauses are no one else's."""

import multiprocessing
import os
import socket
import time
from typing import Any

import numpy as np
import pytest

from pytest_mlgates import Outcome
from pytest_mlgates.core import Verdict
from pytest_mlgates.gates.p99_latency import P99Latency
from pytest_mlgates.gates.p99_latency.machine import MachineUse
from pytest_mlgates.gates.p99_latency.record import counted
from pytest_mlgates.gates.p99_latency.trace import Trace
from pytest_mlgates.load.counters import Sampler, Served

MS = 1e6
N, RATE = 10_000, 500.0
SECONDS = N / RATE


def paused(arrival_s: Any) -> Any:
    """Return what callers wait of a server that stops for 200 ms in each 2 s."""
    phase = arrival_s % 2.0
    return np.where(phase < 0.2, 0.2 - phase, 0.0) + 0.0003


def slow_for_some(arrival_s: Any) -> Any:
    return np.where(np.random.default_rng(3).random(len(arrival_s)) < 0.03, 0.09, 0.0003)


def late_in_the_day(arrival_s: Any) -> Any:
    """Not developed on: quick at first, then every second request waits for a lock."""
    return np.where((arrival_s > 5) & (np.arange(len(arrival_s)) % 2 == 0), 0.12, 0.0004)


def quick(arrival_s: Any) -> Any:
    return np.full(len(arrival_s), 0.0003)


def judged(waits: Any, *, others: float, crowded: float, served: bool = False) -> Verdict:
    """Judge an open loop on a machine whose others use so many cores and wait for so much of it."""
    arrival = np.cumsum(np.random.default_rng(1).exponential(1 / RATE, N))
    took = waits(arrival)
    times = np.arange(-0.05, arrival[-1] + 1, 0.05)
    rows = np.zeros((len(times), 6))
    rows[:, 0] = times
    rows[:, 2], rows[:, 3] = crowded * times, 0.003 * times
    rows[:, 4] = others * times
    rows -= rows[0] * np.array([0, 1, 1, 1, 1, 1])
    trace = Trace(
        wall=took * 1e9, cpu=np.zeros(N), delay=np.full(N, 6_000.0),
        spin=np.full(N, 9000.0), quiet_spin=9000.0, arrival=arrival * 1e9, start=arrival * 1e9,
        lag=np.zeros(N), concurrent=True, seconds=SECONDS, samples=rows,
        use=MachineUse(SECONDS, (others + 0.3) * SECONDS, 0.0, 0.3 * SECONDS, 0.0, crowded * SECONDS),
    )  # fmt: skip
    gate = P99Latency(max_ms=50, arrivals_per_s=RATE, max_calls=N)
    return gate.decide(counted(trace, gate.max_ms, gate.quantile, gate._schedule)[0])


@pytest.mark.parametrize("server", [paused, slow_for_some, late_in_the_day])
def test_what_a_server_does_while_waiting_fails_on_a_quiet_machine(server: Any) -> None:
    for others, crowded in ((0.06, 0.01), (0.02, 0.0)):
        assert judged(server, others=others, crowded=crowded).outcome == Outcome.FAIL


@pytest.mark.parametrize("server", [paused, slow_for_some, late_in_the_day])
def test_on_a_busy_machine_it_may_be_others(server: Any) -> None:
    verdict = judged(server, others=1.8, crowded=1.9)
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "neither a pass nor a fail" in verdict.reason


def test_a_quick_server_passes_on_either() -> None:
    for others, crowded in ((0.06, 0.01), (1.8, 1.9)):
        assert judged(quick, others=others, crowded=crowded).outcome == Outcome.PASS


def test_too_busy_is_said_only_where_the_machine_was() -> None:
    reason = judged(slow_for_some, others=1.8, crowded=1.9).reason
    assert "others on the machine can have caused" in reason
    assert "served_by" in reason


def _serve(port: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port.send(server.getsockname()[1])
        link, _ = server.accept()
        with link:
            while link.recv(1):
                end = time.process_time() + 0.0005
                while time.process_time() < end:
                    pass
                link.sendall(b"x")


@pytest.mark.timing
@pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="Linux only")  # noqa: PTH110
def test_the_cpu_of_who_serves_is_measured() -> None:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    child.start()
    try:
        link = socket.create_connection(("127.0.0.1", ours.recv()))

        def ask(_: object) -> bytes:
            link.sendall(b"a")
            return link.recv(1)

        gate = P99Latency(max_ms=2000, quantile=0.8, max_calls=1000, min_seconds=0, max_cpu_ms=0.1)
        with link:
            evidence = gate.run(ask, [1], served_by=Served(pid=child.pid))
        assert evidence.outcome == Outcome.FAIL, evidence.verdict
        assert "ms of CPU a call" in evidence.verdict.reason
        assert evidence.measurement.details["served_by"].startswith("process ")  # type: ignore[union-attr]
    finally:
        child.join(10)
        child.terminate()


def test_what_serves_is_named_or_refused() -> None:
    gate = P99Latency(max_ms=2000, shared_machine=True)
    gone = gate.run(len, ["a"], served_by=Served(pid=2**22 - 1))
    assert gone.outcome == Outcome.ERROR
    assert "no such process" in gone.verdict.reason
    assert gate.run(len, ["a"], served_by=8000).outcome == Outcome.ERROR
    with pytest.raises(ValueError, match="docker inspect"):
        Served(container="web")
    with pytest.raises(ValueError, match="say one of"):
        Served(container="0123456789ab", port=80)


def test_a_container_is_found_by_its_id_and_its_throttling_is_its_own(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_mlgates.load import counters

    folder = tmp_path / "system.slice" / "docker-0123456789abcdef.scope"
    folder.mkdir(parents=True)
    monkeypatch.setattr(counters, "_CGROUPS", tmp_path)
    served = Served(container="0123456789ab")
    assert served.cgroup == str(folder)
    assert served.words() == "container 0123456789ab"
    (folder / "cpu.stat").write_text("usage_usec 5000000\nthrottled_usec 3000000\n")
    (folder / "cgroup.procs").write_text(f"{os.getpid()}\n")
    sampler = Sampler(served, [os.getpid()])
    cpu, waited = sampler._subject()
    assert cpu == 5.0
    free = Sampler(Served(cgroup=str(folder)), [os.getpid()])
    (folder / "cpu.stat").write_text("usage_usec 5000000\n")
    assert waited <= max(0.0, free._subject()[1] - 3.0) + 0.1
