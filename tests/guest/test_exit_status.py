"""Whoever else has a word in the exit status: a FAIL fails, and the table is shown."""

from __future__ import annotations

import pytest

GOOD = 'def test_a(slice_coverage):\n    slice_coverage(GOOD, "k")\n'
HIDDEN = '@pytest.mark.xfail\ndef test_x(slice_coverage):\n    slice_coverage(BAD, "k")\n'
NOTHING_RAN = ("--mlgates-profile=full", "-k", "nomatch")

#: what conftests do to the status when a session ends
FIVE = "    if session.exitstatus == 5:\n        session.exitstatus = 0\n"
RECIPES = {
    "five is nought": f"def pytest_sessionfinish(session, exitstatus):\n{FIVE}",
    "last of all": f"import pytest\n@pytest.hookimpl(trylast=True)\ndef pytest_sessionfinish(session):\n{FIVE}",
    "around all": f"import pytest\n@pytest.hookimpl(wrapper=True)\ndef pytest_sessionfinish(session):\n    yield\n{FIVE}",
    "outermost": (
        "import pytest\n@pytest.hookimpl(wrapper=True, tryfirst=True)\n"
        "def pytest_sessionfinish(session):\n    yield\n    session.exitstatus = 0\n"
    ),
    "what it was told": "def pytest_sessionfinish(session, exitstatus):\n    session.exitstatus = exitstatus\n",
    "pytest.exit": "import pytest\ndef pytest_sessionfinish(session):\n    pytest.exit('x', 0)\n",
    "pytest.exit without a status": "import pytest\ndef pytest_sessionfinish(session):\n    pytest.exit('x')\n",
    "when all is unconfigured": (
        "def pytest_sessionfinish(session):\n    session.config.ours = session\n"
        "def pytest_unconfigure(config):\n    config.ours.exitstatus = 0\n"
    ),
}


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("hidden", [True, False], ids=["a hidden FAIL", "nothing ran"])
def test_taken_back(guest, recipe, hidden):
    guest.tests(HIDDEN if hidden else GOOD)
    guest.conftest(RECIPES[recipe])
    result = guest.run(*(() if hidden else NOTHING_RAN), report=False)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*ML gates: FAIL*" if hidden else "*ML gates: MISSING*"])


def test_a_sound_run_is_left_alone(guest):
    """A status that others chose is theirs where the gates have nothing against it."""
    guest.tests(GOOD + 'def test_o(slice_coverage):\n    slice_coverage(GOOD, "k")\n')
    guest.conftest(RECIPES["five is nought"])
    assert guest.run("-k", "nomatch", report=False).ret == 0
    guest.conftest("def pytest_sessionfinish(session):\n    session.exitstatus = 42\n")
    assert guest.run(report=False).ret == 42


def test_custom_exit_code(guest):
    pytest.importorskip("pytest_custom_exit_code")
    guest.tests(GOOD)
    words = ("-p", "pytest_custom_exit_code", "--suppress-no-test-exit-code", *NOTHING_RAN)
    assert guest.run(*words, report=False, process=True).ret == 1


STOPS = {
    "Ctrl-C": ("raise KeyboardInterrupt", 2, "KeyboardInterrupt"),
    "a signal": ("import signal; os.kill(os.getpid(), signal.SIGINT); time.sleep(1)", 2, "KeyboardInterrupt"),
    "pytest.exit": ("pytest.exit('done', returncode=0)", 1, "Exit: done"),
}  # fmt: skip


@pytest.mark.parametrize("stop", STOPS)
def test_stopped_before_the_gate_is_called(guest, stop):
    """The usual moment for Ctrl-C is while the model loads: no traceback of ours, exit status 2."""
    line, status, said = STOPS[stop]
    guest.tests(f'{GOOD}\ndef test_b(slice_coverage):\n    {line}\n    slice_coverage(GOOD, "k")\n')
    result = guest.run()
    assert result.ret == status
    result.stdout.fnmatch_lines(["*ML gates: *", f"*{said}*"])
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    assert guest.seen() == [("test_a", "pass"), ("test_b", "error")]
    reason = guest.report()["evidence"][1]["verdict"]["reason"]
    assert reason == "the run was interrupted before the test called this gate"
    assert not (guest.report_folder / "journal").exists()


def test_another_finalizer_that_breaks_still_shows_the_table(guest):
    guest.tests(
        """
        @pytest.fixture
        def other():
            yield
            raise RuntimeError("the teardown of someone else")
        def test_b(slice_coverage, other):
            raise KeyboardInterrupt
        """
    )
    result = guest.run(process=True)
    assert result.ret not in (0, 5)
    result.stdout.fnmatch_lines(["*ML gates: ERROR*"])
    assert "the teardown of someone else" in result.stdout.str() + result.stderr.str()
