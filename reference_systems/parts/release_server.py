"""Releases over HTTP: the course, each release, its evidence, and its bytes by range."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from reference_systems.parts.model_files import ModelFiles
from reference_systems.parts.release import Release
from reference_systems.parts.rollout import Rollout
from reference_systems.parts.upload_queue import Lost

__all__ = ["HttpReleases", "Shelf", "serve_releases"]

_RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})")
_LONGEST = 1000


class Shelf:
    """Models in a folder with their evidence and the course of a fleet; ``Releases`` without a network.

    ``sent_bytes`` counts what left of the models themselves.
    """

    def __init__(self, folder: Path, rollout: Rollout) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.files, self.rollout = ModelFiles(folder), rollout
        self.sent_bytes = 0
        self._cut: dict[str, tuple[Release, bytes]] = {}
        self._lock = threading.RLock()
        self.now = 0.0

    def put(self, data: bytes, evidence: Iterable[str], piece_bytes: int = 2**16) -> Release:
        """Keep a model with its evidence."""
        release = Release.cut(data, piece_bytes)
        self.files.keep(data)
        for name, text in (("release", release.text()), ("evidence", json.dumps(list(evidence)))):
            self._path(release.digest, name).write_text(text, "utf-8")
        return release

    def course(self) -> str:
        """Return the course."""
        return self.rollout.course.text()

    def release(self, digest: str) -> str:
        """Return a release; LookupError where there is none."""
        return self._known(digest)[0].text()

    def evidence(self, digest: str) -> Sequence[str]:
        """Return the evidence for a model."""
        self._known(digest)
        found: list[str] = json.loads(self._path(digest, "evidence").read_text("utf-8"))
        return found

    def piece(self, digest: str, begin: int, end: int) -> bytes:
        """Return these bytes of a model."""
        data = self._known(digest)[1][begin:end]
        with self._lock:
            self.sent_bytes += len(data)
        return data

    def report(self, device: str, digest: str, *, works: bool) -> None:
        """Take a report."""
        with self._lock:
            self.rollout.reported(device, digest, works=works, now=self.now)

    def _known(self, digest: str) -> tuple[Release, bytes]:
        with self._lock:
            if digest not in self._cut:
                data = self.files.read(digest)
                text = self._path(digest, "release").read_text("utf-8")
                self._cut[digest] = (Release.read(text), data)
            return self._cut[digest]

    def _path(self, digest: str, what: str) -> Path:
        return self.files.path(digest).with_suffix(f".{what}.json")


class HttpReleases:
    """The way to a shelf at a URL; whatever goes wrong on the way is a lost network."""

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self.address, self.timeout_s = urlsplit(url).netloc, timeout_s

    def course(self) -> str:
        """Ask for the course."""
        return self._ask("GET", "/course").decode()

    def release(self, digest: str) -> str:
        """Ask for a release."""
        return self._ask("GET", f"/releases/{digest}").decode()

    def evidence(self, digest: str) -> Sequence[str]:
        """Ask for the evidence of a model."""
        found: list[str] = json.loads(self._ask("GET", f"/releases/{digest}/evidence"))
        return found

    def piece(self, digest: str, begin: int, end: int) -> bytes:
        """Ask for these bytes of a model."""
        return self._ask("GET", f"/models/{digest}", {"Range": f"bytes={begin}-{end - 1}"})

    def report(self, device: str, digest: str, *, works: bool) -> None:
        """Report."""
        body = json.dumps({"works": works}).encode()
        self._ask("POST", f"/reports/{digest}/{quote(device, safe='')}", {}, body)

    def _ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> bytes:
        connection = http.client.HTTPConnection(self.address, timeout=self.timeout_s)
        part = b""
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            while block := answer.read(2**14):
                part += block
            if answer.status not in (200, 206):
                raise Lost(f"the shelf answered {answer.status}", len(part))
            if len(part) != int(answer.headers["Content-Length"]):
                raise Lost("the answer was cut short", len(part))
            return part
        except Lost:
            raise
        except (OSError, http.client.HTTPException, TypeError, ValueError) as error:
            raise Lost(type(error).__name__, len(part)) from error
        finally:
            connection.close()


class _Answers(BaseHTTPRequestHandler):
    shelf: Shelf

    def do_GET(self) -> None:
        words = self.path.strip("/").split("/")
        try:
            if words == ["course"]:
                return self._answer(200, self.shelf.course().encode())
            if words[0] == "releases" and len(words) == 2:
                return self._answer(200, self.shelf.release(words[1]).encode())
            if words[0] == "releases" and words[2:] == ["evidence"]:
                return self._answer(200, json.dumps(list(self.shelf.evidence(words[1]))).encode())
            if words[0] == "models" and len(words) == 2:
                return self._bytes(words[1])
        except LookupError:
            pass
        return self._answer(404, b"")

    def do_POST(self) -> None:
        words = self.path.strip("/").split("/")
        try:
            size = int(self.headers["Content-Length"])
            said = json.loads(self.rfile.read(size if 0 < size < _LONGEST else 0))
            if len(words) != 3 or words[0] != "reports" or not isinstance(said["works"], bool):
                return self._answer(400, b"")
            self.shelf.report(unquote(words[2]), words[1], works=said["works"])
        except (KeyError, TypeError, ValueError, LookupError):
            return self._answer(400, b"")
        return self._answer(200, b"")

    def _bytes(self, digest: str) -> None:
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        size = Release.read(self.shelf.release(digest)).size
        if found is None or not int(found[1]) <= int(found[2]) < size:
            return self._answer(416, b"")
        return self._answer(206, self.shelf.piece(digest, int(found[1]), int(found[2]) + 1))

    def _answer(self, status: int, body: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # nobody listens any more

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def serve_releases(shelf: Shelf, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of a shelf on 127.0.0.1, not yet started."""
    handler = type("Answers", (_Answers,), {"shelf": shelf})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)
