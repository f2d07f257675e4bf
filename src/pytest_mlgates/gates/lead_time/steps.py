"""What users hand in as steps: callables and commands that the gate runs, or the records of a log."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.instants import CLOCK_SKEW, instant
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.lead_time.details import Step
from pytest_mlgates.gates.lead_time.served import Names, of_answer
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import unique_labels
from pytest_mlgates.reading.tables import missing

__all__ = ["Todo", "logged", "read_steps"]

_HOW = (
    "a list of callables, commands (a list of words, or {'command': [...]}) or of the records of a log"
    " (name, by, start, end, exit_status, served), or the path of such a log"
)
_YES, _NO = ("true", "yes", "1"), ("", "false", "no", "0", "none")


@dataclass(frozen=True, slots=True)
class Todo:
    """A step to run: a callable, or the words of a command with what it reads and where it runs."""

    name: str
    call: Callable[[], object] | None = None
    command: tuple[str, ...] = ()
    by: str = ""
    handoff: bool = False
    input: str = ""
    cwd: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)


def read_steps(steps: object) -> list[Todo] | list[Mapping[str, object]]:
    """Return the steps to run, or the records of a log; Unmeasurable where it is neither or both."""
    if callable(steps):
        raise Unmeasurable(f"steps is one callable: give {_HOW}")
    found = list(records(steps, "steps", _HOW))
    if not found:
        raise Unmeasurable("steps is empty: nothing was done, so nothing took any time")
    todo, log = [], []
    for number, item in enumerate(found):
        if isinstance(item, Mapping) and "command" not in item and "call" not in item:
            log.append(item)
        else:
            todo.append(_todo(item, number))
    if todo and log:
        raise Unmeasurable("some steps are to be run and others are records of a log: give either")
    return todo or log


def _todo(item: Any, number: int) -> Todo:
    name = f"step {number + 1}"
    if isinstance(item, Mapping):
        return _described(item, name)
    if callable(item):
        return Todo(getattr(item, "__name__", name), call=item)
    if isinstance(item, (list, tuple)) and len(item) == 2 and callable(item[1]):
        return Todo(str(item[0]), call=item[1])
    words = _command_of(item)
    if not words:
        raise Unmeasurable(f"{name} is {a(type(item).__name__)}: give {_HOW}")
    return Todo(name, command=words)


def _described(item: Mapping[str, Any], name: str) -> Todo:
    known = {"name", "command", "call", "by", "handoff", "input", "cwd", "env"}
    if strange := sorted(map(str, set(item) - known)):
        raise Unmeasurable(
            f"{name} has {strange[0]!r}: a step to run has {', '.join(sorted(known))}"
        )
    call, words = item.get("call"), _command_of(item.get("command"))
    if callable(call) == bool(words):
        raise Unmeasurable(f"{name} needs a call (a callable) or a command (a list of words)")
    return Todo(
        name=str(item.get("name") or name),
        call=call if callable(call) else None,
        command=words,
        by=str(item.get("by") or ""),
        handoff=_yes(item.get("handoff"), name),
        input=str(item.get("input") or ""),
        cwd=None if item.get("cwd") is None else os.fspath(item["cwd"]),
        env={str(k): str(v) for k, v in (item.get("env") or {}).items()},
    )


def _command_of(item: object) -> tuple[str, ...]:
    if isinstance(item, str):
        try:
            return tuple(
                shlex.split(item)
            )  # no shell: what a shell would add is not timed by chance
        except ValueError:
            return ()
    if isinstance(item, (list, tuple)) and all(isinstance(w, (str, os.PathLike)) for w in item):
        return tuple(map(os.fspath, item))
    return ()


def _yes(value: object, name: str) -> bool:
    text = "" if missing(value) else str(value).strip().lower()
    if text in _YES or text in _NO:
        return text in _YES
    raise Unmeasurable(f"{name}: 'handoff' is neither true nor false")


def logged(log: list[Mapping[str, object]]) -> tuple[list[Step], Names]:
    """Return the steps of a log, with times from the first begin, and what the last one served."""
    first: datetime | None = None
    last_end: datetime | None = None
    steps = []
    for number, row in enumerate(log):
        place = f"steps record {number}"
        name = str(_first(row, "name", "step") or f"step {number + 1}")
        begin, end = _time_of_entry(row, "start", place), _time_of_entry(row, "end", place)
        if begin is not None and end is not None:
            first = first or begin
            _check_times(begin, end, last_end, row, place)
            last_end = end
        timed = first is not None and begin is not None and end is not None
        steps.append(
            Step(
                name=name,
                by=str(_first(row, "by") or ""),
                handoff=_yes(row.get("handoff"), place),
                begin_s=(begin - first).total_seconds() if timed and begin and first else None,
                end_s=(end - first).total_seconds() if timed and end and first else None,
                exit_status=_status(row, place),
            )
        )
    return masked(steps), of_answer(_feature_names(log[-1].get("served")))


def masked(steps: list[Step]) -> list[Step]:
    """Return steps whose names may be shown; two names, of people too, are never taken for one."""
    names = unique_labels(dict.fromkeys(step.name for step in steps))
    people = unique_labels(dict.fromkeys(step.by for step in steps if step.by)) | {"": ""}
    return [replace(step, name=names[step.name], by=people[step.by]) for step in steps]


def _first(row: Mapping[str, Any], *names: str) -> Any:
    return next((row[name] for name in names if not missing(row.get(name))), None)


def _time_of_entry(row: Mapping[str, Any], name: str, place: str) -> datetime | None:
    value = _first(row, name)
    if value is None:
        return None
    try:
        when = instant(value)
    except ValueError:
        raise Unmeasurable(f"{place}: {name!r} is not a time in ISO 8601") from None
    if when > datetime.now(UTC) + CLOCK_SKEW:
        raise Unmeasurable(f"{place}: {name!r} lies in the future: whose clock wrote it?")
    return when


def _check_times(
    begin: datetime, end: datetime, before: datetime | None, row: Mapping[str, Any], place: str
) -> None:
    if end < begin:
        raise Unmeasurable(f"{place} ends before it starts: its clock was wrong, or a time zone")
    if before is not None and begin < before:
        raise Unmeasurable(
            f"{place} starts before the step before it ends: give the steps one after the other"
        )
    said = _first(row, "seconds")
    if said is None:
        return
    took = (end - begin).total_seconds()
    try:
        off = abs(float(said) - took)
    except (TypeError, ValueError):
        raise Unmeasurable(f"{place}: 'seconds' is not a number") from None
    if not off <= 1 + took / 100:
        raise Unmeasurable(f"{place}: 'seconds' and its start and end do not agree")


def _status(row: Mapping[str, Any], place: str) -> int | None:
    value = _first(row, "exit_status")
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.5
    if not number.is_integer():
        raise Unmeasurable(f"{place}: 'exit_status' is not a whole number")
    return int(number)


def _feature_names(value: object) -> object:
    """Read the features of a cell of a CSV file: names with commas between them."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value
