"""The instruments are checked: a clock that was replaced or stands still is an error."""

import time
from typing import Any

import pytest

from pytest_mlgates import Outcome
from pytest_mlgates.calls.clocks import Clocks
from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.p99_latency import P99Latency, async_loop, loop

pytestmark = pytest.mark.timing

GATE = P99Latency(max_ms=500, quantile=0.8, max_calls=300, warmup=2, min_seconds=0)


@pytest.mark.parametrize(
    "name", ["perf_counter_ns", "monotonic", "time", "thread_time_ns", "sleep"]
)
def test_a_replaced_clock_is_an_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, name, lambda *_: 5)
    evidence = GATE.run(len, ["a"])
    assert evidence.outcome == Outcome.ERROR
    assert f"time.{name}" in evidence.verdict.reason


@pytest.mark.parametrize("rate", [None, 500.0])
def test_a_clock_replaced_in_a_call_is_met_at_the_next_look(
    rate: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = [0]

    def freezes(_: object) -> None:
        calls[0] += 1
        if calls[0] == 30:
            monkeypatch.setattr(time, "monotonic", lambda: 5.0)

    gate = P99Latency(
        max_ms=500, quantile=0.8, max_calls=300, warmup=2, min_seconds=0, arrivals_per_s=rate
    )
    assert gate.run(freezes, ["a"]).outcome == Outcome.ERROR
    assert calls[0] < 300


@pytest.mark.parametrize("rate", [None, 500.0])
def test_a_frozen_clock_of_the_loop_is_never_an_endless_loop(
    rate: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.perf_counter_ns()
    monkeypatch.setattr(loop, "perf_counter_ns", lambda: now)
    monkeypatch.setattr(async_loop, "perf_counter_ns", lambda: now)
    gate = P99Latency(
        max_ms=500, quantile=0.8, max_calls=300, warmup=2, min_seconds=0, arrivals_per_s=rate
    )
    assert gate.run(len, ["a"]).outcome == Outcome.ERROR


def test_a_clock_that_jumps_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = Clocks()
    clocks._start = (clocks._start[0] - 100, *clocks._start[1:])
    with pytest.raises(Unmeasurable, match="the clock was changed"):
        clocks.check()


def test_libraries_that_freeze_time() -> None:
    freezegun = pytest.importorskip("freezegun")
    with freezegun.freeze_time("2020-01-01"):
        assert GATE.run(len, ["a"]).outcome == Outcome.ERROR
    machine: Any = pytest.importorskip("time_machine")
    with machine.travel(0, tick=False):
        assert GATE.run(len, ["a"]).outcome == Outcome.ERROR
    assert GATE.run(len, ["a"]).outcome != Outcome.ERROR
