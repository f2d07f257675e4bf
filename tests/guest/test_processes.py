"""Forks, workers, threads, swallowed attempts: what was started is known, what was found is kept."""

from __future__ import annotations

import os
import time

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

WITH_AND_WITHOUT = pytest.mark.parametrize("report", [True, False], ids=["folder", "no folder"])


def test_a_child_that_comes_back_is_ended(guest):
    """It would write its own PASS over the parent's FAIL, and run the other tests again."""
    guest.tests(
        """
        def test_a(slice_coverage):
            def key(row):
                if row is GOOD[0] and not getattr(test_a, "done", 0):
                    test_a.done = 1
                    if os.fork() == 0:
                        time.sleep(0.5)
                        return row["k"]
                    return "zzz"
                return row["k"]
            slice_coverage(GOOD, key)
        def test_b():
            open("ran", "a").write("x")
        """
    )
    assert guest.run(process=True).ret == 1
    time.sleep(1.5)
    assert guest.report()["outcome"] == "fail"
    assert guest.seen() == [("test_a", "fail")]
    assert (guest.path / "ran").read_text() == "x"
    assert not (guest.report_folder / "journal").exists()


def test_a_child_outside_a_gate_is_ended_as_well(guest):
    guest.tests(
        """
        def test_a(slice_coverage):
            slice_coverage(GOOD, "k")
            os.fork()
        def test_b():
            open("ran", "a").write("x")
        """
    )
    assert guest.run(process=True).ret == 0
    time.sleep(0.5)
    assert (guest.path / "ran").read_text() == "x"


def test_a_gate_in_a_child_of_its_test_says_so(guest):
    guest.tests(
        """
        def test_a(slice_coverage):
            if (child := os.fork()) == 0:
                try:
                    slice_coverage(GOOD, "k")
                except Exception as error:
                    open("said", "w").write(str(error))
                os._exit(0)
            os.waitpid(child, 0)
        """
    )
    assert guest.run(process=True).ret == 1
    assert "was called in a child process of its test" in (guest.path / "said").read_text()
    assert guest.seen() == [("test_a", "error")]


CRASHES = {
    "after a FAIL": 'try: slice_coverage(BAD, "k")\n    except AssertionError: pass\n    os.abort()',
    "while it measures": "slice_coverage(GOOD, lambda row: os.abort())",
}


@pytest.mark.parametrize("crash", CRASHES)
@WITH_AND_WITHOUT
def test_a_crash_under_forked_and_xfail(guest, crash, report):
    """pytest-forked makes its own report of a dead process, and xfail turns it into xfailed."""
    pytest.importorskip("pytest_forked")
    if pytest.version_tuple >= (9,):
        pytest.skip("pytest-forked is broken on pytest 9")
    guest.tests(f"@pytest.mark.xfail\ndef test_x(slice_coverage):\n    {CRASHES[crash]}\n")
    result = guest.run("-p", "pytest_forked", "--forked", report=report, process=True)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*ended before it could report*"])


@WITH_AND_WITHOUT
def test_a_thread_that_outlives_the_session(guest, report):
    guest.tests(
        """
        import threading
        def test_a(slice_coverage):
            def slow(row):
                time.sleep(0.2)
                return row["k"]
            threading.Thread(target=lambda: slice_coverage(GOOD[:30], slow), daemon=True).start()
            time.sleep(0.1)
            try:
                slice_coverage(GOOD, "k")
            except AssertionError:
                pass
        """
    )
    result = guest.run(report=report, process=True)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*slice_coverage was measuring when its process ended*"])


@WITH_AND_WITHOUT
def test_attempts_that_another_plugin_swallows(guest, report):
    """`flaky` reruns a test and shows no report of the attempt that failed."""
    pytest.importorskip("flaky")
    guest.tests(
        """
        import flaky
        runs = []
        @flaky.flaky
        def test_a(slice_coverage):
            runs.append(1)
            slice_coverage(BAD if len(runs) == 1 else GOOD, "k")
        """
    )
    words = ("-p", "flaky.flaky_pytest_plugin")
    result = guest.run(*words, report=report, process=True)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*slice_coverage: FAIL: *", "*FAIL (1 of 2 runs)*"])
    assert "did not arrive" not in result.stdout.str()


INTERRUPTED = {
    "it measures": "time.sleep(0.5)\n        return row['k']",
    "it comes to its gate later": "return row['k']",
}


@pytest.mark.parametrize("case", INTERRUPTED)
@WITH_AND_WITHOUT
def test_ctrl_c_with_workers(guest, case, report):
    """The report is made once the workers have ended: what they recorded late is in it."""
    late = case != "it measures"
    guest.tests(
        f"""
        import signal
        def test_a():
            time.sleep(1.5)
            os.kill(os.getppid(), signal.SIGINT)
            time.sleep(3)
        def test_b(slice_coverage):
            {"time.sleep(3)" if late else ""}
            def key(row):
                if row is BAD[0]: open("begun", "w").close()
                time.sleep({0 if late else 0.03})
                return row["k"]
            try:
                slice_coverage(BAD, key)
            finally:
                open("ended", "w").close()
        """
    )
    result = guest.run("-n", "2", report=report)
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*the run was interrupted*"])
    if not (guest.path / "ended").exists():
        pytest.skip("the worker was killed before it came to the gate")
    result.stdout.fnmatch_lines(["*demo: slice_coverage: *[[]test_it.py::test_b[]]*"])
    assert "was measuring when" not in result.stdout.str()
    time.sleep(1)
    if report:
        assert [test for test, _ in guest.seen()] == ["test_b"]
        assert not (guest.report_folder / "journal").exists()


def test_nothing_is_left_in_the_temporary_folder(guest, monkeypatch, tmp_path_factory):
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setenv("TMPDIR", str(scratch))
    guest.tests('def test_a(slice_coverage):\n    slice_coverage(GOOD, "k")\n')
    for words in ((), ("-n", "1")):
        assert guest.run(*words, report=False, process=True).ret == 0
    assert [file.name for file in scratch.iterdir() if file.name.startswith("mlgates")] == []
