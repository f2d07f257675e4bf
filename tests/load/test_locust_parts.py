"""A load of several workers, without Locust: what is ordered, who was late, and reports as one load."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.load.arrivals import poisson_of
from pytest_mlgates.load.locust.orders import Order, Report, boot_id, text
from pytest_mlgates.load.locust.rounds import Round
from pytest_mlgates.load.subjects import Http, Locust

HTTP = Http("http://127.0.0.1:1/x?y=1", "POST", {"A": "b"})
DUE = poisson_of(500, 2.0, seed=1)


def ordered(workers=3):
    from pytest_mlgates.load.locust.merge import orders

    feed = itertools.cycle([{"n": 1}, "two", b"three", None])
    return orders(1, HTTP, DUE, feed, workers, seed=4, grace_s=1.0, timeout_s=2.0)


def test_each_request_goes_to_one_worker_with_its_own_body():
    found = ordered()
    due = np.concatenate([order.times for order in found])
    assert np.sort(due).tolist() == DUE.tolist()
    wanted = dict(zip(DUE.tolist(), itertools.cycle([b'{"n": 1}', b"two", b"three", None])))
    for order in found:
        round_ = Round(Order.read(dataclasses.asdict(order)), lambda seconds: None)
        bodies = [round_.bodies[which] for which in round_.which]
        assert bodies == [wanted[at] for at in order.times.tolist()]
    assert min(len(order.times) for order in found) > 100


def report(order, *, boot="a", started=10.0, lag_s=0.001, **more):
    from pytest_mlgates.load.locust.histograms import of_seconds

    due = order.times
    ended = float(due[-1]) + 1.0
    values = {
        "number": order.number, "part": order.part, "boot": boot, "pid": 1, "started": started,
        "ended": ended, "begun": text(due + lag_s), "answered": text(due + 0.01),
        "wrong": text(np.zeros(len(due), bool)), "latency": of_seconds(np.full(len(due), 0.01)).encode().decode(),
        "lag": of_seconds(np.full(len(due), lag_s)).encode().decode(), "first": "", "differ": True,
        "fault": "", "own_cpu_s": 0.5,
    }  # fmt: skip
    return Report.read({**values, **more})


def test_reports_of_one_machine_share_its_clock_and_others_do_not():
    pytest.importorskip("hdrh")
    from pytest_mlgates.load.locust.merge import joined_reports

    told = ordered(2)
    boot = boot_id() or pytest.skip("nothing tells this machine")
    here = [report(told[0], boot=boot), report(told[1], boot=boot, started=10.5)]
    joined = joined_reports(told, here, since=3.0)
    assert joined.here
    assert joined.sent.started == 10.0
    late = np.isin(joined.sent.due, told[1].times + 0.5)
    assert late.sum() == len(told[1].times)
    assert (np.diff(joined.sent.due) >= 0).all()
    assert joined.latency.total_count == 500
    assert joined.sent.own_cpu_s == 1.0
    away = joined_reports(told, [here[0], report(told[1], boot="another")], since=3.0)
    assert not away.here
    assert away.sent.started == 3.0
    assert away.sent.due.tolist() == DUE.tolist()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"answered": text(np.zeros(3))}, "did not report on each"),
        ({"latency": None}, ""),
    ],
)
def test_a_report_that_lacks_requests_is_refused(more, said):
    pytest.importorskip("hdrh")
    from pytest_mlgates.load.locust.histograms import of_seconds
    from pytest_mlgates.load.locust.merge import joined_reports

    told = ordered(2)
    if more.get("latency", 1) is None:
        more = {"latency": of_seconds(np.full(0, 1.0)).encode().decode()}
        said = f"hold {len(told[0].times)} requests of 500"
    with pytest.raises(Unmeasurable, match=said):
        joined_reports(told, [report(told[0]), report(told[1], **more)], since=0.0)


def test_times_that_the_histogram_does_not_bear_out_are_refused():
    pytest.importorskip("hdrh")
    from pytest_mlgates.load.locust.merge import joined_reports

    told = ordered(2)
    forged = report(told[1], answered=text(told[1].times + 0.001))
    with pytest.raises(Unmeasurable, match="histograms have a P99"):
        joined_reports(told, [report(told[0], answered=text(told[0].times + 0.001)), forged], 0.0)


def test_a_merged_histogram_is_exact_to_three_digits():
    pytest.importorskip("hdrh")
    from pytest_mlgates.load.locust.histograms import merged, of_seconds, quantile_s
    from pytest_mlgates.load.sent import quantile

    rng = np.random.default_rng(7)
    parts = [rng.lognormal(-6, 1.5, n) for n in (1, 151, 2000)]
    whole = merged(of_seconds(part).encode().decode() for part in parts)
    for q in (0.5, 0.9, 0.99, 0.999, 1.0):
        wanted = quantile(np.concatenate(parts), q)
        assert abs(quantile_s(whole, q) - wanted) <= 2e-6 + 2e-3 * wanted


class Clock:
    """Time that passes only where something waits."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr("pytest_mlgates.load.locust.rounds.time.perf_counter", lambda: self.now)

    def sleep(self, seconds):
        self.now += seconds


def round_of(clock, due, **more):
    order = Order(
        number=1, part=0, url="", method="GET", headers={}, due=text(np.array(due)),
        which=text(np.zeros(len(due), np.int32)), bodies=(None,), grace_s=1.0, timeout_s=1.0,
    )  # fmt: skip
    return Round(dataclasses.replace(order, **more), clock.sleep)


def test_a_busy_connection_is_the_subjects_and_a_late_sleep_the_loads(monkeypatch):
    clock = Clock(monkeypatch)
    late = lambda seconds: clock.sleep(seconds + 0.002)  # noqa: E731
    round_ = round_of(clock, [0.1, 0.15, 0.6])
    round_.sleep = late

    def ask(body):
        clock.now += 0.2
        return 200, b"ok"

    round_.take(ask)
    round_.close()
    # the second was due while the first was asked for: all of its delay is the subject's
    assert round_.sent.lag() == pytest.approx([0.002, 0.0, 0.002])
    assert round_.sent.latency() == pytest.approx([0.202, 0.352, 0.202])


def test_a_loop_that_is_late_by_itself_is_the_loads_though_connections_are_busy(monkeypatch):
    clock = Clock(monkeypatch)
    round_ = round_of(clock, [0.1, 0.15])
    round_.late = 0.03

    def ask(body):
        clock.now += 0.2
        return 200, b"ok"

    round_.take(ask)
    round_.close()
    assert round_.sent.lag() == pytest.approx([0.0, 0.03])


def test_errors_are_wrong_and_what_was_never_asked_has_no_answer(monkeypatch):
    clock = Clock(monkeypatch)
    round_ = round_of(clock, [0.1, 0.2, 0.3, 0.4])
    answers = iter([(500, b"")])

    def ask(body):
        for one in answers:
            return one
        clock.now += 5
        raise ConnectionResetError("secret")

    round_.take(ask)
    round_.close()
    assert round_.sent.wrong.tolist() == [True, True, False, False]
    assert np.isnan(round_.sent.answered).tolist() == [False, False, True, True]
    assert round_.fault == "status 500"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Locust(HTTP, workers=0), "1 to 100 workers"),
        (lambda: Locust(dataclasses.replace(HTTP, connections=1), workers=2), "1 to 1 workers"),
        (lambda: Locust(HTTP, workers=2, start=3), "0 to 2 workers"),
        (lambda: Locust(dataclasses.replace(HTTP, right=lambda s, b: True)), "status only"),
    ],
)
def test_a_locust_that_can_not_be_is_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()
