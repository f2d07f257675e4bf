"""What verdicts rest on: clusters, queues, places in a run, seconds; and what ends a run early."""

import asyncio
import itertools
import time
from typing import Any

import numpy as np
import pytest

from pytest_mlgates import Outcome
from pytest_mlgates.core import Verdict
from pytest_mlgates.gates.p99_latency import P99Latency
from pytest_mlgates.gates.p99_latency.machine import MachineUse
from pytest_mlgates.gates.p99_latency.record import counted
from pytest_mlgates.gates.p99_latency.trace import Trace
from pytest_mlgates.stats.paired import tail_ratio

MS = 1e6
GATE = P99Latency(max_ms=12)


def judged(wall_ms: Any, gate: P99Latency = GATE, **changed: Any) -> Verdict:
    """Judge calls that computed for so long on a quiet machine, one after the other."""
    wall = np.asarray(wall_ms, dtype=float) * MS
    n, total = len(wall), float(wall.sum()) / 1e9
    about = {
        "wall": wall, "cpu": wall, "process": wall + 1000, "delay": np.zeros(n),
        "switches": np.zeros(n), "spin": np.full(n, 9000.0), "quiet_spin": 9000.0,
        "use": MachineUse(total, total, 0.0, total, 0.0, crowded=0.0), "seconds": total,
    }  # fmt: skip
    trace = Trace(**{**about, **changed})
    return gate.decide(counted(trace, gate.max_ms, gate.quantile, gate._schedule)[0])


def slow_at(n: int, places: Any) -> Any:
    series = np.full(n, 4.0)
    series[places] = 40.0
    return series


def test_a_pass_says_what_it_assumes() -> None:
    verdict = judged(np.full(5000, 4.0))
    assert verdict.outcome == Outcome.PASS
    assert "longest_burst" not in verdict.reason  # nothing is known of the inputs: an older version


@pytest.mark.parametrize(("burst", "calls"), [(1, 5000), (4, 5000), (20, 20_000), (200, 200_000)])
def test_a_pass_takes_as_many_calls_as_bursts_need(burst: int, calls: int) -> None:
    gate = P99Latency(max_ms=12, longest_burst=burst, max_calls=200_000)
    assert gate.needs().to_pass == calls
    below = max(n for n in gate._schedule.looks if n < calls)
    assert judged(np.full(calls, 4.0), gate).outcome == Outcome.PASS
    assert judged(np.full(below, 4.0), gate).outcome == Outcome.INCONCLUSIVE


def test_what_can_never_pass_says_how_many_calls_it_takes() -> None:
    gate = P99Latency(max_ms=12, longest_burst=100)
    verdict = judged(np.full(20_000, 4.0), gate)
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "calls (max_calls is 20,000)" in verdict.reason
    assert gate.needs().to_pass > 20_000


def test_a_longer_burst_than_declared_that_was_seen_counts() -> None:
    assert judged(slow_at(20_000, np.arange(0, 20_000, 400))).outcome == Outcome.PASS
    assert judged(slow_at(20_000, np.arange(7000, 7050))).outcome == Outcome.INCONCLUSIVE


@pytest.mark.parametrize("begin", [0, 400, 900])
def test_one_bad_stretch_is_no_fail(begin: int) -> None:
    verdict = judged(slow_at(1000, np.arange(begin, begin + 100)))
    assert verdict.outcome == Outcome.INCONCLUSIVE
    if begin:
        assert "1 stretch" in verdict.reason


def test_slow_calls_in_many_places_are_a_fail() -> None:
    assert judged(slow_at(2000, np.arange(0, 2000, 20))).outcome == Outcome.FAIL
    assert judged(np.where(np.arange(1000) % 2, 40.0, 4.0)).outcome == Outcome.FAIL
    assert judged(np.full(300, 40.0)).outcome == Outcome.FAIL


@pytest.mark.parametrize(
    ("took", "calls", "expected"),
    [
        (200.0, 20, Outcome.FAIL),
        (70.0, 20, Outcome.INCONCLUSIVE),  # a second and a half of it may be a stall
        (70.0, 50, Outcome.FAIL),
        (20.0, 50, Outcome.INCONCLUSIVE),
        (20.0, 300, Outcome.FAIL),
    ],
)
def test_what_is_slow_from_the_first_call_on_ends_early(
    took: float, calls: int, expected: Outcome
) -> None:
    assert judged(np.full(calls, took)).outcome == expected


def test_the_first_looks_pass_nobody_and_let_a_few_slow_calls_be() -> None:
    for n in (20, 50):
        assert judged(np.full(n, 4.0)).outcome == Outcome.INCONCLUSIVE
        assert (
            judged(np.r_[np.full(n // 2, 400.0), np.full(n // 2, 4.0)]).outcome
            == Outcome.INCONCLUSIVE
        )


def queued(load: float, n: int, service_ms: float = 5.0) -> dict[str, Any]:
    arrival = np.arange(n) * service_ms / load * MS
    return {"arrival": arrival, "start": arrival.copy()}


@pytest.mark.parametrize(
    ("load", "calls"), [(0.3, 5000), (0.5, 10_000), (0.8, 50_000), (0.9, 200_000)]
)
def test_near_saturation_a_pass_takes_more_calls(load: float, calls: int) -> None:
    gate = P99Latency(max_ms=12, max_calls=200_000)
    found = judged(np.full(calls, 5.0), gate, **queued(load, calls))
    assert found.outcome == Outcome.PASS
    if calls > 20_000:
        few = judged(np.full(20_000, 5.0), GATE, **queued(load, 20_000))
        assert few.outcome == Outcome.INCONCLUSIVE
        assert f"busy {100 * load:.3g} % of the time" in few.reason
        assert "calls (max_calls is 20,000)" in few.reason


def test_a_pass_takes_its_seconds() -> None:
    verdict = judged(np.full(20_000, 0.1))
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "min_seconds" in verdict.reason
    assert (
        judged(np.full(20_000, 0.1), P99Latency(max_ms=12, min_seconds=1)).outcome == Outcome.PASS
    )


@pytest.mark.timing
def test_quick_calls_are_spread_over_the_least_time() -> None:
    starts: list[float] = []
    gate = P99Latency(max_ms=500, quantile=0.8, max_calls=1000, min_seconds=1.0, warmup=1)
    begin = time.perf_counter()
    assert (
        gate.run(lambda _: starts.append(time.perf_counter()), range(999)).outcome == Outcome.PASS
    )
    assert time.perf_counter() - begin >= 1.0
    tenths = np.histogram(starts[1:], np.linspace(starts[1], starts[1] + 1, 6))[0]
    assert all(tenths > 0)


def test_spells_of_one_side_are_one_event() -> None:
    rng = np.random.default_rng(5)
    new, old = rng.lognormal(0, 0.1, 4000), rng.lognormal(0, 0.1, 4000)
    new[1000:1200] *= 3
    found = tail_ratio(new, old, 0.99, 100)
    assert found.wins <= 3  # two hundred pairs, one spell
    scattered = old.copy()
    scattered[np.arange(0, 4000, 40)] *= 3
    assert tail_ratio(scattered, old, 0.99, 100).wins > 30


GENEROUS = {"quantile": 0.8, "max_calls": 1000, "warmup": 3, "min_seconds": 0}


class HttpError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__("4111-1111-1111-1111")
        self.status_code = status


def flaky(every: int, error: Exception) -> Any:
    count = itertools.count(1)

    def call(_: object) -> str:
        if next(count) % every == 0:
            raise error
        return "ok"

    return call


@pytest.mark.timing
@pytest.mark.parametrize(
    ("every", "most", "expected"),
    [
        (100, 0.05, Outcome.PASS),
        (4, 0.05, Outcome.FAIL),
        (20, 0.05, Outcome.INCONCLUSIVE),
        (1, 0.05, Outcome.FAIL),
    ],
)
def test_failing_calls_are_outcomes(every: int, most: float, expected: Outcome) -> None:
    gate = P99Latency(max_ms=500, max_error_rate=most, **GENEROUS)
    evidence = gate.run(flaky(every, HttpError(503)), range(5))
    assert evidence.outcome == expected, evidence.verdict
    assert evidence.measurement.details["faults"].keys() == {"HttpError 503"}  # type: ignore[union-attr]
    assert "4111" not in evidence.to_json()

    plain = flaky(every, HttpError(429))

    async def call(x: object) -> str:
        await asyncio.sleep(0)
        return plain(x)

    for more in ({}, {"concurrency": 4}):
        evidence = P99Latency(max_ms=500, max_error_rate=most, **GENEROUS, **more).run(
            call, range(5)
        )
        assert evidence.outcome == expected, evidence.verdict
        assert "HttpError 429" in evidence.measurement.details["faults"]  # type: ignore[union-attr]


@pytest.mark.timing
def test_without_a_rate_the_first_exception_is_an_error() -> None:
    evidence = P99Latency(max_ms=500, **GENEROUS).run(flaky(30, HttpError(503)), range(5))
    assert evidence.outcome == Outcome.ERROR


@pytest.mark.timing
def test_a_client_that_gave_up_waiting_was_a_slow_call() -> None:
    class ReadTimeout(Exception):
        pass

    def waits(_: object) -> None:
        time.sleep(0.03)
        raise ReadTimeout

    gate = P99Latency(max_ms=1, quantile=0.8, max_calls=200, warmup=2, min_seconds=0)
    evidence = gate.run(waits, [1])
    assert evidence.outcome != Outcome.ERROR
    assert evidence.measurement.details["counts"]["raw"]["over"] == evidence.measurement.n  # type: ignore[union-attr]

    def gives_up_at_once(_: object) -> None:
        raise ReadTimeout

    assert gate.run(gives_up_at_once, [1]).outcome == Outcome.ERROR


@pytest.mark.timing
def test_slow_async_subjects_are_called_several_at_once() -> None:
    flying, most = [0], [0]

    async def reply(_: object) -> str:
        flying[0] += 1
        most[0] = max(most[0], flying[0])
        await asyncio.sleep(0.05)
        flying[0] -= 1
        return "ok"

    gate = P99Latency(max_ms=2000, concurrency=40, **GENEROUS)
    start = time.perf_counter()
    evidence = gate.run(reply, ["a"])
    assert evidence.outcome == Outcome.PASS, evidence.verdict
    assert most[0] == 40
    assert (
        time.perf_counter() - start < 0.05 * 1000 / 3
    )  # a third of what one after the other takes

    async def hangs(x: int) -> None:
        if x == 5:
            await asyncio.sleep(60)

    stopped = P99Latency(max_ms=1, timeout_s=0.1, concurrency=4, **GENEROUS).run(hangs, range(9))
    assert stopped.outcome == Outcome.ERROR
    assert "did not return within 0.1 s" in stopped.verdict.reason


@pytest.mark.timing
@pytest.mark.parametrize(("limit", "expected"), [(20.0, Outcome.PASS), (0.1, Outcome.FAIL)])
def test_cpu_time_is_a_limit_of_its_own(limit: float, expected: Outcome) -> None:
    def works(_: object) -> int:
        end = time.thread_time() + 0.0005
        while time.thread_time() < end:
            pass
        return 1

    gate = P99Latency(max_ms=2000, max_cpu_ms=limit, **GENEROUS)
    assert gate.run(works, [1]).outcome == expected
