"""An open loop over TCP connections with framed messages, in one thread."""

from __future__ import annotations

import collections
import errno
import gc
import select
import socket
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pytest_mlgates.load.sent import Sent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Frames", "Make", "Read", "offer"]

#: gives the bytes of request i, complete with their frame
Make = Callable[[int], bytes]
#: tells of an answer which request it is to (None: no one's) and whether it is a right one
Read = Callable[[bytes], tuple[int | None, bool]]
#: cuts what a connection sent into complete answers and what is left over
Frames = Callable[[bytes], tuple[Sequence[bytes], bytes]]

_READ = 1 << 17
_RETRY_S = 0.1
#: where many leave at a time the loop sleeps this long, so that it does not wake for each answer;
#: it is part of its own lag, and of each latency
_BUSY, _TICK_S = 8, 0.0003
#: an answer without an end
_MOST_HELD = 1 << 24


def lines(data: bytes) -> tuple[Sequence[bytes], bytes]:
    r"""Cut at line breaks.

    >>> lines(b"one\ntwo\nth")
    ([b'one', b'two'], b'th')
    """
    *whole, rest = data.split(b"\n")
    return whole, rest


class _Connection:
    """One connection: what is to leave on it, and what came in part."""

    __slots__ = ("held", "indices", "open", "order", "out", "retry_at", "socket")

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.open = False
        self.out = bytearray()
        self.indices: list[int] = []
        self.held = b""
        #: requests whose answers are to come, in order, where answers tell nothing of them
        self.order: collections.deque[int] = collections.deque()
        self.retry_at = 0.0


class _Loop:
    def __init__(
        self,
        address: tuple[str, int],
        sent: Sent,
        make: Make,
        read: Read,
        frames: Frames,
        *,
        in_order: bool = False,
    ) -> None:
        self.address, self.sent, self.make = address, sent, make
        self.read, self.frames, self.in_order = read, frames, in_order
        self.epoll = select.epoll()
        self.by_fd: dict[int, _Connection] = {}
        self.waiting: set[_Connection] = set()
        self.left = len(sent.due)
        self.began = 0.0

    def connect(self, connection: _Connection, now: float) -> None:
        """Begin to connect, without waiting."""
        family, kind, proto, _, where = socket.getaddrinfo(*self.address, type=socket.SOCK_STREAM)[
            0
        ]
        found = socket.socket(family, kind, proto)
        found.setblocking(False)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.socket, connection.open, connection.held = found, False, b""
        self.waiting.discard(connection)
        if found.connect_ex(where) not in {0, errno.EINPROGRESS}:
            self.lost(connection, now)
            return
        self.by_fd[found.fileno()] = connection
        self.epoll.register(found.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def lost(self, connection: _Connection, now: float) -> None:
        """Note a connection that ended, and when to try again; what did not leave, leaves later."""
        assert connection.socket is not None
        self.by_fd.pop(connection.socket.fileno(), None)
        connection.socket.close()
        self.sent.dropped += connection.open
        connection.socket, connection.open = None, False
        connection.retry_at = now + _RETRY_S
        connection.order = collections.deque(connection.indices)
        connection.out = bytearray(b"".join(self.make(i) for i in connection.indices))
        self.waiting.add(connection)

    def push(self, connection: _Connection, now: float) -> None:
        """Hand on what a connection takes."""
        if not connection.open or connection.socket is None or not connection.out:
            return
        try:
            count = connection.socket.send(connection.out)
        except BlockingIOError:
            count = 0
        except OSError:
            self.lost(connection, now)
            return
        if count == len(connection.out):
            self.sent.handed[connection.indices] = now - self.began
            connection.indices.clear()
            connection.out.clear()
            self.epoll.modify(connection.socket.fileno(), select.EPOLLIN)
        else:
            del connection.out[:count]
            self.epoll.modify(connection.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)

    def pull(self, connection: _Connection) -> None:
        """Take answers in."""
        assert connection.socket is not None
        try:
            data = connection.socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        now = time.perf_counter()
        if not data:
            self.lost(connection, now)
            return
        whole, connection.held = self.frames(connection.held + data)
        if len(connection.held) > _MOST_HELD:
            self.lost(connection, now)
            return
        at, sent = now - self.began, self.sent
        for answer in whole:
            index, right = self.read(answer)
            if self.in_order:
                index = connection.order.popleft() if connection.order else None
            if index is None or not 0 <= index < len(sent.due) or np.isnan(sent.begun[index]):
                sent.unasked += 1
            elif not np.isnan(sent.answered[index]):
                sent.doubled += 1
            else:
                sent.answered[index] = at
                sent.wrong[index] = not right
                self.left -= 1

    def heard(self, patience: float) -> None:
        """Wait up to ``patience`` seconds for something to happen and take part in it."""
        select.select([self.epoll.fileno()], [], [], patience)  # microseconds; epoll has milli
        for fd, event in self.epoll.poll(0):
            connection = self.by_fd.get(fd)
            if connection is None:
                continue
            if event & select.EPOLLOUT and not connection.open and connection.socket is not None:
                if connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                    self.lost(connection, time.perf_counter())
                    continue
                connection.open = True
                self.epoll.modify(fd, select.EPOLLIN)
            if event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                self.pull(connection)
            if event & select.EPOLLOUT:
                self.push(connection, time.perf_counter())


def offer(
    address: tuple[str, int],
    due: NDArray[np.float64],
    make: Make,
    read: Read,
    *,
    connections: int = 1,
    frames: Frames = lines,
    grace_s: float = 5.0,
    seed: int = 0,
    in_order: bool = False,
    tick: Callable[[], None] | None = None,
) -> Sent:
    """Send request i when ``due[i]`` seconds have passed, over connections drawn at random.

    Nothing waits for an answer. A connection that ends is opened again, and what had not left by
    then leaves on it. ``tick`` is called in each round, for whoever samples. Waiting for answers ends ``grace_s`` seconds after the last request was due.
    Raises ConnectionError where no connection can be opened at the start.
    """
    if connections < 1:
        raise ValueError(f"at least one connection is needed, not {connections}")
    sent = Sent(due)
    loop = _Loop(address, sent, make, read, frames, in_order=in_order)
    ends = [_Connection() for _ in range(connections)]
    try:
        _open_all(loop, ends)
        collects = gc.isenabled()
        gc.disable()
        cpu = time.thread_time()
        try:
            _run(loop, ends, np.random.default_rng(seed), grace_s, tick)
        finally:
            sent.own_cpu_s = time.thread_time() - cpu
            if collects:
                gc.enable()
    finally:
        for one in ends:
            if one.socket is not None:
                one.socket.close()
        loop.epoll.close()
    return sent


def _open_all(loop: _Loop, ends: list[_Connection]) -> None:
    """Open all connections, or raise ConnectionError."""
    deadline = time.perf_counter() + 5
    for one in ends:
        loop.connect(one, time.perf_counter())
    while not all(one.open for one in ends):
        loop.heard(0.05)
        if loop.waiting or time.perf_counter() > deadline:
            opened = sum(one.open for one in ends)
            host, port = loop.address
            raise ConnectionError(
                f"{host}:{port} took {opened} of {len(ends)} connections: is it being served?"
            )


def _run(
    loop: _Loop,
    ends: list[_Connection],
    rng: np.random.Generator,
    grace_s: float,
    tick: Callable[[], None] | None,
) -> None:
    sent = loop.sent
    due = sent.due.tolist()
    ways = rng.integers(0, len(ends), len(due)).tolist()
    n, i = len(due), 0
    last = (due[-1] if due else 0.0) + grace_s
    loop.began = time.perf_counter()
    while True:
        now = time.perf_counter()
        at = now - loop.began
        touched = set()
        while i < n and due[i] <= at:
            one = ends[ways[i]]
            one.out += loop.make(i)
            one.indices.append(i)
            if loop.in_order:
                one.order.append(i)
            touched.add(one)
            sent.begun[i] = at
            i += 1
        for one in touched:
            loop.push(one, now)
        if (i == n and not loop.left) or at > last:
            break
        for one in [one for one in loop.waiting if one.retry_at <= now]:
            loop.connect(one, now)
        if tick is not None:
            tick()
        if len(touched) >= _BUSY:
            time.sleep(_TICK_S)
        left = due[i] - (time.perf_counter() - loop.began) if i < n else 0.01
        loop.heard(min(0.01, max(0.0, left)))
    sent.finish(loop.began)
