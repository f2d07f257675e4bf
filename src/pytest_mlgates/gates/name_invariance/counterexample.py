"""The counter-example that a person reads: two names, one template, made as small as it gets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_mlgates.gates.name_invariance.mask import mask
from pytest_mlgates.gates.name_invariance.shrink import minimal, parts_of

if TYPE_CHECKING:
    from pytest_mlgates.gates.name_invariance.measure import Plan

__all__ = ["Counterexample", "find_smaller"]

#: calls that making it small may take
_MOST_CALLS = 600
#: scores that are averaged where the scorer is noisy
_AVERAGED = 8
#: characters of a shrunk template that are shown
_SHOWN = 300
_INSTALL = 'to see a minimal template, pip install "pytest-mlgates[search]"'


@dataclass(frozen=True, slots=True)
class Counterexample:
    """What the evidence shows: ``record`` for machines, ``findings`` for people."""

    record: dict[str, Any]
    findings: list[str]


class _Search:
    """Answers "does the gap hold on this text?", remembering and counting the calls."""

    def __init__(self, plan: Plan, ask: Callable[[str], float], least: float) -> None:
        self.plan = plan
        self.least = least
        self.ask = ask
        self.known: dict[str, float | None] = {}
        self.left = min(_MOST_CALLS, plan.gate.max_calls - plan.asker.calls)

    def score(self, text: str) -> float | None:
        if text in self.known:
            return self.known[text]
        repeats = _AVERAGED if self.plan.audit.noisy else 1
        if self.left < repeats:
            return None
        self.left -= repeats
        try:
            found: float | None = float(np.mean([self.ask(text) for _ in range(repeats)]))
        except Exception:  # noqa: BLE001  a scorer need not understand half a résumé
            found = None
        self.known[text] = found
        return found

    def holds(self, template: str, pair: tuple[str, str]) -> bool:
        gate = self.plan.gate
        if gate.placeholder not in template:
            return False
        high, low = (self.score(template.replace(gate.placeholder, name)) for name in pair)
        if high is None or low is None:
            return False
        noise = 2 * self.plan.audit.noise_sd() * (2 / _AVERAGED) ** 0.5
        return bool(abs(high - low) >= self.least + noise * self.plan.audit.noisy)


def find_smaller(plan: Plan) -> Generator[Any, Any, Counterexample | None]:
    """Shrink the pair that failed; None where it was the groups that failed, not a pair."""
    audit, names = plan.audit, plan.names
    pair = _failed(plan)
    if pair is None:
        return None
    high, low, template, gap = pair
    # half the gap stays, so that what is shown is as plain as it is small
    least = max(plan.reach, gap / 2)
    text = audit.templates[template]
    choice = [(names[high].text, names[low].text)]
    row = audit.cells()[list(audit.seen).index(template)] if audit.counts[template] else None
    if row is not None and not audit.noisy:
        wide = np.argwhere(row[:, None] - row[None, :] >= least)
        wide = wide if len(wide) else np.array([[high, low]])
        choice = [(names[int(a)].text, names[int(b)].text) for a, b in wide]
    choice = sorted(choice, key=lambda two: (len(two[0]) + len(two[1]), two))[:40]
    record: dict[str, Any] = {
        "names": [names[high].text, names[low].text],
        "template": plan.indices[template],
        "digest": audit.digest(template),
    }
    try:
        found = yield from _shrunk(plan, text, choice, least)
    except ImportError:
        return Counterexample(record, [*_findings(record), _INSTALL])
    if found is not None:
        small, two, scores, left = found
        parts = (left, len(parts_of(text)))
        record |= {
            "names": list(two),
            "scores": [float(f"{score:.6g}") for score in scores],
            "gap": float(f"{abs(scores[0] - scores[1]):.6g}"),
            "shrunk": _shown(small),
            "parts": list(parts),
        }
    return Counterexample(record, _findings(record))


def _failed(plan: Plan) -> tuple[int, int, int, float] | None:
    """Return the pair, the template and the gap that broke the limit on single names."""
    audit = plan.audit
    if audit.exact is not None:
        return audit.exact.high, audit.exact.low, audit.exact.template, audit.exact.gap
    limit = plan.gate.max_gap
    over = [t for t in audit.trials if t.n and t.total / t.n > limit]
    if not over:
        return None
    worst = max(over, key=lambda t: t.total / t.n)
    if worst.template is not None:
        return worst.high, worst.low, worst.template, worst.total / worst.n
    cells = audit.cells()
    row = int((cells[:, worst.high] - cells[:, worst.low]).argmax())
    return worst.high, worst.low, int(audit.seen[row]), worst.total / worst.n


def _shrunk(
    plan: Plan, text: str, choice: list[tuple[str, str]], least: float
) -> Generator[Any, Any, tuple[str, tuple[str, str], tuple[float, float], int] | None]:
    asker = plan.asker
    if not asker.awaits:
        search = _Search(plan, asker.ask_now, least)
        found = minimal(text, choice, search.holds, plan.seed)
    else:

        async def hunt() -> Any:
            # the search runs beside the loop; the scorer stays on it
            loop = asyncio.get_running_loop()

            def ask(one: str) -> float:
                return asyncio.run_coroutine_threadsafe(asker.ask_async(one), loop).result()

            search = _Search(plan, ask, least)
            return search, await asyncio.to_thread(minimal, text, choice, search.holds, plan.seed)

        search, found = yield hunt()
    if found is None:
        return None
    small, two, left = found
    placeholder = plan.gate.placeholder
    scores = [search.known.get(small.replace(placeholder, name)) for name in two]
    if scores[0] is None or scores[1] is None:
        return None
    return small, two, (scores[0], scores[1]), left


def _shown(text: str) -> str:
    shown = mask(text.strip())
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"


def _findings(record: dict[str, Any]) -> list[str]:
    first, second = record["names"]
    line = f"{first} against {second} on template {record['template']} ({record['digest']})"
    if "scores" in record:
        a, b = record["scores"]
        kept, all_parts = record["parts"]
        line += f": {a:g} against {b:g}, with {kept} of {all_parts} parts of the template left"
        return [line, f"smallest template that shows it: {record['shrunk']}"]
    return [line]
