"""A worker: offers its part of a load, for as long as the master is there.

    python -m pytest_mlgates.load.locust.worker HOST PORT

on any machine that reaches the master's port and the subject. With ``--until-eof`` it ends when
its standard input does, as the workers that a gate starts by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import sys
import time
from functools import partial
from typing import Any
from urllib.parse import urlsplit

if __name__ == "__main__":
    # patches this process, so that it must come before what opens sockets, and never elsewhere
    import locust

import numpy as np

from pytest_mlgates.load.echo import answering_at_once
from pytest_mlgates.load.locust.histograms import of_seconds
from pytest_mlgates.load.locust.orders import ORDER, REPORT, Order, Report, boot_id, text
from pytest_mlgates.load.locust.rounds import Round

__all__ = ["main"]

#: how often the worker looks how late its own loop is, and whether all answers are there
_PULSE_S, _LOOK_S = 0.005, 0.02


class Stage:
    """Where users wait for the next round."""

    def __init__(self) -> None:
        from gevent.event import AsyncResult

        self._result = AsyncResult
        self.next = AsyncResult()

    def play(self, round_: Round) -> None:
        """Let all users who wait take part."""
        waiting, self.next = self.next, self._result()
        waiting.set(round_)

    def user(self) -> None:
        """Be one user: one connection, round after round."""
        address, client = "", None
        while True:
            round_ = self.next.get()
            if round_.order.url != address or client is None:
                address, client = round_.order.url, _client(round_.order)
            round_.take(partial(_ask, client, round_.order, _target(address)))


def _client(order: Order) -> Any:
    """Return a client that keeps one connection open, asks nothing of proxies and follows nothing."""
    from geventhttpclient import HTTPClient

    return HTTPClient.from_url(
        order.url,
        concurrency=1,
        connection_timeout=order.timeout_s,
        network_timeout=order.timeout_s,
    )


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _ask(client: Any, order: Order, target: str, body: bytes | None) -> tuple[int, bytes]:
    answer = client.request(order.method, target, body=body or b"", headers=dict(order.headers))
    return answer.status_code, bytes(answer.read())


def carry_out(stage: Stage, order: Order) -> Round:
    """Carry out an order and return what became of it."""
    import gevent

    with contextlib.ExitStack() as stack:
        if order.at_once:
            port = stack.enter_context(answering_at_once())
            order = dataclasses.replace(order, url=f"http://127.0.0.1:{port}/")
        round_ = Round(order, gevent.sleep)
        pulse = gevent.spawn(_pulse, round_)
        stage.play(round_)
        while round_.left and time.perf_counter() - round_.started < round_.last_s:
            gevent.sleep(_LOOK_S)
        pulse.kill()
        round_.close()
        return round_


def _pulse(round_: Round) -> None:
    """Look again and again how late this worker's loop is, whatever its connections do."""
    import gevent

    while True:
        due = time.perf_counter() + _PULSE_S
        gevent.sleep(_PULSE_S)
        round_.late = max(0.0, time.perf_counter() - due)
        round_.pulses.append(round_.late)


def report(round_: Round) -> Report:
    """Return what is told of a round."""
    sent = round_.sent
    lag = np.concatenate([np.maximum(sent.lag(), 0.0), round_.pulses])
    return Report(
        number=round_.order.number,
        part=round_.order.part,
        boot=boot_id(),
        pid=os.getpid(),
        started=sent.started,
        ended=sent.ended,
        begun=text(sent.begun),
        answered=text(sent.answered),
        wrong=text(sent.wrong),
        latency=of_seconds(sent.latency()).encode().decode(),
        lag=of_seconds(lag).encode().decode(),
        first=round_.first,
        differ=round_.differ,
        fault=round_.fault,
        own_cpu_s=sent.own_cpu_s,
    )


def _end_with_input() -> None:
    from gevent.fileobject import FileObject

    with contextlib.suppress(OSError):
        FileObject(sys.stdin.buffer, "rb", close=False).read()
    os._exit(0)


def main() -> None:
    """Join a master and work for it until it ends."""
    parser = argparse.ArgumentParser(prog="worker", description=__doc__.partition("\n")[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--until-eof", action="store_true")
    options = parser.parse_args()
    import gevent

    if options.until_eof:
        gevent.spawn(_end_with_input)
    stage = Stage()
    user = type("Sender", (locust.User,), {"tasks": [lambda _: stage.user()]})
    environment = locust.env.Environment(user_classes=[user])
    runner = environment.create_worker_runner(options.host, options.port)

    def on_order(msg: Any, **_: object) -> None:
        told = report(carry_out(stage, Order.read(msg.data)))
        runner.send_message(REPORT, dataclasses.asdict(told))

    runner.register_message(ORDER, on_order, concurrent=True)
    runner.greenlet.join()


if __name__ == "__main__":
    main()
