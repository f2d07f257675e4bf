"""Clocks that a test has frozen, and time-outs around a test."""

from __future__ import annotations

import pytest

from pytest_mlgates.core.instants import kernel_now
from tests.guest.conftest import CONFIG

WAIVER = (
    CONFIG
    + "waivers:\n  - {gate: slice_coverage, reason: r, approved_by: you, owner: me, expires: 2024-06-30}\n"
)
BAD = 'def test_a(slice_coverage):\n    slice_coverage(BAD, "k")\n'

FREEZERS = {
    "a mock left behind": (
        "unittest",
        (
            "import datetime\nclass Frozen(datetime.datetime):\n"
            "    @classmethod\n    def now(cls, tz=None): return cls(2024, 1, 1, tzinfo=tz)\n"
            "datetime.datetime = Frozen\ntime.time = lambda: 1704067200.0\n"
        ),
    ),
    "freezegun, never stopped": (
        "freezegun",
        "def test_0():\n    import freezegun\n    freezegun.freeze_time('2024-01-01').start()\n",
    ),
    "time-machine, for ever": (
        "time_machine",
        "import time_machine\ntime_machine.travel('2024-01-01').start()\n",
    ),
}


@pytest.mark.parametrize("freezer", FREEZERS)
def test_a_frozen_clock_revives_no_waiver(guest, freezer):
    package, text = FREEZERS[freezer]
    pytest.importorskip(package)
    guest.config(WAIVER)
    guest.tests(text + BAD)
    result = guest.run(process=True)
    assert result.ret == 1
    report = guest.report()
    assert report["outcome"] == "fail"
    assert [w["state"] for w in report["waived"]] == ["expired"]
    assert report["environment"]["finished"][:4] == str(kernel_now().year)


@pytest.mark.parametrize("broken", ["pipe", "pipe and temporary files"])
def test_the_kernel_is_asked_in_another_way(broken, monkeypatch):
    """Where no pipe can be made, a file's stamp; where none can be written, Python's clock."""
    import os

    from pytest_mlgates.core import instants

    before = kernel_now()

    def refuse(*_):
        raise OSError

    monkeypatch.setattr(os, "pipe", refuse)
    if broken != "pipe":
        monkeypatch.setattr(instants, "TemporaryFile", refuse)
    assert abs((kernel_now() - before).total_seconds()) < 60


SLOW = """
def test_long({gate}):
    {gate}({call})
"""
CALLS = {
    "p99_latency": "lambda x: time.sleep(0.001), ['a']",
    "slice_coverage": "GOOD, lambda row: time.sleep(0.2)",
}


@pytest.mark.parametrize("gate", CALLS)
@pytest.mark.parametrize("report", [True, False], ids=["folder", "no folder"])
def test_pytest_timeout_ends_a_measure_as_an_error(guest, gate, report):
    """It is not held back while a gate measures, and never takes the verdict away."""
    pytest.importorskip("pytest_timeout")
    more = "  p99_latency: {max_ms: 50, max_calls: 5000}\nprofiles:\n"
    guest.config(CONFIG.replace("profiles:\n", more))
    guest.tests(SLOW.format(gate=gate, call=CALLS[gate]))
    result = guest.run("-p", "pytest_timeout", "--timeout=2", report=report, process=True)
    assert result.ret == 1
    result.stdout.fnmatch_lines([f"*demo: {gate}: ERROR: *"])
    assert "did not arrive" not in result.stdout.str()
    assert "was measuring when" not in result.stdout.str()
    if report:
        assert guest.seen() == [("test_long", "error")]


def test_signals_wait_for_the_record(guest):
    """A time-out or Ctrl-C between verdict and record comes after the record."""
    guest.tests(
        """
        import signal
        from pytest_mlgates.session.session import GateSession
        keep = GateSession._record

        def slowly(self, *what):
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.01)
            return keep(self, *what)

        GateSession._record = slowly

        def test_a(slice_coverage):
            slice_coverage(BAD, "k")
        """
    )
    result = guest.run(process=True)
    assert result.ret == 2
    assert guest.seen() == [("test_a", "fail")]
    assert "the run was interrupted" in guest.report()["incomplete"]
