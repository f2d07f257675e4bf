"""What is excused and what counts, on injected counters: no clock, no luck."""

from dataclasses import replace

import numpy as np
import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.p99_latency import P99Latency
from pytest_mlgates.gates.p99_latency.machine import MachineUse
from pytest_mlgates.gates.p99_latency.record import counted
from pytest_mlgates.gates.p99_latency.screen import screen
from pytest_mlgates.gates.p99_latency.trace import Trace
from pytest_mlgates.stats.sequential import quantile_schedule

MS = 1e6
N = 5000
GATE = P99Latency(max_ms=12)
PLAN = quantile_schedule(0.99, 20000)
QUIET = MachineUse(at=40.0, busy=40.0, stolen=0.0, own=40.0, descendants=0.0)
EVERY_20TH = np.arange(N) % 20 == 0


def trace(**changed: object) -> Trace:
    """8 ms of CPU a call on a quiet, calibrated machine."""
    plain = Trace(
        wall=np.full(N, 8 * MS),
        cpu=np.full(N, 8 * MS),
        process=np.full(N, 8 * MS),
        delay=np.zeros(N),
        switches=np.zeros(N),
        spin=np.full(N, 9000.0),
        quiet_spin=9000.0,
        use=QUIET,
    )
    return replace(plain, **changed)  # type: ignore[arg-type]


def outcome(seen: Trace) -> tuple[Outcome, str]:
    verdict = GATE.decide(counted(seen, 12.0, 0.99, PLAN)[0])
    return verdict.outcome, verdict.reason


def slow(at: np.ndarray, fast: float, then: float) -> np.ndarray:
    return np.where(at, then * MS, fast * MS)


def test_quiet_and_fast_passes() -> None:
    assert outcome(trace())[0] == Outcome.PASS


def test_own_work_fails() -> None:
    took = slow(EVERY_20TH, 8, 20)
    assert outcome(trace(wall=took, cpu=took, process=took))[0] == Outcome.FAIL


def test_preemption_neither_fails_nor_passes() -> None:
    seen = trace(wall=slow(EVERY_20TH, 8, 20), delay=slow(EVERY_20TH, 0, 12))
    found, reason = outcome(seen)
    assert found == Outcome.INCONCLUSIVE
    assert "too busy" in reason
    assert "neither a pass nor a fail" in reason
    assert "max_regression" in reason


def test_noise_in_few_blocks_leaves_a_pass_on_the_others() -> None:
    noisy = EVERY_20TH & (np.arange(N) < 1000)
    seen = trace(wall=slow(noisy, 8, 20))  # stolen: no run delay tells
    assert np.mean(screen(seen).undisturbed) == 0.8
    assert outcome(seen)[0] == Outcome.PASS


def test_a_wait_by_its_own_will_counts() -> None:
    seen = trace(wall=slow(EVERY_20TH, 8, 20), switches=EVERY_20TH.astype(float))
    assert outcome(seen)[0] == Outcome.FAIL


def test_a_wait_is_dropped_only_as_far_as_others_can_have_caused_it() -> None:
    seen = trace(wall=slow(EVERY_20TH, 8, 20), switches=EVERY_20TH.astype(float))
    overshoot_s = EVERY_20TH.sum() * 8e-3
    for share, expected in ((1.1, Outcome.INCONCLUSIVE), (0.3, Outcome.FAIL)):
        use = replace(QUIET, busy=40.0 + share * overshoot_s)
        assert outcome(replace(seen, use=use))[0] == expected


def test_who_uses_a_core_that_no_one_waits_for_takes_nothing() -> None:
    use = replace(QUIET, busy=70.0, crowded=0.0)
    seen = trace(wall=slow(EVERY_20TH, 8, 20), switches=EVERY_20TH.astype(float), use=use)
    assert outcome(seen)[0] == Outcome.FAIL


def test_own_threads_that_crowd_the_core_excuse_nothing() -> None:
    wall, delay = slow(EVERY_20TH, 8, 20), slow(EVERY_20TH, 0, 12)
    process = slow(EVERY_20TH, 8, 20)
    assert outcome(trace(wall=wall, delay=delay, process=process))[0] == Outcome.FAIL


def test_excuse_never_exceeds_what_the_call_did_not_compute() -> None:
    computed = slow(EVERY_20TH, 8, 20)
    seen = trace(wall=computed, cpu=computed, process=computed, delay=np.full(N, 15 * MS))
    assert outcome(seen)[0] == Outcome.FAIL


def test_child_processes_end_all_excuses() -> None:
    use = replace(QUIET, descendants=4.0)
    seen = trace(wall=slow(EVERY_20TH, 8, 20), delay=slow(EVERY_20TH, 0, 12), use=use)
    assert screen(seen).family
    assert outcome(seen)[0] == Outcome.FAIL
    assert outcome(replace(seen, wall=np.full(N, 8 * MS)))[0] == Outcome.PASS


def test_a_slow_machine_fails_no_one_and_lets_no_one_through() -> None:
    took = np.full(N, 8 * MS) + slow(EVERY_20TH, 0, 5.2)  # 13.2 ms: 11 ms, 1.2 times slower
    slower = trace(wall=took, cpu=took, process=took, spin=np.full(N, 9000.0 * 1.2))
    assert outcome(slower)[0] == Outcome.INCONCLUSIVE
    assert outcome(replace(slower, spin=np.full(N, 9000.0)))[0] == Outcome.FAIL
    faster = trace(wall=took, cpu=took, process=took, spin=np.full(N, 5000.0))
    assert outcome(faster)[0] == Outcome.FAIL  # a fast machine is not held against it


def test_without_a_stored_spin_a_fail_keeps_its_distance() -> None:
    took = slow(EVERY_20TH, 8, 14)
    seen = trace(wall=took, cpu=took, process=took)
    assert outcome(seen)[0] == Outcome.FAIL
    assert outcome(replace(seen, quiet_spin=None))[0] == Outcome.INCONCLUSIVE
    took = slow(EVERY_20TH, 8, 17)
    seen = trace(wall=took, cpu=took, process=took, quiet_spin=None)
    assert outcome(seen)[0] == Outcome.FAIL
    # that the machine slowed down during the run is seen without a stored value
    spin = np.where(np.arange(N) < N // 5, 9000.0, 9000.0 * 1.4)
    assert outcome(replace(seen, spin=spin))[0] == Outcome.INCONCLUSIVE


@pytest.mark.parametrize("missing", ["delay", "use"])
def test_without_counters_a_fail_is_advice_unless_no_noise_explains_it(missing: str) -> None:
    blind = {missing: None}
    assert outcome(trace(**blind))[0] == Outcome.PASS
    found, reason = outcome(trace(wall=slow(EVERY_20TH, 8, 20), **blind))
    assert found == Outcome.INCONCLUSIVE
    assert "no counters" in reason
    computed = slow(EVERY_20TH, 8, 30)
    assert outcome(trace(wall=computed, cpu=computed, **blind))[0] == Outcome.FAIL
    waited = np.full(N, 200 * MS)
    assert outcome(trace(wall=waited, **blind))[0] == Outcome.FAIL


def test_a_queue_is_counted_from_the_intended_start() -> None:
    arrival = np.arange(N) * 10 * MS
    took = np.full(N, 2 * MS)
    took[::1000] = 200 * MS  # five stalls, .1 % of calls: a closed loop sees a P99 of 2 ms
    ends = np.zeros(N)
    now = 0.0
    for i in range(N):
        now = max(now, arrival[i]) + took[i]
        ends[i] = now
    stalled = trace(wall=took, cpu=took, process=took, arrival=arrival, start=ends - took)
    assert outcome(trace(wall=took, cpu=took, process=took))[0] == Outcome.PASS
    found, *_ = counted(stalled, 12.0, 0.99, PLAN)
    assert found.value > 100
    assert screen(stalled).own == pytest.approx(stalled.latency)
    assert outcome(stalled)[0] != Outcome.PASS


def test_a_generator_that_lags_gives_no_pass() -> None:
    arrival = np.arange(N) * 10 * MS
    seen = trace(arrival=arrival, start=arrival + slow(EVERY_20TH, 0, 2))
    found, reason = outcome(seen)
    assert found == Outcome.INCONCLUSIVE
    assert "late" in reason


def test_calls_in_flight_are_excused_by_the_delay_of_the_loop() -> None:
    arrival = np.arange(N) * 10 * MS
    about = {"arrival": arrival, "start": arrival, "concurrent": True, "lag": np.zeros(N)}
    assert outcome(trace(**about))[0] == Outcome.PASS
    wall, delay = slow(EVERY_20TH, 8, 20), slow(EVERY_20TH, 0, 12)
    assert outcome(trace(wall=wall, delay=delay, **about))[0] == Outcome.INCONCLUSIVE
    assert outcome(trace(wall=wall, **about))[0] == Outcome.FAIL
