"""The bidder behind HTTP: ``POST /openrtb2/auction``, 200 with a BidResponse or 204 for no bid.

``python -m reference_systems.rtb_bidder.server --build fixed --port 8080``
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from pytest_mlgates import stage
from reference_systems.rtb_bidder.openrtb import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reference_systems.rtb_bidder.bidder import Bidder

__all__ = ["AUCTION", "frozen_bidder", "main", "make_server", "serving"]

AUCTION = "/openrtb2/auction"
#: the longest request that is read; real ones stay under 100 kB
MOST_BYTES = 1 << 20


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection; every refusal is one line of text, and no input comes back in it."""

    protocol_version = "HTTP/1.1"  # exchanges keep their connections open
    server_version, sys_version = "rtb-bidder", ""
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet
    timeout = 30
    bid: Callable[[Any], dict[str, Any]]

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self.close_connection = True  # where the body ends is unknown
            return self._say(HTTPStatus.LENGTH_REQUIRED, "Content-Length is required")
        if int(length) > MOST_BYTES:
            self.close_connection = True
            return self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {MOST_BYTES} bytes")
        body = self.rfile.read(int(length))
        if self.path != AUCTION:
            return self._say(HTTPStatus.NOT_FOUND, f"post bid requests to {AUCTION}")
        return self._auction(body)

    def do_GET(self) -> None:
        if self.path == AUCTION:
            return self._say(HTTPStatus.METHOD_NOT_ALLOWED, "use POST", Allow="POST")
        return self._say(HTTPStatus.NOT_FOUND, f"post bid requests to {AUCTION}")

    def _auction(self, body: bytes) -> None:
        try:
            with stage("parse"):
                request = json.loads(body)
        except (ValueError, RecursionError):
            return self._say(HTTPStatus.BAD_REQUEST, "the body is not JSON")
        try:
            response = type(self).bid(request)
        except InvalidRequest as error:
            return self._say(HTTPStatus.BAD_REQUEST, str(error))
        except Exception as error:  # noqa: BLE001 (an exchange gets a line, never a stack trace)
            self.log_error("%s while bidding", type(error).__name__)
            return self._say(HTTPStatus.INTERNAL_SERVER_ERROR, "the bidder failed")
        if "nbr" in response:
            return self._send(HTTPStatus.NO_CONTENT, b"", {})
        data = json.dumps(response, separators=(",", ":")).encode()
        return self._send(HTTPStatus.OK, data, {"Content-Type": "application/json"})

    def _say(self, status: HTTPStatus, line: str, **headers: str) -> None:
        self._send(status, f"{line}\n".encode(), {"Content-Type": "text/plain"} | headers)

    def _send(self, status: HTTPStatus, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("X-OpenRTB-Version", "2.6")
        for name, value in headers.items():
            self.send_header(name, value)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Write nothing: a line a request would be part of the latency."""


def make_server(
    bid: Callable[[Any], dict[str, Any]], host: str = "127.0.0.1", port: int = 0
) -> ThreadingHTTPServer:
    """Return a server that answers auctions with ``bid``; port 0 takes a free one."""
    handler = type("Handler", (_Handler,), {"bid": staticmethod(bid)})
    server = ThreadingHTTPServer((host, port), handler)
    server.daemon_threads = True
    return server


@contextlib.contextmanager
def serving(bid: Callable[[Any], dict[str, Any]]) -> Iterator[str]:
    """Serve on a free port of this machine while the block runs; gives the auction's URL."""
    server = make_server(bid)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{AUCTION}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def frozen_bidder(build: str) -> Bidder:
    """Return a build's bidder, loaded and out of the collector's way."""
    bidder: Bidder = importlib.import_module(f"reference_systems.rtb_bidder.{build}").bidder()
    gc.collect()
    gc.freeze()  # a full collection over the loaded model would stall bids for longer than the SLA
    return bidder


def main(arguments: list[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="rtb_bidder", description=__doc__.partition("\n")[0])
    parser.add_argument("--build", choices=("fixed", "incident"), default="fixed")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args(arguments)
    bidder = frozen_bidder(options.build)
    with make_server(bidder.bid, options.host, options.port) as server:
        where = f"http://{options.host}:{server.server_port}{AUCTION}"
        print(f"{options.build} build on {where}", flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
