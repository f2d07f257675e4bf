"""Run a subject where nothing can leave unseen, and record what it reached for."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import select
import signal
import socket
import struct
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Measurement
from pytest_mlgates.core.words import a, shorten
from pytest_mlgates.gates.egress.allowed import Allowed, is_local, parse_allowed
from pytest_mlgates.gates.egress.details import Contact, Seen
from pytest_mlgates.gates.egress.judge import headline
from pytest_mlgates.gates.egress.relay import Relay
from pytest_mlgates.gates.egress.warden import Job, run_warden
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import mask_identifiers

__all__ = ["Plan", "measure_egress"]

MAX_FINDINGS, MAX_CONTACTS, MAX_NAME = 20, 200, 120
_STARTING_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What may be reached, and how long a call may take."""

    allow: tuple[str, ...]
    max_calls: int
    timeout_s: float
    factory: bool


@dataclass(slots=True)
class _Told:
    """What the two processes told."""

    confined: bool = False
    why_not: str = ""
    made: bool = False
    broke: str = ""
    faults: list[str] = field(default_factory=list)
    attempts: list[tuple[str, str, int, str]] = field(default_factory=list)
    packets: list[tuple[str, str, int, str, int]] = field(default_factory=list)

    def take(self, line: dict[str, Any]) -> None:
        """Take one line."""
        if "confined" in line:
            self.confined, self.why_not = line["confined"], line["why_not"]
        elif "fault" in line:
            self.faults.append(line["fault"])
        elif "attempt" in line:
            kind, target, port, place = line["attempt"]
            self.attempts.append((kind, target, port, place))
        elif "packet" in line:
            protocol, address, port, name = line["packet"]
            self.packets.append((protocol, address, port, name, line["times"]))
        self.made |= line.get("made", False)
        self.broke = line.get("broke", self.broke)


def measure_egress(call: Callable[..., object], inputs: object, plan: Plan) -> Measurement:
    """Call the subject for every input in a child process, and return what was reached for."""
    if not callable(call):
        raise Unmeasurable(f"call is {a(type(call).__name__)}, not a callable of one input")
    if not hasattr(os, "fork"):
        raise Unmeasurable("egress takes a system that can fork, such as Linux")
    items = list(islice(records(inputs, "inputs"), plan.max_calls))
    entries = [parse_allowed(text) for text in plan.allow]
    allowed = Allowed(entries, {e.name: _addresses(e.name) for e in entries if e.name})
    before = tuple(_open_connections(allowed))
    told = _in_warden(call, items, plan, allowed)
    if told.broke:
        place = "could not be made" if not told.made else f"ended at call {len(told.faults) + 1}"
        raise Unmeasurable(f"the subject {place}: {told.broke}")
    contacts = sorted(_contacts(told, allowed), key=lambda c: (c.allowed, -c.times, c.address))
    seen = Seen(
        calls=len(told.faults),
        failed=sum(map(bool, told.faults)),
        confined=told.confined,
        why_not=told.why_not,
        allow=plan.allow,
        before=before,
        contacts=tuple(contacts[:MAX_CONTACTS]),
        off=sum(not contact.allowed for contact in contacts),
        findings=tuple(_contact_lines(contacts, told)),
    )
    return headline(seen).measurement(plain(seen))


def _in_warden(
    call: Callable[..., object], items: Sequence[object], plan: Plan, allowed: Allowed
) -> _Told:
    read, write = os.pipe()
    outer, inner = socket.socketpair()
    job = Job(call, items, plan.factory, allowed, tuple(_targets(allowed)), write, inner)
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # a fork beside threads: a subject that minds is made in the child, by a factory
        warnings.simplefilter("ignore", DeprecationWarning)
        warden = os.fork()
    if warden == 0:
        status = 1
        try:
            os.close(read)
            outer.close()
            signal.setitimer(signal.ITIMER_REAL, 0)
            run_warden(job)
            status = 0
        finally:
            os._exit(status)
    os.close(write)
    inner.close()
    try:
        Relay(outer)
        return _listen(read, plan.timeout_s, len(items))
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(warden, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(warden, 0)
        outer.close()
        os.close(read)


def _listen(read: int, timeout_s: float, calls: int) -> _Told:
    """Collect lines until both processes have ended; a call that hangs ends the run."""
    told, rest = _Told(), b""
    deadline = time.monotonic() + max(_STARTING_S, timeout_s)
    while True:
        ready, _, _ = select.select([read], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            at = len(told.faults) + 1
            what = f"call {at}" if told.made else "the subject"
            raise Unmeasurable(
                f"{what} did not return within {timeout_s:g} s and was stopped (a subject with"
                " threads of its own does not survive a fork: pass factory=True and what makes it)"
            )
        data = os.read(read, 1 << 16)
        if not data:
            return told
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            told.take(json.loads(line))
        deadline = time.monotonic() + timeout_s + (5.0 if len(told.faults) >= calls else 0.0)


def _addresses(name: str) -> list[str]:
    """Return the addresses of an allowed name, outside; of a wildcard there are none."""
    with contextlib.suppress(OSError):
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        return sorted({str(one[4][0]) for one in found})
    return []


def _targets(allowed: Allowed) -> Iterator[tuple[str, int]]:
    """Yield what connections are passed on to: single addresses with a port."""
    for entry in allowed.entries:
        if entry.is_one_address and entry.network is not None and entry.port is not None:
            yield str(entry.network.network_address), entry.port
        elif entry.name and entry.port is not None:
            for address in allowed.addresses.get(entry.name, ()):
                yield address, entry.port


def _contacts(told: _Told, allowed: Allowed) -> Iterator[Contact]:
    """Join what was sent with the line of Python that sent it."""
    places = {(target, port): place for kind, target, port, place in told.attempts}
    looked_up = {target: place for kind, target, _, place in told.attempts if place}
    found: dict[tuple[str, str, int], tuple[int, bool, str]] = {}

    def note(key: tuple[str, str, int], times: int, may: bool, place: str) -> None:
        before = found.get(key, (0, may, ""))
        found[key] = (before[0] + times, may, place or before[2])

    for protocol, address, port, name, times in told.packets:
        if name:
            note(("dns", name, 0), times, allowed.has_name(name), looked_up.get(name, ""))
        elif not is_local(address):
            may = allowed.has_address(address, port)
            note((protocol, address, port), times, may, places.get((address, port), ""))
    for kind, target, port, place in told.attempts:
        if _is_address(target):
            if kind == "connect" and not is_local(target) and not told.confined:
                note(("tcp", target, port), 1, allowed.has_address(target, port), place)
        elif ("dns", target, 0) not in found:
            note(("dns", target, 0), 1, allowed.has_name(target), place)
    for (protocol, address, port), (times, may, place) in found.items():
        # a name may carry what it should not; an address is what people act on
        shown = address if _is_address(address) else mask_identifiers(shorten(address, MAX_NAME))
        yield Contact(
            protocol=protocol, address=shown, port=port, times=times, allowed=may, place=place
        )


def _is_address(target: str) -> bool:
    try:
        ipaddress.ip_address(target.partition("%")[0])
    except ValueError:
        return False
    return True


def _open_connections(allowed: Allowed) -> Iterator[str]:
    """Yield the connections of this process to addresses off the list: a child inherits them."""
    mine = set()
    with contextlib.suppress(OSError):
        for handle in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                mine.add(str(handle.readlink()))
    for name, protocol in (("tcp", "tcp"), ("tcp6", "tcp"), ("udp", "udp"), ("udp6", "udp")):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/self/net/{name}").read_text("ascii").splitlines()[1:]:
                words = line.split()
                address, port = _endpoint(words[2])
                connected = words[3] == "01" and f"socket:[{words[9]}]" in mine
                if connected and not allowed.has_address(address, port):
                    yield f"{protocol} {address}:{port}"


def _endpoint(text: str) -> tuple[str, int]:
    """Read an address as /proc/net writes it: words of four bytes in the machine's order.

    >>> _endpoint("0100007F:0050") if sys.byteorder == "little" else ("127.0.0.1", 80)
    ('127.0.0.1', 80)
    """
    raw, _, port = text.partition(":")
    words = [int(raw[at : at + 8], 16) for at in range(0, len(raw), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    return str(ipaddress.ip_address(packed)), int(port, 16)


def _contact_lines(contacts: Sequence[Contact], told: _Told) -> Iterator[str]:
    for contact in contacts[:MAX_FINDINGS]:
        yield f"{'allowed' if contact.allowed else 'off the list'}: {contact}"
    faults = sorted({fault for fault in told.faults if fault})
    if faults:
        yield f"calls ended with {', '.join(faults)}"
