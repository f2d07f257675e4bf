"""Counters, calibration, priority, collector: read right, put back."""

import gc
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_mlgates.gates.p99_latency import machine as counters
from pytest_mlgates.gates.p99_latency import speed as calibration
from pytest_mlgates.gates.p99_latency.machine import MachineUse, machine_use, open_counters
from pytest_mlgates.gates.p99_latency.probe import spin
from pytest_mlgates.gates.p99_latency.speed import calibrate, machine_kind, stored_quiet
from pytest_mlgates.load.collector import collector_paused
from pytest_mlgates.load.priority import realtime_priority

pytestmark = pytest.mark.timing

linux = pytest.mark.skipif(sys.platform != "linux", reason="counters are read from /proc")


@linux
def test_waiting_is_a_voluntary_switch() -> None:
    with open_counters() as thread:
        assert thread is not None
        before = thread.switches()
        time.sleep(0.001)
        assert thread.switches() > before
        assert int(thread.delay().split()[1]) >= 0


def test_without_the_file_there_are_no_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise OSError

    monkeypatch.setattr(counters.os, "open", refuse)
    with open_counters() as thread:
        assert thread is None


@linux
def test_machine_use_knows_descendants() -> None:
    start = machine_use()
    assert start is not None
    code = "import time\nwhile time.process_time() < .2: pass\nprint(flush=True)\ninput()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        alive = machine_use()
        assert alive is not None
        assert alive.since(start).descendants >= 0.15
    finally:
        child.communicate(b"\n")
    buried = machine_use()
    assert buried is not None
    assert buried.since(start).descendants >= 0.15


def test_machine_use_is_none_where_there_is_no_proc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(counters, "_PROC", tmp_path)
    assert machine_use() is None


def test_what_others_can_have_taken() -> None:
    use = MachineUse(at=10.0, busy=12.0, stolen=0.5, own=8.0, descendants=1.0)
    assert use.others == 3.0
    assert use.taken == 3.5


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is quiet by decree."""
    monkeypatch.setattr(calibration, "spin", lambda: 9000)
    monkeypatch.setattr(calibration, "machine_use", lambda: None)


@pytest.mark.usefixtures("steady")
def test_calibration_is_stored_by_kind(tmp_path: Path) -> None:
    assert stored_quiet(tmp_path).quiet_ns is None
    assert "not calibrated" in stored_quiet(tmp_path).note
    assert calibrate(tmp_path).quiet_ns == 9000
    assert stored_quiet(tmp_path) == calibration.Calibration(machine_kind(), 9000.0)
    file = tmp_path / "quiet-spin.json"
    other = {"another kind/8 cores/CPython 3.12.0": {"spin_ns": 1.0, "steps": 1}}
    file.write_text(json.dumps({**json.loads(file.read_text()), **other}))
    calibrate(tmp_path)
    assert set(json.loads(file.read_text())) == {machine_kind(), *other}
    assert [file.name for file in tmp_path.iterdir()] == ["quiet-spin.json"]


@pytest.mark.usefixtures("steady")
@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"KIND": 3}', '{"KIND": {"steps": 300, "spin_ns": "NaN"}}', "\0\xff"],
)
def test_a_corrupt_calibration_is_no_calibration(tmp_path: Path, text: str) -> None:
    (tmp_path / "quiet-spin.json").write_text(text.replace("KIND", machine_kind()))
    found = stored_quiet(tmp_path)
    assert found.quiet_ns is None
    assert "doctor --calibrate" in found.note
    assert calibrate(tmp_path).quiet_ns == stored_quiet(tmp_path).quiet_ns == 9000


def test_a_busy_machine_is_not_calibrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "spin", lambda: 9000)
    uses = iter([MachineUse(0, 0, 0, 0, 0), MachineUse(1, 3, 0, 1, 0)])
    monkeypatch.setattr(calibration, "machine_use", lambda: next(uses))
    assert "others used" in calibrate(tmp_path).note
    walk = iter(range(9000, 10**9, 10))
    monkeypatch.setattr(calibration, "spin", lambda: next(walk))
    monkeypatch.setattr(calibration, "machine_use", lambda: None)
    assert "varied" in calibrate(tmp_path).note
    assert not list(tmp_path.iterdir())


@linux
def test_priority_is_put_back() -> None:
    before = os.sched_getscheduler(0)
    with pytest.raises(ZeroDivisionError), realtime_priority(wanted=True) as said:
        assert said == "on" or "not permitted" in said
        assert (os.sched_getscheduler(0) == os.SCHED_FIFO) == (said == "on")
        raise ZeroDivisionError
    assert os.sched_getscheduler(0) == before


@linux
def test_refused_priority_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    with realtime_priority(wanted=True) as said:
        assert "not permitted" in said
    with realtime_priority(wanted=False) as said:
        assert said == "off"


@pytest.mark.parametrize("enabled", [True, False])
def test_collector_is_put_back(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ZeroDivisionError), collector_paused():
            assert not gc.isenabled()
            raise ZeroDivisionError
        assert gc.isenabled() == enabled
        assert gc.get_freeze_count() == 0
    finally:
        gc.enable()


def test_spin_takes_time_in_any_thread() -> None:
    took: list[int] = []
    thread = threading.Thread(target=lambda: took.append(spin()))
    thread.start()
    thread.join()
    assert took[0] > 0


@linux
def test_reading_the_delay_keeps_the_interpreter() -> None:
    """Else a thread of the subject's own would stall between two calls, never in one."""
    ticks, on = [0], [True]

    def tick() -> None:
        while on[0]:
            ticks[0] += 1
            time.sleep(0)

    interval = sys.getswitchinterval()
    other = threading.Thread(target=tick)
    with counters.open_counters() as opened:
        assert opened is not None
        sys.setswitchinterval(1000)  # the other thread runs only where this one lets go
        try:
            other.start()
            before = ticks[0]
            for _ in range(1000):
                opened.delay()
                opened.switches()
            assert ticks[0] == before
        finally:
            on[0] = False
            sys.setswitchinterval(interval)
            other.join()
