"""Look for leaks in the replies of a subject, or in a whole data set."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, tee
from pathlib import Path
from typing import Any, Literal

from pytest_mlgates.audit.finished import FinishedScan
from pytest_mlgates.calls.ask import Subject, text_from
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.digests import digest_of
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Look, Measurement
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.pii_leak.details import Planted, Seen, recall_bound, texts_needed, weakest
from pytest_mlgates.gates.pii_leak.in_place import card_numbers, recall_in_place
from pytest_mlgates.gates.pii_leak.judge import headline
from pytest_mlgates.gates.pii_leak.plant import recall
from pytest_mlgates.pii import credentials, datasets
from pytest_mlgates.pii.find import Detector
from pytest_mlgates.pii.mask import Masker
from pytest_mlgates.pii.spans import Span
from pytest_mlgates.reading.records import records

__all__ = ["Plan", "scan_finished", "scan_replies", "scan_texts"]

#: findings of each sort that are recorded
MAX_FINDINGS = 20
#: texts that identifiers are planted into, and characters of each
MAX_HOSTS, MAX_HOST = 200, 20_000
_LOOK_EVERY = 500
#: score from which an unconfirmed hit is a doubt; below are values that documentation uses
_DOUBTFUL = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a run goes; ``rate`` and ``error`` say how many clean texts are worth asking for."""

    entities: tuple[str, ...]
    regions: tuple[str, ...]
    allow: tuple[str, ...]
    min_confidence: float
    plants: int
    rate: float
    error: float
    fewest: int
    max_prompts: int
    timeout_s: float
    concurrency: int
    seed: int


def scan_replies(
    reply: Callable[[Any], object], prompts: object, plan: Plan, key: bytes | None
) -> Generator[Look, object, None]:
    """Ask each different prompt once, in random order; a look follows each reply that leaks."""
    if not callable(reply):
        raise Unmeasurable("reply is not a callable that takes a prompt and returns text")
    scan = _Scan(plan, key)
    todo = _different_prompts(prompts, plan.max_prompts)
    scan.draw.shuffle(todo)
    subject = Subject(reply, text_from("reply"), plan.timeout_s, plan.concurrency)
    at = 0
    while at < len(todo):
        batch = todo[at : at + plan.concurrency]
        # a subject that answers at once is asked for one, so that nothing is asked after a leak
        batch = batch if subject.awaits else batch[:1]
        leaky = scan.leaky
        answers = yield from subject.ask([prompt for _, prompt in batch])
        for (index, _), text in zip(batch, answers, strict=True):
            scan.look_at(text, f"prompt {index}")
        at += len(answers)
        enough = not scan.leaky and scan.texts >= scan.enough()
        if scan.leaky > leaky or enough or at % _LOOK_EVERY == 0:
            yield scan.measurement("replies", len(todo), subject.calls, complete=False)
    if not scan.leaky:  # plants tell what may have been overlooked where nothing was found
        scan.measure_recall()
    yield scan.measurement("replies", len(todo), subject.calls, complete=True)


def scan_texts(texts: object, plan: Plan, key: bytes | None) -> Iterator[Measurement]:
    """Look at every record."""
    scan = _Scan(plan, key)
    unread: list[str] = []
    places, contents = tee(_placed_texts(texts, unread))
    spans = scan.detector.find_all(text for _, text in contents)
    for (place, text), found in zip(places, spans, strict=True):
        scan.count(text, place, found)
    scan.findings += [f"not read: {reason}" for reason in unread[:MAX_FINDINGS]]
    if isinstance(texts, datasets.Chosen):
        scan.chosen = tuple(f"{count} {line}" for line, count in sorted(texts.told.items()))
    if unread and not scan.leaky:  # what was not read may leak; a leak that was found stays one
        others = f", and {len(unread) - 1} more" if len(unread) > 1 else ""
        raise Unmeasurable(
            f"{unread[0]}{others}; no leak in the {scan.texts} records that were read"
        )
    scan.measure_recall()
    yield scan.measurement("data", scan.texts + scan.blank, 0, complete=not unread)


def scan_finished(scan: FinishedScan, plan: Plan, key: bytes | None) -> Iterator[Measurement]:
    """Take over what a scan of many partitions counted, and plant into texts that it read."""
    here = _Scan(plan, key)
    options, totals = scan.options, scan.totals
    for what, wanted, given in (
        ("entities", set(plan.entities), set(options.entities)),
        ("regions", set(plan.regions), set(options.regions)),
        ("min_confidence", plan.min_confidence, options.min_confidence),
    ):
        if wanted != given:
            raise Unmeasurable(f"the scan was made with other {what} than the gate has: scan again")
    here.texts, here.blank = totals.records, totals.blank
    here.hits, here.leaky, here.unconfirmed = totals.hits, totals.dirty, totals.unconfirmed
    here.kinds, here.doubtful_texts = totals.kinds, totals.doubtful
    here.findings = [*scan.examples(sure=True)]
    here.doubtful = [*scan.examples(sure=False)]
    unread = totals.unread
    here.findings += [f"not read: {reason}" for reason in unread[:MAX_FINDINGS]]
    if unread and not here.leaky:  # as scan_texts does
        others = f", and {len(unread) - 1} more" if len(unread) > 1 else ""
        raise Unmeasurable(
            f"{unread[0]}{others}; no leak in the {here.texts} records that were read"
        )
    if not here.leaky:
        here.hosts = scan.hosts(MAX_HOSTS, MAX_HOST, here.draw)
        here.measure_recall()
    if scan.is_sample:
        here.sampled = totals.held, scan.effective
    given = here.texts + here.blank
    mode: Literal["data", "sample"] = "sample" if scan.is_sample else "data"
    yield here.measurement(mode, given, 0, complete=not unread)


class _Scan:
    """What one run has seen: texts, confirmed and unconfirmed hits, planted and found."""

    def __init__(self, plan: Plan, key: bytes | None) -> None:
        self.plan = plan
        self.draw = random.Random(plan.seed)
        self.detector = Detector(plan.entities, plan.allow, regions=plan.regions)
        self.masker = Masker(key)
        self.texts = self.blank = self.hits = self.leaky = self.unconfirmed = 0
        self.kinds: Counter[str] = Counter()
        self.doubtful_texts: Counter[str] = Counter()
        self.findings: list[str] = []
        self.doubtful: list[str] = []
        self.hosts: list[str] = []
        self.plants: tuple[Planted, ...] = ()
        self.in_place: tuple[Planted, ...] = ()
        self.numbers = (0, 0)
        self.chosen: tuple[str, ...] | None = None
        self.sampled: tuple[int, int] | tuple[None, None] = (None, None)

    def look_at(self, text: str, place: str) -> None:
        """Find what one text holds, and count it."""
        self.count(text, place, self.detector.find(text))

    def count(self, text: str, place: str, spans: list[Span]) -> None:
        """Count what was found in one text; a blank one counts for nothing."""
        if not text.strip():
            self.blank += 1
            return
        self.texts += 1
        self._keep(text)
        sure = [s for s in spans if s.confirmed and s.score >= self.plan.min_confidence]
        self.leaky += bool(sure)
        self.hits += len(sure)
        self.unconfirmed += len(spans) - len(sure)
        self.doubtful_texts.update(
            {s.entity for s in spans if s not in sure and s.score >= _DOUBTFUL}
        )
        for span in spans:
            lines = self.findings if span in sure else self.doubtful
            if span in sure:
                self.kinds[span.entity] += 1
            if len(lines) < MAX_FINDINGS:
                lines.append(f"{self.masker.mask(text, span)} at offset {span.start} of {place}")

    def _keep(self, text: str) -> None:
        """Keep a fair sample of the texts to plant into (reservoir, Vitter 1985)."""
        if len(self.hosts) < MAX_HOSTS:
            self.hosts.append(text[:MAX_HOST])
        elif (place := self.draw.randrange(self.texts)) < MAX_HOSTS:
            self.hosts[place] = text[:MAX_HOST]

    def enough(self) -> int:
        """Return how many clean replies a PASS takes; recall is measured once for all looks."""
        if not self.plants:
            if self.texts < min(MAX_HOSTS, self.plan.fewest):
                return self.texts + 1
            self.measure_recall()
        return texts_needed(self.plan.rate, self._recall(), self.plan.error)

    def measure_recall(self) -> None:
        """Plant identifiers into texts that were seen, and count how many are found."""
        if self.plants or not self.hosts:
            return
        plan = self.plan
        found = {
            entity: recall(
                self.detector, self.hosts, entity, plan.plants, plan.min_confidence, self.draw
            )
            for entity in plan.entities
        }
        self.plants = tuple(
            Planted(entity=entity, planted=plan.plants, found=count)
            for entity, count in found.items()
        )

        self.numbers = card_numbers(self.hosts)
        tried = {
            entity: recall_in_place(
                self.detector, self.hosts, entity, plan.plants, plan.min_confidence, self.draw
            )
            for entity in plan.entities
        }
        self.in_place = tuple(
            Planted(entity=entity, planted=planted, found=count)
            for entity, (planted, count) in tried.items()
            if planted
        )

    @property
    def _wants_keys(self) -> bool:
        return "API_KEY" in self.plan.entities

    def _recall(self) -> float:
        """Return what the recall of the worst kind is above."""
        rows = weakest(self.plants, self.in_place)
        return recall_bound(rows, self.plan.error) if rows else 0.0

    def measurement(
        self, mode: Literal["replies", "data", "sample"], given: int, calls: int, *, complete: bool
    ) -> Measurement:
        """Return what was seen so far."""
        numbers, right = self.numbers
        sampled_from, effective = self.sampled
        seen = Seen(
            mode=mode,
            given=given,
            complete=complete,
            calls=calls,
            leaky=self.leaky,
            hits=self.hits,
            kinds=dict(self.kinds),
            unconfirmed=self.unconfirmed,
            blank=self.blank,
            looked_at=self.texts,
            plants=self.plants,
            recall_at_least=self._recall(),
            findings=(*self.findings, *(f"unconfirmed: {line}" for line in self.doubtful)),
            in_place=self.in_place,
            doubtful=dict(self.doubtful_texts),
            card_numbers=numbers,
            sampled_from=sampled_from,
            effective=effective,
            right_card_numbers=right,
            id_regions=self.detector.id_regions,
            chosen=self.chosen,
            credentials=credentials.described() if self.plants and self._wants_keys else None,
        )
        return headline(seen, self.texts, self.plan.error).measurement(plain(seen))


def _different_prompts(prompts: object, most: int) -> list[tuple[int, object]]:
    """Return each different prompt once, with the place where it stands first."""
    different: dict[object, tuple[int, object]] = {}
    for index, prompt in enumerate(islice(records(prompts, "prompts", values=True), most)):
        try:
            different.setdefault(prompt, (index, prompt))
        except TypeError:  # such as a list of chat messages; what has no digest is one of its own
            different.setdefault(("digest", digest_of(prompt) or index), (index, prompt))
    return list(different.values())


def _placed_texts(texts: object, unread: list[str]) -> Iterator[tuple[str, str]]:
    if isinstance(texts, datasets.Chosen):
        yield from datasets.records(texts, unread)
        return
    if isinstance(texts, (str, os.PathLike)):
        yield from datasets.records(Path(texts), unread)
        return
    for index, text in enumerate(records(texts, "texts", "texts, a table, a file or a folder")):
        if not isinstance(text, (str, Mapping)):
            raise Unmeasurable(f"text {index} is {a(type(text).__name__)}, not a text or a record")
        yield f"text {index}", text if isinstance(text, str) else datasets.flat(text)
