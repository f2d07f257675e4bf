"""`p99_latency`: what it decides, and what it leaves behind."""

import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlgates import Outcome, stage
from pytest_mlgates.core import Evidence, Measurement, Verdict
from pytest_mlgates.core.fields import FieldError
from pytest_mlgates.gates.p99_latency import P99Latency
from pytest_mlgates.gates.p99_latency import measure as session
from tests.gate_cases import p99_latency as cases

pytestmark = pytest.mark.timing

#: few calls and a limit no noise reaches
SHORT = {
    "quantile": 0.95, "max_calls": 1000, "warmup": 3, "shared_machine": True, "min_seconds": 0,
}  # fmt: skip
GENEROUS = P99Latency(max_ms=500, **SHORT)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stored on this machine must not matter."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)


def nothing(_: object) -> None:
    pass


def details(evidence: Evidence) -> Any:
    assert evidence.measurement is not None
    return evidence.measurement.details


# decide


def tally(over: int, n: int, deff: float = 1.0) -> dict[str, float]:
    return {"over": over, "n": n, "deff": deff}


def measured(n: int = 5000, value: float = 8.0, **changed: Any) -> Measurement:
    counts: dict[str, Any] = {
        name: tally(0, n)
        for name in ("raw", "undisturbed", "own", "screened", "computed", "beyond")
    }
    counts |= {"n": n, "limit_ms": 12.0, "quantile": 0.99, "counters": True, "concurrent": False}
    counts |= {"undisturbed_share": 1.0, "late": 0, **changed}
    return Measurement(value=value, unit="ms", n=n, details={"counts": counts})


def slow(over: int, n: int, deff: float = 1.0) -> dict[str, Any]:
    """Counts of calls over the limit that no one else caused."""
    return {name: tally(over, n, deff) for name in ("raw", "undisturbed", "own", "screened")}


GATE = P99Latency(max_ms=12)


@pytest.mark.parametrize("n", GATE._schedule.looks)
def test_pass_needs_enough_calls(n: int) -> None:
    expected = Outcome.PASS if n >= 5000 else Outcome.INCONCLUSIVE
    assert GATE.decide(measured(n)).outcome == expected


@pytest.mark.parametrize("n", GATE._schedule.looks)
def test_all_calls_slow_fails_at_every_look(n: int) -> None:
    seen = measured(n, 30.0, **slow(n, n))
    assert GATE.decide(seen).outcome == Outcome.FAIL


def test_an_early_look_fails_only_what_is_slow_throughout() -> None:
    for over, expected in ((60, Outcome.INCONCLUSIVE), (300, Outcome.FAIL)):
        assert GATE.decide(measured(300, **slow(over, 300))).outcome == expected
    assert GATE.decide(measured(500, **slow(60, 500))).outcome == Outcome.FAIL


def test_dependence_weakens_both_verdicts() -> None:
    assert GATE.decide(measured(**slow(150, 5000))).outcome == Outcome.FAIL
    assert GATE.decide(measured(**slow(150, 5000, 30.0))).outcome == Outcome.INCONCLUSIVE
    few = {"undisturbed": tally(20, 5000), "own": tally(20, 5000)}
    assert GATE.decide(measured(**few)).outcome == Outcome.PASS
    many = {"raw": tally(20, 5000, 10.0), "undisturbed": tally(20, 5000, 10.0)}
    assert GATE.decide(measured(**many)).outcome == Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    "changed",
    [
        {"own": tally(100, 5000)},
        {"raw": tally(100, 5000), "undisturbed": tally(100, 5000)},
        {"raw": tally(100, 5000), "undisturbed_share": 0.49},
        {"raw": tally(100, 5000), "undisturbed": tally(0, 0), "undisturbed_share": 0.0},
        {"late": 51},
        {"counters": False, "raw": tally(40, 5000)},
    ],
)
def test_what_denies_a_pass(changed: dict[str, Any]) -> None:
    assert GATE.decide(measured(**changed)).outcome == Outcome.INCONCLUSIVE


def test_what_passes_by_the_clock_on_every_call_needs_no_quiet_machine() -> None:
    seen = measured(undisturbed=tally(0, 0), undisturbed_share=0.0, raw=tally(20, 5000))
    assert GATE.decide(seen).outcome == Outcome.PASS


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"counts": 3},
        {"counts": {"n": 5000}},
        {"counts": {**measured().details["counts"], "raw": tally(6000, 5000)}},  # type: ignore[dict-item]
        {"counts": {**measured().details["counts"], "own": tally(1, 5000, 0.1)}},  # type: ignore[dict-item]
        {"counts": {**measured().details["counts"], "screened": tally(9, 5000)}},  # type: ignore[dict-item]
        {"counts": {**measured().details["counts"], "n": 4999}},  # type: ignore[dict-item]
        {"counts": {**measured().details["counts"], "limit_ms": 11.0}},  # type: ignore[dict-item]
        {"counts": {**measured().details["counts"], "quantile": 0.9}},  # type: ignore[dict-item]
    ],
)
def test_counts_that_do_not_fit_are_an_error(bad: dict[str, Any]) -> None:
    seen = replace(measured(), details=bad)
    assert GATE.decide(seen).outcome == Outcome.ERROR


def test_no_calls_and_calls_between_looks_decide_nothing() -> None:
    assert GATE.decide(Measurement(value=0, unit="ms", n=0)).outcome == Outcome.INCONCLUSIVE
    between = GATE.decide(measured(4321))
    assert between.outcome == Outcome.INCONCLUSIVE
    assert "5000" in between.reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 30_000) | st.floats(-1, 1e5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["over", "n", "deff", "x"]), inner, max_size=4)
    ),
    max_leaves=6,
)
some_tally = st.builds(tally, st.integers(0, 6000), st.integers(0, 20_000), st.floats(0.5, 100))
fields = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("raw", "own", "screened", "undisturbed"), some_tally | json_values),
        "undisturbed_share": st.floats(-1, 2) | json_values,
        "counters": st.booleans() | json_values,
        "concurrent": st.booleans() | json_values,
        "late": st.integers(0, 20_000) | json_values,
        "others_cores": json_values,
    },
)


@settings(max_examples=80, deadline=None)
@given(
    n=st.sampled_from([*GATE._schedule.looks, 0, 7]),
    value=st.floats(0, 1e9),
    changed=fields,
    relative=json_values,
    margin=st.sampled_from([None, 0.05]),
)
def test_decide_is_total_and_pure(
    n: int, value: float, changed: Any, relative: Any, margin: float | None
) -> None:
    gate = P99Latency(max_ms=12, max_regression=margin)
    seen = measured(n, value, **changed)
    seen = replace(seen, details={**seen.details, "relative": relative})
    verdict = gate.decide(seen)
    assert isinstance(verdict, Verdict)
    again = Measurement(**json.loads(json.dumps(seen.to_dict())))
    assert type(gate)(**gate.policy()).decide(again) == verdict


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"log_ratio": 0.0, "error": 0.005, "wins": 40, "losses": 40}, Outcome.PASS),
        ({"log_ratio": 0.2, "error": 0.01, "wins": 90, "losses": 10}, Outcome.FAIL),
        ({"log_ratio": 0.2, "error": 0.01, "wins": 50, "losses": 50}, Outcome.INCONCLUSIVE),
        ({"log_ratio": 0.0, "error": 0.1, "wins": 40, "losses": 40}, Outcome.INCONCLUSIVE),
    ],
)
def test_both_the_limit_and_the_baseline_must_hold(found: Any, expected: Outcome) -> None:
    gate = P99Latency(max_ms=12, max_regression=0.05)
    seen = measured()
    both = replace(seen, details={**seen.details, "relative": found})
    assert gate.decide(both).outcome == expected
    worst = measured(**slow(500, 5000))
    worse = replace(worst, details={**worst.details, "relative": found})
    assert gate.decide(worse).outcome == Outcome.FAIL
    assert gate.decide(seen).outcome == Outcome.ERROR  # no comparison at all


# measure


def test_sound_and_flawed() -> None:
    assert cases.sound().outcome == Outcome.PASS
    assert cases.flawed().outcome == Outcome.FAIL


@pytest.mark.parametrize("case", cases.VACUOUS.values(), ids=cases.VACUOUS)
def test_vacuous_runs_never_pass_and_never_tell(case: Any) -> None:
    evidence = case()
    assert evidence.outcome in (Outcome.ERROR, Outcome.INCONCLUSIVE)
    assert evidence.verdict.reason.count("\n") == 0
    assert not any(secret in evidence.to_json() for secret in cases.SECRETS)


def test_evidence_survives_json_and_decides_again() -> None:
    evidence = cases.sound()
    again = Evidence.from_json(evidence.to_json())
    assert again == evidence
    assert again.measurement is not None
    assert P99Latency(**dict(again.policy)).decide(again.measurement) == evidence.verdict
    shown = details(evidence)
    assert {"p50", "p90", "p99", "p99.9", "max"} <= set(shown["latency"])
    assert sum(shown["histogram"]["counts"]) == evidence.measurement.n  # type: ignore[union-attr]


def test_iterators_are_read_once_and_repeated() -> None:
    seen: list[int] = []
    closed: list[bool] = []

    def inputs() -> Iterator[int]:
        try:
            yield from range(7)
        finally:
            closed.append(True)

    evidence = GENEROUS.run(seen.append, inputs())
    assert evidence.outcome == Outcome.PASS
    assert seen[:9] == [0, 1, 2, 3, 4, 5, 6, 0, 1]
    assert details(evidence)["inputs"] == {"distinct": 7, "cycled": True}
    assert closed == [True]


def test_an_endless_iterator_is_read_as_far_as_needed_and_closed() -> None:
    closed: list[bool] = []

    def inputs() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    evidence = GENEROUS.run(nothing, inputs())
    assert details(evidence)["inputs"]["cycled"] is False
    assert closed == [True]


def test_the_stage_that_ate_the_time_is_named() -> None:
    def bid(_: object) -> None:
        with stage("tokenize"):
            time.sleep(0.02)
        with stage("model"):
            pass

    evidence = P99Latency(max_ms=1, **SHORT).run(bid, [0])
    assert evidence.outcome == Outcome.FAIL
    assert any(line.startswith("tokenize took ") for line in evidence.findings)
    stages = details(evidence)["slowest"]["stages"]
    assert stages["tokenize"] > 0.8 > 0.1 > stages["model"]


def test_an_async_call_is_awaited_and_timed() -> None:
    calls: list[int] = []

    async def answer(x: int) -> int:
        await asyncio.sleep(0)
        calls.append(x)
        return x

    evidence = GENEROUS.run(answer, range(5))
    assert (evidence.outcome, details(evidence)["async"]) == (Outcome.PASS, True)
    assert len(calls) == 3 + evidence.measurement.n  # type: ignore[union-attr]

    async def inside() -> Evidence:
        return await GENEROUS.aio(partial(answer), range(5))

    assert asyncio.run(inside()).outcome == Outcome.PASS


def test_a_slow_async_call_fails() -> None:
    async def slow(_: object) -> None:
        await asyncio.sleep(0.02)

    assert P99Latency(max_ms=1, **SHORT).run(slow, [0]).outcome == Outcome.FAIL


@pytest.mark.parametrize("rate", [None, 500.0])
def test_an_async_call_that_hangs_is_stopped(rate: float | None) -> None:
    async def hangs(x: int) -> None:
        if x == 5:
            await asyncio.sleep(60)

    gate = P99Latency(max_ms=1, timeout_s=0.1, arrivals_per_s=rate, **SHORT)
    evidence = gate.run(hangs, range(9))
    assert evidence.outcome == Outcome.ERROR
    assert "did not return within 0.1 s" in evidence.verdict.reason


def test_an_async_call_that_blocks_the_loop_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_BLOCKED_S", 0.05)

    async def blocks(x: int) -> None:
        if x == 5:
            time.sleep(60)

    for rate in (None, 500.0):
        gate = P99Latency(max_ms=1, timeout_s=0.05, arrivals_per_s=rate, **SHORT)
        assert gate.run(blocks, range(9)).outcome == Outcome.ERROR


def test_several_async_calls_are_in_flight_under_open_load() -> None:
    flying = [0, 0]

    async def call(_: object) -> None:
        flying[0] += 1
        flying[1] = max(flying)
        await asyncio.sleep(0.01)
        flying[0] -= 1

    evidence = P99Latency(max_ms=500, arrivals_per_s=2000, **SHORT).run(call, [0], seed=3)
    # a machine too busy to keep the rate gives no verdict; the limit is far beyond noise
    assert evidence.outcome in (Outcome.PASS, Outcome.INCONCLUSIVE)
    assert flying[1] > 3
    assert details(evidence)["arrivals"]["per_second"] == 2000


def test_open_loop_shows_the_stall_that_a_closed_loop_hides() -> None:
    class Stalls:
        calls = 0

        def __call__(self, _: object) -> None:
            self.calls += 1
            if self.calls % 250 == 100:
                time.sleep(0.3)

    closed = P99Latency(max_ms=30, **SHORT).run(Stalls(), [0])
    opened = P99Latency(max_ms=30, arrivals_per_s=400, **SHORT).run(Stalls(), [0])
    assert details(closed)["counts"]["raw"]["over"] <= 10
    assert details(opened)["counts"]["raw"]["over"] >= 80
    assert opened.outcome != Outcome.PASS
    assert details(opened)["slowest"]["share_of_time"]["queued"] > 0.3


def test_workers_that_share_the_machine_give_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "4")
    alone = replace(GENEROUS, shared_machine=False)
    evidence = alone.run(nothing, [0])
    assert evidence.outcome == Outcome.INCONCLUSIVE
    assert "4 workers" in evidence.verdict.reason
    assert "shared_machine" in evidence.verdict.reason
    assert GENEROUS.run(nothing, [0]).outcome == Outcome.PASS
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "1")
    assert alone.run(nothing, [0]).outcome == Outcome.PASS


def test_a_baseline_runs_beside_the_subject_on_the_same_inputs() -> None:
    order: list[tuple[str, int]] = []
    gate = P99Latency(max_ms=500, max_regression=10, **SHORT)
    evidence = gate.run(
        lambda x: order.append(("new", x)), range(99), lambda x: order.append(("old", x)), seed=1
    )
    assert details(evidence)["relative"]["wins"] >= 0
    pairs = list(zip(order[6::2], order[7::2], strict=True))
    assert all(a[1] == b[1] and a[0] != b[0] for a, b in pairs)
    assert 0.3 < sum(a[0] == "new" for a, _ in pairs) / len(pairs) < 0.7


def test_an_async_subject_and_a_plain_baseline() -> None:
    async def new(_: object) -> None:
        await asyncio.sleep(0.003)

    evidence = P99Latency(max_ms=500, max_regression=0.5, **SHORT).run(new, [0], nothing)
    assert evidence.outcome == Outcome.FAIL
    assert "times the baseline's" in evidence.verdict.reason


def test_an_answer_that_is_sometimes_awaitable_is_an_error() -> None:
    async def later() -> None: ...

    evidence = GENEROUS.run(lambda x: later() if x == 7 else None, range(9))
    assert evidence.outcome == Outcome.ERROR
    assert "awaitable" in evidence.verdict.reason


def test_everything_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(x: int) -> None:
        if x == 50:
            raise RuntimeError

    async def araises(x: int) -> None:
        raises(x)

    hang = P99Latency(max_ms=1, timeout_s=0.05, realtime=True, **SHORT)
    handler = signal.getsignal(signal.SIGALRM)
    for run in (
        lambda: GENEROUS.run(nothing, range(9)),
        lambda: replace(GENEROUS, realtime=True).run(raises, range(99)),
        lambda: GENEROUS.run(araises, range(99)),
        lambda: hang.run(lambda x: time.sleep(60 * (x > 50)), range(99)),
    ):
        run()
        assert gc.isenabled()
        assert gc.get_freeze_count() == 0
        assert signal.getsignal(signal.SIGALRM) == handler
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        if sys.platform == "linux":
            assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_a_wide_timeout_follows_a_wide_limit() -> None:
    gate = P99Latency(max_ms=100, timeout_s=0.01, **{**SHORT, "max_calls": 20})
    assert gate.run(lambda _: time.sleep(0.02), [0]).outcome != Outcome.ERROR


def test_progress_is_told_between_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_PROGRESS_S", 0.02)
    told: list[int] = []
    P99Latency(max_ms=500, **{**SHORT, "max_calls": 200}).judge(
        lambda _: time.sleep(0.0005), [0], on_look=lambda seen: told.append(seen.n)
    )
    assert len(told) > len({60, 100, 200})
    assert told == sorted(told)


def test_needs_follow_the_policy() -> None:
    assert (GATE.needs().to_pass, GATE.needs().to_fail) == (5000, 20)
    assert P99Latency(max_ms=1, quantile=0.999).needs().to_pass == 50_000
    short = P99Latency(max_ms=1, max_calls=1000)
    assert short.needs().to_pass == 5000
    assert "raise max_calls" in short.run(nothing, [0]).verdict.reason


@pytest.mark.parametrize(
    "bad",
    [{"max_ms": 0}, {"max_ms": "12ms"}, {"quantile": 1.0}, {"quantile": 0.4}, {"max_calls": 0}],
)
def test_a_policy_that_means_nothing_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        P99Latency(**{"max_ms": 1, **bad})


def test_a_pass_may_be_asked_to_rest_on_more_calls() -> None:
    """``min_calls`` moves the first look that may PASS."""
    gate = P99Latency(max_ms=50, min_calls=10_000)
    assert gate.needs().to_pass == 10_000
    few = P99Latency(max_ms=50, max_calls=5000).run(lambda _: None, [1]).measurement
    assert few is not None
    assert gate.decide(few).outcome == Outcome.INCONCLUSIVE
    with pytest.raises(ValueError, match="min_calls: 30000 is more than max_calls 20000"):
        P99Latency(max_ms=50, min_calls=30_000)
