"""One order carried out by the users of a worker: each takes the next request that is due.

Users have no rhythm of their own: all take from one list of arrivals, so that no two act in step.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable

import numpy as np

from pytest_mlgates.load.locust.orders import Order, array
from pytest_mlgates.load.sent import Sent

__all__ = ["Ask", "Round"]

#: asks for one body: the status of the answer and its bytes
Ask = Callable[[bytes | None], tuple[int, bytes]]


class Round:
    """What becomes of the requests of an order.

    ``sleep`` waits without holding up others. ``late`` is how late the worker's own loop was when
    last looked at: where a connection was not free in time, that much of the delay is the load's.
    """

    def __init__(self, order: Order, sleep: Callable[[float], None]) -> None:
        self.order, self.sleep = order, sleep
        self.sent = Sent(order.times)
        self.which: list[int] = array(order.which, np.int32).tolist()
        self.bodies = [None if one is None else base64.b64decode(one) for one in order.bodies]
        self.last_s = order.last_s
        self.late, self.fault, self.first, self.differ = 0.0, "", "", False
        self.left = len(self.sent.due)
        self.closed = False
        #: how late the loop was, each time that was looked at
        self.pulses: list[float] = []
        self._next, self._cpu = 0, time.process_time()
        self._due: list[float] = self.sent.due.tolist()
        self._first: bytes | None = None
        self.started = time.perf_counter()

    def take(self, ask: Ask) -> None:
        """Ask for what is due next, until nothing is left to ask for."""
        while self._next < len(self._due) and not self.closed:
            i = self._next
            self._next += 1
            due, free = self._due[i], self._now()
            if free < due:
                self.sleep(due - free)
            start = self._now()
            if start > self.last_s or self.closed:
                break  # connections were not free in time: no answer, and not the load's doing
            self._one(i, start if free < due else due + min(start - due, self.late), ask)

    def close(self) -> None:
        """Take no more answers."""
        sent = self.sent
        self.closed = True
        sent.finish(self.started)
        sent.own_cpu_s = time.process_time() - self._cpu
        never = np.isnan(sent.begun)
        sent.begun[never] = np.minimum(sent.due[never] + self.late, sent.ended)
        self.first = "" if self._first is None else hashlib.sha256(self._first).hexdigest()

    def _now(self) -> float:
        return time.perf_counter() - self.started

    def _one(self, i: int, begun: float, ask: Ask) -> None:
        sent = self.sent
        sent.begun[i] = begun
        try:
            status, body = ask(self.bodies[self.which[i]])
            right, fault = status < 400, f"status {status}"
        except Exception as error:  # noqa: BLE001 - counts against the subject, whatever it is
            right, fault, body = False, type(error).__name__, b""
        if self.closed:
            return  # too late to count
        sent.answered[i], sent.wrong[i] = self._now(), not right
        self.left -= 1
        if not right:
            self.fault = self.fault or fault
        elif self._first is None:
            self._first = body
        elif not self.differ:
            self.differ = body != self._first
