"""An open loop over callables of this process: plain, many at once, and awaited."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any

from pytest_mlgates.core.loops import on_time
from pytest_mlgates.load.sent import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from pytest_mlgates.calls.guard import CallGuard
    from pytest_mlgates.load.answers import Answers
    from pytest_mlgates.load.counters import Sampler
    from pytest_mlgates.load.subjects import Batch

__all__ = ["call_each", "call_many", "start_each"]

#: the last of a wait is spun, since a sleep ends late
_SPIN_S = 0.0002
_NAP_S = 0.02
_MOST_IN_FLIGHT = 20_000


def _wait(until: float, sampler: Sampler | None) -> float:
    """Return the time once it is ``until``."""
    while (now := time.perf_counter()) < until:
        if sampler is not None:
            sampler.tick()
        left = until - now - _SPIN_S
        if left > 0:
            time.sleep(min(left, _NAP_S))
    return now


def call_each(
    call: Callable[[Any], Any],
    due: NDArray[np.float64],
    feed: Iterator[Any],
    answers: Answers,
    guard: CallGuard,
    sampler: Sampler | None,
    most_s: float,
) -> Sent:
    """Call for each input when it is due, or as soon as the call before is done.

    Ends ``most_s`` after the last is due; what was not called by then has no answer.
    """
    sent = Sent(due)
    own = time.thread_time()
    begun = time.perf_counter()
    free = 0.0
    last = (float(due[-1]) if len(due) else 0.0) + most_s
    for i, at in enumerate(due.tolist()):
        guard.disarm()
        start = _wait(begun + at, sampler) - begun
        if sampler is not None:
            sampler.tick()
        if start > last:
            sent.begun[i:] = due[i:]  # it never got to these because the calls before took so long
            break
        # late because the call before took so long: that is the subject's, not the generator's
        sent.begun[i] = at if free >= at else start
        item = next(feed)
        guard.arm()
        cpu = time.thread_time()
        try:
            right = answers.take(call(item))
        except Exception as error:  # noqa: BLE001 - counts against the subject, whatever it is
            answers.raised(error)
            right = False
        free = time.perf_counter() - begun
        sent.subject_cpu_s += time.thread_time() - cpu
        sent.handed[i], sent.answered[i], sent.wrong[i] = start, free, not right
    guard.disarm()
    sent.own_cpu_s = time.thread_time() - own - sent.subject_cpu_s
    sent.finish(begun)
    return sent


def call_many(
    batch: Batch,
    due: NDArray[np.float64],
    feed: Iterator[Any],
    answers: Answers,
    guard: CallGuard,
    sampler: Sampler | None,
    most_s: float,
) -> Sent:
    """Call for all inputs that are due by now, ``batch.most`` at a time."""
    sent = Sent(due)
    own = time.thread_time()
    begun = time.perf_counter()
    times = due.tolist()
    i, free = 0, 0.0
    last = (times[-1] if times else 0.0) + most_s
    while i < len(times):
        guard.disarm()
        start = _wait(begun + times[i], sampler) - begun
        if sampler is not None:
            sampler.tick()
        if start > last:
            sent.begun[i:] = due[i:]
            break
        stop = i
        while stop < len(times) and times[stop] <= start and stop - i < batch.most:
            stop += 1
        rows = slice(i, stop)
        sent.begun[rows] = due[rows] if free >= times[i] else start
        items = [next(feed) for _ in range(i, stop)]
        guard.arm()
        cpu = time.thread_time()
        try:
            found = batch.call(items)
            right = [answers.take(one) for one in found] if len(found) == len(items) else []
            if not right:
                answers.fault = answers.fault or "a batch gave another number of answers"
        except Exception as error:  # noqa: BLE001 - counts against the subject, whatever it is
            answers.raised(error)
            right = []
        free = time.perf_counter() - begun
        sent.subject_cpu_s += time.thread_time() - cpu
        sent.handed[rows], sent.answered[rows] = start, free
        sent.wrong[rows] = [not one for one in right] or True
        i = stop
    guard.disarm()
    sent.own_cpu_s = time.thread_time() - own - sent.subject_cpu_s
    sent.finish(begun)
    return sent


async def start_each(
    call: Callable[[Any], Any],
    due: NDArray[np.float64],
    feed: Iterator[Any],
    answers: Answers,
    guard: CallGuard,
    sampler: Sampler | None,
    most_s: float,
    *,
    here: bool = True,
) -> Sent:
    """Start a call when it is due, whatever became of those before; many are in flight at once.

    Where the subject runs ``here``, on this loop, a late start is its own doing but for the time
    that this thread waited for a core; where it does not, every late start is the generator's.
    """
    sent = Sent(due)
    flying: set[asyncio.Task[None]] = set()
    own = time.thread_time()
    begun = time.perf_counter()

    async def one(i: int, item: Any) -> None:
        try:
            answer = call(item)
            if inspect.isawaitable(answer):
                answer = await answer
            right = answers.take(answer)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - counts against the subject, whatever it is
            answers.raised(error)
            right = False
        sent.answered[i], sent.wrong[i] = time.perf_counter() - begun, not right

    for i, at in enumerate(due.tolist()):
        start = await _until(begun + at, guard, sampler) - begun
        if len(flying) >= _MOST_IN_FLIGHT:
            continue  # no memory is endless: what is not started has no answer
        sent.begun[i], sent.handed[i] = at if here else start, start
        guard.arm()
        task = asyncio.create_task(one(i, next(feed)))
        flying.add(task)
        task.add_done_callback(flying.discard)
        if i % 16 == 15 or start - at < 0.001:
            await asyncio.sleep(0)
    await _land(flying, most_s, guard, sampler)
    sent.own_cpu_s = time.thread_time() - own - sent.subject_cpu_s
    sent.finish(begun)
    return sent


async def _until(when: float, guard: CallGuard, sampler: Sampler | None) -> float:
    """Return the time once it is ``when``; the loop goes on meanwhile.

    On a loop of someone else's, whose timers may be a millisecond late, the last of it is spun.
    """
    spun_s = 0.0 if on_time() else 0.001
    while (left := when - time.perf_counter()) > 0:
        guard.arm()  # goes off only where a call blocks the loop
        if sampler is not None:
            sampler.tick()
        await asyncio.sleep(min(_NAP_S, left) if left > spun_s else 0)
    return time.perf_counter()


async def _land(
    flying: set[asyncio.Task[None]], most_s: float, guard: CallGuard, sampler: Sampler | None
) -> None:
    """Wait for what is in flight, and end what is not there in time."""
    deadline = time.perf_counter() + most_s
    while flying and time.perf_counter() < deadline:
        guard.arm()
        if sampler is not None:
            sampler.tick()
        await asyncio.wait(set(flying), timeout=_NAP_S, return_when=asyncio.FIRST_COMPLETED)
    for task in list(flying):
        task.cancel()
    guard.disarm()
    await asyncio.gather(*flying, return_exceptions=True)
