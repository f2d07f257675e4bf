"""From lines to answers, a batch at a time; who asks and who carries answers is not known here."""

from __future__ import annotations

import collections
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from reference_systems.finalgo_fraud.lookup import StoreAway
from reference_systems.finalgo_fraud.profile import PROFILE, observe
from reference_systems.finalgo_fraud.wire import InvalidLine, Transaction, failure, read_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from reference_systems.finalgo_fraud.cards import CardTable
    from reference_systems.finalgo_fraud.decisions import DecisionLog
    from reference_systems.finalgo_fraud.lookup import BlockingLookup, PipelinedLookup
    from reference_systems.finalgo_fraud.model import Model

__all__ = ["BlockingEngine", "Engine", "PipelinedEngine", "Source", "Stats"]

#: transactions that are scored together at most
MOST_BATCH = 512
#: a transaction whose profile has not come by now is judged without it: the case has 20 ms in all
GIVE_UP_S = 0.014
#: lines remembered, so that a repeated one is answered alike and counted once; twice this at most
_REMEMBERED = 100_000
#: transactions that wait for a store that is away, at most
_MOST_PARKED = 100_000


class Source(Protocol):
    """Who asked: answers are put into ``out`` as soon as they are known."""

    out: list[bytes]
    owed: int


@dataclass
class Stats:
    """What a scorer did; ``lookup_s`` is the time that transactions waited for profiles, summed."""

    scored: int = 0
    refused: int = 0
    repeated: int = 0
    misses: int = 0
    degraded: int = 0
    batches: int = 0
    reloads: int = 0
    lookup_s: float = 0.0

    def told(self) -> dict[str, float]:
        """Return the counts with the rates that follow from them."""
        n = max(1, self.scored)
        rates = {"hit_rate": 1 - self.misses / n, "mean_lookup_ms": 1000 * self.lookup_s / n}
        return {**asdict(self), **rates}


class _Parked:
    """A transaction that waits: for its turn in a batch, or for its card's profile."""

    __slots__ = ("asked_at", "line", "slot", "source", "transaction")

    def __init__(self, transaction: Transaction, source: Source | None, line: int) -> None:
        self.transaction, self.source, self.line = transaction, source, line
        self.slot = -1
        self.asked_at = 0.0


class Engine:
    """What both builds share: reading, remembering, scoring and wording."""

    def __init__(self, model: Model, decisions: DecisionLog | None) -> None:
        self.model = model
        self.decisions = decisions
        self.stats = Stats()
        #: who got answers since the last look
        self.touched: set[Source] = set()
        self._ready: list[_Parked] = []
        #: by the hash of a line its answer, or who waits for it beside the first
        self._young: dict[int, bytes | list[Source]] = {}
        self._old: dict[int, bytes | list[Source]] = {}

    def read(self, source: Source, lines: Sequence[bytes | None], now: float) -> None:
        """Take lines in; answers follow with ``settle`` or later."""
        for line in lines:
            try:
                transaction = read_line(line)
            except InvalidLine as error:
                source.out.append(failure(error.key, str(error)))
                self.touched.add(source)
                self.stats.refused += 1
                continue
            name = hash(line)
            if name in self._young or name in self._old:
                self._repeat(source, name)
                continue
            if len(self._young) >= _REMEMBERED:
                self._old, self._young = self._young, {}
            self._young[name] = []
            source.owed += 1
            self._take(_Parked(transaction, source, name), now)

    def settle(self, now: float) -> None:
        """Answer all that can be answered now."""
        raise NotImplementedError

    def _take(self, parked: _Parked, now: float) -> None:
        raise NotImplementedError

    def _repeat(self, source: Source, name: int) -> None:
        self.stats.repeated += 1
        known = self._young.get(name)
        if known is None:
            known = self._old[name]
        if type(known) is bytes:
            source.out.append(known)
            self.touched.add(source)
        else:
            source.owed += 1
            known.append(source)  # type: ignore[union-attr]

    def _score(
        self, batch: list[_Parked], rows: NDArray[np.void], *, degraded: bool = False
    ) -> None:
        """Score transactions of different cards, bring their rows up to date and word answers."""
        asked = [parked.transaction for parked in batch]
        keys, _, amounts, merchants, times = zip(*asked, strict=True)
        when = np.array(times)
        places = observe(rows, np.array(amounts), when, np.array(merchants, np.int64))
        told = [i for i, parked in enumerate(batch) if parked.source is not None]
        if not told:
            return
        scores = self.model.scores(places).round(6).tolist()
        if self.decisions is not None:
            if len(told) == len(batch):
                self.decisions.add(keys, places, when)
            else:
                self.decisions.add([keys[i] for i in told], places[told], when[told])
        self.stats.scored += len(told)
        self.stats.batches += 1
        threshold = self.model.threshold
        tail = b',"degraded":true}\n' if degraded else b"}\n"
        for i in told:
            parked, score = batch[i], scores[i]
            word = b"decline" if score >= threshold else b"approve"
            answer = b'{"id":%b,"score":%.6f,"decision":"%b"%b' % (keys[i], score, word, tail)
            self._answer(parked, answer)

    def _answer(self, parked: _Parked, answer: bytes) -> None:
        source, name = parked.source, parked.line
        assert source is not None
        source.out.append(answer)
        source.owed -= 1
        self.touched.add(source)
        where = self._young if name in self._young else self._old
        others = where.get(name)
        if others is not None:
            where[name] = answer
            for other in others:
                other.out.append(answer)  # type: ignore[union-attr]
                other.owed -= 1  # type: ignore[union-attr]
                self.touched.add(other)  # type: ignore[arg-type]


class PipelinedEngine(Engine):
    """The fixed build: hits are answered at once, misses when their profile comes."""

    def __init__(
        self,
        model: Model,
        decisions: DecisionLog | None,
        table: CardTable,
        lookup: PipelinedLookup,
        give_up_s: float = GIVE_UP_S,
    ) -> None:
        super().__init__(model, decisions)
        self.table, self.lookup, self.give_up_s = table, lookup, give_up_s
        self._parked: dict[str, list[_Parked]] = {}
        self._to_ask: list[str] = []
        self._since: collections.deque[_Parked] = collections.deque()

    def _take(self, parked: _Parked, now: float) -> None:
        card = parked.transaction.card
        slot = self.table.find(card)
        if slot is not None:
            parked.slot = slot
            self._ready.append(parked)
            return
        parked.asked_at = now
        self.stats.misses += 1
        waiting = self._parked.get(card)
        if waiting is None:
            self._parked[card] = [parked]
            self._to_ask.append(card)
        else:
            waiting.append(parked)
        self._since.append(parked)

    @property
    def full(self) -> bool:
        """Tell whether a batch is complete."""
        return len(self._ready) >= MOST_BATCH

    def settle(self, now: float) -> None:
        """Ask for missing profiles, answer hits, and those that have waited too long."""
        if self._to_ask:
            for start in range(0, len(self._to_ask), MOST_BATCH):
                self.lookup.ask(self._to_ask[start : start + MOST_BATCH])
            self._to_ask = []
        while self._ready:
            batch, later, taken = [], [], set()
            for parked in self._ready:
                if parked.slot in taken or len(batch) == MOST_BATCH:
                    later.append(parked)  # the same card again: its row must be written first
                else:
                    taken.add(parked.slot)
                    batch.append(parked)
            self._ready = later
            slots = np.array([parked.slot for parked in batch])
            rows = self.table.rows[slots]
            self._score(batch, rows)
            self.table.rows[slots] = rows
            self.table.dirty[slots] = True
        self._give_up(now)

    def arrived(self, cards: list[str], profiles: Sequence[bytes | None], now: float) -> None:
        """Take profiles from the store; who waited for them is answered at the next ``settle``."""
        for card, profile in zip(cards, profiles, strict=True):
            slot = self.table.install(card, profile)
            for parked in self._parked.pop(card, ()):
                parked.slot = slot
                if parked.source is not None:
                    self.stats.lookup_s += now - parked.asked_at
                self._ready.append(parked)
        self.settle(now)

    def tend(self, window: int) -> None:
        """Write some of what changed behind the answers."""
        self.table.unwritten(self.lookup.unwritten())
        if not self.lookup.jammed:
            self.lookup.write(self.table.changed(window))

    def _give_up(self, now: float) -> None:
        """Judge without its card's history what has waited too long; it still counts later."""
        late = []
        since = self._since
        while since and (since[0].slot >= 0 or now - since[0].asked_at > self.give_up_s):
            parked = since.popleft()
            if parked.slot < 0:
                late.append(parked)
        for start in range(0, len(late), MOST_BATCH):
            batch = late[start : start + MOST_BATCH]
            self._score(batch, np.zeros(len(batch), PROFILE), degraded=True)
            for parked in batch:
                self.stats.lookup_s += now - parked.asked_at
                parked.source = None
        self.stats.degraded += len(late)
        if late and sum(map(len, self._parked.values())) > _MOST_PARKED:
            for card, waiting in self._parked.items():
                self._parked[card] = [parked for parked in waiting if parked.source is not None]

    @property
    def next_deadline(self) -> float | None:
        """Return when the transaction that waits longest is given up."""
        return self._since[0].asked_at + self.give_up_s if self._since else None


class BlockingEngine(Engine):
    """The incident: a look-up for each transaction, and all others wait for its answer."""

    def __init__(self, model: Model, decisions: DecisionLog | None, lookup: BlockingLookup) -> None:
        super().__init__(model, decisions)
        self.lookup = lookup

    #: nothing waits to be batched
    full = True
    next_deadline = None

    def _take(self, parked: _Parked, now: float) -> None:  # noqa: ARG002 (it waits right here)
        card = parked.transaction.card
        began = time.perf_counter()
        row = np.zeros(1, PROFILE)
        self.stats.misses += 1
        try:
            profile = self.lookup.get(card)
        except StoreAway:
            self.stats.degraded += 1
            self._score([parked], row, degraded=True)
            return
        self.stats.lookup_s += time.perf_counter() - began
        if profile is not None and len(profile) == PROFILE.itemsize:
            row = np.frombuffer(profile, PROFILE).copy()
        self._score([parked], row)
        try:
            self.lookup.set(card, row.tobytes())
        except StoreAway:
            return

    def settle(self, now: float) -> None:
        """Do nothing: all is answered already."""

    def tend(self, window: int) -> None:
        """Do nothing: every profile is written at once."""
