"""The end of a session never breaks: one red line, the table from memory, exit status 1."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

GOOD = 'def test_a(slice_coverage):\n    slice_coverage(GOOD, "k")\n'

ACCIDENTS = {
    "no more files may be opened": (
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))",
        "Too many open files",
    ),
    "json is left patched": (
        "import json\njson.loads = lambda *a, **k: {}['x']\njson.dumps = json.loads",
        "",
    ),
    "open is left patched": (
        "import pathlib\npathlib.Path.open = lambda *a, **k: {}['x']",
        "",
    ),
    "build breaks": (
        "from pytest_mlgates.session import ledger\nledger.build = lambda *a, **k: {}['x']",
        "the report could not be written: KeyError was raised",
    ),
}


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_an_accident(guest, accident):
    lines, said = ACCIDENTS[accident]
    body = "\n    ".join(lines.splitlines())
    guest.tests(f"{GOOD}    {body}\n")
    result = guest.run("-p", "no:logging", process=True)
    out = result.stdout.str() + result.stderr.str()
    assert result.ret in (0, 1), out
    assert "INTERNALERROR" not in out
    assert "ML gates: " in out
    assert "slice_coverage" in out
    assert said in out
    if said:
        assert result.ret == 1
    elif result.ret == 0:
        assert guest.report()["outcome"] == "missing"  # `other` was not asked for


def test_warnings_about_encodings_as_errors(guest, monkeypatch):
    monkeypatch.setenv("PYTHONWARNDEFAULTENCODING", "1")
    guest.tests(GOOD)
    result = guest.run("-W", "error::EncodingWarning", process=True)
    assert result.ret == 0
    assert guest.report()["environment"]["packages"]


def test_a_report_that_is_not_whole_says_no_pass(guest):
    """A reader of report.json alone must not see a pass where the run exits with 1."""
    guest.tests(
        """
        from pytest_mlgates.writers import html_report
        def test_a(slice_coverage, request):
            def full(*_): raise OSError(28, "No space left on device", "report.html")
            html_report.write = full
            slice_coverage(GOOD, "k")
        """
    )
    result = guest.run(process=True)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*report.html: can't be written: No space left on device*"])
    report = guest.report()
    assert report["outcome"] == "incomplete"
    assert report["evidence"]


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "cp1252"},
    ],
    ids=["C", "cp1252"],
)
def test_the_command_line_survives_a_terminal_without_the_letters(guest, environment):
    guest.tests(
        'def test_a(slice_coverage):\n    """Über 10 % → \\U0001f600."""\n    slice_coverage(BAD, "k")\n'
        'def test_ü(slice_coverage):\n    slice_coverage(GOOD, "k")\n'
    )
    guest.run()
    for words in (["report", "report"], ["replay", "report"]):
        done = subprocess.run(
            [sys.executable, "-m", "pytest_mlgates", *words],
            env={**os.environ, **environment}, cwd=guest.path, capture_output=True, check=False,
        )  # fmt: skip
        assert b"Traceback" not in done.stderr
        assert done.stdout


def test_claims_survive_without_docstrings(guest, monkeypatch):
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    guest.tests(
        'class TestIt:\n    def test_a(self, slice_coverage):\n        """Every slice\n        is there."""\n'
        '        slice_coverage(GOOD, "k")\n'
    )
    assert guest.run(process=True).ret == 0
    assert guest.report()["evidence"][0]["claim"] == "Every slice is there."


def test_the_callers_event_loop_is_put_back(guest):
    """A gate with an async subject makes a loop of its own and leaves the thread's alone."""
    guest.config("version: 1\nsystem: demo\nowner: me\ngates:\n  pii_leak: {max_leak_rate: 0.5}\n")
    guest.tests(
        """
        import asyncio
        async def reply(prompt):
            return "hello"
        def test_it(pii_leak):
            loop = asyncio.new_event_loop()
            asyncio.set_event_loop(loop)
            try:
                pii_leak(reply, [f"question {n}" for n in range(2000)])
            finally:
                assert asyncio.get_event_loop() is loop
                loop.close()
                asyncio.set_event_loop(None)
        """
    )
    result = guest.run()
    assert "get_event_loop() is loop" not in result.stdout.str()
    assert guest.report()["evidence"][0]["measurement"]["n"] > 0


def test_another_event_loop_is_told():
    """aio() under trio: its own reason, and no RuntimeError out of asyncio."""
    from pytest_mlgates import PiiLeak

    async def reply(prompt):
        return "hello"

    running = PiiLeak().aio(reply, ["a"])
    with pytest.raises(StopIteration) as stopped:
        running.send(None)  # what drives it here is not asyncio
    assert "aio() needs the event loop of asyncio" in stopped.value.value.verdict.reason


@pytest.mark.parametrize("workers", [(), ("-n", "1")])
@pytest.mark.parametrize("report", [True, False])
def test_an_internal_error_hides_no_fail(guest, workers, report):
    """Pytest asks for no summary then, and the table is shown all the same."""
    guest.pytester.makeconftest(
        "def pytest_configure(config):\n"
        "    if not hasattr(config, 'workerinput'):\n"
        "        config.pluginmanager.register(Breaks())\n"
        "class Breaks:\n"
        "    def pytest_runtest_logreport(self, report):\n"
        "        if report.when == 'teardown':\n"
        "            raise RuntimeError('of someone else')\n"
    )
    guest.tests('def test_a(slice_coverage):\n    slice_coverage(BAD, "k")\n')
    result = guest.run(*workers, report=report, process=True)
    assert result.ret == 3
    told = [line for line in result.outlines if line.startswith("demo: slice_coverage: FAIL")]
    assert len(told) == 1
