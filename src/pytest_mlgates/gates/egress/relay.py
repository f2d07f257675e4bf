"""Pass allowed connections on: from inside the namespace to the real service outside."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Mapping, Sequence

__all__ = ["Relay", "answer_dns", "listeners", "name_servers"]

_TIMEOUT_S = 30.0
_A, _AAAA = 1, 28


class Relay:
    """The outer end: connects each connection that arrives over ``link`` to its real address."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        threading.Thread(target=self._run, name="mlgates-relay", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                said, handles, _, _ = socket.recv_fds(self.link, 1024, 1)
            except OSError:
                return
            if not said:
                return
            host, port = json.loads(said)
            inner = socket.socket(fileno=handles[0])
            threading.Thread(target=_join, args=(inner, host, port), daemon=True).start()


def _join(inner: socket.socket, host: str, port: int) -> None:
    try:
        with inner, socket.create_connection((host, port), _TIMEOUT_S) as outer:
            outer.settimeout(None)
            back = threading.Thread(target=_pump, args=(outer, inner), daemon=True)
            back.start()
            _pump(inner, outer)
            back.join()
    except OSError:
        return  # closed: the subject sees a connection that ended


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return


def listeners(targets: Sequence[tuple[str, int]]) -> dict[socket.socket, tuple[str, int]]:
    """Listen on each address that connections are passed on for; inside the namespace."""
    found = {}
    for host, port in targets:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        one = socket.socket(family, socket.SOCK_STREAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((host, port))
        one.listen(128)
        one.setblocking(False)
        found[one] = (host, port)
    return found


def name_servers() -> list[socket.socket]:
    """Listen where every name server would: all addresses are this namespace's own."""
    found = []
    for family, any_host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104
        try:
            one = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((any_host, 53))
        except OSError:  # no IPv6 here
            continue
        one.setblocking(False)
        found.append(one)
    return found


def answer_dns(query: bytes, name: str, addresses: Mapping[str, Sequence[str]]) -> bytes:
    """Return the answer to a query: the addresses of a name that is known, or that there is none."""
    at = 12
    while at < len(query) and query[at]:
        at += 1 + query[at]
    question = query[12 : at + 5]
    kind = int.from_bytes(query[at + 1 : at + 3])
    known = addresses.get(name.rstrip(".").lower())
    family = {_A: socket.AF_INET, _AAAA: socket.AF_INET6}.get(kind)
    records = [
        b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data
        for address in known or ()
        if family is not None and (":" in address) == (family == socket.AF_INET6)
        for data in [socket.inet_pton(family, address)]
    ]
    flags = 0x8180 if known is not None else 0x8183
    return (
        query[:2]
        + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
        + question
        + b"".join(records)
    )
