"""Lists: medication, conditions, procedures, immunizations, encounters, within a time."""

from __future__ import annotations

from collections.abc import Iterable

from reference_systems.medco_rag.draft import Draft, newest, newest_each, refusal
from reference_systems.medco_rag.drugs import ingredients_in
from reference_systems.medco_rag.model import Answer, Fact, Kind, Polarity, State
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.question import Ask, Form, Time

__all__ = ["conditions", "encounters", "events", "everything_of_a_day", "medication"]


def medication(ask: Ask, draft: Draft, facts: list[Fact]) -> Answer:
    """Answer which drugs: orders that are active, else what the newest list of a note names."""
    own = [f for f in facts if f.kind is Kind.MEDICATION and f.subject == "patient"]
    if not own:
        return refusal("it says nothing of medication")
    dated = bool(ask.since or ask.until)
    ordering = "prescri" in ask.text.lower() or "order" in ask.text.lower()
    if (
        dated
        or ask.time is Time.EVER
        or (ordering and ask.time in (Time.ANY, Time.LAST, Time.FIRST))
    ):
        return _orders(ask, draft, own)
    structured = [f for f in own if f.structured and f.polarity is Polarity.AFFIRMED]
    if structured:
        return _active(ask, draft, structured, own)
    return _listed(ask, draft, own)


def _active(ask: Ask, draft: Draft, structured: list[Fact], own: list[Fact]) -> Answer:
    active = newest_each(f for f in structured if f.state is State.ACTIVE)
    if not active:
        last = newest(structured)[0]
        draft.say(f"No order is active; the last one: {draft.fact(last)}.")
        return draft.answer()
    lead = "Yes, active" if ask.form is Form.YES_NO else "Active"
    draft.say(f"{lead}: {'; '.join(draft.fact(f) for f in active)}.")
    for fact in active:
        for other in _stopped_later(fact, own):
            quote = draft.chart.quote(other.span)
            draft.day(other)
            draft.say(f"Conflict: a later note says \u201c{draft.cite(quote, other.span)}\u201d.")
    return draft.answer()


def _stopped_later(fact: Fact, own: list[Fact]) -> list[Fact]:
    names = ingredients_in(fact.name)
    return [
        f
        for f in newest(own)
        if not f.structured and not f.blanket and f.polarity is Polarity.NEGATED
        and f.date > fact.date and names & ingredients_in(f.name)
    ][:1]  # fmt: skip


def _listed(ask: Ask, draft: Draft, own: list[Fact]) -> Answer:
    """Answer from notes alone: they can say what is listed on a day, not what is taken."""
    listed = [f for f in own if f.state is not State.ORDERED or f.date]
    lists = newest(f for f in own if f.state is State.LISTED)
    top = (lists or newest(listed))[:1]
    if not top:
        return refusal("it says nothing of medication")
    if not any(draft.chart.chunks[f.chunk].document_type is Doc.MEDICATION_LIST for f in lists):
        named = [f for f in newest_each(own) if f.polarity is Polarity.AFFIRMED and not f.blanket]
        if named:
            return _by_day(draft, named, "Mentioned, newest first: ")
    day, meeting = top[0].date, top[0].encounter
    here = [f for f in own if f.date == day and f.encounter == meeting]
    named = newest_each(
        f
        for f in here
        if f.polarity is Polarity.AFFIRMED and f.state is not State.ENDED and not f.blanket
    )
    none = [f for f in here if f.blanket]
    if day:
        draft.day(top[0])
    when = f" on {day}" if day else ""
    if named:
        draft.say(
            f"{'Yes, listed' if ask.form is Form.YES_NO else 'Listed'}{when}: {'; '.join(draft.fact(f, dated=False) for f in named)}."
        )
    elif none:
        draft.say(
            f"{'No. ' if ask.form is Form.YES_NO else ''}Listed{when}: {draft.fact(none[0], dated=False)}."
        )
    else:
        return refusal("no list of medication names what is taken")
    stopped = newest_each(f for f in here if f.state is State.ENDED)
    if stopped:
        draft.say(
            f"Stopped: {'; '.join(draft.cite(draft.chart.quote(f.span), f.span) for f in stopped)}."
        )
    return draft.answer()


def _orders(ask: Ask, draft: Draft, own: list[Fact]) -> Answer:
    structured = [f for f in own if f.structured and f.polarity is Polarity.AFFIRMED]
    orders = structured or [
        f for f in own if f.state is State.ORDERED and f.polarity is Polarity.AFFIRMED
    ]
    if not orders and not structured:
        orders = [f for f in own if f.polarity is Polarity.AFFIRMED and not f.blanket]
    if not orders:
        none = [f for f in newest(own) if f.blanket]
        if none:
            draft.say(f"{draft.fact(none[0])}.")
            return draft.answer()
        return refusal("it names no order of a drug in that time")
    if ask.time in (Time.LAST, Time.FIRST):
        days = sorted({f.date for f in orders if f.date})
        if days:
            wanted = days[-1] if ask.time is Time.LAST else days[0]
            orders = [f for f in orders if f.date == wanted]
    return _by_day(draft, orders, "Yes. " if ask.form is Form.YES_NO else "")


def _by_day(draft: Draft, facts: Iterable[Fact], lead: str = "") -> Answer:
    """Say facts, each name once with its newest date, grouped by day."""
    groups: dict[str, list[Fact]] = {}
    for fact in newest_each(facts):
        groups.setdefault("" if fact.structured else fact.date, []).append(fact)
    parts = []
    for day, group in groups.items():
        said = "; ".join(draft.fact(f, dated=False) for f in group)
        if day:
            draft.day(group[0])
        parts.append(f"{day}: {said}." if day else f"{said}.")
    draft.say(lead + " ".join(parts))
    return draft.answer()


def conditions(ask: Ask, draft: Draft, facts: list[Fact]) -> Answer:
    """Answer which conditions, of the patient or of relatives."""
    family = ask.subject != "patient"
    own = [
        f
        for f in facts
        if f.kind is Kind.CONDITION and not f.blanket and f.polarity is Polarity.AFFIRMED
        and ((f.subject == "patient") is not family)
    ]  # fmt: skip
    structured = [f for f in own if f.structured]
    if structured:
        chosen = structured
        if ask.time is Time.NOW or (ask.time is Time.ANY and not (ask.since or ask.until)):
            chosen = [f for f in structured if f.state is State.ACTIVE] or structured
    else:
        present = [f for f in own if f.state in (State.PRESENT, State.LISTED)]
        chosen = present or own
    if not chosen:
        patient = [f for f in facts if f.kind is Kind.CONDITION and f.subject == "patient"]
        told = None if family else _denied(ask, draft, patient)
        return told or refusal("it names no condition" + (" of relatives" if family else ""))
    if ask.time is Time.LAST:
        day = max(f.date for f in chosen)
        chosen = [f for f in chosen if f.date == day]
    return _by_day(draft, chosen, "Yes. " if ask.form is Form.YES_NO else "")


def _denied(ask: Ask, draft: Draft, own: list[Fact]) -> Answer | None:
    """Say what the newest source denies: a true no is an answer."""
    none = [f for f in newest(own) if f.polarity is Polarity.NEGATED and f.state is State.LISTED]
    if not none:
        return None
    draft.say(f"{'No. ' if ask.form is Form.YES_NO else ''}{draft.fact(none[0])}.")
    return draft.answer()


def events(ask: Ask, draft: Draft, facts: list[Fact], kind: Kind) -> Answer:
    """Answer which procedures or immunizations."""
    own = [f for f in facts if f.kind is kind and f.subject == "patient"]
    done = [f for f in own if f.polarity is Polarity.AFFIRMED and not f.blanket]
    done = [f for f in done if f.structured] or done
    if not done:
        return _denied(ask, draft, own) or refusal(f"it names no {kind.value}")
    if ask.time in (Time.LAST, Time.FIRST):
        days = sorted({f.date for f in done if f.date})
        if days:
            wanted = days[-1] if ask.time is Time.LAST else days[0]
            done = [f for f in done if f.date == wanted]
    return _by_day(draft, done, "Yes. " if ask.form is Form.YES_NO else "")


def encounters(ask: Ask, draft: Draft, facts: list[Fact]) -> Answer:
    """Answer when the patient was seen."""
    met = [f for f in facts if f.kind is Kind.ENCOUNTER and f.date]
    met = [f for f in met if f.structured] or met
    if not met:
        return refusal("it names no encounter")
    ordered = newest(met)
    if ask.time is Time.FIRST:
        draft.say(f"First: {_met(draft, ordered[-1])}.")
    elif ask.time is Time.LAST or ask.form is Form.WHEN:
        draft.say(f"Last: {_met(draft, ordered[0])}.")
    else:
        draft.say(f"{'; '.join(_met(draft, f) for f in ordered[:50])}.")
    return draft.answer()


def _met(draft: Draft, fact: Fact) -> str:
    return draft.fact(fact) if fact.structured else draft.cite(fact.date, fact.span)


def everything_of_a_day(draft: Draft, facts: list[Fact]) -> Answer:
    """Say all that happened within the days asked for."""
    wanted = (
        (Kind.CONDITION, "Conditions"), (Kind.MEDICATION, "Medication"),
        (Kind.PROCEDURE, "Procedures"), (Kind.IMMUNIZATION, "Immunizations"),
    )  # fmt: skip
    for kind, title in wanted:
        happened = [
            f
            for f in facts
            if f.kind is kind and f.subject == "patient" and f.polarity is Polarity.AFFIRMED
            and not f.blanket and (f.structured or f.state in (State.ORDERED, State.PRESENT))
        ]  # fmt: skip
        if happened:
            draft.say(f"{title}: {'; '.join(draft.fact(f) for f in newest_each(happened))}.")
    return draft.answer() if draft.claims else refusal("nothing is recorded in that time")
