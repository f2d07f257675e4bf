"""A drill: scorer, updater and store are killed at random while labels come in; is any lost?

A label counts as acknowledged once ``learn``'s intake has answered "recorded". At the end each
acknowledged label must be in the ledger once, and in one round.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from reference_systems.finalgo_fraud import inputs, teach
from reference_systems.finalgo_fraud.outbox import Outbox
from reference_systems.finalgo_fraud.running import Running, served
from reference_systems.finalgo_fraud.state import State
from reference_systems.finalgo_fraud.updater import Updater

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["drill"]

_BATCH = 30
_PARTS = ("scorer", "updater", "store")


def drill(folder: Path, kafka: str, kills: int, seed: int = 1) -> dict[str, int]:
    """Kill so many times and return what was acknowledged, lost and counted twice."""
    rng = random.Random(seed)
    state = State(folder)
    payments = _payments(seed)
    acknowledged: set[bytes] = set()
    told = dict.fromkeys((*_PARTS, "answered", "unanswered"), 0)
    with contextlib.ExitStack() as stack, Outbox.opened(state.outbox) as outbox:
        scorer = _Scorer(folder)
        stack.callback(scorer.stop)
        updater = _updater(folder, kafka)
        try:
            for number in range(kills):
                until = time.monotonic() + rng.uniform(0.1, 0.7)
                while time.monotonic() < until:
                    _ask(scorer, payments, rng, state, outbox, acknowledged, told)
                part = _PARTS[number % 3] if number < 3 else rng.choice(_PARTS)
                told[part] += 1
                if part == "updater":
                    _kill(updater)
                    updater = _updater(folder, kafka)
                elif part == "scorer":
                    os.kill(scorer.running.pid, signal.SIGKILL)
                else:
                    _kill_store(scorer.running)
            _ask(scorer, payments, rng, state, outbox, acknowledged, told)
            _settle(updater, state, len(acknowledged))
        finally:
            _kill(updater)
    with Updater.opened(state) as held:
        while held.round() is not None:
            pass
        keys, counts = held.keys(), held.counts()
    return {
        **told,
        "acknowledged": len(acknowledged),
        "lost": len(acknowledged - set(keys)),
        "never_acknowledged": len(set(keys) - acknowledged),
        "twice": len(keys) - len(set(keys)) + abs(counts["counted"] - counts["labels"]),
        "rounds": counts["rounds"],
        "refused": counts["refused"],
    }


class _Scorer:
    """The scorer and a connection to it, both made anew where they are gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = contextlib.ExitStack()
        self.running: Running = self._serve()
        self._connection: socket.socket | None = None

    def _serve(self) -> Running:
        return self._stack.enter_context(served("fixed", self._folder, "--remember", "200000"))

    def ask(self, data: bytes, count: int) -> list[bytes]:
        """Return the answers that came within a second; fewer where something is gone."""
        found: list[bytes] = []
        try:
            if self._connection is None:
                self._connection = socket.create_connection(self.running.address, 1)
            self._connection.settimeout(1)
            self._connection.sendall(data)
            held = b""
            while len(found) < count:
                data = self._connection.recv(1 << 16)
                if not data:
                    raise ConnectionResetError
                *lines, held = (held + data).split(b"\n")
                found += lines
        except OSError:
            self.forget()
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                if os.waitid(os.P_PID, self.running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    self._stack.close()
                    self.running = self._serve()
        return found

    def forget(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def stop(self) -> None:
        """End both."""
        self.forget()
        self._stack.close()


def _payments(seed: int) -> Iterator[tuple[dict[str, object], bool]]:
    world = inputs.World(seed, 1500)
    first = 0
    for number in range(1000):
        week = world.week(number)
        yield from zip(inputs.transactions(world, week, first), week.fraud.tolist(), strict=True)
        first += len(week)


def _ask(
    scorer: _Scorer,
    payments: Iterator[tuple[dict[str, object], bool]],
    rng: random.Random,
    state: State,
    outbox: Outbox,
    acknowledged: set[bytes],
    told: dict[str, int],
) -> None:
    """Have a batch scored, and hand in labels of some that were answered, one of them twice."""
    batch = [next(payments) for _ in range(_BATCH)]
    truth = {str(one["id"]): fraud for one, fraud in batch}
    data = b"".join(json.dumps(one).encode() + b"\n" for one, _ in batch)
    answered = [json.loads(line)["id"] for line in scorer.ask(data, len(batch))]
    told["answered"] += len(answered)
    told["unanswered"] += len(batch) - len(answered)
    marked = [name for name in answered if truth[name] or rng.random() < 0.2]
    lines: list[bytes | None] = [
        json.dumps({"id": name, "fraud": truth[name]}).encode() for name in marked
    ]
    for answer in teach.answers(state, outbox, lines + lines[:1]):
        found = json.loads(answer)
        if "error" in found:
            raise AssertionError(f"an answered transaction has no decision: {found['error']}")
        acknowledged.add(json.dumps(found["id"]).encode())


def _updater(folder: Path, kafka: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "reference_systems.finalgo_fraud", "update"]
    return subprocess.Popen(  # noqa: S603 (this interpreter)
        [*command, "--state", str(folder), "--kafka", kafka], stderr=subprocess.DEVNULL
    )


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _kill_store(running: Running) -> None:
    """Kill the Valkey behind a scorer; whoever keeps it starts it again."""
    with contextlib.suppress(OSError), socket.create_connection(running.store, 1) as connection:
        connection.settimeout(1)
        connection.sendall(b"INFO server\r\n")
        text = connection.recv(1 << 16).decode()
        pid = next(
            line.split(":")[1] for line in text.splitlines() if line.startswith("process_id")
        )
        os.kill(int(pid), signal.SIGKILL)


def _settle(
    updater: subprocess.Popen[bytes], state: State, wanted: int, seconds: float = 90
) -> None:
    """Wait until the updater has taken all labels, as its ledger tells."""
    import sqlite3

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and updater.poll() is None:
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(
                sqlite3.connect(f"file:{state.ledger}?mode=ro", uri=True, timeout=5)
            ) as ledger,
        ):
            ((count,),) = ledger.execute("select count(*) from learned")
            if count >= wanted:
                return
        time.sleep(0.2)
    if updater.poll() is not None:
        raise AssertionError("the updater ended by itself")
