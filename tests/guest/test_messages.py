"""What a developer reads when a gate does not pass."""

from __future__ import annotations

import functools

import pytest

from pytest_mlgates.session.suspects import train_mode


def test_several_runs_of_one_entry(guest):
    """A row stands for the worst of them and says for how many; problem lines name the test."""
    guest.tests(
        """
        @pytest.mark.parametrize("n", range(7))
        def test_it(slice_coverage, n):
            slice_coverage(BAD if n in (2, 5) else GOOD, "k")
        """
    )
    result = guest.run()
    assert result.ret == 1
    text = result.stdout.str()
    assert "FAIL (2 of 7 runs)" in text
    for n in (2, 5):
        assert f"(min_share 10 %) [test_it.py::test_it[{n}]]" in text
    gates = text[text.index("= ML gates: ") :]
    assert gates.index("FAIL: ") < gates.index("system  gate")
    assert "  slice_coverage: a: 5 rows" not in gates  # printed with the failure already
    assert set(guest.report()["environment"]["seconds"]) == {"demo: slice_coverage"}


def test_a_green_run_is_short(guest):
    guest.tests(
        """
        def test_it(slice_coverage):
            slice_coverage(GOOD, "k")
        @pytest.mark.slice_coverage("other")
        def test_other(slice_coverage):
            slice_coverage(GOOD, "k")
        @pytest.mark.known_bad
        def test_incident(slice_coverage):
            slice_coverage(BAD, "k")
        """
    )
    result = guest.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*= ML gates: PASS, may merge =*", "1 incident caught (-v shows it)"]
    )
    assert "incident caught by" not in result.stdout.str()
    assert "incident caught by demo: slice_coverage" in guest.run("-v").stdout.str()
    chosen = guest.run("test_it.py::test_it").stdout.str()
    assert "PASS of what these tests ask for (1 gate not asked)" in chosen
    assert "not asked for by these tests (1 configured): demo: other" in chosen


def test_inconclusive_that_is_let_through_has_its_reason(guest):
    guest.config(
        "version: 1\nsystem: demo\nowner: me\ngates:\n  pii_leak: {}\n"
        "profiles:\n  default: {inconclusive: warn}\n"
    )
    guest.tests("def test_it(pii_leak):\n    pii_leak(lambda p: 'fine', ['a', 'b'])\n")
    result = guest.run()
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*INCONCLUSIVE, may merge*", "demo: pii_leak: INCONCLUSIVE: *"])


def test_a_plugins_fixture_that_takes_the_name_is_told(guest):
    """A user's own wins in silence; an installed plugin's would ungate a test unseen."""
    site = guest.path / "site-packages"
    site.mkdir()
    (site / "their_plugin.py").write_text(
        "import pytest\n@pytest.fixture\ndef slice_coverage():\n    return lambda *a: None\n"
    )
    guest.tests('def test_it(slice_coverage):\n    slice_coverage(BAD, "k")\n')
    guest.project.pytester.syspathinsert(site)
    guest.conftest('pytest_plugins = ["their_plugin"]\n')
    result = guest.run(report=False)
    result.stdout.fnmatch_lines(["*slice_coverage is a fixture of their_plugin here and no gate*"])


REACHED = (
    '@pytest.fixture\ndef gate(request):\n    return request.getfixturevalue("slice_coverage")\n'
)


def test_a_gate_that_a_fixture_asks_for(guest):
    guest.tests(
        REACHED
        + """
@pytest.mark.slice_coverage("other")
def test_a(gate):
    gate(GOOD, "k")
@pytest.mark.known_bad
def test_b(gate):
    gate(BAD, "k")
def test_c(gate):
    gate(GOOD, "k")
"""
    )
    assert guest.run().ret == 0
    assert guest.seen() == [("test_a", "pass"), ("test_b", "fail"), ("test_c", "pass")]
    guest.tests(REACHED + '@pytest.mark.known_bad\ndef test_b(gate):\n    gate(GOOD, "k")\n')
    assert guest.run().ret == 1


@pytest.mark.parametrize("given", ["a function", "a method", "a partial", "a closure"])
def test_train_mode_is_suspected(given):
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Dropout(0.5))

    class Model:
        def __init__(self):
            self.net = net

        def score(self, text):
            return float(self.net(torch.ones(2)))

    values = {
        "a function": net.forward,
        "a method": Model().score,
        "a partial": functools.partial(Model.score, Model()),
        "a closure": lambda text: float(net(torch.ones(2))),
    }
    assert "is in train mode with an active Dropout" in train_mode([values[given], ["x"]])
    net.eval()
    assert train_mode([values[given], ["x"]]) == ""
