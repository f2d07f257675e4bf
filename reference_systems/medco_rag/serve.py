"""One page on 127.0.0.1: a question, its answer, and the cited passages highlighted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path

from reference_systems.medco_rag.builds import System, build
from reference_systems.medco_rag.folder import Folder, open_folder
from reference_systems.medco_rag.inputs import charts
from reference_systems.medco_rag.model import DocumentType

__all__ = ["make_server", "serve"]

#: the longest request that is read
_MOST = 4 * 1024 * 1024
_AROUND = 160


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection; only what names this machine as its host, so no other page can ask."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "medco-rag", ""
    timeout = 30
    system: System
    folder: Folder
    lock: threading.Lock

    def do_GET(self) -> None:
        if not self._local():
            return self._json(HTTPStatus.FORBIDDEN, {"error": "ask 127.0.0.1"})
        if self.path == "/":
            page = resources.files(__package__).joinpath("page.html").read_bytes()
            return self._send(HTTPStatus.OK, page, "text/html; charset=utf-8")
        if self.path == "/patients":
            return self._json(HTTPStatus.OK, self._patients())
        return self._json(
            HTTPStatus.NOT_FOUND, {"error": "there is / and /patients, and POST /ask"}
        )

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > _MOST:
            self.close_connection = True
            return self._json(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                {"error": f"Content-Length is needed, at most {_MOST}"},
            )
        body = self.rfile.read(int(length))
        if not self._local():
            return self._json(HTTPStatus.FORBIDDEN, {"error": "ask 127.0.0.1"})
        if self.path != "/ask":
            return self._json(HTTPStatus.NOT_FOUND, {"error": "POST to /ask"})
        try:
            line = json.loads(body)
            if not isinstance(line, dict):
                raise ValueError('is not an object such as {"patient": "…", "question": "…"}')
            with self.lock:
                told = self.system.ask(line).to_json()
        except (ValueError, RecursionError) as error:
            return self._json(HTTPStatus.BAD_REQUEST, {"error": str(error) or "nests too deeply"})
        claims = told["claims"]
        assert isinstance(claims, list)
        for claim in claims:
            self._surround(claim)
        return self._json(HTTPStatus.OK, told)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Write no log: requests hold questions about patients."""

    def _surround(self, claim: dict[str, object]) -> None:
        """Add what stands around a quote."""
        source = claim.get("source")
        if not isinstance(source, dict):
            return
        text = self.folder.text(str(source["file"]))
        start, end = int(source["start"]), int(source["end"])
        claim["before"] = text[max(0, start - _AROUND) : start]
        claim["after"] = text[end : end + _AROUND]

    def _patients(self) -> dict[str, object]:
        found = []
        for patient in self.folder.patients():
            files = (*self.folder.notes.get(patient, ()), *self.folder.fhir.get(patient, ()))
            found.append({"id": patient, "name": Path(files[0]).stem})
        return {"patients": found, "types": [each.value for each in DocumentType]}

    def _local(self) -> bool:
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        return host in ("127.0.0.1", "localhost")

    def _json(self, status: HTTPStatus, body: dict[str, object]) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: HTTPStatus, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header(
            "Content-Security-Policy",
            "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
        )
        self.end_headers()
        self.wfile.write(data)


def make_server(system: System, folder: Folder, port: int = 0) -> ThreadingHTTPServer:
    """Return a server on 127.0.0.1, not yet started; port 0 chooses a free one."""
    handler = type(
        "Handler", (_Handler,), {"system": system, "folder": folder, "lock": threading.Lock()}
    )
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def serve(root: Path | None, port: int, name: str, say: Callable[[str], None]) -> int:
    """Serve until interrupted, the charts of a folder or made-up ones."""
    folder = open_folder(root) if root is not None else charts(24, 0)[0]
    system = build(name, folder, say)
    system.warm_up()
    with make_server(system, folder, port) as server:
        say(f"http://127.0.0.1:{server.server_port}/")
        server.serve_forever()
    return 0
