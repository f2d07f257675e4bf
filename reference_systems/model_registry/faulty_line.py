"""A line to an S3 server that can be made to break: for tests and figures, never for service.

It stands between client and server on 127.0.0.1, hands requests and answers through as they are,
and breaks those that it was told to, in the ways in which lines and servers do.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

__all__ = ["FAULTS", "FaultyLine", "broken_line"]

#: what can happen to a request: refused before it reaches the server (slow_down, server_error,
#: drop, silence), or done by the server and its answer lost, cut or changed (lost, cut, flip)
FAULTS = ("slow_down", "server_error", "drop", "silence", "lost", "cut", "flip")

_ERROR = b'<?xml version="1.0"?><Error><Code>%s</Code><Message>told to</Message></Error>'
_HOPS = {"connection", "keep-alive", "transfer-encoding", "proxy-connection"}


class FaultyLine:
    """The line; ``plan(method, *faults)`` breaks the next requests of a method, one fault each.

    A fault ``""`` lets a request through. ``seen`` counts what happened.
    """

    def __init__(self, server: str) -> None:
        self.host = str(urlsplit(server).netloc)
        self.endpoint = ""
        self.seen: dict[str, int] = {}
        self.silence_s = 3.0
        #: bytes that a cut answer keeps; None for half of them
        self.keep: int | None = None
        self._plans: dict[str, deque[str]] = {}
        self._lock = threading.Lock()

    def plan(self, method: str, *faults: str) -> None:
        """Break the next requests of this method (``*``: of any)."""
        strange = set(faults) - {*FAULTS, ""}
        if strange:
            raise ValueError(f"no such fault: {', '.join(sorted(strange))}")
        with self._lock:
            self._plans.setdefault(method, deque()).extend(faults)

    def clear(self) -> None:
        """Break nothing from now on."""
        with self._lock:
            self._plans.clear()

    def next_fault(self, method: str) -> str:
        """Return what happens to the request that has just come."""
        with self._lock:
            for key in (method, "*"):
                if self._plans.get(key):
                    fault = self._plans[key].popleft()
                    if fault:
                        self.seen[fault] = self.seen.get(fault, 0) + 1
                    return fault
        return ""


@contextlib.contextmanager
def broken_line(server: str) -> Iterator[FaultyLine]:
    """Run a line to ``server`` (``http://HOST:PORT``) and give it."""
    line = FaultyLine(server)
    handler = type("Handler", (_Handler,), {"line": line})
    with _Quiet(("127.0.0.1", 0), handler) as proxy:
        line.endpoint = f"http://127.0.0.1:{proxy.server_address[1]}"
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield line
        finally:
            proxy.shutdown()
            thread.join()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that were broken on purpose."""


class _Handler(BaseHTTPRequestHandler):
    line: ClassVar[FaultyLine]
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        fault = self.line.next_fault(self.command)
        if fault in ("slow_down", "server_error"):
            self._refuse(503, b"SlowDown" if fault == "slow_down" else b"InternalError")
            return
        if fault == "silence":
            threading.Event().wait(self.line.silence_s)
        if fault in ("drop", "silence"):
            self.close_connection = True
            return
        answer, data = self._forward(body)
        if fault == "lost":
            self.close_connection = True
            return
        if fault == "flip" and data:
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        self._pass_on(answer, data, cut=fault == "cut" and len(data) > 1)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any  # noqa: N815

    def _forward(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(self.line.host, timeout=60)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in _HOPS | {"expect"}:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def _pass_on(self, answer: http.client.HTTPResponse, data: bytes, *, cut: bool) -> None:
        self.send_response_only(answer.status, answer.reason)
        length = answer.headers.get("Content-Length") if self.command == "HEAD" else None
        for name, value in answer.headers.items():
            if name.lower() not in _HOPS | {"content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        keep = len(data) // 2 if self.line.keep is None else self.line.keep
        self.wfile.write(data[:keep] if cut else data)
        if cut:
            self.close_connection = True

    def _refuse(self, status: int, code: bytes) -> None:
        data = _ERROR % code
        self.send_response_only(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def handle_expect_100(self) -> bool:
        """Say go on, as the server would."""
        self.send_response_only(100)
        self.end_headers()
        return True

    def log_message(self, *_: object) -> None:
        """Write nothing."""
