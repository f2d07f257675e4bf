"""One shadow run: both models on the same inputs, a look now and then."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import itertools
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from types import MethodType
from typing import Any

import numpy as np

from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.digests import digest_of, name_of
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Look, Measurement
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.shadow_divergence.compare import Broken, Comparison, Difference, is_blank
from pytest_mlgates.gates.shadow_divergence.details import Order, Row
from pytest_mlgates.gates.shadow_divergence.discover import search
from pytest_mlgates.gates.shadow_divergence.feed import Case, Feed
from pytest_mlgates.gates.shadow_divergence.judge import Limits
from pytest_mlgates.gates.shadow_divergence.labels import Labels
from pytest_mlgates.gates.shadow_divergence.models import Answer, Model, own_answer
from pytest_mlgates.gates.shadow_divergence.record import Models, State, measurement
from pytest_mlgates.gates.shadow_divergence.tally import (
    MAX_FOUND,
    MAX_WORST,
    Count,
    Tally,
    Worst,
    fingerprint,
)
from pytest_mlgates.reading.slices import label

__all__ = ["Plan", "Run"]

#: looks come at growing numbers of inputs, and of divergences
_FIRST, _GROWTH = 50, 1.1
#: with more slices than these a look costs more than it gains
_MANY, _GROWTH_MANY = 200, 1.4
_FIRST_DIVERGENT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a run goes. ``limits`` tell where inputs have nothing left to decide, and what is said.

    ``required`` are the slices that must occur, as they were written; ``measured_with`` is what is
    recorded of the policy.
    """

    limits: Limits
    comparison: Comparison
    measured_with: Mapping[str, Json]
    order: Order
    required: tuple[str, ...]
    repeats_count: bool
    allow_improvement: bool
    max_inputs: int
    timeout_s: float
    concurrency: int
    batch: int | None
    seed: int


#: what a search looks at: features, the divergence if there was one, the half, the place
_Searched = tuple[Mapping[str, Any], Difference | None, bool, int]


class Run:
    """Both models side by side; ``looks`` runs them."""

    def __init__(
        self,
        plan: Plan,
        control: Callable[[Any], object],
        shadow: Callable[[Any], object],
        features: Callable[[Any], Mapping[str, object]] | None,
        key: bytes | None,
    ) -> None:
        _check_subjects(control, shadow, features, plan)
        self.plan, self.control, self.shadow = plan, control, shadow
        self.features, self.key = features, key
        digest = digest_of(control)
        twins = digest is not None and digest == digest_of(shadow)
        self._models = Models(name_of(control), digest, twins)
        self._searched: list[_Searched] = []
        self._digests: dict[int, str] = {}

    def looks(
        self, inputs: object, slice_of: object, labels: object
    ) -> Generator[Look, object, None]:
        """Yield a measurement at each look, and what must be awaited."""
        plan, discover = self.plan, self.plan.limits.discover
        feed = Feed(inputs, slice_of, plan.order, plan.max_inputs, plan.seed)
        gold = Labels.of(labels, feed.total)
        required = map(label, plan.required)
        tally = Tally(feed, required, search=discover, repeats=plan.repeats_count)
        cases = iter(feed)
        due, due_divergent = _FIRST, _FIRST_DIVERGENT
        with CallGuard(plan.timeout_s) as guard:
            pair = [
                Model(name, call, plan.timeout_s, guard, batch=plan.batch is not None)
                for name, call in (("control", self.control), ("shadow", self.shadow))
            ]
            while chunk := list(itertools.islice(cases, self._at_a_time(pair))):
                yield from self._compare(chunk, pair, gold, tally)
                if tally.run >= due or tally.divergent >= due_divergent:
                    yield self._measurement(feed, tally, ended=False)
                    if feed.order == "routed" and self._is_settled(feed, tally):
                        break
                    growth = _GROWTH if len(tally.slices) <= _MANY else _GROWTH_MANY
                    while due <= tally.run:
                        due = int(due * growth) + 1
                    while due_divergent <= tally.divergent:
                        due_divergent *= 2
        yield self._measurement(feed, tally, ended=True)

    def _is_settled(self, feed: Feed, tally: Tally) -> bool:
        """Tell whether more inputs have nothing to decide: each slice is used up or below the limit.

        There is no PASS then, as a slice that was used up before it was below stays as it is.
        """
        limits = self.plan.limits

        def settled(count: Count, size: int) -> bool:
            return count.n >= size or limits.is_below(count.row("", 1.0))

        slices = all(settled(count, feed.sizes[name]) for name, count in tally.slices.items())
        rare = any(share < limits.min_share for share in tally.shares().values())
        whole = not rare or settled(tally.whole, feed.total or 0)
        return bool(feed.sizes) and slices and whole

    def _at_a_time(self, pair: list[Model]) -> int:
        if self.plan.batch is not None:
            return self.plan.batch
        return self.plan.concurrency if any(model.awaits for model in pair) else 1

    def _compare(
        self, chunk: list[Case], pair: list[Model], labels: Labels, tally: Tally
    ) -> Generator[Awaitable[object], object, None]:
        """Ask both for a chunk and count. The control answers before the shadow is asked."""
        control, shadow = pair
        items = [case.item for case in chunk]
        answers = yield from control.ask(items)
        for case, answer in zip(chunk, answers, strict=True):
            if answer.fault:
                raise Unmeasurable(
                    f"the control {_as_answer(answer.fault)} at input {case.index}: a shadow can be held"
                    " against a control that answers, and no other"
                )
        held = [own_answer(answer.value) for answer in answers]
        replies = yield from shadow.ask(items)
        same = self.plan.comparison
        for case, value, reply in zip(chunk, held, replies, strict=True):
            difference = self._difference(same, case, value, reply)
            right = labels.right(same, case, value, reply, tally) if difference is not None else ""
            if right == "shadow" and self.plan.allow_improvement:
                tally.excused += 1
                difference = None
            digest = tally.add(case, difference, right, blank=is_blank(value))
            if difference is not None and self.key:
                plain = (digest or fingerprint(case.item) or "").encode()
                keyed = hmac.new(self.key, plain, hashlib.sha256).hexdigest()
                self._digests[case.index] = keyed[:8]
            if self.plan.limits.discover:
                self._remember(case, digest, difference)

    def _difference(
        self, same: Comparison, case: Case, value: object, reply: Answer
    ) -> Difference | None:
        try:
            if reply.fault:
                same(value, value)  # the control must have answered all the same
                return Difference(f"the shadow {_as_answer(reply.fault)}")
            return same(value, reply.value)
        except Broken as broken:
            way_out = ": return the prediction" if str(broken) == "None" else " (nan_agrees: true)"
            raise Unmeasurable(
                f"the control gave {broken} at input {case.index}, which is no answer to hold a"
                f" shadow against{way_out}"
            ) from None

    def _remember(self, case: Case, digest: str | None, difference: Difference | None) -> None:
        features = self.features(case.item) if self.features else case.item
        if not isinstance(features, Mapping):
            raise Unmeasurable(
                f"discover takes features, and input {case.index} is {a(type(features).__name__)}:"
                " give mappings, or features= that returns one"
            )
        # inputs that repeat stay in one half
        place = f"{self.plan.seed} {digest or case.index}".encode()
        half = bool(hashlib.blake2b(place, digest_size=1).digest()[0] & 1)
        self._searched.append((features, difference, half, case.index))

    def _measurement(self, feed: Feed, tally: Tally, *, ended: bool) -> Measurement:
        found = self._found(tally) if ended and self.plan.limits.discover else ()
        state = State(ended=ended, order=feed.order, inputs=feed.total, models=self._models)
        return measurement(
            tally, found, state, self._digests, self.plan.limits, self.plan.measured_with
        )

    def _found(self, tally: Tally) -> tuple[tuple[Row, list[Worst]], ...]:
        """Search slices on one half of the inputs, count them on the other."""
        if not self._searched:
            return ()
        features, differences, halves, places = zip(*self._searched, strict=True)
        diverged, half = np.array([d is not None for d in differences]), np.array(halves, bool)
        rows = []
        for found in search(features, diverged, half, self.plan.limits.max_rate, MAX_FOUND):
            members = found.members & ~half
            off = np.flatnonzero(members & diverged)
            row = Row(
                name=f"found: {found.name}",
                n=int(members.sum()),
                divergent=len(off),
                distinct=int(members.sum()),
                distinct_divergent=len(off),
                share=float(found.members.mean()),
                weight=tally.weight,
                needed=False,
                found=True,
            )
            worst = [(d.size, -places[i], d.why, d.shown) for i in off if (d := differences[i])]
            rows.append((row, heapq.nlargest(MAX_WORST, worst)))
        return tuple(rows)


def _check_subjects(
    control: Callable[[Any], object],
    shadow: Callable[[Any], object],
    features: Callable[[Any], object] | None,
    plan: Plan,
) -> None:
    bound = isinstance(control, MethodType) and isinstance(shadow, MethodType)
    if control is shadow or (bound and control == shadow):
        raise Unmeasurable(
            "control and shadow are one and the same object, so nothing would be compared: was"
            " the new model loaded?"
        )
    batch: object = plan.batch
    if batch is not None and (isinstance(batch, bool) or not isinstance(batch, int) or batch < 1):
        raise Unmeasurable("batch is how many inputs a model takes at a time: a whole number >= 1")
    for name, call in (("distance", plan.comparison.distance), ("features", features)):
        if call is not None and not callable(call):
            raise Unmeasurable(f"{name} is {a(type(call).__name__)}, not a callable")


def _as_answer(fault: str) -> str:
    return f"gave {fault}" if fault.startswith(("no ", "another ")) else fault
