"""Many TCP connections on one epoll loop; what has arrived meanwhile is the next batch."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from typing import TYPE_CHECKING

from reference_systems.finalgo_fraud.engine import PipelinedEngine
from reference_systems.finalgo_fraud.wire import Framer

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_systems.finalgo_fraud.engine import Engine

__all__ = ["Server"]

_READ = 1 << 16
#: the incident answers line by line: a small read keeps it from staying with one client for seconds
_READ_BLOCKING = 1 << 10
#: answers that wait for a client which does not read; from here on it is not read from either
_FULL, _LOW = 1 << 20, 1 << 16
#: a client that takes nothing for this long is let go
_STUCK_S = 30.0
#: under load the loop lets transactions gather for this long: fewer, larger batches cost less
_PACE_S = 0.002
_BUSY = 24
#: write-behind: the table is gone through in so many steps, one every so many seconds
_STEPS, _STEP_S = 128, 0.05
_RELOAD_S = 0.2


class _Client:
    """One connection: its lines, the answers owed to it and those it has not taken yet."""

    __slots__ = ("buffer", "ended", "framer", "moved_at", "out", "owed", "registered", "socket")

    def __init__(self, found: socket.socket, now: float) -> None:
        self.socket = found
        self.framer = Framer()
        self.out: list[bytes] = []
        self.owed = 0
        self.buffer = bytearray()
        self.ended = False
        self.registered = select.EPOLLIN
        self.moved_at = now


class Server:
    """Serves ``engine`` on ``listener`` until ``stop`` is called; ``reload`` is called now and then."""

    def __init__(
        self,
        engine: Engine,
        listener: socket.socket,
        reload: Callable[[], None] = lambda: None,
    ) -> None:
        self.engine, self.listener, self.reload = engine, listener, reload
        self.running = True
        self._epoll = select.epoll()
        self._clients: dict[int, _Client] = {}
        self._link: int | None = None
        self._pipelined = engine if isinstance(engine, PipelinedEngine) else None
        listener.setblocking(False)
        self._epoll.register(listener.fileno(), select.EPOLLIN)

    def stop(self) -> None:
        """Let the loop end after this round."""
        self.running = False

    def run(self) -> None:
        """Serve until stopped; what was asked by then and can be answered is answered."""
        tended = reloaded = swept = began = time.perf_counter()
        read = 0
        while self.running:
            if read >= _BUSY:
                rest = began + _PACE_S - time.perf_counter()
                if rest > 0.0002:
                    time.sleep(rest)
            began = now = time.perf_counter()
            self._watch_link(now)
            read = self._round(self._patience(now))
            now = time.perf_counter()
            if now - tended >= _STEP_S:
                tended = now
                if self._pipelined is not None:
                    capacity = self._pipelined.table.capacity
                    self._pipelined.tend(max(256, capacity // _STEPS))
            if now - reloaded >= _RELOAD_S:
                reloaded = now
                self.reload()
            if now - swept >= 1:
                swept = now
                self._sweep(now)
        self._farewell()

    def _patience(self, now: float) -> float:
        """Return how long to wait for something to happen, in seconds."""
        due = self.engine.next_deadline
        return 0.05 if due is None else min(0.05, max(0.0, due - now))

    def _watch_link(self, now: float) -> None:
        """Connect to the store, and hear of the connection."""
        if self._pipelined is None:
            return
        lookup = self._pipelined.lookup
        if lookup.connect(now) and lookup.socket is not None:
            self._link = lookup.socket.fileno()
            self._epoll.register(self._link, select.EPOLLIN)
        if lookup.socket is None:
            self._link = None  # closing took it out of the epoll set
        elif lookup.wants_to_write:
            self._hear_link(now)

    def _hear_link(self, now: float) -> None:
        assert self._pipelined is not None
        for cards, profiles in self._pipelined.lookup.step(now):
            self._pipelined.arrived(cards, profiles, now)

    def _round(self, patience: float) -> int:
        """Take what has arrived, score it, send answers; return how many chunks were read."""
        events = self._epoll.poll(patience)
        now = time.perf_counter()
        read = 0
        for fd, event in events:
            if not self.running:
                break
            client = self._clients.get(fd)
            if client is None:
                if fd == self._link:
                    self._hear_link(now)
                elif fd == self.listener.fileno():
                    self._accept(now)
                continue
            if event & select.EPOLLOUT:
                self._send(client, now)
            if event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) and not client.ended:
                self._receive(client, now)
                read += 1
                if self._pipelined is None or self._pipelined.full:
                    self._settle(now)
        self._settle(now)
        return read

    def _settle(self, now: float) -> None:
        self.engine.settle(now)
        if self.engine.touched:
            touched, self.engine.touched = self.engine.touched, set()
            for client in touched:
                self._send(client, now)  # type: ignore[arg-type]

    def _accept(self, now: float) -> None:
        with contextlib.suppress(OSError):  # out of descriptors: the queue of the kernel holds them
            while True:
                found, _ = self.listener.accept()
                found.setblocking(False)
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._clients[found.fileno()] = _Client(found, now)
                self._epoll.register(found.fileno(), select.EPOLLIN)

    def _receive(self, client: _Client, now: float) -> None:
        try:
            data = client.socket.recv(_READ if self._pipelined is not None else _READ_BLOCKING)
        except BlockingIOError:
            return
        except OSError:
            self._close(client)
            return
        if data:
            lines = client.framer.feed(data)
        else:
            lines, client.ended = client.framer.rest(), True
            self.engine.touched.add(client)
        if lines:
            self.engine.read(client, lines, now)

    def _send(self, client: _Client, now: float) -> None:
        """Send what is known; what the client does not take waits, and stops its reading."""
        if client.socket.fileno() < 0:
            return
        if client.out:
            answers = b"".join(client.out)
            client.out.clear()
            if client.buffer:
                client.buffer += answers
            else:
                try:
                    sent = client.socket.send(answers)
                except BlockingIOError:
                    sent = 0
                except OSError:
                    self._close(client)
                    return
                client.moved_at = now
                if sent < len(answers):
                    client.buffer += memoryview(answers)[sent:]
        elif client.buffer:
            try:
                del client.buffer[: client.socket.send(client.buffer)]
                client.moved_at = now
            except BlockingIOError:
                pass
            except OSError:
                self._close(client)
                return
        if client.ended and not client.owed and not client.buffer:
            self._close(client)
        else:
            self._register(client)

    def _register(self, client: _Client) -> None:
        """Hear of a client what matters: room for its answers, and lines while it takes answers."""
        size = len(client.buffer)
        reads = client.registered & select.EPOLLIN
        reads = select.EPOLLIN if size < (_FULL if reads else _LOW) and not client.ended else 0
        wanted = reads | (select.EPOLLOUT if size else 0)
        if wanted != client.registered:
            client.registered = wanted
            self._epoll.modify(client.socket.fileno(), wanted)

    def _sweep(self, now: float) -> None:
        for client in list(self._clients.values()):
            if client.buffer and now - client.moved_at > _STUCK_S:
                self._close(client)

    def _close(self, client: _Client) -> None:
        if self._clients.pop(client.socket.fileno(), None) is None:
            return
        client.ended = True
        client.out, client.buffer = [], bytearray()
        client.socket.close()

    def _farewell(self) -> None:
        """Answer what waits for the store, take no more, and close."""
        self._epoll.unregister(self.listener.fileno())
        deadline = time.perf_counter() + 0.2
        while time.perf_counter() < deadline and any(c.owed for c in self._clients.values()):
            now = time.perf_counter()
            self._watch_link(now)
            if self._pipelined is not None:
                self._hear_link(now)
            self._settle(now)
            time.sleep(0.001)
        for client in list(self._clients.values()):
            self._send(client, time.perf_counter())
            self._close(client)
        self.engine.touched.clear()
        if self._pipelined is not None:
            self._pipelined.tend(self._pipelined.table.capacity)
            until = time.perf_counter() + 0.2
            while self._pipelined.lookup.wants_to_write and time.perf_counter() < until:
                self._hear_link(time.perf_counter())
                time.sleep(0.001)
        self._epoll.close()
        self.listener.close()
