"""What the shared suites ask of ``lead_time``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.lead_time import LeadTime

SECRETS = ("ada.lovelace@example.org", "4111-1111-1111-1111")

GATE = LeadTime(max_minutes=30, max_handoffs=0)
NAMED = LeadTime(max_minutes=30, max_handoffs=0, features=("customer:age",))


def record(n: int, **more: Any) -> dict[str, Any]:
    """One step of a log, a minute after the one before it."""
    times = {"start": f"2026-03-02T08:0{n}:00Z", "end": f"2026-03-02T08:0{n}:30Z"}
    return {"name": f"step {SECRETS[1]} {n}", "by": SECRETS[0], "exit_status": 0, **times, **more}


SERVED = {"customer:age": 71, "customer:tenure": 4.5}
LOG = [record(0), record(1, by="engineer"), record(2, served=["customer:age"])]
LAST = record(0, served=["age"])


def apply() -> None:
    """Do nothing that takes long."""


def fails() -> None:
    """Fail, with something in its text that nobody may see."""
    raise ValueError(SECRETS[0])


def sound() -> Evidence:
    """Return the evidence on steps that serve a feature."""
    words = [sys.executable, "-c", "print()"]
    return GATE.run([apply, {"name": SECRETS[0], "command": words}, ("get", lambda: SERVED)])


def flawed() -> Evidence:
    """Return the evidence on a log of people who waited for each other."""
    return GATE.run(LOG)


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no steps": lambda: GATE.run([]),
    "an exhausted iterator": lambda: GATE.run(iter(())),
    "a callable alone": lambda: GATE.run(apply),
    "a null beside a value": lambda: GATE.run([lambda: {"customer_id": 1, "age": None}]),
    "served before the first step": lambda: GATE.run([apply], probe=lambda: SERVED),
    "a log without exit status": lambda: GATE.run([{**LAST, "exit_status": None}]),
    "a log without times": lambda: GATE.run([{**LAST, "start": None, "end": ""}]),
    "a log with an end alone": lambda: GATE.run([{**LAST, "start": None}]),
    "a step that was not run": lambda: GATE.run([{"name": "apply", "by": SECRETS[0]}, LAST]),
    "a step that ends before it starts": lambda: GATE.run([{**LAST, "end": "2026-03-01"}]),
    "steps that overlap": lambda: GATE.run([{**LAST, "end": "2026-03-02T08:10Z"}, record(1)]),
    "a log of the future": lambda: GATE.run([{**LAST, "end": "2999-01-01"}]),
    "a log of no time": lambda: GATE.run([{**LAST, "end": LAST["start"]}]),
    "a log that serves nothing": lambda: GATE.run([record(0)]),
    "a log whose last step serves nothing": lambda: GATE.run([LAST, record(1)]),
    "a log without names": lambda: GATE.run([{**LAST, "by": None}]),
    "seconds that contradict the times": lambda: GATE.run([{**LAST, "seconds": 1}]),
    "times that are none": lambda: GATE.run([{**LAST, "start": "soon"}]),
    "run and recorded": lambda: GATE.run([apply, LAST]),
    "numbers": lambda: GATE.run([1, 2]),
    "one record": lambda: GATE.run(LAST),
    "a file that is not there": lambda: GATE.run("no-such/log.jsonl"),
}

#: what was run here, and is known to serve nothing: that is no want of evidence
FAILS: dict[str, Callable[[], Evidence]] = {
    "steps that serve nothing": lambda: GATE.run([apply]),
    "a feature that is null": lambda: NAMED.run([lambda: {"customer:age": None}]),
    "another feature": lambda: NAMED.run([lambda: {"customer:tenure": 1}]),
    "a text for an answer": lambda: GATE.run([lambda: "served"]),
    "a generator for an answer": lambda: GATE.run([lambda: (n for n in range(2))]),
    "a step that raises": lambda: GATE.run([fails, lambda: SERVED]),
    "the last step raises": lambda: GATE.run([apply, fails]),
    "a command that is not there": lambda: GATE.run([["no-such-command-7"], lambda: SERVED]),
    "a command that fails": lambda: GATE.run([[sys.executable, "-c", "raise SystemExit(3)"]]),
    "a command that says nothing": lambda: GATE.run([[sys.executable, "-c", "print('ok')"]]),
    "a probe that finds nothing": lambda: GATE.run([lambda: SERVED], probe=lambda: None),
    "a probe that raises": lambda: GATE.run([lambda: SERVED], probe=fails),
}
