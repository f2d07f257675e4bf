"""Everything in a chart that speaks of what a question is about, as evidence for or against."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from reference_systems.medco_rag.chart import Chart, Mention
from reference_systems.medco_rag.context import context_of, narrowed
from reference_systems.medco_rag.drugs import names_of, same_drug
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.model import Fact, Kind, Polarity, Span, State
from reference_systems.medco_rag.question import Ask, Topic
from reference_systems.medco_rag.terms import bare, find, terms, tokens, variants

__all__ = ["Evidence", "evidence_for", "facts_about", "named_in", "standing"]

_KINDS = {
    Topic.MEDICATION: (Kind.MEDICATION,),
    Topic.CONDITION: (Kind.CONDITION,),
    Topic.PROCEDURE: (Kind.PROCEDURE,),
    Topic.IMMUNIZATION: (Kind.IMMUNIZATION, Kind.MEDICATION),
    Topic.OBSERVATION: (Kind.OBSERVATION,),
}
_ANY = (Kind.MEDICATION, Kind.CONDITION, Kind.PROCEDURE, Kind.IMMUNIZATION, Kind.OBSERVATION)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact or a sentence about the target."""

    polarity: Polarity
    subject: str
    date: str
    fact: Fact | None = None
    mention: Mention | None = None

    @property
    def structured(self) -> bool:
        """Whether it is an entry of the record, not a sentence."""
        return self.fact is not None and self.fact.structured

    @property
    def place(self) -> Span:
        """Where it stands."""
        if self.fact is not None:
            return self.fact.span
        assert self.mention is not None
        return self.mention.span


def facts_about(ask: Ask, facts: Iterable[Fact]) -> list[Fact]:
    """Return the facts whose name is what is asked for; exact names alone where there are any."""
    kinds = _KINDS.get(ask.topic, _ANY)
    ways = [set(way) for way in variants(ask.target)]
    found = [
        f
        for f in facts
        if f.kind in kinds and not f.blanket
        and (any(way <= set(terms(f.name)) for way in ways) or (f.kind is Kind.MEDICATION and same_drug(ask.phrase, f.name)))
    ]  # fmt: skip
    asked = terms(bare(ask.text))
    exact = [f for f in found if _inside_of(terms(f.name), asked)]
    if exact:
        longest = max(len(terms(f.name)) for f in exact)
        return [f for f in exact if len(terms(f.name)) == longest]
    return _same_kind(ask, found)


def named_in(ask: Ask, facts: Iterable[Fact]) -> Ask:
    """Return a question whose target is the name it spells out, where its own words carry none.

    "When was history taking last done?" is made of empty words, and names a procedure.
    """
    if ask.target:
        return ask
    asked = terms(bare(ask.text))
    spelt = [f for f in facts if f.kind in _ANY and len(terms(f.name)) > 1 and not f.blanket]
    names = [f.name for f in spelt if _inside_of(terms(f.name), asked)]
    if not names:
        return ask
    name = max(names, key=lambda each: len(terms(each)))
    return replace(ask, target=terms(name), phrase=bare(name))


def _inside_of(name: tuple[str, ...], asked: tuple[str, ...]) -> bool:
    """Tell whether a name stands in a question word by word."""
    return any(asked[at : at + len(name)] == name for at in range(len(asked) - len(name) + 1))


def _same_kind(ask: Ask, found: list[Fact]) -> list[Fact]:
    """Prefer the kind whose names are closest to the words asked for."""
    if not found or ask.topic in _KINDS:
        return found
    closest = min(found, key=lambda f: len(set(terms(f.name)) - set(ask.target)))
    kind = closest.kind
    return [f for f in found if f.kind is kind]


def evidence_for(
    ask: Ask, chart: Chart, facts: Iterable[Fact], allowed: Collection[str]
) -> list[Evidence]:
    """Return facts and sentences about the target, newest first; each place once."""
    about = facts_about(ask, facts)
    found = [_of_fact(ask, chart, f) for f in about]
    taken = {(f.span.file, f.span.start) for f in about}
    for way in _ways(ask):
        for mention in chart.mentions(way, allowed):
            if (mention.span.file, mention.span.start) in taken or _inside(mention.words, about):
                continue
            if _elsewhere(ask, mention, chart):
                continue
            date = mention.chunk.encounter_date
            if (ask.since or ask.until) and not (
                date
                and (not ask.since or date >= ask.since)
                and (not ask.until or date <= ask.until)
            ):
                continue
            taken.add((mention.span.file, mention.span.start))
            told = mention.context
            found.append(Evidence(told.polarity, told.subject, date, mention=mention))
    found.sort(key=lambda e: e.place)  # of one day, what stands first in the chart comes first
    return sorted(found, key=lambda e: (e.date, e.structured, e.fact is not None), reverse=True)


def _of_fact(ask: Ask, chart: Chart, fact: Fact) -> Evidence:
    """Return a fact as evidence; an entry that says more than a name is read at the words asked for."""
    if fact.structured or fact.state not in (State.LISTED, State.PAST):
        return Evidence(fact.polarity, fact.subject, fact.date, fact=fact)
    quote = chart.quote(fact.span)
    inside = tokens(quote)
    for way in _ways(ask):
        for words in variants(way):
            place = find(words, inside)
            if place is None:
                continue
            first, last = inside[place[0]][1], inside[place[1]][2]
            told = narrowed(context_of(quote, first, last), quote, first)
            return Evidence(told.polarity, told.subject, fact.date, fact=fact)
    return Evidence(fact.polarity, fact.subject, fact.date, fact=fact)


def _ways(ask: Ask) -> list[tuple[str, ...]]:
    ways = [ask.target]
    if ask.topic in (Topic.MEDICATION, Topic.OPEN):
        ways += names_of(ask.phrase)
    return list(dict.fromkeys(ways))


def _inside(words: Span, about: list[Fact]) -> bool:
    return any(
        f.span.file == words.file and f.span.start <= words.start and words.end <= f.span.end
        for f in about
    )


def _elsewhere(ask: Ask, mention: Mention, chart: Chart) -> bool:
    """Tell whether a sentence speaks of an allergy where something else is asked."""
    if mention.chunk.document_type is Doc.ALLERGY_LIST:
        return True
    return (
        ask.topic is not Topic.OPEN
        and "llerg" in chart.quote(mention.span)
        and ask.topic is Topic.MEDICATION
    )


def standing(found: Iterable[Evidence], subject: str) -> tuple[list[Evidence], list[Evidence]]:
    """Return evidence about one subject that affirms and that denies, newest first.

    ``family`` stands for every relative; what is open is neither.
    """

    def fits(evidence: Evidence) -> bool:
        if subject == "patient":
            return evidence.subject == "patient"
        if subject == "family":
            return evidence.subject != "patient"
        return evidence.subject.rstrip("s").endswith(subject) or evidence.subject == "family"

    own = [e for e in found if fits(e)]
    return (
        [e for e in own if e.polarity is Polarity.AFFIRMED],
        [e for e in own if e.polarity is Polarity.NEGATED],
    )
