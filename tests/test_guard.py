"""A call that hangs is stopped, or the process ends with its evidence on disk."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from unittest import mock

import pytest

from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.core import Unmeasurable


def guarded(call, calls=1):
    with CallGuard(0.05) as guard:
        for _ in range(calls):
            guard.arm()
        call()


def guarded_for(seconds, call):
    with CallGuard(seconds) as guard:
        guard.arm()
        call()


def spin():
    while True:
        pass


def swallow_once():
    try:
        time.sleep(60)
    except BaseException:  # noqa: BLE001  (the subject under test)
        time.sleep(60)


@pytest.mark.parametrize("call", [spin, swallow_once, lambda: time.sleep(60)])
def test_stopped(call):
    with pytest.raises(Unmeasurable, match=r"call 2 did not return within 0.05 s and was stopped"):
        guarded(call, 2)


def test_outer_timer_and_handler_are_put_back():
    heard = []
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 60, 7)
        with pytest.raises(Unmeasurable):
            guarded(lambda: time.sleep(60))
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left < 60  # what passed is taken off
        assert interval == 7
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.raise_signal(signal.SIGALRM)
        assert heard == [1]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Over(BaseException):
    """What pytest-timeout raises is no Exception either."""


@pytest.mark.parametrize("armed", [True, False])
def test_an_outer_timer_ends_the_call(armed):
    """pytest-timeout's alarm is not held back while a gate measures, nor by a frozen clock."""

    def over(*_):
        raise Over

    before = signal.signal(signal.SIGALRM, over)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with (
            mock.patch("time.monotonic", return_value=5.0),
            pytest.raises(Unmeasurable, match=r"a time-out around the test .* during call 1: Over"),
            CallGuard(30) as guard,
        ):
            guard.arm()
            if not armed:
                guard.disarm()
            time.sleep(20)
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)  # it is spent
        assert signal.getsignal(signal.SIGALRM) is over
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_outer_timer_that_lets_the_call_go_on():
    """Its handler returned: the call has its own time still, and the outer one its interval."""
    heard = []
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        with pytest.raises(Unmeasurable, match="was stopped"):
            guarded_for(0.3, lambda: time.sleep(60))
        assert heard
        assert signal.getitimer(signal.ITIMER_REAL)[1] == pytest.approx(0.02)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_other_errors_pass_through():
    with pytest.raises(KeyError):
        guarded(lambda: {}["a"])
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_in_another_thread():
    """There is no signal there: an exception is set."""
    said = []

    def work():
        try:
            with CallGuard(0.05) as guard:
                guard.arm()
                spin()
        except Unmeasurable as error:
            said.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert said == ["call 1 did not return within 0.05 s and was stopped"]


def test_many_calls_and_pauses():
    with CallGuard(0.05) as guard:
        for _ in range(3):
            guard.arm()
        guard.disarm()
        time.sleep(0.2)


UNSTOPPABLE = """
import signal, threading
from pytest_mlgates.calls import guard
guard.GRACE_S = 0.2

def blocked(p):
    # as a C call that never looks for signals
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    threading.Event().wait(60)

def stubborn(p):
    while True:
        try:
            threading.Event().wait(60)
        except BaseException:
            pass

def guarded(call):
    def ask(p):
        with guard.CallGuard(0.1) as limit:
            limit.arm()
            call(p)
    return ask
"""


@pytest.mark.parametrize("subject", ["blocked", "stubborn"])
def test_what_can_not_be_stopped_leaves_evidence(project, subject):
    """The process ends; its journal holds the evidence; the reason reaches the terminal."""
    project.tests(
        UNSTOPPABLE
        + f"\ndef test_it(answer_length):\n    answer_length(guarded({subject}), ['a'])\n"
    )
    result = project.run(process=True)
    assert result.ret == 1
    reason = "call 1 did not return within 0.1 s and could not be stopped: the process was ended"
    assert reason in result.stderr.str() + result.stdout.str()
    seen = subprocess.run(
        [sys.executable, "-m", "pytest_mlgates", "report", str(project.report_folder)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert seen.returncode == 1
    report = project.report()
    assert report["outcome"] == "error"
    assert [e["verdict"]["reason"] for e in report["evidence"]] == [reason]
    assert "the run has not ended" in report["incomplete"]
