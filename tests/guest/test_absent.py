"""A test that asks for a gate and never gets to it is named; under ``complete`` it fails the run."""

from __future__ import annotations

import pytest

FOUR = """
@pytest.fixture(params=["small", "large"])
def model(request):
    if request.param == "large":
        pytest.importorskip("a_package_that_is_not_here")
    return GOOD
def test_model(model, slice_coverage):
    slice_coverage(model, "k")
@pytest.fixture
def broken():
    raise ValueError("the model does not load")
@pytest.mark.xfail
def test_broken(broken, slice_coverage):
    slice_coverage(BAD, "k")
@pytest.mark.skip(reason="no GPU")
def test_skipped(slice_coverage):
    slice_coverage(BAD, "k")
@pytest.mark.slice_coverage("other")
def test_o(slice_coverage):
    slice_coverage(GOOD, "k")
"""

ABSENT = {
    "test_it.py::test_model[large]": "could not import 'a_package_that_is_not_here'",
    "test_it.py::test_broken": "xfailed in its setup",
    "test_it.py::test_skipped": "Skipped: no GPU",
}


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_every_test_that_left_nothing_is_named(guest, workers):
    guest.tests(FOUR)
    result = guest.run(*workers)
    assert result.ret == 0
    report = guest.report()
    why = {gap["test"]: gap["why"] for gap in report["absent"]}
    assert why.keys() == ABSENT.keys()
    assert all(ABSENT[test] in why[test] for test in ABSENT)
    assert report["outcome"] == "missing"
    assert report["missing"] == []
    text = result.stdout.str()
    summary = (guest.report_folder / "summary.md").read_text("utf-8")
    for test in ("test_broken", "test_skipped"):
        assert f"test_it.py::{test}" in text
        assert test in summary.replace("\\", "")
    result = guest.run("--mlgates-profile=full", *workers)
    assert result.ret == 1
    asked = [line for line in guest.report()["problems"] if "asked for this gate and left" in line]
    assert len(asked) == 3


def test_deselected_and_a_broken_setup(guest):
    guest.tests(FOUR.replace("@pytest.mark.xfail\n", ""))
    guest.run("--deselect", "test_it.py::test_model")
    why = {gap["test"].split("::")[1]: gap["why"] for gap in guest.report()["absent"]}
    assert why == {
        "test_model[small]": "deselected",
        "test_model[large]": "deselected",
        "test_broken": "its setup failed: ValueError",
        "test_skipped": "Skipped: no GPU",
    }


def test_a_cut_short_run_names_what_did_not_run(guest):
    guest.tests(
        'def test_a(slice_coverage):\n    slice_coverage(BAD, "k")\n'
        'def test_b(slice_coverage):\n    slice_coverage(GOOD, "k")\n'
    )
    assert guest.run("-x").ret == 1
    (gap,) = guest.report()["absent"]
    assert (gap["test"], gap["why"]) == ("test_it.py::test_b", "not run")


def test_a_shard_that_is_not_there(guest, monkeypatch):
    """Each shard knows every test, as pytest-split deselects those of the others."""
    from pytest_mlgates.commands.combine import combine

    guest.tests(
        "\n".join(f'def test_{n}(slice_coverage):\n    slice_coverage(GOOD, "k")' for n in range(3))
    )
    folders = []
    for n in (0, 1):
        guest.project.report_folder = guest.path / f"shard{n}"
        folders.append(guest.report_folder)
        assert guest.run("-k", f"test_{n}").ret == 0
    made = combine(folders).report
    assert [(gap.test, gap.why) for gap in made.absent] == [("test_it.py::test_2", "deselected")]
    assert made.outcome == "missing"


def test_older_reports_have_none(guest):
    """A report that was written before can be read: it names no absent test."""
    from pytest_mlgates.report.read import read_report, report_of

    guest.tests('def test_a(slice_coverage):\n    slice_coverage(GOOD, "k")\n')
    guest.run()
    data = read_report(guest.report_folder)
    assert "absent" not in data
    assert report_of(guest.report_folder, data).absent == ()


def test_dead_before_its_gate_says_why_once(guest):
    """One failure, with the reason: not a second one that says the gate was never called."""
    guest.tests(
        "def test_it(slice_coverage):\n    import my_package\n    slice_coverage(my_package, 'k')\n"
    )
    result = guest.run()
    assert result.ret == 1
    result.assert_outcomes(failed=1)
    (piece,) = guest.report()["evidence"]
    assert piece["verdict"]["reason"] == (
        "the test ended before it called this gate: "
        "ModuleNotFoundError was raised at test_it.py:8 in test_it"
    )
