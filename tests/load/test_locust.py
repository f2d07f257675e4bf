"""The gate ``throughput`` with Locust's master and two workers (their own environment: tox run -e locust)."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.gates.throughput import Throughput
from pytest_mlgates.load.locust.crew import crew
from pytest_mlgates.load.locust.merge import alone_orders
from pytest_mlgates.load.subjects import Http, Locust

pytestmark = [
    pytest.mark.timing,
    # never imported here: it would patch this process for gevent
    pytest.mark.skipif(importlib.util.find_spec("locust") is None, reason="needs the extra locust"),
]

GATE = Throughput(min_per_second=60, max_p99_ms=800, seconds=3, warmup_s=0.3, beta=0.05)
SERVER = """
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = 200, body[::-1]
        {body}
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_): pass
class Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 100
server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@contextlib.contextmanager
def served(body="pass"):
    command = [sys.executable, "-c", SERVER.format(body=body)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = f"http://127.0.0.1:{int(process.stdout.readline())}/predict"
            yield Locust(Http(url, "POST", connections=8), workers=2)
        finally:
            process.kill()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_two_workers_are_one_load_and_each_has_its_lag_in_the_evidence():
    with served() as subject:
        evidence = GATE.run(subject, ["one", "two", {"three": 3}])
    seen = evidence.measurement.details
    assert evidence.outcome in (Outcome.PASS, Outcome.INCONCLUSIVE), evidence.verdict.reason
    assert seen["offered"] == seen["answered"] == 188
    workers = seen["generator"]["workers"]
    assert [worker["requests"] for worker in workers] != [0, 188]
    assert sum(worker["requests"] for worker in workers) == 188
    assert seen["generator"]["lag_p99_ms"] == max(worker["lag_p99_ms"] for worker in workers) > 0
    assert seen["hdr_histogram_us"].startswith("HIST")
    assert seen["cpu"]["us"] > 10
    assert "process" in seen["served_by"]
    assert "gevent" not in sys.modules


def test_wrong_answers_fail_or_the_workers_say_that_they_were_late():
    with served("status = 500") as subject:
        evidence = GATE.run(subject, ["one", "two"])
    assert evidence.outcome in (Outcome.ERROR, Outcome.FAIL, Outcome.INCONCLUSIVE)
    assert "status 500" in evidence.verdict.reason or "late by itself" in evidence.verdict.reason


def test_a_server_that_is_too_slow_never_passes():
    with served("time.sleep(2)") as subject:
        evidence = GATE.run(subject, ["one", "two"])
    assert evidence.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE), evidence.verdict.reason
    late = evidence.measurement.details["in_time"]
    assert late == 0


def test_a_worker_that_dies_is_told_and_nothing_is_left_running():
    with served() as subject, contextlib.ExitStack() as stack:
        found = stack.enter_context(crew(subject))
        pids = [*found.pids, found.master.pid]
        os.kill(found.pids[0], signal.SIGKILL)
        orders = alone_orders(50, 2, 1.0, seed=1, grace_s=1.0, timeout_s=1.0)
        with pytest.raises(Unmeasurable, match="a process of Locust ended"):
            found.offer(orders, lambda: None)
        stack.close()
        assert not any(map(alive, pids))


def test_workers_of_other_machines_that_do_not_come_are_told_the_command():
    with served() as subject:
        alone = Locust(subject.http, workers=2, start=1, join_s=4.0)
        evidence = GATE.run(alone, ["one"])
    assert evidence.outcome == Outcome.ERROR
    assert "1 of 2 workers joined" in evidence.verdict.reason
    assert "python -m pytest_mlgates.load.locust.worker HOST" in evidence.verdict.reason


def test_a_worker_that_joins_by_the_command_takes_part():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with served() as subject:
        command = [
            sys.executable,
            "-m",
            "pytest_mlgates.load.locust.worker",
            "127.0.0.1",
            str(port),
        ]
        with subprocess.Popen([*command, "--until-eof"], stdin=subprocess.PIPE) as worker:
            joined = Locust(subject.http, workers=2, start=1, port=port)
            evidence = GATE.run(joined, ["one", "two"])
            worker.stdin.close()
            worker.wait(20)
    assert evidence.outcome in (Outcome.PASS, Outcome.INCONCLUSIVE), evidence.verdict.reason
    assert len(evidence.measurement.details["generator"]["workers"]) == 2
