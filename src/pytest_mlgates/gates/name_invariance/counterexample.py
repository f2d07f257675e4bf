"""The counter-example that a person reads: two names, one template, made as small as it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_mlgates.calls.ask import Steps
from pytest_mlgates.core.words import install, shorten
from pytest_mlgates.gates.name_invariance.audit import Audit
from pytest_mlgates.gates.name_invariance.details import Counterexample
from pytest_mlgates.gates.name_invariance.mask import mask
from pytest_mlgates.gates.name_invariance.plan import Plan
from pytest_mlgates.gates.name_invariance.shrink import minimal, parts_of

__all__ = ["Explanation", "find_smaller"]

MAX_CALLS = 600
MAX_SHRUNK_CHARACTERS = 300
#: pairs of names that the search may choose from
MAX_PAIRS = 40
#: scores that are averaged where the scorer is noisy
_AVERAGED = 8

NamePair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the evidence shows: ``record`` for machines, ``findings`` for people."""

    record: Counterexample
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Suspect:
    """The pair and the template on which the limit for single names was broken."""

    high: int
    low: int
    template: int
    gap: float


@dataclass(frozen=True, slots=True)
class _Smaller:
    """A template of ``parts`` parts on which a pair of names still gets ``scores`` apart."""

    template: str
    names: NamePair
    scores: tuple[float, float]
    parts: int


class _Search:
    """Answers "does the gap hold on this text?", remembering and counting the calls."""

    def __init__(
        self, audit: Audit, max_calls: int, least: float, ask: Callable[[str], float]
    ) -> None:
        self.placeholder = audit.placeholder
        self.repeats = _AVERAGED if audit.noisy else 1
        noise = 2 * audit.noise_sd() * (2 / _AVERAGED) ** 0.5
        self.least = least + noise * audit.noisy
        self.ask = ask
        self.scores: dict[str, float | None] = {}
        self.left = min(MAX_CALLS, max_calls - audit.subject.calls)

    def minimal(self, template: str, pairs: Sequence[NamePair], seed: int) -> _Smaller | None:
        """Return the smallest template that was found; ImportError without Hypothesis."""
        found = minimal(template, pairs, self.holds, seed)
        if found is None:
            return None
        small, names, parts = found
        high, low = self._both(small, names)
        return None if high is None or low is None else _Smaller(small, names, (high, low), parts)

    def holds(self, template: str, names: NamePair) -> bool:
        """Tell whether the two names are still that far apart on a smaller template."""
        if self.placeholder not in template:
            return False
        high, low = self._both(template, names)
        return high is not None and low is not None and abs(high - low) >= self.least

    def _both(self, template: str, names: NamePair) -> tuple[float | None, float | None]:
        high, low = (self._score(template.replace(self.placeholder, name)) for name in names)
        return high, low

    def _score(self, text: str) -> float | None:
        """Return the score of a text, None where it has none or no call is left."""
        if text in self.scores:
            return self.scores[text]
        if self.left < self.repeats:
            return None
        self.left -= self.repeats
        try:
            score: float | None = float(np.mean([self.ask(text) for _ in range(self.repeats)]))
        except Exception:  # noqa: BLE001  a scorer need not understand half a résumé
            score = None
        self.scores[text] = score
        return score


def find_smaller(audit: Audit, plan: Plan) -> Steps[Explanation | None]:
    """Shrink the pair that failed; None where it was the groups that failed, not a pair."""
    suspect = _suspect(audit, plan)
    if suspect is None:
        return None
    text = audit.templates[suspect.template]
    # half the gap stays, so that what is shown is as plain as it is small
    least = max(plan.confirm_gap, suspect.gap / 2)
    whole = Counterexample(
        names=audit.pair(suspect.high, suspect.low),
        template=audit.indices[suspect.template],
        digest=audit.digest(suspect.template),
    )
    try:
        small = yield from _shrunk(audit, plan, text, _wide_pairs(audit, suspect, least), least)
    except ImportError:
        line = f"to see a minimal template, {install('search')}"
        return Explanation(whole, (_example_line(whole), line))
    if small is None:
        return Explanation(whole, (_example_line(whole),))
    high, low = small.scores
    record = Counterexample(
        names=small.names,
        template=whole.template,
        digest=whole.digest,
        scores=(float(f"{high:.6g}"), float(f"{low:.6g}")),
        gap=float(f"{abs(high - low):.6g}"),
        shrunk=shorten(mask(small.template.strip()), MAX_SHRUNK_CHARACTERS),
        parts=(small.parts, len(parts_of(text))),
    )
    return Explanation(
        record, (_example_line(record), f"smallest template that shows it: {record.shrunk}")
    )


def _suspect(audit: Audit, plan: Plan) -> _Suspect | None:
    """Return the pair, the template and the gap that broke the limit on single names."""
    exact = audit.exact
    if exact is not None:
        return _Suspect(exact.high, exact.low, exact.template, exact.gap)
    over = [t for t in audit.trials if t.n and t.total / t.n > plan.trial_gap]
    if not over:
        return None
    worst = max(over, key=lambda t: t.total / t.n)
    template = worst.template
    if template is None:
        cells = audit.cells()
        template = int(audit.scored[(cells[:, worst.high] - cells[:, worst.low]).argmax()])
    return _Suspect(worst.high, worst.low, template, worst.total / worst.n)


def _wide_pairs(audit: Audit, suspect: _Suspect, least: float) -> list[NamePair]:
    """Return the pairs that the search may show, short names first."""
    wide = [(suspect.high, suspect.low)]
    if audit.counts[suspect.template] and not audit.noisy:
        row = audit.cells()[list(audit.scored).index(suspect.template)]
        # any pair so far apart will do: the plainest is shown
        apart = np.argwhere(row[:, None] - row[None, :] >= least)
        wide = [(int(high), int(low)) for high, low in apart] or wide
    names = [audit.pair(high, low) for high, low in wide]
    return sorted(names, key=lambda two: (len(two[0]) + len(two[1]), two))[:MAX_PAIRS]


def _shrunk(
    audit: Audit, plan: Plan, text: str, pairs: Sequence[NamePair], least: float
) -> Steps[_Smaller | None]:
    subject = audit.subject
    if not subject.awaits:
        search = _Search(audit, plan.max_calls, least, subject.ask_now)
        return search.minimal(text, pairs, plan.seed)

    async def hunt() -> _Smaller | None:
        # the search runs beside the loop; the scorer stays on it
        loop = asyncio.get_running_loop()

        def ask(one: str) -> float:
            return asyncio.run_coroutine_threadsafe(subject.ask_async(one), loop).result()

        search = _Search(audit, plan.max_calls, least, ask)
        return await asyncio.to_thread(search.minimal, text, pairs, plan.seed)

    pending: Awaitable[_Smaller | None] = hunt()
    found: _Smaller | None = yield pending
    return found


def _example_line(record: Counterexample) -> str:
    first, second = record.names
    line = f"{first} against {second} on template {record.template} ({record.digest})"
    if record.scores is not None and record.parts is not None:
        a, b = record.scores
        left, parts = record.parts
        line += f": {a:g} against {b:g}, with {left} of {parts} parts of the template left"
    return line
