"""From what became of requests, and who used the cores meanwhile, to counts that can be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pytest_mlgates.gates.throughput.details import Cpu, Generator, Machine, Tally
from pytest_mlgates.gates.throughput.judge import STRETCHES
from pytest_mlgates.load.excuse import Calls, others_doing
from pytest_mlgates.load.sent import Sent, quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cpu_of", "design", "disturbed", "generator_of", "joined", "machine_of", "tail"]

#: lengths of blocks in times that a request is in flight
_LENGTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
#: requests due within so many seconds of each other count as one observation at least
_SHORTEST_S = 0.001
#: the effect grows where the longest blocks show it this much larger than those half as long
_GROWS = 1.5
#: an effect that was measured is itself uncertain; this much more keeps both errors as declared
_UNSURE = 1.5
_SECOND = 1.0


def joined(parts: list[Sent]) -> Sent:
    """Return the requests of several runs, one after the other, as those of one.

    >>> first, second = Sent(np.array([0.5])), Sent(np.array([0.25]))
    >>> first.ended = second.ended = 1.0
    >>> joined([first, second]).due.tolist()
    [0.5, 1.25]
    """
    shifts = np.cumsum([0.0, *(part.ended for part in parts[:-1])])
    whole = Sent(np.concatenate([p.due + s for p, s in zip(parts, shifts, strict=True)]))
    whole.wrong = np.concatenate([part.wrong for part in parts])
    for name in ("begun", "handed", "answered"):
        columns = [getattr(p, name) + s for p, s in zip(parts, shifts, strict=True)]
        setattr(whole, name, np.concatenate(columns))
    # a request without an answer waited to the end of its own run
    ends = np.repeat(shifts + [p.ended for p in parts], [len(p.due) for p in parts])
    whole.ends = ends
    whole.ended = float(sum(part.ended for part in parts))
    whole.own_cpu_s = sum(part.own_cpu_s for part in parts)
    whole.subject_cpu_s = sum(part.subject_cpu_s for part in parts)
    whole.dropped, whole.unasked = sum(p.dropped for p in parts), sum(p.unasked for p in parts)
    return whole


def design(over: NDArray[np.bool_], due: NDArray[np.float64], in_flight_s: float) -> Tally:
    """Return the count of ``over`` with a design effect that holds near saturation.

    Requests that are in flight together wait in the same queue and share its fate, so no more than
    one for each ``in_flight_s`` counts as independent. Beyond that the variance of a ratio over
    blocks of ever longer time is held against that of independent draws, and the largest counts.
    """
    n, events = len(over), int(over.sum())
    if n == 0:
        return Tally(over=0, n=0, deff=1.0)
    unit = max(in_flight_s, _SHORTEST_S)
    span = float(due[-1] - due[0]) + unit
    effects = [max(1.0, n * unit / span)]
    p = events / n
    if 0 < events < n:
        for length in _LENGTHS:
            blocks = int(span / (length * unit))
            if blocks < STRETCHES:
                break
            at = np.minimum(((due - due[0]) / span * blocks).astype(np.int64), blocks - 1)
            size = np.bincount(at, minlength=blocks)
            rest = np.bincount(at, over, minlength=blocks) - p * size
            variance = float((rest**2).sum()) * blocks / (blocks - 1)
            effects.append(max(1.0, _UNSURE * variance / (n * p * (1 - p))))
    growing = len(effects) > 2 and effects[-1] > _GROWS * max(effects[:-1])
    return Tally(over=events, n=n, deff=min(float(n), max(effects)), growing=growing)


def tail(sent: Sent, over: NDArray[np.bool_], limit_s: float) -> Tally:
    """Return the count of ``over`` with the design effect of requests over half the limit, too.

    Near saturation what is over the limit comes in clusters so rare that a run may meet none; what
    is over half of it comes in the same clusters and is met more often.
    """
    latency, together = sent.latency(), _together(sent, limit_s)
    full, half = (design(one, sent.due, together) for one in (over, over | (latency > limit_s / 2)))
    return Tally(
        over=full.over,
        n=full.n,
        deff=max(full.deff, half.deff),
        growing=full.growing or half.growing,
    )


def _together(sent: Sent, limit_s: float) -> float:
    """Return how long requests are in flight, the limit at most."""
    right = sent.right
    return min(limit_s, quantile(sent.latency()[right], 0.99)) if right.any() else limit_s


def disturbed(
    sent: Sent, over: NDArray[np.bool_], limit_s: float, samples: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which requests over the limit others can have made late; a wrong answer never is."""
    lag = np.nan_to_num(sent.lag())
    calls = Calls(due=sent.due, end=sent.end(), answered=sent.right, lag=lag)
    return others_doing(calls, over & ~sent.wrong, limit_s, samples)


def generator_of(sent: Sent) -> Generator:
    """Return the load's own lag and share of a core."""
    lag = np.maximum(sent.lag(), 0.0)
    return Generator(
        lag_p99_ms=1e3 * quantile(lag, 0.99) if len(lag) else 0.0,
        lag_max_ms=1e3 * float(lag.max()) if len(lag) else 0.0,
        cpu_share=sent.own_cpu_s / sent.ended if sent.ended else 0.0,
    )


def machine_of(samples: NDArray[np.float64]) -> Machine | None:
    """Return what others used, and who waited for a core."""
    if len(samples) < 2:
        return None
    span, _, delay, own, others, steal = np.maximum(samples[-1] - samples[0], 0.0).tolist()
    return Machine(
        others_cores=others / span,
        stolen_cores=steal / span,
        subject_waits=delay / span,
        generator_waits=own / span,
    )


def cpu_of(sent: Sent, samples: NDArray[np.float64], *, upper_bound: bool) -> Cpu | None:
    """Return CPU time a right answer from the samples, in blocks of a second."""
    if len(samples) < 2 or not sent.right.any():
        return None
    count = int((samples[-1, 0] - samples[0, 0]) / _SECOND)
    if count < 1:
        return None
    edges = np.linspace(samples[0, 0], samples[-1, 0], count + 1)
    used = np.diff(np.interp(edges, samples[:, 0], samples[:, 1]))
    answered = np.histogram(sent.answered[sent.right], edges)[0]
    total = int(answered.sum())
    if not total:
        return None
    ratio = float(used.sum()) / total
    rest = used - ratio * answered
    error = float(np.sqrt((rest**2).sum() * count / max(1, count - 1))) / total
    return Cpu(us=1e6 * ratio, error_us=1e6 * error, blocks=count, upper_bound=upper_bound)
