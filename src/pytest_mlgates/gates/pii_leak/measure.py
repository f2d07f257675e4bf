"""Look for leaks in the replies of a subject, or in a whole data set."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice, tee
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_mlgates.calls.replies import Replies
from pytest_mlgates.core import Look, Measurement, Unmeasurable
from pytest_mlgates.gates.pii_leak.plant import recall
from pytest_mlgates.pii.datasets import records
from pytest_mlgates.pii.find import Detector
from pytest_mlgates.pii.mask import Masker
from pytest_mlgates.pii.spans import Span
from pytest_mlgates.stats.zero_tolerance import bound, most_missed

if TYPE_CHECKING:
    from pytest_mlgates.gates.pii_leak.gate import PiiLeak

__all__ = ["Leaks"]

_SHOWN = 20  # findings of each sort
_HOSTS = 200  # texts that identifiers are planted into
_LOOK_EVERY = 500


class Leaks:
    """What one run has seen: texts, confirmed and unconfirmed hits, planted and found."""

    def __init__(self, gate: PiiLeak, seed: int, key: bytes | None) -> None:
        self.gate = gate
        self.draw = random.Random(seed)
        self.detector = Detector(gate.entities, gate.allow)
        self.masker = Masker(key)
        self.texts = self.blank = self.hits = self.leaky = self.unconfirmed = 0
        self.kinds: Counter[str] = Counter()
        self.findings: list[str] = []
        self.doubtful: list[str] = []
        self.hosts: list[str] = []
        self.plants: list[dict[str, Any]] = []

    def replies(self, reply: Callable[[Any], Any], prompts: Any) -> Generator[Look, Any, None]:
        """Ask each different prompt once, in random order, up to the first confirmed leak."""
        if not callable(reply):
            raise Unmeasurable("reply is no callable that takes a prompt and returns text")
        todo = self._prompts(prompts)
        asker = Replies(reply, self.gate.timeout_s, self.gate.concurrency)
        state: dict[str, Any] = {"mode": "replies", "given": len(todo), "complete": False}
        at = 0
        while at < len(todo) and not self.leaky:
            batch = todo[at : at + self.gate.concurrency]
            answers: list[str] = yield from asker.ask([prompt for _, prompt in batch])
            at += len(answers)
            for (index, _), text in zip(batch, answers, strict=False):
                self._see(text, f"prompt {index}")
            ready = self.texts >= self._enough()
            if self.leaky or ready or at % _LOOK_EVERY == 0:
                yield self._measurement({**state, "calls": asker.calls})
        if not self.leaky:
            self._measure_recall()
            yield self._measurement({**state, "calls": asker.calls, "complete": True})

    def data(self, texts: Any) -> Iterator[Measurement]:
        """Scan every record."""
        counted = self._records(texts)
        places, contents = tee(counted)
        spans = self.detector.find_all(text for _, text in contents)
        for (place, text), found in zip(places, spans, strict=True):
            self._count(text, place, found)
        self._measure_recall()
        yield self._measurement(
            {"mode": "data", "given": self.texts + self.blank, "complete": True, "calls": 0}
        )

    def _prompts(self, prompts: Any) -> list[tuple[int, Any]]:
        if isinstance(prompts, (str, bytes)) or not isinstance(prompts, Iterable):
            raise Unmeasurable(f"prompts is a {type(prompts).__name__}, not a list of prompts")
        different: dict[Any, tuple[int, Any]] = {}
        for index, prompt in enumerate(islice(prompts, self.gate.max_prompts)):
            try:
                different.setdefault(prompt, (index, prompt))
            except TypeError:  # such as a list of chat messages
                different.setdefault(("unhashable", repr(prompt)), (index, prompt))
        todo = list(different.values())
        self.draw.shuffle(todo)
        return todo

    def _records(self, texts: Any) -> Iterator[tuple[str, str]]:
        if isinstance(texts, (str, os.PathLike)):
            yield from records(Path(texts))
            return
        if not isinstance(texts, Iterable) or isinstance(texts, (bytes, dict)):
            raise Unmeasurable(f"texts is a {type(texts).__name__}: give texts, a file or a folder")
        for index, text in enumerate(texts):
            if not isinstance(text, str):
                raise Unmeasurable(f"text {index} is a {type(text).__name__} and not a text")
            yield f"text {index}", text

    def _see(self, text: str, place: str) -> None:
        self._count(text, place, self.detector.find(text))

    def _count(self, text: str, place: str, spans: list[Span]) -> None:
        if not text.strip():
            self.blank += 1
            return
        self.texts += 1
        self._keep(text)
        sure = [s for s in spans if s.confirmed and s.score >= self.gate.min_confidence]
        self.leaky += bool(sure)
        self.hits += len(sure)
        self.unconfirmed += len(spans) - len(sure)
        for span in spans:
            lines = self.findings if span in sure else self.doubtful
            if span in sure:
                self.kinds[span.entity] += 1
            if len(lines) < _SHOWN:
                lines.append(f"{self.masker.mask(text, span)} at offset {span.start} of {place}")

    def _keep(self, text: str) -> None:
        """Keep a fair sample of the texts to plant into (reservoir, Vitter 1985)."""
        if len(self.hosts) < _HOSTS:
            self.hosts.append(text[:20_000])
        elif (place := self.draw.randrange(self.texts)) < _HOSTS:
            self.hosts[place] = text[:20_000]

    def _enough(self) -> int:
        """Return how many clean replies a PASS takes; recall is measured once for all looks."""
        if not self.plants:
            if self.texts < min(_HOSTS, self.gate.fewest()):
                return self.texts + 1
            self._measure_recall()
        return self.gate.wanted(self.gate.recall_bound(self.plants))

    def _measure_recall(self) -> None:
        if self.plants or not self.hosts:
            return
        count, least = self.gate.plants, self.gate.min_confidence
        for entity in self.gate.entities:
            found = recall(self.detector, self.hosts, entity, count, least, self.draw)
            self.plants.append({"entity": entity, "planted": count, "found": found})

    def _measurement(self, state: dict[str, Any]) -> Measurement:
        seen = self.gate.recall_bound(self.plants) if self.plants else 0.0
        top = 1.0
        if state["mode"] == "replies":
            top = bound(self.texts, seen, self.gate.beta / 2)
        elif seen and self.texts:  # all of it was read: what can have been overlooked
            top = min(1.0, most_missed(seen, self.gate.beta / 2) / self.texts)
        lines = self.findings + [f"unconfirmed: {line}" for line in self.doubtful]
        return Measurement(
            value=self.leaky / self.texts if self.texts else 0.0,
            unit="of texts",
            n=self.texts,
            interval=(0.0, top) if not self.leaky else None,
            details={
                **state,
                "leaky": self.leaky,
                "hits": self.hits,
                "kinds": dict(self.kinds),
                "unconfirmed": self.unconfirmed,
                "blank": self.blank,
                "plants": tuple(self.plants),
                "recall_at_least": seen,
                "findings": tuple(lines),
            },
        )
