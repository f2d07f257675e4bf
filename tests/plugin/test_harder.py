"""Ways in which people and machines get round a gate, and must not."""

from __future__ import annotations

import pytest

from tests.conftest import CONFIG

SHORT = "answer_length(lambda p: 'ok', ['a'])"
LONG = "answer_length(lambda p: 'x' * 20, ['a'])"


def test_markers_fold_from_module_to_parameter(project):
    """Each level tightens the one above it, in whatever order markers stand."""
    project.tests(
        """
        pytestmark = [pytestmark, pytest.mark.answer_length(max_chars=9)]

        @pytest.mark.answer_length(max_chars=8)
        class TestIt:
            @pytest.mark.parametrize(
                "n", [pytest.param(3, marks=pytest.mark.answer_length(max_chars=3)), 5]
            )
            @pytest.mark.answer_length(max_chars=7)
            @pytest.mark.answer_length(max_chars=5)
            def test_it(self, answer_length, n):
                assert answer_length.max_chars == n
                answer_length(lambda p: "x" * n, ["a"])
        """
    )
    result = project.run()
    assert result.ret == 0, result.stdout.str()
    assert sorted(e["policy"]["max_chars"] for e in project.report()["evidence"]) == [3, 5]


def test_a_parameter_can_not_loosen(project):
    project.tests(
        """
        @pytest.mark.parametrize("n", [pytest.param(3, marks=pytest.mark.answer_length(max_chars=7))])
        @pytest.mark.answer_length(max_chars=5)
        def test_it(answer_length, n):
            pass
        """
    )
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: test_it.py:*max_chars=7 is looser than the 5 of*"])


def test_module_marker_over_tests_without_gates(project):
    """A marker above several tests needs one of them to ask."""
    plain = "def test_plain():\n    pass\n"
    head = "pytestmark = [pytestmark, pytest.mark.answer_length(max_chars=9)]\n"
    project.tests(f"{head}{plain}def test_it(answer_length):\n    {SHORT}\n")
    assert project.run().ret == 0
    project.tests(head + plain)
    assert project.run().ret == 4


def test_asked_for_while_the_test_runs(project):
    project.tests(
        f"""
        def test_it(request):
            answer_length = request.getfixturevalue("answer_length")
            {LONG}

        @pytest.mark.known_bad
        def test_incident(request):
            answer_length = request.getfixturevalue("answer_length")
            {LONG}

        @pytest.mark.answer_length(max_chars=5)
        def test_never(request):
            pass
        """
    )
    result = project.run()
    assert result.ret == 1
    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(["*carries the marker answer_length and never asked for it*"])


def test_unittest_class(project):
    project.tests(
        f"""
        import unittest

        class TestIt(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def gates(self, answer_length):
                self.gate = answer_length

            def test_it(self):
                answer_length = self.gate
                {LONG}
        """
    )
    assert project.run().ret == 1
    assert project.report()["evidence"][0]["test"] == "test_it.py::TestIt::test_it"


def test_two_calls_and_calls_at_once(project):
    """Each call is a piece of evidence of its own."""
    project.tests(
        """
        import asyncio

        def test_two(answer_length):
            answer_length(lambda p: "a", ["a"])
            with pytest.raises(AssertionError):
                answer_length(lambda p: "x" * 20, ["a"])

        def test_at_once(answer_length):
            async def both():
                await asyncio.gather(*(answer_length.aio(lambda p: "a", ["a"]) for _ in range(2)))
            asyncio.run(both())
        """
    )
    assert project.run().ret == 1
    seen = [(e["test"][-4:], e["call"]) for e in project.report()["evidence"]]
    assert seen == [("once", 1), ("once", 2), ("_two", 1), ("_two", 2)]


STOPS = {
    "ctrl-c inside a measure": (
        "answer_length(lambda p: (_ for _ in ()).throw(KeyboardInterrupt()), ['a'])",
        2,
        "error",
    ),
    "pytest.exit with status 0": (f"{SHORT}\n    pytest.exit('done', returncode=0)", 1, "pass"),
}


@pytest.mark.parametrize("case", STOPS)
def test_stopped(project, case):
    """What was recorded is kept, and the report is incomplete."""
    body, status, outcome = STOPS[case]
    project.tests(
        f"def test_it(answer_length):\n    {body}\n\ndef test_2(answer_length):\n    {SHORT}"
    )
    result = project.run()
    assert result.ret == status
    report = project.report()
    assert [e["verdict"]["outcome"] for e in report["evidence"]] == [outcome]
    assert "the run was interrupted" in report["incomplete"]
    assert report["outcome"] in ("incomplete", "error")


def test_first_failure_stops(project):
    project.tests(
        f"def test_it(answer_length):\n    {LONG}\n\ndef test_2(answer_length):\n    {SHORT}"
    )
    assert project.run("-x").ret == 1
    assert any("cut short" in line for line in project.report()["incomplete"])


@pytest.mark.parametrize(
    "option", ["--collect-only", "--setup-only", "--setup-plan", "--fixtures", "--markers"]
)
def test_nothing_ran(project, option):
    """A run in which no test can run leaves a good report alone."""
    project.tests(f"def test_it(answer_length):\n    {SHORT}")
    assert project.run().ret == 0
    before = project.report()
    result = project.run(option)
    assert result.ret == 0
    assert "ML gates: " not in result.stdout.str()
    assert project.report() == before


def test_nothing_secret_is_shown_or_written(project):
    """Neither exception texts nor inputs nor outputs, where a gate guards texts."""
    project.tests(
        """
        SECRET = "4111-" + "1111"

        class Subject:
            def __repr__(self):
                return SECRET
            def __call__(self, prompt):
                raise ValueError(f"{SECRET} {prompt}")

        @pytest.fixture
        def subject():
            return Subject()

        def test_it(pii_leak, subject):
            pii_leak(subject, [SECRET])

        def test_flawed(answer_length):
            answer_length(lambda p: SECRET * 3, [SECRET])
        """
    )
    project.config(CONFIG + "  pii_leak: {}\n")
    result = project.run("--tb=short")
    assert result.ret == 1
    assert "4111-1111" not in result.stdout.str() + result.stderr.str()
    files = [file for file in project.report_folder.rglob("*") if file.is_file()]
    assert len(files) >= 3
    for file in files:
        assert "4111-1111" not in file.read_text(encoding="utf-8")
    result.stdout.fnmatch_lines(["*ValueError was raised at test_it.py:* in __call__*"])


def test_the_reason_is_printed_and_never_recorded(project):
    """pytest prints the user's own traceback; evidence keeps type, place, call and shape."""
    project.tests(
        """
        def subject(prompt):
            raise KeyError("the reason")

        def test_it(answer_length):
            answer_length(subject, ["abc"])
        """
    )
    result = project.run("--tb=short")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["E   KeyError: 'the reason'", "*direct cause*", "*KeyError was raised at test_it.py:*"]
    )
    reason = project.report()["evidence"][0]["verdict"]["reason"]
    assert reason.endswith("test_it.py:5 in subject (given prompt: a str of length 3)")
    for file in project.report_folder.rglob("*.*"):
        assert "the reason" not in file.read_text(encoding="utf-8")


def test_wrong_arguments_are_named(project):
    project.tests("def test_it(answer_length):\n    answer_length(lambda p: 'ok', promts=['a'])")
    assert project.run().ret == 1
    reason = project.report()["evidence"][0]["verdict"]["reason"]
    assert "wrong arguments" in reason


def test_odd_ids_and_places(project):
    """Spaces, other scripts and control characters in ids, docstrings and paths."""
    folder = project.path / "päth with space"
    folder.mkdir()
    (folder / "test_ünder.py").write_text(
        "import pytest\n"
        "@pytest.mark.system('demo')\n"
        "@pytest.mark.parametrize('p', ['a b', 'ü', '\\x1b[31m', '\\ud800'])\n"
        "def test_it(answer_length, p):\n"
        "    'Claim: ünd.'\n"
        f"    {SHORT}\n",
        encoding="utf-8",
    )
    assert project.run(str(folder)).ret == 0
    assert len(project.report()["evidence"]) == 4


def test_config_in_another_place(project, monkeypatch):
    file = project.path / "gate_configs" / "demo.yaml"
    other = project.path / "other folder"
    other.mkdir()
    file.rename(other / "x.yaml")
    project.tests(f"def test_it(answer_length):\n    {SHORT}")
    assert project.run().ret == 4
    assert project.run("--mlgates-config", str(other)).ret == 0
    assert project.run("--mlgates-config", str(other / "x.yaml")).ret == 0
    (project.path / "pytest.ini").write_text("[pytest]\nmlgates_config = other folder\n")
    assert project.run().ret == 0
    assert project.report()["evidence"][0]["source"] == "other folder/x.yaml:6"
    result = project.run("--mlgates-config", "nowhere")
    assert result.ret == 4
    assert "there is no such config file or folder" in result.stderr.str()


def test_report_under_a_file(project):
    (project.path / "file").write_text("")
    project.report_folder = project.path / "file" / "report"
    project.tests(f"def test_it(answer_length):\n    {SHORT}")
    result = project.run()
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: --mlgates-report *the folder can't be written: *"])


def test_report_folder_lost_while_it_runs(project):
    """A journal that can't be written loses no evidence, and is told."""
    project.tests(
        f"""
        import pathlib, shutil

        def test_it(answer_length):
            shutil.rmtree("report")
            pathlib.Path("report").write_text("in the way")
            {SHORT}
        """
    )
    result = project.run()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*can't be written: *"])
    result.stdout.fnmatch_lines(["demo*answer_length*PASS*"])


def test_waived_and_unwaived(project):
    """A waiver in force lets the test pass; the table and the report say WAIVED."""
    config = """
        version: 1
        system: demo
        owner: team-a
        gates:
          answer_length: {max_chars: 10}
        waivers:
          - {gate: answer_length, reason: known, approved_by: risk, expires: %s, up_to: %s}
        """
    project.tests(f"def test_it(answer_length):\n    {LONG}")
    project.config(config % ("2999-12-31", 20))
    result = project.run("--junitxml", "junit.xml")
    assert (result.ret, project.report()["outcome"]) == (0, "waived")
    # a passed test for its readers: this is what tells it from a PASS
    told = (project.path / "junit.xml").read_text("utf-8")
    assert 'name="mlgates.answer_length.outcome" value="WAIVED"' in told
    result.stdout.fnmatch_lines(["demo*WAIVED*", "waiver of demo*in force*approved by risk*"])
    for expires, up_to in (("2999-12-31", 19), ("2020-01-01", 20)):
        project.config(config % (expires, up_to))
        assert project.run().ret == 1
        assert project.report()["outcome"] == "fail"


def test_junit_file_and_github(project, monkeypatch):
    """pytest's own JUnit file carries the numbers; GitHub gets its annotations."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    project.tests("def test_it(answer_length): answer_length(lambda p: 'x' * 20, ['a'])")
    done = project.run("--junitxml", "junit.xml")
    text = (project.path / "junit.xml").read_text("utf-8")
    for part in ("outcome", "reason", "measured", "limit", "n", "role", "digest"):
        assert text.count(f'name="mlgates.answer_length.{part}"') == 1
    assert 'value="20 characters"' in text
    done.stdout.fnmatch_lines(
        ["::error file=gate_configs/demo.yaml,line=6,title=demo%3A answer_length FAIL::*"]
    )
