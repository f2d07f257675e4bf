"""A server of HTTP that answers at once: how late its answers are is the client's own doing.

    python -m pytest_mlgates.load.echo

prints the port that it listens on, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["answering_at_once"]

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"
_START_S = 20.0


@contextmanager
def answering_at_once() -> Iterator[int]:
    """Give the port of such a server, in a process of its own, on this machine."""
    command = [sys.executable, "-m", "pytest_mlgates.load.echo"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    try:
        assert child.stdout is not None
        yield int(child.stdout.readline())
    finally:
        child.communicate(timeout=_START_S)


class _AtOnce(asyncio.Protocol):
    """Answers each request as soon as its last byte is there."""

    def __init__(self) -> None:
        self._held = b""
        self._out: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._out = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            size = end + 4 + _length(self._held[:end])
            if len(self._held) < size:
                return
            self._held = self._held[size:]
            if self._out is not None:
                self._out.write(_ANSWER)


def _length(head: bytes) -> int:
    r"""Return the length of the body that a head announces.

    >>> _length(b"POST / HTTP/1.1\r\nContent-Length: 12")
    12
    """
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_AtOnce, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
