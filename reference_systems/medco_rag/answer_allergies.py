"""Allergies: which, to what, since when; "none known" is an answer where the chart says so."""

from __future__ import annotations

from reference_systems.medco_rag.draft import Draft, newest, newest_each, refusal
from reference_systems.medco_rag.drugs import same_drug
from reference_systems.medco_rag.model import Answer, Fact, Kind, Polarity, State
from reference_systems.medco_rag.question import Ask, Form
from reference_systems.medco_rag.terms import terms

__all__ = ["allergies", "allergy_to"]

#: the categories that FHIR sorts allergies by, as they are asked for
_KINDS = {
    terms(word): kind
    for word, kind in (
        ("food", "food"),
        ("environmental", "environment"),
        ("environment", "environment"),
        ("seasonal", "environment"),
    )
}
_CLASSES = frozenset(terms("drug medication food environmental seasonal"))


def allergies(ask: Ask, draft: Draft, facts: list[Fact]) -> Answer:
    """Answer which allergies there are."""
    own = [f for f in facts if f.kind is Kind.ALLERGY and f.subject == "patient"]
    named, none = _standing(own)
    if named:
        lead = "Yes: allergies" if ask.form is Form.YES_NO else "Allergies"
        draft.say(f"{lead}: {'; '.join(draft.fact(fact) for fact in named)}.")
        _denied(draft, none)
        return draft.answer()
    if none:
        draft.say(f"{'No. ' if ask.form is Form.YES_NO else ''}{_capital(draft.fact(none[0]))}.")
        earlier = newest_each(f for f in own if _affirmed(f))
        if earlier:
            draft.say(
                f"Conflict: an earlier source names {'; '.join(draft.fact(f) for f in earlier)}."
            )
        return draft.answer()
    denied = newest_each(f for f in own if f.polarity is Polarity.NEGATED and not f.blanket)
    if denied:
        draft.say(f"Denied: {'; '.join(_denial(draft, f) for f in denied)}.")
        return draft.answer()
    return refusal("it says nothing of allergies")


def allergy_to(ask: Ask, draft: Draft, facts: list[Fact]) -> Answer:
    """Answer whether there is an allergy to one substance, to what it leads, or since when."""
    own = [f for f in facts if f.kind is Kind.ALLERGY and f.subject == "patient"]
    about = [f for f in own if not f.blanket and matches(ask, f.name)]
    if not about and (kind := _KINDS.get(ask.target)):
        sorted_ = [f for f in own if f.structured and kind in f.detail.get("category", "")]
        if sorted_:
            return allergies(ask, draft, sorted_)
    named, none = _standing(own)
    if not about:
        return _not_named(ask, draft, named, none)
    latest = newest(f for f in about if f.polarity is not Polarity.OPEN)
    if not latest:
        draft.say(f"Not certain: {draft.fact(newest(about)[0])}.")
        return draft.answer()
    top = latest[0]
    if top.polarity is Polarity.NEGATED or top.state is State.ENDED:
        draft.say(f"No: {_denial(draft, top)}.")
        _conflict(draft, [f for f in latest[1:] if f.polarity is not top.polarity])
        return draft.answer()
    if ask.form is Form.REACTION:
        with_reaction = [f for f in latest if f.detail.get("reaction") and _affirmed(f)]
        if not with_reaction:
            return refusal("it names the allergy and no reaction")
        first = with_reaction[0]
        said = draft.fact(first)
        reaction = first.detail["reaction"]
        if not first.structured:
            draft.cite(reaction, first.span)
            said = f"{said}: {reaction}"
        draft.say(f"{said}.")
        return draft.answer()
    if ask.form is Form.WHEN:
        dated = [f for f in reversed(latest) if f.date and _affirmed(f)]
        if not dated:
            return refusal("it gives no date for this allergy")
        draft.say(f"Recorded: {draft.fact(dated[0])}.")
        return draft.answer()
    superseded = [
        f for f in none if f.date > top.date and not top.structured and not _same_note(own)
    ]
    if superseded:
        draft.say(f"No longer listed: {draft.fact(superseded[0])}.")
        draft.say(f"Conflict: an earlier source names {draft.fact(top)}.")
        return draft.answer()
    lead = "Yes: " if ask.form is Form.YES_NO else ""
    draft.say(f"{lead}{draft.fact(top)}.")
    _conflict(draft, [f for f in latest[1:] if f.polarity is not top.polarity])
    _denied(draft, none)
    return draft.answer()


def matches(ask: Ask, name: str) -> bool:
    """Tell whether a name is what the question is about."""
    return set(ask.target) <= set(terms(name)) or same_drug(ask.phrase, name)


def _standing(own: list[Fact]) -> tuple[list[Fact], list[Fact]]:
    """Return the allergies that stand, and the denials, newest first.

    The newest dated source wins, except that a denial of all allergies does not outdo an active
    entry of the record, and counts for nothing in a chart where one note both names an allergy
    and denies all: there it is boilerplate.
    """
    none = newest(f for f in own if f.blanket and f.polarity is Polarity.NEGATED)
    denied = {
        terms(f.name): f.date for f in own if f.polarity is Polarity.NEGATED and not f.blanket
    }
    boilerplate = _same_note(own)
    last = "" if boilerplate or not none else none[0].date
    named = []
    for fact in newest_each(f for f in own if _affirmed(f)):
        over = denied.get(terms(fact.name), "")
        if terms(fact.name) in denied and over >= fact.date and not (fact.structured and not over):
            continue
        if not fact.structured and none and not boilerplate and fact.date < last:
            continue
        named.append(fact)
    return named, none


def _same_note(own: list[Fact]) -> bool:
    """Tell whether one encounter names an allergy and denies all of them."""
    denials = {f.encounter for f in own if f.blanket and not f.structured}
    return any(_affirmed(f) and f.encounter in denials for f in own if not f.structured)


def _affirmed(fact: Fact) -> bool:
    return fact.polarity is Polarity.AFFIRMED and not fact.blanket and fact.state is not State.ENDED


def _not_named(ask: Ask, draft: Draft, named: list[Fact], none: list[Fact]) -> Answer:
    if ask.form not in (Form.YES_NO, Form.LIST):
        return refusal("it names no such allergy")
    if set(ask.target) <= _CLASSES and named:
        return refusal("it does not sort allergies by kind")
    if none and not named:
        draft.say(f"{'No: ' if ask.form is Form.YES_NO else ''}{draft.fact(none[0])}.")
        return draft.answer()
    if named:
        listed = "; ".join(draft.fact(fact) for fact in named)
        draft.say(f"No such allergy is listed. Listed: {listed}.")
        return draft.answer()
    return refusal("it says nothing of this allergy")


def _denial(draft: Draft, fact: Fact) -> str:
    quote = " ".join(draft.chart.quote(fact.span).split())
    if fact.structured:
        return draft.fact(fact)
    draft.cite(quote, fact.span)
    draft.day(fact)
    return f"\u201c{quote}\u201d ({fact.date})" if fact.date else f"\u201c{quote}\u201d"


def _conflict(draft: Draft, others: list[Fact]) -> None:
    if others:
        said = (
            _denial(draft, others[0])
            if others[0].polarity is Polarity.NEGATED
            else draft.fact(others[0])
        )
        draft.say(f"Conflict: another source has {said}.")


def _denied(draft: Draft, none: list[Fact]) -> None:
    if none:
        draft.say(f"Conflict: {draft.fact(none[0])} stands in the chart too.")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
