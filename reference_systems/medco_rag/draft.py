"""Claims as they are put together: each says no more than the passage that it cites."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from reference_systems.medco_rag.chart import Chart
from reference_systems.medco_rag.model import REFUSAL, Answer, Claim, Fact, Span
from reference_systems.medco_rag.terms import terms

__all__ = ["Draft", "in_scope", "newest", "newest_each", "refusal"]

#: more claims than a reader would read; the rest is named as left out
_MOST = 150


def refusal(why: str) -> Answer:
    """Return a refusal with its reason.

    >>> refusal("it names no allergy").text
    'The chart does not answer this: it names no allergy.'
    """
    return Answer(f"{REFUSAL}: {why}.", (), refused=True)


def in_scope(facts: Iterable[Fact], allowed: Collection[str], since: str, until: str) -> list[Fact]:
    """Return the facts of the allowed passages within some days; undated ones are not within."""
    found = []
    for fact in facts:
        own = f"{fact.span.file}:{fact.span.start}-{fact.span.end}:allergy"
        if fact.chunk not in allowed and own not in allowed:
            continue
        if (since or until) and not fact.date:
            continue
        if (since and fact.date < since) or (until and fact.date > until):
            continue
        found.append(fact)
    return found


def newest(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts, newest first; of one day the structured come first, undated come last."""
    return sorted(facts, key=lambda fact: (fact.date, fact.structured), reverse=True)


def newest_each(facts: Iterable[Fact]) -> list[Fact]:
    """Return the newest fact of each name, newest first."""
    kept: dict[tuple[str, ...], Fact] = {}
    for fact in newest(facts):
        kept.setdefault(terms(fact.name), fact)
    return list(kept.values())


@dataclass(slots=True)
class Draft:
    """An answer in the making."""

    chart: Chart
    parts: list[str] = field(default_factory=list)
    claims: dict[tuple[str, Span], Claim] = field(default_factory=dict)

    def say(self, text: str) -> Draft:
        """Add words that claim nothing of their own."""
        self.parts.append(re.sub(r"([.!?])([\u201d\"]?)\.$", r"\1\2", text))
        return self

    def cite(self, text: str, span: Span) -> str:
        """Add a claim and return its text."""
        if len(self.claims) < _MOST:
            self.claims.setdefault((text, span), Claim(text, self.chart.source(span)))
        return text

    def fact(self, fact: Fact, *, dated: bool = True) -> str:
        """Add a fact with what its source says of it, and return it in words."""
        if fact.structured:
            return self._structured(fact)
        name = self.cite(fact.name, fact.span)
        if dated and fact.date_span is not None:
            self.day(fact)
            return f"{name} ({fact.date})"
        return name

    def day(self, fact: Fact) -> str:
        """Add the date of a fact as a claim of its own, where it stands apart."""
        if fact.structured or fact.date_span is None:
            return fact.date
        self.cite(fact.date, fact.date_span)
        return fact.date

    def _structured(self, fact: Fact) -> str:
        said = [fact.detail[key] for key in ("status", "value", "reaction") if key in fact.detail]
        if fact.detail.get("ended"):
            said.append(f"ended {fact.detail['ended']}")
        if fact.date:
            said.append(fact.date)
        if fact.name_span is not None:
            self.cite(fact.name, fact.name_span)
            self.cite("order " + ", ".join(said), fact.span)
            return f"{fact.name}: {', '.join(said)}"
        joined = f"{fact.name}: {', '.join(said)}" if said else fact.name
        return self.cite(joined, fact.span)

    def answer(self) -> Answer:
        """Return the answer; more than a reader would read is said to be cut."""
        text = " ".join(part for part in self.parts if part)
        if len(self.claims) >= _MOST:
            text += " More entries were left out; narrow the question by dates."
        return Answer(text, tuple(self.claims.values()))
