"""``learn``: labels in, joined to decisions, through outbox and stream to a model that is judged."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

import orjson

from reference_systems.finalgo_fraud import decisions, stream
from reference_systems.finalgo_fraud.arriving import arriving
from reference_systems.finalgo_fraud.outbox import Label, Outbox
from reference_systems.finalgo_fraud.serving import say
from reference_systems.finalgo_fraud.updater import Updater
from reference_systems.finalgo_fraud.wire import InvalidLine, failure, read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from reference_systems.finalgo_fraud.outbox import Outbox as Box
    from reference_systems.finalgo_fraud.state import State

__all__ = ["answers", "learn", "update"]

#: how long labels may take through the broker and the updater
_PATIENCE_S = 60.0


def answers(state: State, outbox: Box, lines: Sequence[bytes | None]) -> list[bytes]:
    """Record the labels of lines and return one answer each, in order; on the disk by then."""
    read: list[tuple[bytes, bool] | InvalidLine] = []
    for line in lines:
        try:
            key, found = read_json(line)
            if type(found.get("fraud")) is not bool:
                raise InvalidLine(key, "fraud must be true or false")
            read.append((key, bool(found["fraud"])))
        except InvalidLine as error:
            read.append(error)
    keys = list({one[0] for one in read if isinstance(one, tuple)})
    known = outbox.known(keys)
    joined = decisions.find(state.decisions, [key for key in keys if key not in known])
    told: list[bytes] = []
    labels: list[Label] = []
    for one in read:
        if isinstance(one, InvalidLine):
            told.append(failure(one.key, str(one)))
            continue
        key, fraud = one
        last = known.get(key)
        if last is None and key not in joined:
            told.append(failure(key, "no decision on this id is in the log: score it first"))
            continue
        if last is not None and last.fraud == fraud:
            word = b"duplicate"
        else:
            places, version = (joined[key], 1) if last is None else (last.places, last.version + 1)
            known[key] = Label(key, fraud, places, time.time(), version)
            labels.append(known[key])
            word = b"recorded" if last is None else b"corrected"
        told.append(b'{"id":%b,"fraud":%b,"status":"%b"}\n' % (key, orjson.dumps(fraud), word))
    outbox.record(labels)
    return told


def learn(state: State, source: BinaryIO, servers: str | None) -> int:
    """Record labels, learn them, and return 1 where a model was refused."""
    with Outbox.opened(state.outbox) as outbox:
        for lines in arriving(source):
            sys.stdout.buffer.write(b"".join(answers(state, outbox, lines)))
            sys.stdout.buffer.flush()
        if not outbox.unpublished(1):
            say("nothing new to learn")
            return 0
        with stream.opened(servers, state.topic) as opened:
            relay = stream.Relay(outbox, opened)
            relay.drain(_PATIENCE_S)
            try:
                with Updater.opened(state, wait=False) as updater:
                    return _catch_up(updater, opened, outbox.count())
            except BlockingIOError:
                if not opened.durable:
                    say("another updater is at work on this state; it does not hear this stream, "
                        "the labels stay in the outbox: run learn again when it ended")  # fmt: skip
                    return 1
                say("the labels are with the updater that is at work on this state")
                return 0


def _catch_up(updater: Updater, opened: stream.Stream, wanted: int) -> int:
    """Take labels until the ledger has as many as the outbox, then learn them."""
    deadline = time.monotonic() + _PATIENCE_S
    start = updater.start(opened.name) if opened.durable else {}
    with contextlib.closing(stream.labels(opened, start=start)) as batches:
        while updater.counts()["labels"] < wanted:
            updater.take(opened.name, next(batches))
            if time.monotonic() > deadline:
                raise TimeoutError(f"the labels did not come back from Kafka in {_PATIENCE_S:g} s")
    refused = 0
    while (ruling := updater.round()) is not None:
        refused += not ruling.promoted
        say(("promoted: " if ruling.promoted else "refused: ") + ruling.reason)
    return int(refused > 0)


def update(state: State, servers: str, *, least: int = 50, longest_s: float = 5.0) -> None:
    """Learn what comes through the broker until interrupted; a round every so many labels."""
    with stream.opened(servers, state.topic) as opened, Updater.opened(state) as updater:
        waited = time.monotonic()
        with (
            contextlib.closing(stream.labels(opened, start=updater.start(opened.name))) as batches,
            Outbox.opened(state.outbox) as outbox,
        ):
            relay = stream.Relay(outbox, opened)
            say(f"updating from {opened.servers}")
            for batch in batches:
                relay.step()
                if batch:
                    updater.take(opened.name, batch)
                pending = updater.pending()
                due = time.monotonic() - waited > longest_s
                if pending >= least or (pending and due):
                    ruling = updater.round()
                    if ruling is not None:
                        say(("promoted: " if ruling.promoted else "refused: ") + ruling.reason)
                if due or not pending:
                    waited = time.monotonic()
