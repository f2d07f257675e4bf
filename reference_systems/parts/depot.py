"""Where clips (any bytes) arrive: kept once each, over HTTP, with the receipt for every asking.

``python -m reference_systems.parts.depot FOLDER [--port 8081]``
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from reference_systems.parts.upload_queue import Lost, clip_id

__all__ = ["Depot", "HttpUplink", "serve"]

_NAME = re.compile(r"[0-9a-f]{64}")
_LARGEST = 2**30


class Depot:
    """Clips in a folder, each under the digest of its bytes; an :class:`Uplink` without a network."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.offered: list[str] = []  # each time that a whole clip came in
        self._lock = threading.Lock()

    def receipt(self, clip: str) -> str | None:
        """Return the receipt of a clip that arrived, or None."""
        path = self.folder / clip
        return f"{clip}:{path.stat().st_size}" if _NAME.fullmatch(clip) and path.exists() else None

    def put(self, clip: str, payload: bytes) -> str:
        """Keep a clip; raises ValueError where its bytes are not those of its name."""
        if clip_id(payload) != clip:
            raise ValueError("the bytes are not those that the digest is of")
        with self._lock:
            self.offered.append(clip)
            if (known := self.receipt(clip)) is not None:
                return known
            handle, draft = tempfile.mkstemp(dir=self.folder, suffix=".part")
            with os.fdopen(handle, "wb") as file:
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(self.folder / clip)
        return f"{clip}:{len(payload)}"

    def clips(self) -> dict[str, int]:
        """Return the bytes of each clip that arrived."""
        return {p.name: p.stat().st_size for p in self.folder.iterdir() if _NAME.fullmatch(p.name)}


class HttpUplink:
    """The way to a depot at a URL; whatever goes wrong on the way is a lost network."""

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self.address, self.timeout_s = urlsplit(url).netloc, timeout_s

    def receipt(self, clip: str) -> str | None:
        """Ask for the receipt of a clip."""
        status, text = self._ask("GET", clip, None)
        if status not in (200, 404):
            raise Lost(f"the depot answered {status}")
        return text if status == 200 else None

    def put(self, clip: str, payload: bytes) -> str:
        """Send a clip and return its receipt."""
        status, text = self._ask("PUT", clip, payload)
        if status != 200:
            raise Lost(f"the depot answered {status}", len(payload))
        return text

    def _ask(self, method: str, clip: str, payload: bytes | None) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.address, timeout=self.timeout_s)
        try:
            connection.request(method, f"/clips/{clip}", payload)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            # how much of it went out is not known: all of it counts
            raise Lost(type(error).__name__, len(payload or b"")) from error
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    depot: Depot

    def do_GET(self) -> None:
        receipt = self.depot.receipt(self.path.removeprefix("/clips/"))
        self._answer(200 if receipt else 404, receipt or "")

    def do_PUT(self) -> None:
        clip = self.path.removeprefix("/clips/")
        try:
            size = int(self.headers["Content-Length"])
        except (TypeError, ValueError):
            return self._answer(411, "")
        if not (_NAME.fullmatch(clip) and 0 <= size <= _LARGEST):
            return self._answer(400, "")
        payload = self.rfile.read(size)
        if len(payload) < size:
            return None  # the sender went away in the middle
        try:
            return self._answer(200, self.depot.put(clip, payload))
        except ValueError:
            return self._answer(422, "")

    def _answer(self, status: int, text: str) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())
        except OSError:
            self.close_connection = True  # nobody listens any more

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve(depot: Depot, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of a depot on 127.0.0.1, not yet started."""
    handler = type("Handler", (_Handler,), {"depot": depot})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def main() -> None:
    """Serve a folder until interrupted."""
    parser = argparse.ArgumentParser(prog="depot", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8081)
    options = parser.parse_args()
    with serve(Depot(options.folder), options.port) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
