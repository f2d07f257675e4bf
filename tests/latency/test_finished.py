"""What is timed is what is done: promises are refused by name, or kept inside the timed call."""

import asyncio
import concurrent.futures
import functools
import io
import itertools
import multiprocessing.pool
import subprocess
import sys
import threading
import time
import types
from collections import ChainMap, namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from pytest_mlgates import Outcome
from pytest_mlgates.calls.answers import Taken, pending, take, take_async
from pytest_mlgates.calls.devices import device_wait
from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.p99_latency import P99Latency

pytestmark = pytest.mark.timing

GATE = P99Latency(max_ms=500, quantile=0.8, max_calls=1000, warmup=3, min_seconds=0)
Pair = namedtuple("Pair", "text rest")


@dataclass
class Reply:
    text: object
    callback: object = None


class Handle:
    """As lazy frames, jobs and queries are."""

    def __init__(self, name: str) -> None:
        setattr(type(self), name, lambda _: "done")


def handle(name: str) -> Any:
    return type(f"With_{name}", (Handle,), {})(name)


async def numbers():
    yield 1


def thread() -> threading.Thread:
    one = threading.Thread(target=lambda: None)
    one.start()
    return one


PROMISES = {
    "zip": lambda: zip([1], [2], strict=True),
    "chain": lambda: itertools.chain([1]),
    "a generator in a mapping": lambda: {"text": (c for c in "ab")},
    "a generator in a list in a mapping": lambda: ChainMap({"choices": [(c for c in "ab")]}),
    "a map in a dataclass": lambda: Reply(map(str, [1])),
    "an iterator in a named tuple": lambda: Pair("a", iter("b")),
    "async generator": numbers,
    "future": concurrent.futures.Future,
    "thread": thread,
    "pool result": lambda: multiprocessing.pool.AsyncResult(types.SimpleNamespace(_cache={}, _change_notifier=None), None, None),
    "lambda": lambda: lambda: 3,
    "partial": lambda: functools.partial(int),
    "open file": lambda: io.TextIOWrapper(io.BytesIO(b"a")),
    **{name: lambda name=name: handle(name) for name in ("collect", "compute", "result", "execute")},
}  # fmt: skip


@pytest.mark.parametrize("make", PROMISES.values(), ids=PROMISES)
def test_a_promise_is_an_error_that_names_the_way_out(make: Any) -> None:
    evidence = GATE.run(lambda _: make(), [1, 2, 3])
    assert evidence.outcome == Outcome.ERROR
    assert "eturn" in evidence.verdict.reason
    assert "consume" in evidence.verdict.reason


DONE = {
    "text": "a",
    "array": np.zeros(3),
    "range": range(3),
    "values": {"a": 1}.values(),
    "bytes in memory": io.BytesIO(b"a"),
    "dataclass with a callback": Reply("a", callback=print),
    "nested": {"a": [1, (2, {3})], "b": None},
    "a class": Reply,
    "named tuple": Pair("a", "b"),
}


@pytest.mark.parametrize("answer", DONE.values(), ids=DONE)
def test_what_is_there_is_no_promise(answer: object) -> None:
    assert pending(answer) is None


def test_libraries_that_are_there_are_read_right() -> None:
    pandas, torch = pytest.importorskip("pandas"), pytest.importorskip("torch")
    frame = pandas.DataFrame({"a": [1]})
    for answer in (frame, frame.groupby("a"), frame["a"], torch.zeros(3), torch.nn.Linear(2, 2)):
        assert pending(answer) is None
    dask = pytest.importorskip("dask")
    lazy = dask.delayed(int)(3)
    assert "compute" in pending(lazy)[1]
    take(lazy, Taken())


def test_a_promise_for_some_inputs_only_is_met() -> None:
    evidence = GATE.run(lambda x: (c for c in "ab") if x == 7 else "ab", range(9))
    assert evidence.outcome == Outcome.ERROR


CONSUMING = P99Latency(
    max_ms=500, quantile=0.8, max_calls=60, warmup=2, min_seconds=0, consume=True
)


def streamed(evidence: Evidence) -> Any:
    assert evidence.measurement is not None
    return evidence.measurement.details["stream"]


def test_a_stream_is_taken_inside_the_call_and_its_first_item_timed() -> None:
    def reply(_: object):
        time.sleep(0.004)
        yield "first"
        for word in ["and", "so", "on"]:
            time.sleep(0.002)
            yield word

    evidence = CONSUMING.run(reply, ["a", "b"])
    stream = streamed(evidence)
    assert stream["items"] == 4
    assert evidence.measurement.value >= 10  # type: ignore[union-attr]
    assert 4 <= stream["first_item"]["p50"]["ms"] < evidence.measurement.value  # type: ignore[union-attr]
    assert 0 < stream["items_per_s"]["p50"] <= 500
    stages = set(evidence.measurement.details["slowest"]["stages"])  # type: ignore[union-attr]
    assert stages - {"garbage collection"} == {"first item", "later items"}


def test_an_async_stream_is_taken_too() -> None:
    async def reply(_: object):
        for word in range(3):
            await asyncio.sleep(0.003)
            yield word

    evidence = CONSUMING.run(reply, ["a", "b"])
    assert streamed(evidence)["items"] == 3
    assert evidence.measurement.value >= 9  # type: ignore[union-attr]

    async def later(_: object) -> object:
        await asyncio.sleep(0.002)
        return {"answer": reply(0)}

    nested = CONSUMING.run(later, ["a"])
    assert nested.measurement.value >= 11  # type: ignore[union-attr]


def test_futures_threads_processes_and_closures_are_waited_for() -> None:
    def slow() -> int:
        time.sleep(0.01)
        return 3

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        for call in (
            lambda _: pool.submit(slow),
            lambda _: slow,
            lambda _: {"a": [lambda: slow]},
            lambda _: pool.map(lambda _: slow(), [1]),
        ):
            start = time.perf_counter()
            take(call(0), Taken())
            assert time.perf_counter() - start >= 0.01
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    take(child, Taken())
    assert child.returncode == 0
    stream = io.TextIOWrapper(io.BytesIO(b"abc"))
    take(stream, Taken())
    assert stream.read() == ""
    asyncio.run(take_async(numbers(), taken := Taken()))
    assert taken.items == 1


def test_an_accelerator_that_is_in_use_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[int] = []
    cuda = types.SimpleNamespace(
        is_initialized=lambda: bool(waited) or started[0],
        device_count=lambda: 2,
        synchronize=lambda device: (waited.append(device), time.sleep(0.005)),
    )
    started = [False]
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))
    assert device_wait() is None  # nobody has started it

    def launch(_: object) -> str:
        started[0] = True
        return "launched"

    evidence = P99Latency(max_ms=500, quantile=0.8, max_calls=20, warmup=2, min_seconds=0).run(
        launch, [1]
    )
    assert set(waited) == {0, 1}
    assert evidence.measurement.value >= 10  # type: ignore[union-attr]

    async def launches(_: object) -> str:
        return launch(0)

    evidence = P99Latency(max_ms=500, quantile=0.8, max_calls=20, warmup=2, min_seconds=0).run(
        launches, [1]
    )
    assert evidence.measurement.value >= 10  # type: ignore[union-attr]


def test_a_verdict_names_answers_that_nothing_is_known_about() -> None:
    class Prepared:
        pass

    evidence = GATE.run(lambda _: Prepared(), range(2000))
    assert evidence.outcome == Outcome.PASS
    assert "(Prepared) count as done" in evidence.verdict.reason


class LazyList:
    """Makes its items when it is iterated."""

    def __iter__(self):
        time.sleep(0.06)
        return iter("ab")


class LazySequence:
    def __len__(self) -> int:
        return 2

    def __getitem__(self, place: int) -> int:
        time.sleep(0.06)
        if place > 1:
            raise IndexError
        return place


class LazyProperty:
    @functools.cached_property
    def text(self) -> str:
        time.sleep(0.06)
        return "a"


@pytest.mark.parametrize("kind", [LazyList, LazySequence, LazyProperty])
def test_what_does_its_work_when_it_is_read_is_an_error(kind: Any) -> None:
    evidence = GATE.run(lambda _: kind(), range(50))
    assert evidence.outcome == Outcome.ERROR, evidence.verdict
    assert "read" in evidence.verdict.reason or "list(call(x))" in evidence.verdict.reason


def test_an_iterable_is_consumed() -> None:
    taken = Taken()
    take(LazyList(), taken)
    assert taken.items == 2


def test_models_of_pydantic_are_there() -> None:
    pydantic = pytest.importorskip("pydantic")

    class Answer(pydantic.BaseModel):
        text: str = "a"

    assert pending(Answer()) is None


def test_threads_that_calls_leave_running_are_told() -> None:
    stop = threading.Event()

    def call(_: object) -> str:
        threading.Thread(target=stop.wait, args=(20,)).start()
        return "ok"

    gate = P99Latency(max_ms=500, quantile=0.8, max_calls=30, warmup=10, min_seconds=0)
    try:
        evidence = gate.run(call, range(99))
    finally:
        stop.set()
    assert any("left 9 threads running" in line for line in evidence.findings)
