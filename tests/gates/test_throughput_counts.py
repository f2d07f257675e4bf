"""The pure parts of ``throughput``: design effect, what others can have caused, and the verdict."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pytest_mlgates.core import Measurement, Outcome
from pytest_mlgates.core.details import plain
from pytest_mlgates.gates.throughput import Throughput
from pytest_mlgates.gates.throughput.counts import disturbed, tail
from pytest_mlgates.gates.throughput.details import Cpu, Generator, Machine, Seen, Tally, Worker
from pytest_mlgates.load.sent import Sent
from pytest_mlgates.stats import binomial


def queue(rate, load, seconds, rng):
    """Return due times and latencies of one server with exponential service (M/M/1)."""
    due = np.sort(rng.uniform(0, seconds, rng.poisson(rate * seconds)))
    service = rng.exponential(load / rate, len(due))
    done = np.cumsum(service)
    ended = done + np.maximum.accumulate(due - (done - service))
    return due, ended - due


@pytest.mark.parametrize("load", [0.5, 0.8, 0.95])
def test_bounds_hold_near_saturation(load):
    """Latency of M/M/1 is exponential: the limit is put where 1 % exceed it, and bounds cover it."""
    rng = np.random.default_rng(7)
    rate = 500.0
    limit = -np.log(0.01) / (rate / load - rate)
    wrong, naive, runs = [0, 0], 0, 150
    for _ in range(runs):
        due, latency = queue(rate, load, 60, rng)
        sent = sent_of(due, latency)
        tally = tail(sent, latency > limit, limit)
        if tally.growing:
            continue
        wrong[0] += binomial.lower(tally.over, tally.n, 0.01, tally.deff) > 0.01
        wrong[1] += binomial.upper(tally.over, tally.n, 0.01, tally.deff) < 0.01
        naive += binomial.lower(tally.over, tally.n, 0.01) > 0.01
    assert wrong[0] <= 6
    assert wrong[1] <= 6
    assert naive > 5  # what happens without the design effect


def sent_of(due, latency):
    sent = Sent(np.asarray(due, float))
    sent.begun = sent.due.copy()
    sent.answered = sent.due + np.asarray(latency, float)
    sent.ended = float(sent.answered.max())
    return sent


def samples(waits, every=0.05):
    """Return readings in which the subject waited so long in each interval, others using a core."""
    waits = np.asarray(waits, float)
    at = np.arange(len(waits) + 1) * every
    rows = np.zeros((len(at), 6))
    rows[:, 0], rows[1:, 2], rows[:, 4] = at, np.cumsum(waits), at
    return rows


def test_a_wait_that_is_booked_late_excuses_what_it_held_up():
    due = np.arange(0, 2, 0.01)
    latency = np.full(len(due), 0.002)
    held = (due >= 1.0) & (due < 1.2)
    latency[held] = 1.202 - due[held]
    waits = np.zeros(60)
    waits[24] = 0.2  # the kernel books it when it ends
    sent = sent_of(due, latency)
    over = sent.latency() > 0.02
    assert over.any()
    assert disturbed(sent, over, 0.02, samples(waits))[over].all()


def test_a_pause_of_its_own_is_not_excused_by_a_little_noise():
    due = np.arange(0, 2, 0.01)
    latency = np.full(len(due), 0.002)
    held = (due >= 1.0) & (due < 1.2)
    latency[held] = 1.202 - due[held]
    sent = sent_of(due, latency)
    over = sent.latency() > 0.02
    excused = disturbed(sent, over, 0.02, samples(np.full(60, 0.0005)))
    assert excused[over].mean() < 0.2


def test_a_subject_that_is_always_slow_inherits_nothing():
    due = np.arange(0, 20, 0.01)
    sent = sent_of(due, np.full(len(due), 0.05))
    over = sent.latency() > 0.02
    assert not disturbed(sent, over, 0.02, samples(np.full(420, 0.005))).any()


def test_a_subject_that_is_starved_is_excused():
    due = np.arange(0, 10, 0.01)
    latency = 0.002 + 0.5 * due  # it gets half of the core it needs: the queue grows
    sent = sent_of(due, latency)
    over = sent.latency() > 0.02
    assert disturbed(sent, over, 0.02, samples(np.full(400, 0.025)))[over].mean() > 0.95


def test_wrong_answers_are_never_excused():
    sent = sent_of(np.arange(0, 1, 0.1), np.full(10, 0.5))
    sent.wrong[:5] = True
    over = sent.latency() > 0.02
    excused = disturbed(sent, over, 0.02, samples(np.full(40, 0.05)))
    assert excused.tolist() == [False] * 5 + [True] * 5


GATE = Throughput(min_per_second=1000, max_p99_ms=20, max_cpu_us=50)
CALM = Seen(
    kind="Socket", limit_ms=20.0, seconds=20.0, look=2, last=True, offered=20800, begun=20800,
    answered=20800, in_time=20800, answered_per_s=1040.0, p50_ms=1.0, p99_ms=3.0,
    worst_second_ms=4.0, raw=Tally(over=0, n=20800, deff=3.0),
    screened=Tally(over=0, n=20800, deff=3.0), failed=Tally(over=0, n=20800, deff=3.0),
    differ=True, counters=True,
    generator=Generator(lag_p99_ms=0.5, lag_max_ms=1.0, cpu_share=0.1),
    machine=Machine(others_cores=0.1, stolen_cores=0.0, subject_waits=0.0, generator_waits=0.0),
    cpu=Cpu(us=20.0, error_us=0.5, blocks=20),
)  # fmt: skip


def over(count, screened, **more):
    return dataclasses.replace(
        CALM, in_time=20800 - count, raw=Tally(over=count, n=20800, deff=3.0),
        screened=Tally(over=screened, n=20800, deff=3.0), **more,
    )  # fmt: skip


def decide(seen, n=None, value=None):
    measured = Measurement(
        value=seen.answered_per_s if value is None else value, unit="1/s",
        n=seen.offered if n is None else n, details=plain(seen),
    )  # fmt: skip
    return GATE.decide(measured)


def offered_by(*lags, **more):
    """Return the load of workers with these lags in ms, the first of which offered all."""
    workers = tuple(
        Worker(requests=0 if at else 20800, lag_p99_ms=lag, lag_max_ms=9.0, alone_p99_ms=0.5, cpu_share=0.1)
        for at, lag in enumerate(lags)
    )  # fmt: skip
    words = {"lag_p99_ms": max(lags), "lag_max_ms": 9.0, "client_p99_ms": 0.5, "cpu_share": 0.2}
    return Generator(**{**words, **more}, workers=workers)


@pytest.mark.parametrize(
    ("seen", "outcome", "said"),
    [
        (CALM, "pass", "not covered"),
        (dataclasses.replace(CALM, last=False), "inconclusive", "before the last look"),
        (dataclasses.replace(CALM, differ=False), "inconclusive", "every answer is the same"),
        (over(1000, 1000), "fail", "whatever else"),
        (over(1000, 0), "inconclusive", "too busy to tell"),
        (over(1000, 0, counters=False, machine=None), "inconclusive", "served_by"),
        (over(200, 200), "inconclusive", "raise `seconds`"),
        (dataclasses.replace(CALM, begun=15000), "inconclusive", "the generator can't make"),
        (dataclasses.replace(CALM, cpu=None), "inconclusive", "served_by"),
        (dataclasses.replace(CALM, cpu=Cpu(us=80.0, error_us=1.0, blocks=20)), "fail", "at least"),
        (
            dataclasses.replace(CALM, cpu=Cpu(us=80.0, error_us=1.0, blocks=20, upper_bound=True)),
            "inconclusive", "too near",
        ),
        (dataclasses.replace(CALM, cpu=Cpu(us=20.0, error_us=0.1, blocks=4)), "inconclusive", ""),
        (
            dataclasses.replace(
                CALM, generator=Generator(lag_p99_ms=5.0, lag_max_ms=9.0, cpu_share=1.0)
            ),
            "inconclusive", "came late",
        ),
        (
            dataclasses.replace(CALM, raw=Tally(over=0, n=20800, deff=3.0, growing=True)),
            "inconclusive", "clusters",
        ),
        (dataclasses.replace(CALM, workers=4), "inconclusive", "4 workers"),
        (dataclasses.replace(CALM, generator=offered_by(0.4, 1.9)), "pass", ""),
        (over(9000, 9000, generator=offered_by(0.4, 1.9)), "fail", "whatever else"),
        (over(9000, 9000, generator=offered_by(0.4, 2.1)), "inconclusive", "worker 2 of 2 was late"),
        (dataclasses.replace(CALM, generator=offered_by(2.1)), "inconclusive", "worker 1 of 1"),
    ],
)  # fmt: skip
def test_verdicts(seen, outcome, said):
    verdict = decide(seen)
    assert verdict.outcome == Outcome(outcome), verdict.reason
    assert said in verdict.reason


@pytest.mark.parametrize(
    "forged",
    [
        {"in_time": 20000},
        {"wrong": 3, "answered": 20797, "in_time": 20797},
        {"limit_ms": 200.0},
        {"raw": None},
        {"seconds": 0.0},
        {"screened": Tally(over=5, n=20800, deff=1.0)},
    ],
)
def test_a_forged_record_can_t_be_judged(forged):
    assert decide(dataclasses.replace(CALM, **forged)).outcome == Outcome.ERROR


@pytest.mark.parametrize(
    "forged",
    [
        lambda: offered_by(0.4, 5.0, lag_p99_ms=0.4),
        lambda: dataclasses.replace(CALM, generator=offered_by(0.4), offered=20801, begun=20801),
    ],
)
def test_a_load_is_no_better_than_its_worst_worker(forged):
    with pytest.raises(ValueError, match="worker"):
        forged()


def test_the_headline_is_the_details():
    assert decide(CALM, value=50_000.0).outcome == Outcome.ERROR
    assert decide(CALM, n=7).outcome == Outcome.ERROR
