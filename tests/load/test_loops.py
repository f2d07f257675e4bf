"""The loop whose timers are on time, and who runs on it."""

from __future__ import annotations

import asyncio
import sys

import pytest

from pytest_mlgates import P99Latency
from pytest_mlgates.core.loops import new_loop, on_time

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="epoll is Linux's")


def test_it_is_the_usual_loop_with_timers_in_order_and_readers():
    async def asked():
        loop, said = asyncio.get_running_loop(), []
        for late in (0.003, 0.001, 0.002):
            loop.call_later(late, said.append, late)
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"x")
        said.append(await reader.read(1))
        writer.close()
        server.close()
        await asyncio.sleep(0.02)
        return on_time(), said

    async def echo(reader, writer):
        writer.write(await reader.read(1))
        writer.close()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        there, said = runner.run(asked())
    assert there
    assert b"x" in said
    assert [one for one in said if one != b"x"] == [0.001, 0.002, 0.003]


def test_gates_run_awaitables_on_it_and_on_the_users_own_loop_otherwise():
    seen = []

    async def noted(item):
        seen.append(on_time())
        return item

    gate = P99Latency(max_ms=1000, max_calls=20, min_seconds=0.01, shared_machine=True)
    gate.run(noted, [1, 2, 3])
    assert seen
    assert all(seen)
    seen.clear()
    asyncio.run(gate.aio(noted, [1, 2, 3]))
    assert seen
    assert not any(seen)
