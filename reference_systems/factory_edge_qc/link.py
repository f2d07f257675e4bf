"""The factory's uplink: real sockets on loopback, a token bucket of 50 Mbit/s, bytes counted.

A relay in front of the cloud. Each camera gets a port of its own, so that each byte is booked to
the camera it came from; all ports draw from one bucket. Payload of TCP is counted as it is
forwarded, HTTP headers included; headers of TCP and IP are not (about 3 % at full frames).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["RATE_MBPS", "Bucket", "Chunk", "Link", "opened"]

RATE_MBPS = 50.0
_CHUNK = 16_384
_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes that went up at one time (seconds since the link opened), and whose they were."""

    at: float
    sent_bytes: int
    source: str


@dataclass(slots=True)
class Bucket:
    """Tokens that fill at a rate; with none left one waits. At most ``burst`` at a time."""

    bytes_per_s: float
    burst: float = _CHUNK
    _level: float = field(init=False)
    _then: float = field(init=False)

    def __post_init__(self) -> None:
        self._level, self._then = self.burst, time.monotonic()

    def wait(self, count: int, now: float) -> float:
        """Take tokens, and return the seconds to wait until they are paid for.

        >>> bucket = Bucket(100.0, burst=10)
        >>> bucket.wait(10, bucket._then), bucket.wait(50, bucket._then)
        (0.0, 0.5)
        """
        self._level = min(self.burst, self._level + (now - self._then) * self.bytes_per_s)
        self._then = now
        self._level -= count
        return max(0.0, -self._level / self.bytes_per_s)


class Link:
    """The relay; :func:`opened` starts and stops it."""

    def __init__(self, target: int, mbps: float = RATE_MBPS) -> None:
        self.target, self.bucket = target, Bucket(mbps * 1e6 / 8)
        self.chunks: list[Chunk] = []
        self.down = False
        self.began = time.monotonic()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def port(self, source: str) -> int:
        """Open a port on 127.0.0.1 for a camera and return its number."""
        made = asyncio.run_coroutine_threadsafe(self._listen(source), self._loop)
        return made.result(_WAIT_S)

    def sent_bytes(self) -> int:
        """Return all bytes that went up."""
        return sum(chunk.sent_bytes for chunk in list(self.chunks))

    async def _listen(self, source: str) -> int:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await self._forward(reader, writer, source)

        server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=_CHUNK)
        self._servers.append(server)
        number: int = server.sockets[0].getsockname()[1]
        return number

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, source: str
    ) -> None:
        far: asyncio.StreamWriter | None = None
        try:
            if self.down:
                return
            back, far = await asyncio.open_connection("127.0.0.1", self.target)
            up = asyncio.ensure_future(self._up(reader, far, source))
            await self._pump(back, writer)
            up.cancel()
        except (OSError, asyncio.CancelledError):
            pass  # one end went away, or the link closes
        finally:
            for end in (writer, far):
                if end is not None:
                    with contextlib.suppress(OSError, RuntimeError):
                        end.close()

    async def _up(
        self, reader: asyncio.StreamReader, far: asyncio.StreamWriter, source: str
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self.down:
                break
            wait = self.bucket.wait(len(data), time.monotonic())
            if wait:
                await asyncio.sleep(wait)
            far.write(data)
            self.chunks.append(Chunk(time.monotonic() - self.began, len(data), source))
            await far.drain()
        if self.down:
            far.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()

    def start(self) -> None:
        """Begin to forward."""
        self._thread.start()

    def stop(self) -> None:
        """Close all ports and end the thread."""
        with contextlib.suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_WAIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WAIT_S)
        if not self._thread.is_alive():
            self._loop.close()

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        mine = [task for task in self._tasks if not task.done()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        rest = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


@contextlib.contextmanager
def opened(target: int, mbps: float = RATE_MBPS) -> Iterator[Link]:
    """Give a link to a port of 127.0.0.1; closed at the end."""
    link = Link(target, mbps)
    link.start()
    try:
        yield link
    finally:
        link.stop()
