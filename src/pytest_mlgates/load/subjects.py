"""What a load can be offered to, beside a callable: sockets, HTTP, and callables that take many."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pytest_mlgates.load.sockets import Frames, lines

__all__ = ["Batch", "Http", "Locust", "Socket"]


@dataclass(frozen=True)
class Batch:
    """A callable that takes a list of inputs, all that are due up to ``most``, in one go.

    It returns as many answers, in their order.
    """

    call: Callable[[list[Any]], Sequence[Any]]
    most: int = 512

    def __post_init__(self) -> None:
        if not callable(self.call) or self.most < 1:
            raise ValueError("a Batch takes a callable and the most inputs, at least 1")


@dataclass(frozen=True)
class Socket:
    """A TCP server at ``address`` (HOST:PORT), asked over several connections.

    By default inputs are mappings, sent as JSON lines with an ``id`` of the load's own, and answers
    are JSON lines that give it back; one with the key ``error`` is an error. For other protocols
    ``encode(input, number)`` gives the bytes of a request, frame and all, ``answer(bytes)`` the
    number of the request that an answer is to and whether it is right, and ``frames(bytes)`` cuts
    what came into whole answers and the rest. With ``in_order`` answers come in the order of the
    requests on their connection, and the number is not looked at.

    >>> Socket("127.0.0.1:80", connections=4).port
    80
    """

    address: str
    connections: int = 16
    encode: Callable[[Any, int], bytes] | None = None
    answer: Callable[[bytes], tuple[int | None, bool]] | None = None
    frames: Frames = lines
    in_order: bool = False
    _run: str = field(default_factory=lambda: secrets.token_hex(3), repr=False, compare=False)

    def __post_init__(self) -> None:
        host, _, port = self.address.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"a Socket's address is HOST:PORT, not {self.address!r}")
        if self.connections < 1:
            raise ValueError(f"a Socket has at least one connection, not {self.connections}")
        if (self.encode is None) != (self.answer is None):
            raise ValueError("a Socket's encode and answer belong together: give both or neither")

    @property
    def host(self) -> str:
        """The host part of the address."""
        return self.address.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port part of the address."""
        return int(self.address.rpartition(":")[2])

    def request(self, item: Any, number: int) -> bytes:
        """Return the bytes of a request."""
        if self.encode is not None:
            return self.encode(item, number)
        if not isinstance(item, Mapping):
            raise TypeError(
                f"an input is a {type(item).__name__}: give mappings, or a Socket with encode "
                "and answer"
            )
        return json.dumps({**item, "id": f"{self._run}-{number}"}).encode() + b"\n"

    def read(self, data: bytes) -> tuple[int | None, bool]:
        """Return which request an answer is to, and whether it is a right one."""
        if self.answer is not None:
            return self.answer(data)
        try:
            found = json.loads(data)
            run, _, number = found["id"].rpartition("-")
            return (int(number) if run == self._run else None), "error" not in found
        except (ValueError, KeyError, TypeError, AttributeError):
            return (0 if self.in_order else None), False


@dataclass(frozen=True)
class Http:
    """An HTTP resource. Each input is a request's body, or None for none.

    Bytes and text are sent as they are, everything else as JSON. An answer is right where its
    status is below 400 and ``right(status, body)``, where given, says so.

    >>> Http("http://127.0.0.1:8000/predict", "POST").port
    8000
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    right: Callable[[int, bytes], bool] | None = None
    connections: int = 100

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"an Http subject has a URL of http or https, not {self.url!r}")
        if self.connections < 1:
            raise ValueError(f"an Http subject has at least one connection, not {self.connections}")

    @property
    def host(self) -> str:
        """The host of the URL."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of the URL."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    def body(self, item: Any) -> bytes | None:
        """Return the body that an input stands for."""
        if item is None or isinstance(item, bytes):
            return item
        return (item if isinstance(item, str) else json.dumps(item)).encode()


@dataclass(frozen=True)
class Locust:
    """An HTTP resource asked by several workers of Locust, here and on other machines (extra ``locust``).

    ``http.connections`` are spread over the ``workers``. As many of them as ``start`` says run on this
    machine, by default all; the others join on ``port`` within ``join_s`` seconds:
    ``python -m pytest_mlgates.load.locust.worker HOST PORT``. ``bind`` must then be an address that
    they reach: who reaches it may offer load and tell what came of it, so keep it inside your network.

    >>> Locust(Http("http://127.0.0.1:8000/"), workers=3, start=1, port=5557).started_here
    1
    """

    http: Http
    workers: int = 2
    start: int | None = None
    bind: str = "127.0.0.1"
    port: int = 0
    join_s: float = 60.0

    def __post_init__(self) -> None:
        if not isinstance(self.http, Http):
            raise TypeError(f"a Locust asks an Http, not a {type(self.http).__name__}")
        if self.http.right is not None:
            raise ValueError("a Locust's workers look at the status only: leave out `right`")
        if not 1 <= self.workers <= self.http.connections:
            raise ValueError(
                f"a Locust has 1 to {self.http.connections} workers (a connection each), not {self.workers}"
            )
        if self.start is not None and not 0 <= self.start <= self.workers:
            raise ValueError(f"0 to {self.workers} workers can start here, not {self.start}")

    @property
    def started_here(self) -> int:
        """How many workers run on this machine."""
        return self.workers if self.start is None else self.start
