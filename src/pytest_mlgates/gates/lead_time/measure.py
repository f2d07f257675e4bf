"""Run the steps of an onboarding one after the other and time each, or read what a log says of them."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from pytest_mlgates.calls.ask import Subject
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.records import Look, Measurement
from pytest_mlgates.core.words import number, plural
from pytest_mlgates.gates.lead_time.details import Clock, Seen, Step
from pytest_mlgates.gates.lead_time.judge import headline
from pytest_mlgates.gates.lead_time.served import Names, of_answer, of_output
from pytest_mlgates.gates.lead_time.steps import Todo, logged, masked, read_steps
from pytest_mlgates.reading.slices import mask_identifiers

__all__ = ["measure_lead_time"]

#: the end of a command's output that is looked at for what it served
_TAIL = 1 << 20
#: names and steps that are recorded
MAX_NAMES, MAX_FINDINGS = 50, 20


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a step ended, by the gate's clock."""

    begin: float
    end: float
    status: int
    served: Names
    fault: str = ""


def measure_lead_time(
    steps: object, probe: Callable[[], object] | None, timeout_s: float
) -> Generator[Look, object, None]:
    """Run or read the steps, ask the probe before and after, and yield what came of it."""
    found = read_steps(steps)
    before: Names = ((), ())
    todo = [step for step in found if isinstance(step, Todo)]
    if not todo:
        log = [row for row in found if not isinstance(row, Todo)]
        done, served = logged(log)
        if probe is not None:
            served = yield from _probe(probe, timeout_s)
        yield _of_steps("log", done, len(done), served, before, probe is not None, [])
        return
    if probe is not None:
        before = yield from _probe(probe, timeout_s)
    ended: list[_Ended] = yield from _run_steps(todo, timeout_s)
    served = ended[-1].served if len(ended) == len(todo) else ((), ())
    if probe is not None:
        served = yield from _probe(probe, timeout_s)
    first = ended[0].begin
    done = [
        Step(
            name=step.name,
            by=step.by,
            handoff=step.handoff,
            begin_s=how.begin - first,
            end_s=how.end - first,
            exit_status=how.status,
        )
        for step, how in zip(todo, ended, strict=False)
    ]
    done = masked(done)
    faults = [f"{s.name}: {how.fault}" for s, how in zip(done, ended, strict=True) if how.fault]
    yield _of_steps("gate", done, len(todo), served, before, probe is not None, faults)


def _run_steps(todo: Sequence[Todo], timeout_s: float) -> Generator[Look, object, list[_Ended]]:
    """Run each step to its end before the next; those after a failure are not run."""
    begins: list[float] = []

    def call(step: Todo) -> object:
        begins.append(time.perf_counter())
        try:
            answer = _run_command(step) if step.command else step.call() if step.call else None
        except Exception as error:  # noqa: BLE001  (a step that raises has failed, which is measured)
            return _failed(error)
        return _finished(answer) if inspect.isawaitable(answer) else answer

    def ended(answer: object, _call: int) -> _Ended:
        end, begin = time.perf_counter(), begins[-1]
        if isinstance(answer, _Status):
            return _Ended(begin, end, answer.status, answer.served, answer.fault)
        if inspect.isgenerator(answer) or inspect.isasyncgen(answer):
            fault = "gave a generator, so nothing was done yet"
            return _Ended(begin, end, 1, ((), ()), fault)
        return _Ended(begin, end, 0, of_answer(answer))

    subject = Subject(call, ended, timeout_s, 1)
    return (yield from subject.ask(list(todo), stop=lambda how: how.status != 0))


async def _finished(answer: Any) -> Any:
    try:
        return await answer
    except Exception as error:  # noqa: BLE001
        return _failed(error)


@dataclass(frozen=True, slots=True)
class _Status:
    status: int
    served: Names
    fault: str = ""


def _failed(error: Exception) -> _Status:
    return _Status(1, ((), ()), f"raised {type(error).__name__}")


def _run_command(step: Todo) -> _Status:
    """Run a command to its end; it ends with the gate, also where that is stopped."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out:
        given.write(step.input.encode())
        given.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603  (the user's own command)
                step.command,
                stdin=given,
                stdout=out,
                stderr=subprocess.DEVNULL,
                cwd=step.cwd,
                env={**os.environ, **step.env},
                start_new_session=True,
            )
        except OSError as error:
            return _Status(127, ((), ()), f"can't be run: {error.strerror}")
        try:
            status = process.wait()
        except BaseException:
            _kill(process)
            raise
        fault = f"exit status {status}" if status else ""
        return _Status(status, of_output(_last_of(out)), fault)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _last_of(out: IO[bytes]) -> str:
    size = out.seek(0, os.SEEK_END)
    out.seek(max(0, size - _TAIL))
    return out.read().decode("utf-8", "replace")


def _probe(probe: Callable[[], object], timeout_s: float) -> Generator[Look, object, Names]:
    """Ask whether the features are served; a probe that raises says that they are not."""

    def call(_: object) -> object:
        try:
            answer = probe()
        except Exception:  # noqa: BLE001
            return None
        return _quiet(answer) if inspect.isawaitable(answer) else answer

    subject = Subject(call, lambda answer, _call: of_answer(answer), timeout_s, 1)
    (names,) = yield from subject.ask([None])
    return names


async def _quiet(answer: Any) -> Any:
    try:
        return await answer
    except Exception:  # noqa: BLE001
        return None


def _of_steps(
    clock: Clock,
    steps: Sequence[Step],
    planned: int,
    served: Names,
    before: Names,
    probed: bool,
    faults: Sequence[str],
) -> Measurement:
    shown = [tuple(map(mask_identifiers, names[:MAX_NAMES])) for names in (*served, before[0])]
    lines = [
        f"{step.name}{f' ({step.by})' if step.by else ''}: {_took_text(step)}, exit status {step.exit_status}"
        for step in steps
    ]
    seen = Seen(
        clock=clock,
        steps=tuple(steps),
        planned=planned,
        served=shown[0],
        null=shown[1],
        before=shown[2],
        probed=probed,
        findings=tuple([*faults, *lines][:MAX_FINDINGS]),
    )
    waiting = plural(seen.handoffs, "hand-off")
    summary = f"{number(seen.busy_s)} s in steps of {number(seen.elapsed_s)} s, {waiting}"
    details = plain(seen) | {"findings": (summary, *seen.findings)}
    return headline(seen).measurement(details)


def _took_text(step: Step) -> str:
    if step.begin_s is None or step.end_s is None:
        return "no times"
    return f"{number(step.end_s - step.begin_s)} s"
