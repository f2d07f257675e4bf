"""The contract of fixtures and markers, from outside."""

from __future__ import annotations

import pytest

GOOD = """
def test_short(answer_length):
    '''Answers fit on a screen.'''
    answer_length(lambda prompt: "ok", ["a", "b"])
"""


def test_a_pass_leaves_evidence(project):
    """A passing gate is recorded with its claim, policy and subject."""
    project.tests(GOOD)
    result = project.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*ML gates: PASS*", "demo*answer_length*PASS*2 characters*10 characters*2*"]
    )
    report = project.report()
    assert report["outcome"] == "pass"
    (evidence,) = report["evidence"]
    assert evidence["claim"] == "Answers fit on a screen."
    assert evidence["policy"] == {"max_chars": 10}
    assert evidence["source"] == "gate_configs/demo.yaml:6"
    assert evidence["test"] == "test_it.py::test_short"
    assert evidence["subject"] == "test_it:test_short.<locals>.<lambda>"


def test_a_fail_fails_the_test_and_the_run(project):
    """A failing gate raises with both numbers."""
    project.tests(GOOD.replace('"ok"', '"x" * 20'))
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["E *demo: answer_length FAIL: the longest of 2 answers has 20 characters, 10 are allowed"]
    )
    assert project.report()["outcome"] == "fail"


HIDDEN = {
    "xfail": "@pytest.mark.xfail(strict=False)\ndef test_it(answer_length):\n    answer_length(lambda p: 'x' * 20, ['a'])",
    "try": "def test_it(answer_length):\n    try:\n        answer_length(lambda p: 'x' * 20, ['a'])\n    except AssertionError:\n        pass",
    "raises": "def test_it(answer_length):\n    with pytest.raises(AssertionError):\n        answer_length(lambda p: 'x' * 20, ['a'])",
    "skip": "def test_it(answer_length):\n    try:\n        answer_length(lambda p: 'x' * 20, ['a'])\n    finally:\n        pytest.skip('no')",
}


@pytest.mark.parametrize("way", HIDDEN)
def test_a_fail_can_not_be_hidden(project, way):
    """The exit status comes from the evidence."""
    project.tests(HIDDEN[way])
    result = project.run()
    assert result.ret == 1
    assert project.report()["outcome"] == "fail"
    result.assert_outcomes(
        failed=0, passed=way in ("try", "raises"), xfailed=way == "xfail", skipped=way == "skip"
    )


def test_a_fail_can_not_be_hidden_with_workers(project):
    """It is the same where workers ran the tests."""
    for way, text in HIDDEN.items():
        project.tests(text, name=f"test_{way}")
    result = project.run("-n", "2")
    assert result.ret == 1
    assert len(project.report()["evidence"]) == len(HIDDEN)
    result.assert_outcomes(passed=2, xfailed=1, skipped=1)


def test_never_called_is_an_error(project):
    """A gate that is asked for and not used lets nothing through."""
    project.tests("def test_it(answer_length):\n    pass")
    result = project.run()
    assert result.ret == 1
    (evidence,) = project.report()["evidence"]
    assert evidence["verdict"] == {
        "outcome": "error",
        "reason": "the test asked for this gate and never called it",
    }


def test_skip_inside_a_measure_is_an_error(project):
    """A subject can't skip its own gate."""
    project.tests(
        "def test_it(answer_length):\n    answer_length(lambda p: pytest.skip('x'), ['a'])"
    )
    assert project.run().ret == 1
    assert project.report()["evidence"][0]["verdict"]["outcome"] == "error"


def test_marker_of_the_gate_selects_the_test(project):
    """``-m answer_length`` selects tests that ask for the gate, also through another fixture."""
    project.tests(
        """
        @pytest.fixture
        def checked(answer_length):
            return answer_length

        def test_direct(answer_length):
            answer_length(len and (lambda p: p), ["a"])

        def test_through(checked):
            checked(lambda p: p, ["a"])

        def test_other():
            pass
        """
    )
    project.run("-m", "answer_length").assert_outcomes(passed=2, deselected=1)


def test_own_fixture_of_the_name_wins(project):
    """A user's fixture of a gate's name is no gate."""
    project.tests(
        """
        @pytest.fixture
        def answer_length():
            return 7

        def test_it(answer_length):
            assert answer_length == 7
        """
    )
    result = project.run(report=False)
    assert result.ret == 0
    assert "ML gates" not in result.stdout.str()


def test_marker_tightens(project):
    """A marker makes a limit stricter; the markers of module, class and function fold."""
    project.tests(
        """
        @pytest.mark.answer_length(max_chars=8)
        class TestIt:
            @pytest.mark.answer_length(max_chars=5)
            def test_it(self, answer_length):
                assert answer_length.max_chars == 5
                answer_length(lambda p: "x" * 6, ["a"])
        """
    )
    assert project.run().ret == 1
    assert project.report()["evidence"][0]["policy"]["max_chars"] == 5


MISTAKES = {
    "looser": (
        "@pytest.mark.answer_length(max_chars=11)",
        "max_chars=11 is looser than the 10 of gate_configs/demo.yaml:6",
    ),
    "unknown field": ("@pytest.mark.answer_length(max_char=5)", "did you mean 'max_chars'?"),
    "unknown entry": (
        '@pytest.mark.answer_length("answer-length")',
        "has no entry 'answer-length': did you mean 'answer_length'?",
    ),
    "type": (
        '@pytest.mark.answer_length(max_chars="5")',
        "max_chars: expected a whole number (characters), got the string '5'",
    ),
    "bool": ("@pytest.mark.answer_length(max_chars=True)", "got the boolean True"),
    "system": (
        '@pytest.mark.system("dmo")',
        "there is no config of the system 'dmo' in gate_configs: did you mean 'demo'?",
    ),
    "known bad with fields": (
        "@pytest.mark.known_bad\n@pytest.mark.answer_length(max_chars=5)",
        "not change fields",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_markers_are_usage_errors(project, mistake):
    """Found at collection: exit code 4 and one line."""
    marker, text = MISTAKES[mistake]
    project.tests(f"{marker}\ndef test_it(answer_length):\n    raise SystemError('ran')")
    _check_mistakes(project.run(), [text])


def test_mistakes_are_usage_errors_with_workers(project):
    """An error raised on a worker would arrive as exit code 5."""
    for i, (marker, _) in enumerate(MISTAKES.values()):
        text = f"{marker}\ndef test_it(answer_length):\n    raise SystemError('ran')"
        project.tests(text, name=f"test_it_{i}")
    _check_mistakes(project.run("-n", "2"), [text for _, text in MISTAKES.values()])


def _check_mistakes(result, texts):
    assert result.ret == 4
    output = result.stdout.str() + "\n" + result.stderr.str()
    for text in texts:
        (line,) = (line for line in output.splitlines() if text in line)
        assert line.removeprefix("ERROR: ").startswith("test_it")
    assert "SystemError" not in output


def test_marker_without_fixture_is_a_usage_error(project):
    """A gate marker with arguments on a test that asks for no gate would gate nothing."""
    project.tests("@pytest.mark.answer_length(max_chars=5)\ndef test_it():\n    pass")
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["*does not ask for the fixture 'answer_length': nothing would be gated"]
    )


def test_known_bad(project):
    """The incident must be caught; the row says so and missing is not satisfied by it."""
    project.tests(
        """
        @pytest.mark.known_bad
        def test_incident(answer_length):
            answer_length(lambda p: "x" * 20, ["a"])
        """
    )
    result = project.run()
    assert result.ret == 0
    report = project.report()
    (gate,) = report["systems"][0]["gates"]
    assert (gate["incident"], gate["status"]) == ("caught", "missing")
    assert report["outcome"] == "missing"
    assert [gap["entry"] for gap in report["missing"]] == ["answer_length"]


def test_known_bad_that_passes_the_gate_fails(project):
    """A gate that lets the incident through fails the run, even in an xfail test."""
    project.tests(
        """
        @pytest.mark.xfail(strict=False)
        @pytest.mark.known_bad
        def test_incident(answer_length):
            answer_length(lambda p: "x", ["a"])

        def test_fine(answer_length):
            answer_length(lambda p: "xx", ["a"])
        """
    )
    result = project.run()
    assert result.ret == 1
    report = project.report()
    assert report["systems"][0]["gates"][0]["incident"] == "missed"
    assert report["outcome"] == "fail"


def test_one_subject_in_both_roles_is_an_error(project):
    """A subject can't be gated and called known bad in one entry."""
    project.tests(
        """
        def subject(p):
            return "x" * (1 if p == "good" else 20)

        @pytest.mark.known_bad
        def test_incident(answer_length):
            answer_length(subject, ["bad"])

        def test_fine(answer_length):
            answer_length(subject, ["good"])
        """
    )
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*test_it:subject is gated and called known bad at once*"])


def test_inconclusive_follows_the_profile(project):
    """INCONCLUSIVE fails a run unless the profile says warn."""
    project.config(
        """
        version: 1
        system: demo
        gates:
          answer_length: {max_chars: 10}
        profiles:
          pre-merge: {inconclusive: warn}
        """
    )
    project.tests("def test_it(answer_length):\n    answer_length(lambda p: 'x', [])")
    assert project.run().ret == 1
    assert project.run("--mlgates-profile", "pre-merge").ret == 0
    assert project.report()["outcome"] == "inconclusive"
    result = project.run("--mlgates-profile", "premerge")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        ["ERROR: gate_configs/demo.yaml: has no profile 'premerge': did you mean 'pre-merge'?"]
    )


def test_complete_profile_fails_on_what_is_missing(project):
    """Deselection can't make a release pass."""
    project.config(
        """
        version: 1
        system: demo
        gates:
          answer_length: {max_chars: 10}
          second: {gate: answer_length, max_chars: 10}
        profiles:
          release: {complete: true}
        """
    )
    project.tests(GOOD)
    assert project.run().ret == 0
    assert project.report()["outcome"] == "missing"
    result = project.run("--mlgates-profile", "release")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*demo: second: is configured (gate_configs/demo.yaml:6) and left no evidence"]
    )
    assert project.run("--mlgates-profile", "release", "-k", "nothing").ret == 1


def test_async_gate(project):
    """``await gate.aio(...)`` records and raises inside a running loop."""
    project.tests(
        """
        import asyncio

        def test_it(answer_length):
            async def go():
                await answer_length.aio(lambda p: "x" * 20, ["a"])
            with pytest.raises(AssertionError, match="20 characters"):
                asyncio.run(go())
        """
    )
    assert project.run().ret == 1


def test_reruns(project):
    """A FAIL in any attempt stands unless the profile says otherwise."""
    project.config(
        """
        version: 1
        system: demo
        gates:
          answer_length: {max_chars: 10}
        profiles:
          lenient: {reruns: last}
        """
    )
    project.tests(
        """
        runs = []
        def test_it(answer_length):
            runs.append(1)
            answer_length(lambda p: "x" * (20 if len(runs) == 1 else 1), ["a"])
        """
    )
    assert project.run("--reruns", "1").ret == 1
    assert [e["attempt"] for e in project.report()["evidence"]] == [1, 2]
    assert project.run("--reruns", "1", "--mlgates-profile", "lenient").ret == 0


def test_same_evidence_with_workers(project):
    """A deterministic gate leaves the same evidence with and without workers."""
    project.tests(
        """
        @pytest.mark.xdist_group("one")
        @pytest.mark.parametrize("n", range(6))
        def test_it(answer_length, n):
            answer_length(lambda p: "x" * n, ["a"])
        """
    )
    seen = []
    for args in (["-n", "0"], ["-n", "2", "--dist", "each"], ["-n", "2", "--dist", "loadgroup"]):
        assert project.run(*args).ret == 0
        seen.append(sorted(e["digest"] for e in project.report()["evidence"]))
    assert seen[0] == seen[1] == seen[2]
    assert len(seen[0]) == 6


def test_killed_worker_makes_the_report_incomplete(project):
    """What a worker recorded before it died is kept; the run fails."""
    project.tests(
        """
        import os, signal

        def test_it(answer_length):
            answer_length(lambda p: "x", ["a"])
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    result = project.run("-n", "1", "--max-worker-restart", "0")
    assert result.ret == 1
    report = project.report()
    assert report["outcome"] == "incomplete"
    assert [e["verdict"]["outcome"] for e in report["evidence"]] == ["pass"]
    assert any("died" in line for line in report["incomplete"])


def test_killed_while_measuring(project):
    """The gate that was measuring when its process died is named."""
    project.tests(
        """
        import os, signal

        def test_it(answer_length):
            answer_length(lambda p: os.kill(os.getpid(), signal.SIGKILL), ["a"])
        """
    )
    result = project.run("-n", "1", "--max-worker-restart", "0")
    assert result.ret == 1
    assert any(
        "was measuring when its process ended" in line for line in project.report()["incomplete"]
    )
    project.run("-n", "0", process=True)
    assert project.report()["incomplete"] == ["the run has not ended"]


def test_idle_run_says_nothing(project):
    """Without gates nothing is printed, written or failed."""
    (project.path / "test_plain.py").write_text("def test_it():\n    pass\n")
    result = project.run(report=False)
    assert result.ret == 0
    assert "mlgates:" not in result.stdout.str().lower().replace("plugins: ", "")
    assert "ML gates" not in result.stdout.str()
    assert not (project.path / "report").exists()


def test_named_report_without_gates_is_no_pass(project):
    """A report folder asked for in a run without gates says what is missing."""
    (project.path / "test_plain.py").write_text("def test_it():\n    pass\n")
    assert project.run().ret == 0
    assert project.report()["outcome"] == "missing"


def test_collection_error_makes_the_report_incomplete(project):
    """A module that can't be imported takes its gates out of the run."""
    project.tests(GOOD)
    project.tests("raise RuntimeError('x')", name="test_broken")
    assert project.run().ret == 2
    assert "test_broken.py: could not be collected" in project.report()["incomplete"]


def test_report_folder_that_can_not_be_written(project):
    """One line and exit code 4."""
    project.tests(GOOD)
    (project.path / "report").write_text("a file")
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: --mlgates-report *report: the folder can't be written: *"])
