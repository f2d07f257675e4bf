"""Two processes: one watches a namespace and answers in it, its child runs the subject there."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
import select
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterable, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pytest_mlgates.gates.egress.allowed import Allowed
from pytest_mlgates.gates.egress.hooks import Attempt, watch_events
from pytest_mlgates.gates.egress.namespace import confine, sniffer
from pytest_mlgates.gates.egress.packets import Packet, name_in, read_packet
from pytest_mlgates.gates.egress.relay import answer_dns, listeners, name_servers

__all__ = ["Job", "run_warden"]

#: a generator that a subject returns is consumed up to here
MAX_PARTS = 100_000
_POLL_S = 0.05
#: how long packets may still be on their way once the subject has ended
_LINGER_S = 0.2


@dataclass(frozen=True, slots=True)
class Job:
    """What is run and where it is told: lines of JSON into ``out``; connections out by ``link``."""

    call: Callable[..., object]
    items: Sequence[object]
    factory: bool
    allowed: Allowed
    targets: tuple[tuple[str, int], ...]
    out: int
    link: socket.socket


def run_warden(job: Job) -> None:
    """Confine this process, run the subject in a child of it, tell what was reached for."""
    os.setpgid(0, 0)
    why_not, packets = "", None
    try:
        confine()
        packets = sniffer()
        doors = listeners(job.targets)
        servers = name_servers()
    except OSError as error:
        why_not = error.strerror or str(error)
        doors, servers = {}, []
    say(job.out, confined=packets is not None, why_not=why_not)
    child = os.fork()
    if child == 0:
        _run_subject(job, block=packets is None)
    watch = _Watch(job, packets, doors, servers)
    left = 1
    while left:
        watch.turn()
        ended, _ = os.waitpid(child, os.WNOHANG)
        left = 0 if ended else 1
    for _ in range(int(_LINGER_S / _POLL_S)):
        watch.turn()
    for packet, times in watch.sent():
        say(
            job.out, packet=[packet.protocol, packet.address, packet.port, packet.name], times=times
        )


class _Watch:
    """What goes on in the namespace, seen and answered."""

    def __init__(
        self,
        job: Job,
        packets: socket.socket | None,
        doors: Mapping[socket.socket, tuple[str, int]],
        servers: Sequence[socket.socket],
    ) -> None:
        self.job, self.packets, self.doors, self.servers = job, packets, doors, servers
        self.seen: Counter[Packet] = Counter()
        self.answered: set[tuple[str, int]] = set()
        self.search = _search_domains()

    def turn(self) -> None:
        """Handle what has come."""
        sources = [*self.doors, *self.servers, *([self.packets] if self.packets else [])]
        ready, _, _ = select.select(sources, [], [], _POLL_S)
        for source in ready:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                if source is self.packets:
                    self._read_packets(source)
                elif source in self.doors:
                    self._pass_on(source)
                else:
                    self._answer(source)

    def _read_packets(self, source: socket.socket) -> None:
        while True:  # until nothing more has come: BlockingIOError
            frame, about = source.recvfrom(65_535)
            if about[2] == socket.PACKET_OUTGOING:
                continue  # on loopback each packet comes twice
            packet = read_packet(frame)
            if packet is not None:
                self.seen[packet] += 1

    def _pass_on(self, door: socket.socket) -> None:
        inner, _ = door.accept()
        with inner:
            message = json.dumps(self.doors[door]).encode()
            socket.send_fds(self.job.link, [message], [inner.fileno()])

    def _answer(self, server: socket.socket) -> None:
        query, sender = server.recvfrom(4096)
        name = name_in(query)
        for domain in self.search:  # as in db.internal.cluster.local
            stripped = name.removesuffix(f".{domain}")
            if stripped != name and self.job.allowed.has_name(stripped):
                name = stripped
        server.sendto(answer_dns(query, name, self.job.allowed.addresses), sender)
        self.answered.add((str(sender[0]), int(sender[1])))

    def sent(self) -> Iterator[tuple[Packet, int]]:
        """Yield what others sent, and how often: not our own answers to their look-ups."""
        for packet, times in self.seen.items():
            ours = packet.source_port and (packet.address, packet.port) in self.answered
            if not ours:
                yield packet, times


def _search_domains() -> list[str]:
    with contextlib.suppress(OSError):
        for line in Path("/etc/resolv.conf").read_text("utf-8", "replace").splitlines():
            if line.startswith(("search ", "domain ")):
                return line.split()[1:]
    return []


def _run_subject(job: Job, *, block: bool) -> None:
    """Call the subject for each input; never returns."""
    known: Counter[Attempt] = Counter()

    def note(attempt: Attempt) -> bool:
        known[attempt] += 1
        if known[attempt] == 1:
            say(job.out, attempt=list(attempt))
        kind, target, port, _ = attempt
        return _may(job.allowed, kind, target, port)

    watch_events(note, block=block)
    status = 0
    try:
        call: Any = job.call() if job.factory else job.call
        say(job.out, made=True)
        for item in job.items:
            fault = ""
            try:
                _finish(call(item))
            except Exception as error:  # noqa: BLE001  (a call that fails is counted)
                fault = type(error).__name__
            say(job.out, fault=fault)
    except BaseException as error:  # noqa: BLE001  (whatever it is, this process ends here)
        say(job.out, broke=type(error).__name__)
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _may(allowed: Allowed, kind: str, target: str, port: int) -> bool:
    if kind == "connect":
        try:
            return allowed.has_address(target, port)
        except ValueError:
            pass  # a name, which connect looks up by itself
    return allowed.has_name(target)


def _finish(answer: object) -> None:
    """Have an answer done: what a generator would reach for is reached for while it runs."""
    if inspect.isawaitable(answer):
        answer = asyncio.run(_run_awaitable(answer))
    if inspect.isasyncgen(answer):
        asyncio.run(_drained(answer))
    elif inspect.isgenerator(answer):
        for _ in islice(answer, MAX_PARTS):
            pass


async def _run_awaitable(answer: Awaitable[object]) -> object:
    found = await answer
    if inspect.isasyncgen(found):
        await _drained(found)
        return None
    return found


async def _drained(parts: AsyncIterable[object]) -> None:
    left = MAX_PARTS
    async for _ in parts:
        left -= 1
        if not left:
            return


def say(out: int, **line: object) -> None:
    """Write a line of JSON in one piece."""
    data = json.dumps(line).encode() + b"\n"
    while data:
        data = data[os.write(out, data) :]
