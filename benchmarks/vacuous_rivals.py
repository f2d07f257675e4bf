"""Who passes a run that saw nothing, saw too little, or broke.

Each case goes to the real packages, in a virtual environment of each one's own, as far as it can be
put to them (n.a. elsewhere). modeltest and bdp-model-gate are asked through their Python API and
their config files, deepeval, pytest-benchmark and ours through pytest. The verdict is the tool's own
(report, status, result) where it gives one, else the exit status: 0 is PASS. Where ours says no PASS
in its report and leaves status 0 all the same, the cell says so.

Then ours answers for every case of tests/gate_cases/*.py as well.

    python benchmarks/vacuous_rivals.py [--quick] [--work DIR] [--out FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib.util
import io
import json
import logging
import shutil
import sys
import tempfile
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

PASS, FAIL, INCONCLUSIVE, ERROR = "PASS", "FAIL", "INCONCLUSIVE", "ERROR"

#: each tool has to pass this one, or its other verdicts would say nothing; it is not counted
CONTROL = "control"

CASES = {
    CONTROL: "a sound subject, enough of it",
    "no checks": "the list of checks is empty",
    "no list": "the config has no list of checks",
    "misspelled section": "the limits stand under a misspelled key; the subject misses them",
    "misspelled field": "a limit's own name is misspelled; the subject misses it",
    "unknown check": "the check's name is misspelled",
    "empty data": "no rows, inputs or prompts",
    "empty parametrize": "a test for each row of an empty data set",
    "NaN": "the model answers NaN",
    "n = 2": "two observations",
    "3 latencies": "a tail latency from three calls",
    "one group": "fairness with one group only",
    "no evidence": "most of what was to be checked was never supplied",
    "no baseline": "no worse than the baseline, and there is none",
    "broken subject": "the model raises on every call",
    "never called": "the test asks for the check and never calls it",
    "xdist": "a subject that misses its limit, under -n 2",
    "swallowed": "the test catches the failure",
    "pardoned": "a failure is pardoned, with no end to it",
    "no gate in the run": "checks are configured, none runs",
}

Verdict = tuple[str, str]


# modeltest and bdp-model-gate: the functions run in the environment of the tool


def _modeltest_yaml(text: str, rows: int = 200, **about: Any) -> Verdict:
    from modeltest.config import load_suite_yaml

    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(textwrap.dedent(text))
        file.flush()
        suite = load_suite_yaml(file.name)
    model, frame, labels = _subject(rows, **about)
    result = suite.run(model, frame, labels)
    said = "; ".join(f"{r.status.value} {r.detail}".strip() for r in result.results)
    if result.passed:
        return PASS, said or "no results"
    errors = any(r.status.value == "ERROR" for r in result.results)
    return (ERROR if errors else FAIL), said


def _subject(rows: int, groups: int = 2, answer: str = "right") -> Any:
    """Return a model that is right in nine of ten cases (or else), its rows and labels."""
    import numpy as np
    import pandas as pd

    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draw.normal(size=rows), "z": draw.normal(size=rows)})
    positive = (frame["x"] + frame["z"] > 0).to_numpy()
    if rows == 2:
        frame["x"], positive = [-1.0, 3.0], np.array([False, True])
    frame["group"] = [f"g{i % groups}" for i in range(rows)]
    labels = (positive ^ (draw.random(rows) < 0.1 * (rows > 20))).astype(int)

    class Model:
        feature_names_in_ = ("x", "z")

        def predict(self, rows: Any) -> Any:
            if answer == "raises":
                raise RuntimeError("no model")
            said = (rows["x"] + rows["z"] > 0).to_numpy().astype(float)
            return said * np.nan if answer == "nan" else said.astype(int)

    return Model(), frame, labels


_ACCURACY = """
suite:
  tests:
    - type: minimum_accuracy
      params: {threshold: 0.8}
"""
_PARITY = """
suite:
  tests:
    - type: statistical_parity
      params: {protected_col: group, max_diff: 0.1}
"""

MODELTEST: dict[str, Callable[[], Verdict]] = {
    CONTROL: lambda: _modeltest_yaml(_ACCURACY),
    "no checks": lambda: _modeltest_yaml("suite: {name: s, tests: []}"),
    "no list": lambda: _modeltest_yaml("suite: {name: s}"),
    "misspelled section": lambda: _modeltest_yaml(
        "suite: {tests: [{type: minimum_accuracy, parms: {threshold: 0.999}}]}"
    ),
    "misspelled field": lambda: _modeltest_yaml(
        "suite: {tests: [{type: minimum_accuracy, params: {treshold: 0.999}}]}"
    ),
    "unknown check": lambda: _modeltest_yaml("suite: {tests: [{type: minimum_acuracy}]}"),
    "empty data": lambda: _modeltest_yaml(_ACCURACY, rows=0),
    "NaN": lambda: _modeltest_yaml(_ACCURACY, answer="nan"),
    "n = 2": lambda: _modeltest_yaml(_ACCURACY, rows=2),
    "one group": lambda: _modeltest_yaml(_PARITY, groups=1),
    "no baseline": lambda: _modeltest_yaml("suite: {tests: [{type: data_drift}]}"),
    "broken subject": lambda: _modeltest_yaml(_ACCURACY, answer="raises"),
}


def _bdp(
    rows: int = 200,
    config: Mapping[str, Any] | None = None,
    checks: list[Any] | None = None,
    groups: int = 0,
    answer: str = "right",
    **context: Any,
) -> Verdict:
    import bdp_model_gate as bdp
    from bdp_model_gate.cli import _apply_config_overrides
    from bdp_model_gate.exceptions import BDPModelGateError

    model, frame, labels = _subject(rows, max(groups, 1), answer)
    if groups:
        context["protected_df"] = frame[["group"]]
    # what the command line does with --config
    policy = _apply_config_overrides(bdp.GateConfig(), dict(config or {}))
    features = frame[["x", "z"]]
    try:
        said = _subject(rows, answer="right" if answer == "raises" else answer)[0].predict(features)
        asked = bdp.StructuredGateContext(
            model=model, X=features, y_true=labels, y_pred=said, task="binary", **context
        )
        report = bdp.ModelGate(checks=checks, config=policy).run(asked)
    except BDPModelGateError as error:
        return ERROR, str(error)
    flags = sorted({f"{r.check_name} {r.flag}" for r in report.flags})
    idle = sum(r.flag == "NOT_APPLICABLE" for r in report.results)
    text = f"{report.gate_status}, {idle} of {len(report.results)} checks not applicable"
    text += f": {'; '.join(flags)}" if flags else ""
    if report.gate_status == "PASS":
        return PASS, text
    if any(r.flag == "CHECK_ERROR" for r in report.flags):
        return ERROR, text
    blocked = [r for r in report.flags if r.blocking]
    unsure = all(r.flag == "UNCERTAIN" for r in (blocked or report.flags))
    return (INCONCLUSIVE if unsure else FAIL), text


BDP: dict[str, Callable[[], Verdict]] = {
    CONTROL: lambda: _bdp(groups=2, rows=2000),
    "no checks": lambda: _bdp(checks=[]),
    "misspelled section": lambda: _bdp(config={"performanse": {"min_score": 0.999}}),
    "misspelled field": lambda: _bdp(config={"performance": {"min_scor": 0.999}}),
    "empty data": lambda: _bdp(rows=0),
    "NaN": lambda: _bdp(answer="nan"),
    "n = 2": lambda: _bdp(rows=2),
    "3 latencies": lambda: _bdp(latencies_ms=[5.0, 6.0, 7.0]),
    "one group": lambda: _bdp(groups=1),
    "no evidence": _bdp,
    "broken subject": lambda: _bdp(answer="raises"),
}


def drive(tool: str) -> None:
    """Put every case to ``tool``, inside its environment; print the verdicts as JSON."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    table = {"modeltest": MODELTEST, "bdp-model-gate": BDP}[tool]
    verdicts: dict[str, Verdict] = {}
    for case, ask in table.items():
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                verdicts[case] = ask()
            except Exception as error:  # noqa: BLE001  (a refusal is a verdict)
                verdicts[case] = (ERROR, f"{type(error).__name__}: {error}")
    print("VERDICTS" + json.dumps(verdicts))


def drive_gate_cases(folder: Path) -> None:
    """Run what the files of tests/gate_cases call vacuous; print the verdicts as JSON."""
    sys.path.insert(0, str(folder.parent / "example_plugin"))  # a gate that is not installed
    verdicts: dict[str, Verdict] = {}
    for file in sorted(folder.glob("[a-z]*.py")):
        try:
            spec = importlib.util.spec_from_file_location(f"gate_cases_{file.stem}", file)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            cases = dict(module.VACUOUS)
        except Exception:  # noqa: BLE001  (a file that can't be read is no proof)
            verdicts[file.stem] = ("UNREADABLE", traceback.format_exc(limit=1).splitlines()[-1])
            continue
        for name, ask in cases.items():
            try:
                evidence = ask()
                verdict = (evidence.outcome.value.upper(), evidence.verdict.reason)
            except Exception as error:  # noqa: BLE001
                verdict = (ERROR, f"{type(error).__name__} was raised")
            verdicts[f"{file.stem}: {name}"] = verdict
    print("VERDICTS" + json.dumps(verdicts))


# the tools that are pytest plugins: a test file, options, files around it


@dataclasses.dataclass(frozen=True)
class Project:
    """One run of pytest; ``before`` are the options of a run that comes first."""

    test: str
    args: tuple[str, ...] = ()
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    before: tuple[str, ...] | None = None


_DEEPEVAL = """
import pytest
from deepeval import assert_test, evaluate
from deepeval.metrics import BaseMetric, ExactMatchMetric
from deepeval.test_case import LLMTestCase

def case(said="yes", **more):
    return LLMTestCase(input="?", actual_output=said, expected_output="yes", **more)

class Given(BaseMetric):
    threshold, given = 0.5, None
    def measure(self, test_case, *args, **kwargs):
        if self.given is None:
            raise RuntimeError("no model")
        self.score = self.given
        self.success = self.score >= self.threshold
        return self.score
    async def a_measure(self, test_case, *args, **kwargs):
        return self.measure(test_case)
    def is_successful(self):
        return self.success
    __name__ = "given"

class NaN(Given):
    given = float("nan")
"""


def _deepeval(body: str, *args: str) -> Project:
    return Project(_DEEPEVAL + textwrap.dedent(body), args)


DEEPEVAL = {
    CONTROL: _deepeval("def test_it():\n    assert_test(case(), [ExactMatchMetric()])"),
    "no checks": _deepeval("def test_it():\n    assert_test(case(), [])"),
    "misspelled field": _deepeval(
        "def test_it():\n    assert_test(case(), [ExactMatchMetric(treshold=0.9)])"
    ),
    "empty data": _deepeval(
        "def test_it():\n    told = evaluate([], [ExactMatchMetric()])\n"
        "    assert all(one.success for one in told.test_results)"
    ),
    "empty parametrize": _deepeval(
        "from deepeval.dataset import EvaluationDataset\n"
        "@pytest.mark.parametrize('one', EvaluationDataset().test_cases)\n"
        "def test_it(one):\n    assert_test(one, [ExactMatchMetric()])"
    ),
    "NaN": _deepeval("def test_it():\n    assert_test(case(), [NaN()])"),
    "n = 2": _deepeval(
        "@pytest.mark.parametrize('one', [case(), case()])\n"
        "def test_it(one):\n    assert_test(one, [ExactMatchMetric()])"
    ),
    "broken subject": _deepeval("def test_it():\n    assert_test(case(), [Given()])"),
    "never called": _deepeval(
        "def test_it():\n    metric = ExactMatchMetric()\n    made = case('no')"
    ),
    "xdist": _deepeval(
        "def test_it():\n    assert_test(case('no'), [ExactMatchMetric()])", "-n", "2"
    ),
    "swallowed": _deepeval(
        "def test_it():\n    try:\n        assert_test(case('no'), [ExactMatchMetric()])\n"
        "    except AssertionError:\n        pass"
    ),
    "pardoned": _deepeval(
        "def test_it():\n    assert_test(case('no', flaky=True), [ExactMatchMetric()])"
    ),
    "no gate in the run": _deepeval(
        "@pytest.mark.skip\ndef test_it():\n    assert_test(case('no'), [ExactMatchMetric()])"
    ),
}

_SLOW = "import os, time, pytest\ndef work():\n    time.sleep(float(os.environ.get('S', '0.01')))\n"
_LIMIT = ("--benchmark-compare", "--benchmark-compare-fail=min:50%")
_BENCH = "def test_it(benchmark):\n    benchmark.pedantic(work, rounds={}, iterations=1)\n"
#: what is slower in the second run than in the one before it, which is the baseline
_SLOWER = "import pathlib\nfirst = not pathlib.Path('.benchmarks').exists()\n" + _SLOW.replace(
    "float(os.environ.get('S', '0.01'))", "0.001 if first else 0.05"
)
_SAVE = ("--benchmark-autosave",)

BENCHMARK = {
    CONTROL: Project(_SLOW + _BENCH.format(20), _LIMIT, before=_SAVE),
    "misspelled field": Project(
        _SLOWER + "@pytest.mark.benchmark(min_round=3)\n" + _BENCH.format(3), _LIMIT, before=_SAVE
    ),
    "empty parametrize": Project(
        _SLOW
        + "@pytest.mark.parametrize('x', [])\ndef test_it(benchmark, x):\n    benchmark(work)\n",
        _LIMIT,
    ),
    "3 latencies": Project(_SLOW + _BENCH.format(3), _LIMIT, before=_SAVE),
    "n = 2": Project(_SLOW + _BENCH.format(2), _LIMIT, before=_SAVE),
    "no baseline": Project(_SLOW + _BENCH.format(5), _LIMIT),
    "broken subject": Project(
        "def test_it(benchmark):\n    benchmark(lambda: 1 / 0)\n", _LIMIT, before=_SAVE
    ),
    "never called": Project("def test_it(benchmark):\n    pass\n", _LIMIT),
    "xdist": Project(_SLOWER + _BENCH.format(5), (*_LIMIT, "-n", "2"), before=_SAVE),
    "no gate in the run": Project(
        _SLOW + "@pytest.mark.skip\n" + _BENCH.format(5) + "def test_other():\n    pass\n", _LIMIT
    ),
}

_HEAD = "import pytest\npytestmark = pytest.mark.system('demo')\n"
_CONFIG = "version: 1\nsystem: demo\nowner: team-a\n"
_LENGTH = "gates:\n  answer_length: {max_chars: 10}\n"
_REPORT = ("--mlgates-report", "report")
_GOOD = "def test_it(answer_length):\n    answer_length(lambda p: 'ok', ['a', 'b'])\n"
_BAD = _GOOD.replace("'ok'", "'x' * 20")


def _ours(test: str, gates: str = _LENGTH, *args: str) -> Project:
    config = _CONFIG + gates
    return Project(_HEAD + test, (*_REPORT, *args), {"gate_configs/demo.yaml": config})


_NAMES = "gates:\n  name_invariance: {}\n"
_P99 = "gates:\n  p99_latency: {max_ms: 50%s}\n"
_TEXTS = "['{NAME} writes Python.', '{NAME} is new.']"


def _names(score: str, more: str = "") -> Project:
    call = f"name_invariance({score}, {_TEXTS}{more})"
    return _ours(f"def test_it(name_invariance):\n    {call}\n", _NAMES)


def _p99(call: str, inputs: str = "[1, 2]", more: str = "", *args: str) -> Project:
    test = f"import time\ndef test_it(p99_latency):\n    p99_latency({call}, {inputs})\n"
    return _ours(test, _P99 % more, *args)


_NOOP = "lambda x: None"
#: a case that has several forms has several lines; the second part of the name tells them apart
OURS = {
    CONTROL: _ours(_GOOD),
    "no checks": _ours(_GOOD, "gates: {}\n"),
    "no list": _ours(_GOOD, ""),
    "misspelled section": _ours(_BAD, "gates:\n  answer_length: {parms: {max_chars: 10}}\n"),
    "misspelled section/top": _ours(_GOOD, "gatess:\n  answer_length: {max_chars: 10}\n"),
    "misspelled field": _ours(_BAD, "gates:\n  answer_length: {max_char: 10}\n"),
    "misspelled field/marker": _ours("@pytest.mark.answer_length(max_char=1)\n" + _GOOD),
    "misspelled field/twice": _ours(
        _BAD, "gates:\n  answer_length: {max_chars: 1, max_chars: 99}\n"
    ),
    "unknown check": _ours(_GOOD, "gates:\n  answer_lenght: {max_chars: 10}\n"),
    "empty data": _ours(_GOOD.replace("['a', 'b']", "[]")),
    "empty data/latency": _p99(_NOOP, "[]"),
    "empty data/names": _ours(
        "def test_it(name_invariance):\n    name_invariance(lambda t: 0.5, [])\n", _NAMES
    ),
    "empty parametrize": _ours(
        "@pytest.mark.parametrize('x', [])\ndef test_it(answer_length, x):\n    answer_length(str, [x])\n"
    ),
    "NaN": _names("lambda t: float('nan')"),
    "NaN/limit": _ours(_GOOD, "gates:\n  answer_length: {max_chars: .nan}\n"),
    "n = 2": _names("lambda t: 0.5", ", {'a': ['Ann'], 'b': ['Bo']}"),
    "3 latencies": _p99(_NOOP, "[1, 2, 3]", ", max_calls: 3"),
    "one group": _names("lambda t: 0.5", ", {'a': ['Ann', 'Bo', 'Cy', 'Di', 'Ed']}"),
    "no evidence": _ours(
        _GOOD,
        _LENGTH + "  other: {gate: answer_length, max_chars: 9}\n",
    ),
    "no evidence/complete": _ours(
        _GOOD,
        _LENGTH
        + "  other: {gate: answer_length, max_chars: 9}\nprofiles:\n  default: {complete: true}\n",
    ),
    "no baseline": _p99(_NOOP, "[1]", ", max_regression: 0.1"),
    "broken subject": _ours(_GOOD.replace("'ok'", "1 / 0")),
    "broken subject/latency": _p99("lambda x: 1 / 0"),
    "broken subject/skips": _ours(_GOOD.replace("'ok'", "pytest.skip('no')")),
    "broken subject/exits": _ours(_GOOD.replace("'ok'", "exit(0)")),
    "never called": _ours("def test_it(answer_length):\n    pass\n"),
    "never called/marker": _ours(
        "@pytest.mark.answer_length(max_chars=5)\ndef test_it():\n    pass\n"
    ),
    "xdist": _ours(_BAD, _LENGTH, "-n", "2"),
    "xdist/latency": _p99("lambda x: time.sleep(0.2)", "[1]", "", "-n", "2"),
    "xdist/worker dies": _ours(
        "import os\n" + _GOOD.replace("'ok'", "os._exit(0)"),
        _LENGTH,
        *("-n", "1", "--max-worker-restart", "0"),
    ),
    "swallowed": _ours(
        "def test_it(answer_length):\n    try:\n        answer_length(lambda p: 'x' * 20, ['a'])\n"
        "    except AssertionError:\n        pass\n"
    ),
    "swallowed/xfail": _ours("@pytest.mark.xfail(strict=False)\n" + _BAD),
    "pardoned": _ours(
        _BAD, _LENGTH + "waivers:\n  - {gate: answer_length, reason: r, approved_by: b}\n"
    ),
    "pardoned/expired": _ours(
        _BAD,
        _LENGTH
        + "waivers:\n  - {gate: answer_length, reason: r, approved_by: b, expires: 2020-01-01}\n",
    ),
    "pardoned/known bad": _ours("@pytest.mark.known_bad\n" + _BAD),
    "no gate in the run": _ours("def test_it():\n    pass\n"),
    "no gate in the run/skip": _ours("@pytest.mark.skip\n" + _GOOD),
    "no gate in the run/-k": _ours(_GOOD, _LENGTH, "-k", "nothing"),
}


# the controller: standard library only


@dataclasses.dataclass(frozen=True)
class Rival:
    """A tool, what pip installs for it, and how its cases are put."""

    name: str
    requirements: tuple[str, ...]
    distribution: str
    projects: Mapping[str, Project] | None = None
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    note: str = ""


def rivals() -> list[Rival]:
    """Return the tools; ours is the last."""
    from idle_cost import CHECKOUT

    return [
        Rival("modeltest", ("modeltest",), "modeltest"),
        Rival("bdp-model-gate", ("bdp-model-gate[structured]",), "bdp-model-gate"),
        Rival(
            "deepeval",
            ("deepeval", "pytest-xdist"),
            "deepeval",
            DEEPEVAL,
            {"DEEPEVAL_TELEMETRY_OPT_OUT": "1"},
            "its telemetry switched off (DEEPEVAL_TELEMETRY_OPT_OUT=1)",
        ),
        Rival(
            "pytest-benchmark", ("pytest-benchmark", "pytest-xdist"), "pytest-benchmark", BENCHMARK
        ),
        Rival(
            "ours",
            (f"{CHECKOUT}[search]", "pytest-xdist"),
            "pytest-mlgates",
            OURS,
        ),
    ]


def ask(rival: Rival, python: Path, home: Path, only: set[str]) -> dict[str, Any]:
    """Put every case to a tool and return its verdicts."""
    from idle_cost import CHECKOUT, run

    if rival.projects is None:
        return _told(run([python, __file__, "--drive", rival.name], home, timeout=900))
    if rival.name == "ours":
        rival = dataclasses.replace(rival, env={"PYTHONPATH": str(_example_site(home))})
    said: dict[str, Any] = {}
    for case, project in rival.projects.items():
        if not only or case.partition("/")[0] in (*only, CONTROL):
            said[case] = _pytest(rival, python, home, project)
            print(f"  {rival.name}, {case}: {said[case][0]}", file=sys.stderr)
    if rival.name == "ours":
        folder = CHECKOUT / "tests" / "gate_cases"
        command = [python, __file__, "--drive-gate-cases", folder]
        said |= _told(run(command, home, {"PYTHONPATH": str(CHECKOUT)}, timeout=600))
    return said


def _example_site(home: Path) -> Path:
    """Return a folder with the example gate, and the metadata that make it a third party's."""
    from idle_cost import CHECKOUT

    site = home / "site"
    info = site / "example_gate-1.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    shutil.copy(CHECKOUT / "tests" / "example_plugin" / "answer_length.py", site)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example-gate\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[pytest_mlgates.gates]\nanswer_length = answer_length:AnswerLength\n"
    )
    return site


def _told(ran: Any) -> dict[str, Any]:
    for line in ran.output.splitlines():
        if line.startswith("VERDICTS"):
            found: dict[str, Any] = json.loads(line.removeprefix("VERDICTS"))
            return found
    last = (ran.output.split() and ran.output.strip().splitlines()[-1]) or ""
    raise RuntimeError(f"ended with {ran.status}: {last[-200:]}")


def _pytest(rival: Rival, python: Path, home: Path, project: Project) -> list[Any]:
    from idle_cost import run

    folder = home / "project"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in {
        "test_it.py": project.test,
        "pytest.ini": "[pytest]\n",
        **project.files,
    }.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    command = [python, "-m", "pytest", "test_it.py"]
    if project.before is not None:
        run([*command, *project.before], folder, rival.env)
    ran = run([*command, *project.args], folder, rival.env)
    lines = [
        line for line in ran.output.splitlines() if line.startswith(("E  ", "ERROR", "FAILED"))
    ]
    last = (ran.output.strip().splitlines() or [""])[-1]
    detail = f"exit {ran.status}: {(lines or [last])[0].strip(' =')[:200]}"
    if ran.status is None:
        return [ERROR, "did not end in time", None]
    if rival.name == "ours":
        return [*_our_verdict(ran.status, folder / "report" / "report.json", detail), ran.status]
    statuses = {0: PASS, 1: FAIL, 5: ERROR}
    # a test that broke and one that failed leave the same status
    verdict = statuses.get(ran.status, ERROR)
    if verdict == FAIL and not any("AssertionError" in line for line in lines):
        verdict = ERROR
    return [verdict, detail, ran.status]


def _our_verdict(status: int, file: Path, detail: str) -> Verdict:
    """Read the report; without one, the exit status is the verdict."""
    if status == 4:
        return ERROR, detail
    if not file.exists():
        return (PASS if status == 0 else ERROR), detail
    outcome = json.loads(file.read_text("utf-8"))["outcome"]
    known = {"pass": PASS, "fail": FAIL, "error": ERROR, "missing": INCONCLUSIVE}
    verdict = known.get(outcome, outcome.upper() if outcome == "inconclusive" else ERROR)
    return verdict, f"report: {outcome}, {detail}"


def shown(case: str, said: Mapping[str, Any] | None) -> str:
    """Return a cell: the verdicts on a case, PASS in bold."""
    if said is None:
        return "?"
    found = [
        v[0] + (" (exit status 0)" if v[2:] == [0] and v[0] != PASS else "")
        for name, v in said.items()
        if name.partition("/")[0] == case
    ]
    words = dict.fromkeys(f"**{word}**" if word == PASS else word for word in found)
    return " / ".join(words) or "n.a."


def passes(said: Mapping[str, Any]) -> list[str]:
    """Return the cases that a tool passed, the control left out."""
    return [case for case, verdict in said.items() if verdict[0] == PASS and case != CONTROL]


def cases_of(said: Mapping[str, Any]) -> int:
    """Return how many cases were put to a tool, the control left out."""
    return len(said) - (CONTROL in said)


def report(found: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the Markdown table and what it comes to."""
    yield "| case | " + " | ".join(f"{n} {f['version']}" for n, f in found.items()) + " |"
    yield "|---" * (len(found) + 1) + "|"
    for case, sentence in CASES.items():
        cells = (shown(case, tool["said"]) for tool in found.values())
        yield f"| {case}: {sentence} | " + " | ".join(cells) + " |"
    yield ""
    for name, tool in found.items():
        if tool["said"] is None:
            yield f"{name}: {tool['failed']}"
        elif name != "ours":
            bad = passes(tool["said"])
            yield f"{name}: {cases_of(tool['said'])} cases, {len(bad)} passes" + (
                f" ({', '.join(bad)})" if bad else ""
            )


def our_lines(said: Mapping[str, Any]) -> Iterator[str]:
    """Yield what must be said of ours; the last line is the count."""
    for case in (*passes(said), *(c for c, v in said.items() if v[0] == "UNREADABLE")):
        yield f"ours, {case}: {said[case][0]}: {said[case][1]}"
    if CONTROL in said and said[CONTROL][0] != PASS:
        yield f"ours, {CONTROL}: {said[CONTROL][0]}: {said[CONTROL][1]}: the other verdicts prove nothing"
    quiet = [case for case, verdict in said.items() if verdict[2:] == [0] and verdict[0] != PASS]
    if quiet:
        yield f"ours: not PASS in the report and yet exit status 0: {', '.join(quiet)}"
    yield f"ours: {cases_of(said)} cases, {len(passes(said))} passes"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="ours, modeltest, bdp-model-gate only")
    parser.add_argument("--only", nargs="*", metavar="CASE", default=[])
    parser.add_argument("--tools", nargs="*", metavar="TOOL")
    parser.add_argument("--work", type=Path, metavar="DIR", help="keeps the environments")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the verdicts as JSON")
    parser.add_argument("--drive", help=argparse.SUPPRESS)
    parser.add_argument("--drive-gate-cases", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.drive:
        drive(args.drive)
        return 0
    if args.drive_gate_cases:
        drive_gate_cases(args.drive_gate_cases)
        return 0

    from idle_cost import InstallFailed, machine, make_venv, run, working_folder

    quick = ("ours", "modeltest", "bdp-model-gate") if args.quick else None
    names = args.tools or quick
    found: dict[str, dict[str, Any]] = {}
    with working_folder(args.work) as work:
        for rival in rivals():
            if names and rival.name not in names:
                continue
            home = work / f"vacuous-{rival.distribution}"
            home.mkdir(exist_ok=True)
            row: dict[str, Any] = {"version": "", "said": None, "note": rival.note}
            found[rival.name] = row
            try:
                python = make_venv(home / "venv", rival.requirements)
                code = f"import importlib.metadata as m; print(m.version({rival.distribution!r}))"
                row["version"] = run([python, "-c", code], home).output.strip()
                row["said"] = ask(rival, python, home, set(args.only))
            except (InstallFailed, RuntimeError) as error:
                row["failed"] = f"no verdicts: {error}"
    print("\n".join(report(found)))
    for name, row in found.items():
        if row["note"]:
            print(f"{name}: {row['note']}.")
    if args.out is not None:
        text = json.dumps({"machine": machine(), "cases": CASES, "tools": found}, indent=1)
        args.out.write_text(text + "\n", "utf-8")
    ours = found.get("ours", {}).get("said")
    if ours is None:
        return 1 if "ours" in found else 0
    print("\n".join(our_lines(ours)))
    unproved = CONTROL in ours and ours[CONTROL][0] != PASS
    unread = any(verdict[0] == "UNREADABLE" for verdict in ours.values())
    return 1 if passes(ours) or unproved or unread else 0


if __name__ == "__main__":
    sys.exit(main())
