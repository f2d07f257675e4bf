"""egress: what leaves by Python, by native code, by a subprocess, and what may."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import http.server
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.egress import Egress, measure, warden
from pytest_mlgates.gates.egress.allowed import Allowed, parse_allowed
from pytest_mlgates.gates.egress.packets import read_packet

PASS, FAIL, INCONCLUSIVE, ERROR = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR

AWAY = "203.0.113.5"

confined = pytest.mark.skipif(
    Egress().run(abs, [1]).outcome != PASS, reason="network namespaces are not permitted here"
)


def connect(_):
    with contextlib.suppress(OSError), socket.socket() as one:
        one.settimeout(1)
        one.connect((AWAY, 443))


def natively(_):
    """Connect as a C library does: no audit event."""
    libc = ctypes.CDLL(None)
    handle = libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    port, address = socket.htons(9999), socket.inet_aton(AWAY)
    libc.connect(handle, struct.pack("=HH4s8x", socket.AF_INET, port, address), 16)


def in_a_subprocess(_):
    program = f"import socket; socket.socket(type=2).sendto(b'x', ('{AWAY}', 8125))"
    subprocess.run([sys.executable, "-S", "-c", program], check=False, timeout=20)


def later(item):
    yield item
    connect(item)


async def awaited(item):
    await asyncio.sleep(0)
    connect(item)


@confined
@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (connect, "in connect"),
        (natively, "not through Python's own sockets"),
        (in_a_subprocess, "not through Python's own sockets"),
        (later, "in connect"),
        (awaited, "in connect"),
    ],
)
def test_what_leaves_is_seen(subject, words):
    evidence = Egress().run(subject, [1, 2])
    assert evidence.outcome == FAIL, evidence.verdict
    assert AWAY in evidence.verdict.reason
    assert words in evidence.verdict.reason
    assert "2 times" in evidence.verdict.reason


@confined
def test_a_lookup_leaves_too():
    def look_up(_):
        with contextlib.suppress(OSError):
            socket.getaddrinfo("telemetry.example.org", 443)

    evidence = Egress().run(look_up, [1])
    assert evidence.outcome == FAIL
    assert "dns telemetry.example.org" in evidence.verdict.reason
    assert "in look_up" in evidence.verdict.reason


@confined
def test_what_is_on_the_list_may_be_reached():
    assert Egress(allow=(AWAY,)).run(connect, [1]).outcome == PASS
    assert Egress(allow=("203.0.113.0/24",)).run(natively, [1]).outcome == PASS
    assert Egress(allow=(f"{AWAY}:443",)).run(natively, [1]).outcome == FAIL  # another port


@pytest.fixture
def service():
    """A service on this machine, outside the namespace."""

    class Hello(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@confined
def test_connections_to_an_allowed_service_are_passed_on(service):
    def ask(_):
        url = f"http://127.0.0.1:{service}/"
        assert urllib.request.urlopen(url, timeout=5).read() == b"hello"

    assert Egress(allow=(f"127.0.0.1:{service}",)).run(ask, [1, 2]).outcome == PASS
    named = Egress(allow=(f"localhost:{service}",))
    assert named.run(ask, [1]).outcome == PASS
    unlisted = Egress().run(ask, [1])
    assert unlisted.outcome == INCONCLUSIVE  # what it would have sent next is not known
    assert "host:port" in unlisted.verdict.reason


def test_without_a_namespace_it_can_fail_and_never_pass(monkeypatch):
    def refused():
        raise OSError(1, "a network namespace is not permitted (Operation not permitted)")

    monkeypatch.setattr(warden, "confine", refused)
    quiet = Egress().run(lambda n: n, [1])
    assert quiet.outcome == INCONCLUSIVE
    assert "is not permitted" in quiet.verdict.reason
    assert Egress().run(connect, [1]).outcome == FAIL  # and it was stopped


def test_a_call_that_hangs_is_stopped():
    evidence = Egress(timeout_s=0.5).run(lambda _: time.sleep(60), [1])
    assert evidence.outcome == ERROR
    assert "call 1 did not return within 0.5 s" in evidence.verdict.reason
    assert "factory=True" in evidence.verdict.reason


def test_a_subject_that_ends_the_process_is_an_error():
    evidence = Egress().run(lambda _: sys.exit(0), [1, 2])
    assert evidence.outcome == ERROR


@confined
def test_a_factory_is_called_in_the_child():
    made = []

    def factory():
        made.append(1)
        return connect

    assert Egress().run(factory, [1], factory=True).outcome == FAIL
    assert made == []  # here nothing was made


def test_a_connection_from_before_leaves_the_verdict_open(monkeypatch):
    monkeypatch.setattr(measure, "is_local", lambda _: False)
    monkeypatch.setattr(Allowed, "has_address", lambda *_: False)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as kept,
    ):
        host, port = kept.getpeername()
        found = list(measure._open_connections(Allowed([], {})))
        assert f"tcp {host}:{port}" in found


@pytest.mark.parametrize(
    "text", ["", "not a host", "10.0.0.0/33", "a:99999", "http://x.org", "1:2:3"]
)
def test_entries_that_do_not_fit(text):
    with pytest.raises(FieldError, match="allow"):
        Egress(allow=(text,))


def test_names_and_wildcards():
    allowed = Allowed(
        [parse_allowed("*.example.org"), parse_allowed("db.internal:5432")],
        {"db.internal": ["10.1.2.3"]},
    )
    assert allowed.has_name("a.b.example.org")
    assert not allowed.has_name("example.org.evil.com")
    assert allowed.has_name("DB.internal.")
    assert allowed.has_address("10.1.2.3", 5432)
    assert not allowed.has_address("10.1.2.3", 5433)
    assert allowed.has_address("::ffff:127.0.0.1", 1)


@pytest.mark.parametrize("size", range(0, 80, 7))
def test_packets_cut_short_are_no_crash(size):
    frame = bytes(12) + b"\x08\x00" + b"\x45" + bytes(8) + b"\x06" + bytes(60)
    read_packet(frame[:size])
