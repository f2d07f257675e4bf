"""Putting a scorer together: model, log of decisions, store and table."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING

from reference_systems.finalgo_fraud import store
from reference_systems.finalgo_fraud.cards import CardTable
from reference_systems.finalgo_fraud.decisions import DecisionLog
from reference_systems.finalgo_fraud.engine import (
    GIVE_UP_S,
    BlockingEngine,
    Engine,
    PipelinedEngine,
)
from reference_systems.finalgo_fraud.lookup import BlockingLookup, PipelinedLookup
from reference_systems.finalgo_fraud.model import InvalidModel
from reference_systems.finalgo_fraud.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_systems.finalgo_fraud.state import State

__all__ = ["Reloader", "engine", "serve"]


@contextlib.contextmanager
def engine(
    state: State,
    build: str,
    address: tuple[str, int],
    *,
    capacity: int,
    remember: int,
    give_up_s: float = GIVE_UP_S,
) -> Iterator[Engine]:
    """Give the scorer of a build that asks the store at ``address``."""
    _, model = state.model()
    decisions = DecisionLog(state.decisions, remember)
    with contextlib.closing(decisions):
        if build == "incident":
            blocking = BlockingLookup(address)
            with contextlib.closing(blocking):
                yield BlockingEngine(model, decisions, blocking)
        else:
            lookup = PipelinedLookup(address)
            with contextlib.closing(lookup):
                yield PipelinedEngine(model, decisions, CardTable(capacity), lookup, give_up_s)


class Reloader:
    """Swaps the model between batches when ``current`` names another; a broken one is refused."""

    def __init__(self, state: State, scorer: Engine) -> None:
        self._state, self._scorer = state, scorer
        self._seen = state.models.changed_at()
        self.digest = state.models.current()

    def __call__(self) -> None:
        """Look once; takes some microseconds where nothing changed."""
        seen = self._state.models.changed_at()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            digest, model = self._state.model()
        except InvalidModel as error:
            say(f"the model is kept, the new one is refused: {error}")
            return
        if digest != self.digest:
            self._scorer.model, self.digest = model, digest
            self._scorer.stats.reloads += 1
            say(f"model {digest[:12]} is served from now on")


def serve(
    state: State, build: str, port: int, *, store_at: tuple[str, int] | None, delay_ms: float,
    capacity: int, remember: int,
) -> None:  # fmt: skip
    """Serve on 127.0.0.1 until SIGTERM or SIGINT, then print what was done as a line of JSON."""
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    with (
        store.started(delay_ms, store_at) as running,
        engine(
            state, build, ("127.0.0.1", running.port), capacity=capacity, remember=remember
        ) as scorer,
    ):
        reload = Reloader(state, scorer)
        server = Server(scorer, listener, reload if build == "fixed" else lambda: None)
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: server.stop())
        gc.collect()
        gc.freeze()
        gc.disable()  # nothing on the way of a transaction makes circles
        began = time.perf_counter()
        before = resource.getrusage(resource.RUSAGE_SELF)
        where = listener.getsockname()[1]
        say(f"{build} build on 127.0.0.1:{where}, store on 127.0.0.1:{running.valkey_port}, "
            f"{delay_ms:g} ms away, pid {os.getpid()}")  # fmt: skip
        server.run()
        told = scorer.stats.told()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        told["cpu_s"] = usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime
        told["wall_s"] = time.perf_counter() - began
        print(json.dumps(told), flush=True)  # noqa: T201


def say(line: str) -> None:
    """Write one line for people."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201
