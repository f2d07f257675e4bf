"""Offer transactions at a rate, whatever becomes of them, and tell what did."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import numpy as np
import orjson

from pytest_mlgates.load import arrivals, sockets
from pytest_mlgates.load.sent import Sent, quantile
from reference_systems.finalgo_fraud.inputs import World

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Stream", "figures", "load"]

#: bodies that are made ahead; ids and times are new for each transaction
_BODIES = 1 << 17


class Stream:
    """Transactions i = 0, 1, 2 … as lines, and what an answer to one of them looks like.

    Which card pays follows a heavy-tailed activity over ``cards`` cards (log-normal, sigma 1.6):
    half of all payments come from 6 % of the cards.

    >>> stream = Stream(seed=1, cards=1000)
    >>> stream.read(b'{"id":"%s-5","score":0.1,"decision":"approve"}' % stream.run.encode())
    (5, True)
    """

    def __init__(self, seed: int, cards: int = 1_000_000, bodies: int = _BODIES) -> None:
        rng = np.random.default_rng(seed)
        self.run = secrets.token_hex(4)
        self._name = self.run.encode()
        week = World(seed, 2000).week(0)
        names = [orjson.dumps(name) for name in World(seed, 2000).names()]
        rows = rng.integers(0, len(week), bodies)
        amounts, merchants = week.amount[rows].tolist(), week.merchant[rows].tolist()
        self._bodies = [
            b'"amount":%.2f,"merchant":%b}\n' % (amount, names[merchant])
            for amount, merchant in zip(amounts, merchants, strict=True)
        ]
        activity = np.cumsum(rng.lognormal(0, 1.6, cards))
        self._activity, self._rng = activity / activity[-1], rng
        self._cards: list[int] = []
        self._began = time.time()

    def prepare(self, count: int) -> None:
        """Draw the cards of ``count`` transactions ahead of their time."""
        draws = self._rng.random(count)
        self._cards = np.searchsorted(self._activity, draws).tolist()

    def make(self, i: int) -> bytes:
        """Return the line of transaction i, paid now."""
        return b'{"id":"%b-%d","time":%.3f,"card":"card-%07d",%b' % (
            self._name, i, time.time(), self._cards[i], self._bodies[i % len(self._bodies)]
        )  # fmt: skip

    def payments(self, count: int) -> list[bytes]:
        """Return the rest of ``count`` lines, without id and time, for ``encode``."""
        self.prepare(count)
        bodies = self._bodies
        return [
            b'"card":"card-%07d",%b' % (card, bodies[i % len(bodies)])
            for i, card in enumerate(self._cards)
        ]

    def encode(self, payment: bytes, number: int) -> bytes:
        """Return the line of a payment, paid now."""
        return b'{"id":"%b-%d","time":%.3f,%b' % (self._name, number, time.time(), payment)

    def read(self, line: bytes) -> tuple[int | None, bool]:
        """Return which transaction an answer is to, and whether it holds a score and a decision."""
        try:
            answer = orjson.loads(line)
            name = answer["id"]
            run, _, number = name.partition("-")
            if run != self.run:
                return None, False
            return int(number), "error" not in answer and "score" in answer
        except (ValueError, KeyError, TypeError, AttributeError):
            return None, False


def load(
    to: tuple[str, int],
    rate: float,
    connections: int,
    seconds: float,
    *,
    seed: int = 1,
    cards: int = 1_000_000,
    grace_s: float = 3.0,
) -> tuple[dict[str, float | int | None], Sent]:
    """Offer Poisson arrivals at ``rate`` a second and return the figures with what they rest on."""
    due = arrivals.poisson(rate, seconds, seed)
    if not len(due):
        raise ValueError(f"no transaction is due within {seconds:g} s at {rate:g} a second")
    stream = Stream(seed, cards)
    stream.prepare(len(due))
    make: Callable[[int], bytes] = stream.make
    sent = sockets.offer(
        to, due, make, stream.read, connections=connections, grace_s=grace_s, seed=seed
    )
    return figures(sent, seconds), sent


def figures(sent: Sent, seconds: float) -> dict[str, float | int | None]:
    """Return what was offered, sent and answered, and how long from due to answer in milliseconds.

    A transaction without a right answer counts with the time that it has waited at least.
    """
    latency = sent.latency()
    answered, wrong = int(sent.right.sum()), int(sent.wrong.sum())
    return {
        "offered": len(sent.due),
        "sent": int((~np.isnan(sent.handed)).sum()),
        "answered": answered,
        "errors": wrong,
        "unanswered": len(sent.due) - answered - wrong,
        "dropped_connections": sent.dropped,
        "answered_per_s": round(answered / max(seconds, sent.ended if answered else seconds), 1),
        "p50_ms": _ms(quantile(latency, 0.5)),
        "p99_ms": _ms(quantile(latency, 0.99)),
        "max_ms": _ms(float(latency.max())),
        "worst_second_p99_ms": _ms(max(sent.by_second(0.99))),
        "lag_p99_ms": _ms(quantile(sent.lag(), 0.99)),
        "cpu_us_each": round(1e6 * sent.own_cpu_s / len(sent.due), 2),
    }


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 3)
