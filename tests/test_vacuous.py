"""Nothing passes by absence: runs that saw nothing, too little or something broken."""

from __future__ import annotations

import dataclasses
import importlib
import math
from datetime import UTC, datetime
from typing import Annotated

import pytest

from pytest_mlgates import registry
from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.config.load import load_config
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.core import Evidence, Gate, Measurement, Outcome, Role, Verdict
from pytest_mlgates.report.build import build
from pytest_mlgates.report.model import EntryInfo, Scope

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Easy(Gate):
    """Passes whatever it is shown, so that only the machinery can refuse."""

    name = "easy"
    size: Annotated[int, "how large"] = 1

    def measure(self, produce):
        """Hand on what the test made."""
        return produce()

    def decide(self, measurement, /):
        """Pass."""
        return Verdict(Outcome.PASS, "easy")


def seen(**changes):
    return Measurement(**{"value": 1.0, "unit": "x", "n": 5, **changes})


def stop(error):
    def measure():
        raise error

    return measure


def broken_off():
    yield seen()
    raise RuntimeError("later")


async def broken_async():
    raise RuntimeError("in the loop")


class Undecided(Easy):
    def decide(self, measurement, /):
        if measurement.n < 3:
            return Verdict(Outcome.INCONCLUSIVE, "go on")
        return Verdict(Outcome.PASS, "enough")


def broken_off_undecided():
    yield seen(n=1)
    raise RuntimeError("before enough was seen")


MACHINERY = {
    "nothing measured": lambda: None,
    "a PASS on no observation": lambda: seen(n=0),
    "no look at all": lambda: iter(()),
    "a number for a measurement": lambda: 0.0,
    "a list of looks": lambda: [seen()],
    "an infinite value": lambda: seen(value=math.inf),
    "NaN": lambda: seen(value=math.nan),
    "NaN deep in the details": lambda: seen(details={"a": [{"b": math.nan}]}),
    "a value that is true": lambda: seen(value=True),
    "fewer than no observations": lambda: seen(n=-1),
    "NaN observations": lambda: seen(n=math.nan),
    "an interval upside down": lambda: seen(interval=(2.0, 1.0)),
    "details that JSON can't hold": lambda: seen(details={"a": object()}),
    "pytest.skip": lambda: pytest.skip("no"),
    "pytest.xfail": lambda: pytest.xfail("no"),
    "pytest.fail": lambda: pytest.fail("no"),
    "sys.exit": stop(SystemExit(0)),
    "os error": stop(OSError("gone")),
    "StopIteration": stop(StopIteration()),
    "an assertion in the subject": stop(AssertionError()),
    "cancelled": stop(__import__("asyncio").CancelledError()),
    "an await that breaks": broken_async,
    "an async generator": lambda: (x async for x in ()),
}


@pytest.mark.parametrize("case", MACHINERY)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_machinery(case):
    """What a broken measure leaves is ERROR, and no exception."""
    assert Easy().run(MACHINERY[case]).outcome == Outcome.ERROR


def test_broken_off_before_it_was_decided():
    assert Undecided().run(broken_off_undecided).outcome == Outcome.ERROR


def of_gates():
    for name in registry.names():
        try:
            module = importlib.import_module(f"tests.gate_cases.{name}")
        except ModuleNotFoundError:
            continue  # tests/test_contract.py asks for it
        yield from (pytest.param(run, id=f"{name}-{case}") for case, run in module.VACUOUS.items())


GATES = list(of_gates())


@pytest.mark.parametrize("run", GATES)
def test_gate(run):
    """A gate that saw nothing, or too little, says so."""
    evidence = run()
    assert evidence.outcome in (Outcome.INCONCLUSIVE, Outcome.ERROR)
    assert len(evidence.verdict.reason) > 10


def scope(**rules):
    entries = (EntryInfo(entry="a", gate="easy", source="c.yaml:4"),)
    return Scope(
        path="c.yaml", sha256="0" * 64, system="s", owner="", controls=(), entries=entries,
        profile=Profile(**rules), waivers=(),
    )  # fmt: skip


def piece(outcome, *, entry="a", role=Role.GATE, system="s", attempt=1, digest=None):
    return Evidence(
        gate="easy", policy={}, verdict=Verdict(outcome, "so it is"), entry=entry, system=system,
        test="t", role=role, attempt=attempt, subject_digest=digest,
    )  # fmt: skip


REPORTS = {
    "no config, no evidence": ([], [], []),
    "no evidence": ([], [scope()], []),
    "only known bad": ([piece("fail", role=Role.KNOWN_BAD)], [scope()], []),
    "known bad of no config": ([piece("fail", role=Role.KNOWN_BAD)], [], []),
    "evidence of another system": ([piece("pass", system="other")], [scope()], []),
    "evidence of another entry": ([piece("pass", entry="b")], [scope()], []),
    "a lost worker": ([piece("pass")], [scope()], ["the worker gw0 died"]),
    "undecided": ([piece("inconclusive")], [scope()], []),
    "undecided where that only warns": ([piece("inconclusive")], [scope(inconclusive="warn")], []),
    "a pass after a fail": ([piece("fail"), piece("pass", attempt=2)], [scope()], []),
    "a fail after a pass": (
        [piece("pass"), piece("fail", attempt=2)],
        [scope(reruns="last")],
        [],
    ),
    "a missed incident": (
        [piece("pass"), piece("inconclusive", role=Role.KNOWN_BAD, attempt=2)],
        [scope()],
        [],
    ),
    "one subject in both roles": (
        [piece("pass", digest="d"), piece("fail", role=Role.KNOWN_BAD, attempt=2, digest="d")],
        [scope()],
        [],
    ),
}


@pytest.mark.parametrize("case", REPORTS)
def test_report(case):
    """A report over it does not say PASS."""
    evidence, scopes, lost = REPORTS[case]
    assert build(evidence, scopes, lost, {}, NOW).outcome != "pass"


CONFIGS = {
    "no gates": "version: 1\nsystem: s\ngates: {}\n",
    "gates left out": "version: 1\nsystem: s\n",
    "a list for gates": "version: 1\nsystem: s\ngates: []\n",
    "a misspelled field": "version: 1\nsystem: s\ngates:\n  answer_length: {max_char: 5}\n",
    "a limit left out": "version: 1\nsystem: s\ngates:\n  answer_length: {}\n",
    "a limit that is null": "version: 1\nsystem: s\ngates:\n  answer_length: {max_chars: }\n",
    "an unknown gate": "version: 1\nsystem: s\ngates:\n  answer_lenght: {max_chars: 5}\n",
    "empty": "",
}


@pytest.mark.parametrize("case", CONFIGS)
def test_config(case, tmp_path):
    """A config that would gate nothing, or not what it says, is refused."""
    file = tmp_path / "c.yaml"
    file.write_text(CONFIGS[case])
    with pytest.raises(ConfigError):
        load_config(file)


def test_the_battery_is_large():
    """At least forty cases."""
    assert len(MACHINERY) + 1 + len(GATES) + len(REPORTS) + len(CONFIGS) >= 40
