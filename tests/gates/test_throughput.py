"""The gate ``throughput`` on subjects whose answer is known: processes, threads, callables, HTTP."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.throughput import Throughput
from pytest_mlgates.load.counters import Served, listener_of
from pytest_mlgates.load.subjects import Batch, Http, Socket

pytestmark = pytest.mark.timing

GATE = Throughput(min_per_second=100, max_p99_ms=400, seconds=3, warmup_s=0.2, beta=0.05)
INPUTS = [{"n": n} for n in range(30)]

SERVER = """
import json, socketserver, threading, time
lock = threading.Lock()
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            name = json.loads(line)["id"]
            {body}
            self.wfile.write(json.dumps({{"id": name, "x": len(name)}}).encode() + b"\\n")
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100
with Server(("127.0.0.1", 0), Handler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
"""


@contextlib.contextmanager
def served(body: str = "pass") -> Iterator[tuple[Socket, int]]:
    """Serve in a process of its own, with ``body`` before each answer."""
    code = textwrap.dedent(SERVER).format(body=body)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            port = int(process.stdout.readline())
            yield Socket(f"127.0.0.1:{port}", connections=4), process.pid
        finally:
            process.kill()


def caught(evidence) -> bool:
    """Whether it failed, or could not be told because others kept the machine busy."""
    machine = evidence.measurement.details["machine"]
    busy = machine["others_cores"] > 0.5 and evidence.outcome == Outcome.INCONCLUSIVE
    return evidence.outcome == Outcome.FAIL or busy


def test_a_socket_that_answers_is_measured_and_named():
    with served() as (subject, pid):
        evidence = GATE.run(subject, INPUTS)
        assert listener_of(subject.port) == pid
    seen = evidence.measurement.details
    assert evidence.outcome in (Outcome.PASS, Outcome.INCONCLUSIVE), evidence.verdict.reason
    assert seen["offered"] == seen["answered"] == 312
    assert seen["served_by"] == f"process {pid} and its descendants"
    assert seen["cpu"]["us"] > 10
    assert seen["generator"]["lag_p99_ms"] >= 0


@pytest.mark.parametrize(
    "body",
    ["lock.acquire(); time.sleep(0.1); lock.release()",
     "time.sleep(1.5 * (int(name[7:]) % 3 == 0))",
     "end = time.thread_time() + 0.05\n            while time.thread_time() < end: pass"],
    ids=["too slow", "a slow path", "computes too long"],
)  # fmt: skip
def test_a_server_that_is_too_slow_fails_for_its_waiting_too(body):
    with served(body) as (subject, _):
        evidence = dataclasses.replace(GATE, min_per_second=80).run(subject, INPUTS)
    assert caught(evidence), evidence.verdict.reason


def test_a_server_that_pauses_fails_though_it_uses_no_cpu():
    pauses = "lock.acquire(); time.sleep(1.5 * (time.time() % 2.5 < 0.1)); lock.release()"
    with served(pauses) as (subject, _):
        evidence = dataclasses.replace(GATE, max_p99_ms=100, seconds=8).run(subject, INPUTS)
    assert caught(evidence), evidence.verdict.reason


@contextlib.contextmanager
def threaded(talk: Callable[[socket.socket], None]) -> Iterator[Socket]:
    """Serve connections with ``talk`` on threads of this process."""
    open_ones: list[socket.socket] = []

    def run(connection):
        with contextlib.suppress(OSError):
            talk(connection)

    def accept(listener):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                open_ones.append(connection)
                threading.Thread(target=run, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield Socket(f"127.0.0.1:{listener.getsockname()[1]}", connections=2)
        listener.shutdown(socket.SHUT_RDWR)
    for connection in open_ones:
        connection.close()


SHORT = dataclasses.replace(GATE, seconds=2, max_p99_ms=100)


def test_a_mute_server_never_passes():
    with threaded(lambda connection: time.sleep(20)) as subject:
        evidence = SHORT.run(subject, INPUTS)
    assert evidence.outcome == Outcome.FAIL, evidence.verdict.reason
    assert evidence.measurement.value == 0


def test_constant_answers_that_read_nothing_never_pass():
    def chatter(connection):
        while True:
            connection.sendall(b'{"id":"1","x":1}\n')
            time.sleep(0.001)

    with threaded(chatter) as subject:
        evidence = SHORT.run(subject, INPUTS)
    assert evidence.outcome == Outcome.FAIL, evidence.verdict.reason
    assert evidence.measurement.details["answers_to_nothing"] > 0
    assert evidence.measurement.details["answered"] == 0


def test_answers_in_order_that_are_all_the_same_never_pass():
    def echo(connection):
        while data := connection.recv(1 << 16):
            connection.sendall(b"+OK\n" * data.count(b"\n"))

    def encode(item, number):
        return json.dumps(item).encode() + b"\n"

    with threaded(echo) as subject:
        told = dataclasses.replace(
            subject, in_order=True, encode=encode, answer=lambda data: (0, data == b"+OK")
        )
        evidence = GATE.run(told, INPUTS)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert evidence.measurement.details["answered"] == evidence.measurement.n


def test_errors_and_dropped_requests_count_against_the_subject():
    def drops(connection):
        with connection.makefile("rb") as lines:
            for count, line in enumerate(lines):
                name = json.loads(line)["id"]
                if count % 10 == 9:
                    continue
                key = "error" if count % 10 == 8 else "x"
                connection.sendall(json.dumps({"id": name, key: count}).encode() + b"\n")

    with threaded(drops) as subject:
        evidence = GATE.run(subject, INPUTS)
    seen = evidence.measurement.details
    assert evidence.outcome == Outcome.FAIL, evidence.verdict.reason
    assert seen["wrong"] >= 5 <= seen["offered"] - seen["answered"] - seen["wrong"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 500 if b"1" in body else 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def over_http() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/score"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_http_counts_statuses():
    pytest.importorskip("aiohttp")
    with over_http() as url:
        good = SHORT.run(Http(url, "POST", {"X-A": "1"}), [{"n": n} for n in (2, 3, 4, 5)])
        bad = SHORT.run(Http(url, "POST"), INPUTS)
    assert good.measurement.details["answered"] == good.measurement.n, good.verdict.reason
    assert bad.outcome == Outcome.FAIL
    assert bad.measurement.details["wrong"] > 3


def test_a_batch_takes_what_is_due():
    sizes = []

    def call(items):
        sizes.append(len(items))
        time.sleep(0.002)
        return [item["n"] for item in items]

    evidence = dataclasses.replace(GATE, min_per_second=3000).run(Batch(call, 64), INPUTS)
    assert evidence.outcome in (Outcome.PASS, Outcome.INCONCLUSIVE), evidence.verdict.reason
    assert evidence.measurement.details["answered"] == evidence.measurement.n
    assert 1 < max(sizes) <= 64


async def _async(item):
    return item["n"]


def test_async_calls_are_in_flight_together():
    import asyncio

    flying = most = 0

    async def call(item):
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.1)
        flying -= 1
        return item["n"]

    evidence = SHORT.run(call, INPUTS)
    assert most > 3
    assert evidence.measurement.details["answered"] == evidence.measurement.n


def test_recorded_arrivals_are_offered_as_they_were():
    burst = [float(second) for second in range(4) for _ in range(120)]
    evidence = dataclasses.replace(GATE, max_p99_ms=300).run(
        lambda item: time.sleep(0.005) or item["n"], INPUTS, arrivals=burst
    )
    assert caught(evidence), evidence.verdict.reason  # 120 at once take 0.6 s


def test_check_counts_against_the_subject():
    evidence = GATE.run(
        lambda item: item["n"] % 20, INPUTS, check=lambda item, answer: item["n"] == answer
    )
    assert evidence.outcome == Outcome.FAIL
    assert evidence.measurement.details["wrong"] >= 15


def test_cpu_time_decides_where_timing_cannot():
    def burn(item):
        end = time.thread_time() + 0.003
        while time.thread_time() < end:
            pass
        return item["n"]

    gate = dataclasses.replace(GATE, max_cpu_us=1000, seconds=12)
    evidence = gate.run(burn, INPUTS)
    assert evidence.outcome == Outcome.FAIL, evidence.verdict.reason
    assert "us of CPU" in evidence.verdict.reason


def test_one_of_pid_port_and_cgroup_is_said():
    with pytest.raises(ValueError, match="say one"):
        Served(pid=1, cgroup="/a")
    assert Served(pid=os.getpid()).here


@pytest.mark.parametrize(
    "make",
    [lambda: Socket("nowhere"), lambda: Socket("a:0"), lambda: Socket("a:1", connections=0),
     lambda: Socket("a:1", encode=lambda item, number: b""), lambda: Http("ftp://a/"),
     lambda: Http("a"), lambda: Http("http://a", connections=0), lambda: Batch(None),
     lambda: Batch(list, 0)],
)  # fmt: skip
def test_a_subject_that_means_nothing_is_refused(make):
    with pytest.raises(ValueError, match=r"."):
        make()


def test_workers_on_one_machine_are_told(monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "4")
    evidence = GATE.run(_async, INPUTS)
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "4 workers" in evidence.verdict.reason


def test_the_clients_own_part_of_a_latency_is_in_the_evidence():
    pytest.importorskip("aiohttp")
    with over_http() as url:
        seen = GATE.run(Http(f"{url}/ok", "POST"), INPUTS).measurement.details["generator"]
    assert 0 < seen["client_p99_ms"] < 400


def test_a_client_that_is_slow_by_itself_fails_nobody():
    """Late answers alone are no FAIL where the load's own client takes as long."""
    from tests.gate_cases import throughput as cases

    flawed = cases.flawed()
    limit = cases.GATE.max_p99_ms
    for own, expected in ((0.01 * limit, Outcome.FAIL), (limit, Outcome.INCONCLUSIVE)):
        details = json.loads(flawed.to_json())["measurement"]["details"]
        details["generator"]["client_p99_ms"] = own
        details["failed"]["over"] = details["wrong"] = 0
        share = int(0.1 * details["raw"]["n"])  # a tenth is late
        for name in ("raw", "screened"):
            details[name] |= {"over": share, "deff": 1.0, "growing": False}
        details |= {"in_time": details["offered"] - share, "answered": details["offered"]}
        seen = dataclasses.replace(flawed.measurement, details=details)
        verdict = cases.GATE.decide(seen)
        assert verdict.outcome == expected, verdict
        assert ("own client is slow" in verdict.reason) == (own == limit)


def test_a_replaced_clock_is_an_error(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    assert GATE.run(len, ["a"]).outcome == Outcome.ERROR


@pytest.mark.parametrize("collector", ["on", "off"])
def test_the_collector_runs_under_callables_unless_it_is_turned_off(collector):
    import gc

    ran = []

    def call(item):
        ran.append(gc.isenabled())
        return item

    gate = dataclasses.replace(GATE, collector=collector, seconds=0.5)
    gate.run(call, INPUTS)
    assert set(ran) == {collector == "on"}
    assert gc.isenabled()
