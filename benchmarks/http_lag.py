"""What a load generator adds to a latency: HTTP, against a server that answers at once, on this machine.

`python benchmarks/http_lag.py` offers 500 and 2,000 requests a second for 5 s, in 5 interleaved rounds, with
our open loop (over aiohttp), with vegeta where it is on the path (or `--vegeta FILE`), and with two Locust
workers where the extra `locust` is installed. P50 and P99 as each tells them, our own lag, and CPU time a
request of generator and server: medians over the rounds, the worst P99 beside them. A second table holds
each against a server that stops for 200 ms of every 2 s, where arithmetic gives the P99. With real-time
priority where permitted (`--plain`: without).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.core.loops import new_loop
from pytest_mlgates.load import arrivals, callables, http
from pytest_mlgates.load.answers import Answers
from pytest_mlgates.load.collector import collector_paused
from pytest_mlgates.load.counters import listener_of
from pytest_mlgates.load.echo import answering_at_once
from pytest_mlgates.load.locust.crew import crew
from pytest_mlgates.load.locust.merge import joined_reports, orders
from pytest_mlgates.load.priority import realtime_priority
from pytest_mlgates.load.sent import quantile
from pytest_mlgates.load.subjects import Http, Locust

CONNECTIONS = 100
PAUSE_S, EVERY_S = 0.2, 2.0
STOPPING = f"""
import asyncio, sys, time
from pytest_mlgates.load.echo import _AtOnce
class Stopping(_AtOnce):
    def data_received(self, data):
        phase = time.monotonic() % {EVERY_S}
        if phase < {PAUSE_S}:
            time.sleep({PAUSE_S} - phase)
        super().data_received(data)
async def serve():
    server = await asyncio.get_running_loop().create_server(Stopping, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(serve())
"""
#: P50, P99, lag P99 (ms, NaN where it is not told), CPU seconds of the generator
Row = tuple[float, float, float, float]
Tool = Callable[[int, float, float, int], Row]


def ours(port: int, rate: float, seconds: float, seed: int) -> Row:
    """Offer with our own open loop."""
    due = arrivals.poisson_of(int(rate * seconds), seconds, seed)
    subject = Http(f"http://127.0.0.1:{port}/", "POST", connections=CONNECTIONS)

    async def run(guard: CallGuard):
        async with http.client(subject, 10.0) as ask:
            bodies = itertools.repeat("{}")
            words = (ask, due, bodies, Answers(), guard, None, 1.0)
            return await callables.start_each(*words, here=False)

    with (
        CallGuard(10.0) as guard,
        collector_paused(),
        asyncio.Runner(loop_factory=new_loop) as runner,
    ):
        begun = time.process_time()
        sent = runner.run(run(guard))
        cpu = time.process_time() - begun
    latency = sent.latency()
    return (
        *(1e3 * quantile(latency, q) for q in (0.5, 0.99)),
        1e3 * quantile(sent.lag(), 0.99),
        cpu,
    )


def vegeta(path: str) -> Tool:
    """Return a way to offer with vegeta."""

    def offer(port: int, rate: float, seconds: float, seed: int) -> Row:  # noqa: ARG001
        words = [path, "attack", f"-rate={rate:g}/1s", f"-duration={seconds:g}s"]
        words += [f"-connections={CONNECTIONS}", f"-max-workers={10 * CONNECTIONS}"]
        target = f"POST http://127.0.0.1:{port}/\n".encode()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        seen = subprocess.run(words, input=target, stdout=subprocess.PIPE, check=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        told = subprocess.run(
            [path, "report", "-type=json"], input=seen, stdout=subprocess.PIPE, check=True
        )
        found = json.loads(told.stdout)["latencies"]
        cpu = sum(after[:2]) - sum(before[:2])
        return found["50th"] / 1e6, found["99th"] / 1e6, float("nan"), cpu

    return offer


@contextmanager
def locust(port: int) -> Iterator[Tool]:
    """Give a way to offer with two workers of Locust."""
    http_ = Http(f"http://127.0.0.1:{port}/", "POST", connections=CONNECTIONS)
    with crew(Locust(http_, workers=2)) as found:

        def offer(port: int, rate: float, seconds: float, seed: int) -> Row:  # noqa: ARG001
            due = arrivals.poisson_of(int(rate * seconds), seconds, seed)
            told = orders(
                seed, http_, due, itertools.repeat("{}"), 2, seed=1, grace_s=1.0, timeout_s=10.0
            )
            sent = joined_reports(told, found.offer(told, lambda: None), 0.0).sent
            latency, lag = sent.latency(), quantile(sent.lag(), 0.99)
            return (
                1e3 * quantile(latency, 0.5), 1e3 * quantile(latency, 0.99), 1e3 * lag,
                sent.own_cpu_s,
            )  # fmt: skip

        yield offer


@contextmanager
def stopping() -> Iterator[int]:
    """Give the port of a server that stops for a while again and again."""
    command = [sys.executable, "-c", STOPPING]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield int(child.stdout.readline())
    finally:
        child.communicate(timeout=20)


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process so far."""
    words = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def table(server, rates, options, truth_ms: float | None) -> None:
    """Print what each tool saw of a server."""
    print(
        "| rate | generator | P50 ms | P99 ms | worst P99 | lag P99 ms | generator us | server us |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with server() as port, ExitStack() as stack:
        tools: dict[str, Tool] = {"ours": ours}
        if options.vegeta:
            tools["vegeta"] = vegeta(options.vegeta)
        if find_spec("locust") and find_spec("hdrh"):
            tools["Locust, 2 workers"] = stack.enter_context(locust(port))
        pid = listener_of(port)
        rows: dict[tuple[float, str], list[tuple[float, ...]]] = {}
        for round_, rate, name in itertools.product(range(options.rounds), rates, tools):
            before = cpu_of(pid)
            seen = tools[name](port, rate, options.seconds, 1 + round_)
            served = cpu_of(pid) - before
            each = 1e6 / (rate * options.seconds)
            rows.setdefault((rate, name), []).append((*seen[:3], seen[3] * each, served * each))
        for (rate, name), found in sorted(rows.items()):
            p50, p99, lag, own, other = (
                statistics.median(column) for column in zip(*found, strict=True)
            )
            worst = max(row[1] for row in found)
            cells = (
                f"{p50:.2f}",
                f"{p99:.2f}",
                f"{worst:.2f}",
                f"{lag:.2f}",
                f"{own:.0f}",
                f"{other:.0f}",
            )
            print(f"| {rate:g} | {name} | {' | '.join(cells)} |")
    if truth_ms is not None:
        print(f"\nP99 by arithmetic: {truth_ms:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vegeta", default=shutil.which("vegeta"), help="where vegeta is")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--plain", action="store_true", help="without real-time priority")
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 2, 2.0
    print(f"load average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores\n")
    with realtime_priority(wanted=not options.plain) as said:
        print(f"real-time priority: {said}\n")
        table(answering_at_once, (500.0, 2000.0), options, None)
        print()
        options.seconds = max(options.seconds, 2 * EVERY_S)
        # of the requests due in a pause, the 10 % that are due first wait 0.9 of it and more
        truth = 1e3 * PAUSE_S * (1 - 0.01 * EVERY_S / PAUSE_S)
        table(stopping, (500.0,), options, truth)


if __name__ == "__main__":
    main()
