"""One shadow run: both models on the same inputs, a look now and then."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import itertools
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from math import log
from types import MethodType
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlgates.calls.guard import CallGuard
from pytest_mlgates.core import Look, Measurement, Unmeasurable
from pytest_mlgates.core.digests import digest_of, name_of
from pytest_mlgates.gates.shadow_divergence.compare import Broken, Comparison, Difference, is_blank
from pytest_mlgates.gates.shadow_divergence.details import Row
from pytest_mlgates.gates.shadow_divergence.discover import search
from pytest_mlgates.gates.shadow_divergence.feed import Case, Feed
from pytest_mlgates.gates.shadow_divergence.labels import Labels
from pytest_mlgates.gates.shadow_divergence.models import Answer, Model, kept
from pytest_mlgates.gates.shadow_divergence.record import measurement
from pytest_mlgates.gates.shadow_divergence.tally import FOUND, KEPT, Tally, Worst, fingerprint
from pytest_mlgates.reading.slices import label

if TYPE_CHECKING:
    from pytest_mlgates.gates.shadow_divergence.gate import ShadowDivergence

__all__ = ["Run"]

#: looks come at growing numbers of inputs, and of divergences
_FIRST, _GROWTH = 50, 1.1
#: with more slices than these a look costs more than it gains
_MANY, _GROWTH_MANY = 200, 1.4
_FIRST_DIVERGENT = 4


@dataclass(kw_only=True)
class Run:
    """What a run is made from; ``looks`` runs it."""

    gate: ShadowDivergence
    control: Callable[[Any], Any]
    shadow: Callable[[Any], Any]
    inputs: Any
    slice_of: Any = None
    labels: Any = None
    distance: Callable[[Any, Any], Any] | None = None
    features: Callable[[Any], Mapping[str, Any]] | None = None
    batch: int | None = None
    seed: int = 0
    key: bytes | None = None
    _history: list[tuple[Mapping[str, Any], Difference | None, bool, int]] = field(
        default_factory=list
    )
    _digests: dict[int, str] = field(default_factory=dict)
    _models: dict[str, Any] = field(default_factory=dict)

    def looks(self) -> Generator[Look, Any, None]:
        """Yield a measurement at each look, and what must be awaited."""
        self._check()
        gate = self.gate
        digest = digest_of(self.control)
        twins = digest is not None and digest == digest_of(self.shadow)
        self._models = {"control": name_of(self.control), "control_digest": digest, "twins": twins}
        order = "shuffled" if gate.discover else "routed"
        order = order if gate.oversample else "given"
        feed = Feed(self.inputs, self.slice_of, order, gate.max_inputs, self.seed)
        labels = Labels.of(self.labels, feed.total)
        tally = Tally(
            feed, map(label, gate.slices), search=gate.discover, repeats=gate.repeats_count
        )
        cases = iter(feed)
        due, due_divergent = _FIRST, _FIRST_DIVERGENT
        with CallGuard(gate.timeout_s) as guard:
            pair = [
                Model(name, call, gate.timeout_s, guard, batch=self.batch is not None)
                for name, call in (("control", self.control), ("shadow", self.shadow))
            ]
            while chunk := list(itertools.islice(cases, self._at_a_time(pair))):
                yield from self._compare(chunk, pair, labels, tally)
                if tally.whole.n >= due or tally.whole.divergent >= due_divergent:
                    yield self._told(feed, tally, ended=False)
                    if feed.order == "routed" and self._is_settled(feed, tally):
                        break
                    growth = _GROWTH if len(tally.slices) <= _MANY else _GROWTH_MANY
                    while due <= tally.whole.n:
                        due = int(due * growth) + 1
                    while due_divergent <= tally.whole.divergent:
                        due_divergent *= 2
        yield self._told(feed, tally, ended=True)

    def _is_settled(self, feed: Feed, tally: Tally) -> bool:
        """Tell whether more inputs have nothing to decide: each slice is used up or surely below.

        There is no PASS then, as a slice that was used up before it was below stays as it is.
        """
        bar, limit = -log(self.gate.beta), self.gate.max_rate
        return bool(feed.sizes) and all(
            count.n >= feed.sizes[name] or count.row(name, 1.0).under(limit) >= bar
            for name, count in tally.slices.items()
        )

    def _check(self) -> None:
        bound = isinstance(self.control, MethodType) and isinstance(self.shadow, MethodType)
        if self.control is self.shadow or (bound and self.control == self.shadow):
            raise Unmeasurable(
                "control and shadow are one and the same object, so nothing would be compared: was"
                " the new model loaded?"
            )
        if self.batch is not None and (
            isinstance(self.batch, bool) or not isinstance(self.batch, int) or self.batch < 1
        ):
            raise Unmeasurable(
                "batch is how many inputs a model takes at a time: a whole number >= 1"
            )
        for name in ("distance", "features"):
            if getattr(self, name) is not None and not callable(getattr(self, name)):
                raise Unmeasurable(
                    f"{name} is a {type(getattr(self, name)).__name__}, not a callable"
                )
        if self.gate.allow_improvement and self.labels is None:
            raise Unmeasurable("allow_improvement takes labels: they tell what an improvement is")

    def _at_a_time(self, pair: list[Model]) -> int:
        if self.batch is not None:
            return self.batch
        return self.gate.concurrency if any(model.awaits for model in pair) else 1

    def _compare(
        self, chunk: list[Case], pair: list[Model], labels: Labels, tally: Tally
    ) -> Generator[Awaitable[Any], Any, None]:
        """Ask both for a chunk and count. The control answers before the shadow is asked."""
        control, shadow = pair
        items = [case.item for case in chunk]
        answers = yield from control.ask(items)
        for case, answer in zip(chunk, answers, strict=True):
            if answer.fault:
                raise Unmeasurable(
                    f"the control {_said(answer.fault)} at input {case.index}: a shadow can be held"
                    " against a control that answers, and no other"
                )
        held = [kept(answer.value) for answer in answers]
        replies = yield from shadow.ask(items)
        same = self._comparison()
        for case, value, reply in zip(chunk, held, replies, strict=True):
            difference = self._difference(same, case, value, reply)
            right = labels.right(same, case, value, reply, tally) if difference is not None else ""
            if right == "shadow" and self.gate.allow_improvement:
                tally.excused += 1
                difference = None
            digest = tally.add(case, difference, right, blank=is_blank(value))
            if difference is not None and self.key:
                plain = (digest or fingerprint(case.item) or "").encode()
                keyed = hmac.new(self.key, plain, hashlib.sha256).hexdigest()
                self._digests[case.index] = keyed[:8]
            if self.gate.discover:
                self._remember(case, digest, difference)

    def _comparison(self) -> Comparison:
        gate = self.gate
        return Comparison(
            tolerance=gate.tolerance,
            relative_tolerance=gate.relative_tolerance,
            text_tolerance=gate.text_tolerance,
            norm=gate.norm,
            exact=gate.outputs == "label",
            nan_agrees=gate.nan_agrees,
            distance=self.distance,
        )

    def _difference(
        self, same: Comparison, case: Case, value: Any, reply: Answer
    ) -> Difference | None:
        try:
            if reply.fault:
                same(value, value)  # the control must have answered all the same
                return Difference(f"the shadow {_said(reply.fault)}")
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
                f"discover takes features, and input {case.index} is a {type(features).__name__}: give"
                " mappings, or features= that returns one"
            )
        # inputs that repeat stay in one half
        place = f"{self.seed} {digest or case.index}".encode()
        half = bool(hashlib.blake2b(place, digest_size=1).digest()[0] & 1)
        self._history.append((features, difference, half, case.index))

    def _told(self, feed: Feed, tally: Tally, *, ended: bool) -> Measurement:
        found = self._found(tally) if ended and self.gate.discover else ()
        about = {"ended": ended, "order": feed.order, "inputs": feed.total, **self._models}
        return measurement(self.gate, tally, found, about, self._digests)

    def _found(self, tally: Tally) -> tuple[tuple[Row, list[Worst]], ...]:
        """Search slices on one half of the inputs, count them on the other."""
        if not self._history:
            return ()
        features, differences, halves, places = zip(*self._history, strict=True)
        diverged, half = np.array([d is not None for d in differences]), np.array(halves, bool)
        rows = []
        for found in search(features, diverged, half, self.gate.max_rate, FOUND):
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
            rows.append((row, heapq.nlargest(KEPT, worst)))
        return tuple(rows)


def _said(fault: str) -> str:
    return f"gave {fault}" if fault.startswith(("no ", "another ")) else fault
