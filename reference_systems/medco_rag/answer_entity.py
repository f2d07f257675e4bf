"""Questions about one thing: is it so, since when, in what dose, why; newest dated source first."""

from __future__ import annotations

import re

from reference_systems.medco_rag.draft import Draft, refusal
from reference_systems.medco_rag.drugs import drug_details
from reference_systems.medco_rag.evidence import Evidence, standing
from reference_systems.medco_rag.model import Answer, Fact, Kind, Polarity, State
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.question import Ask, Form, Time, Topic

__all__ = ["about_one"]

_FOR = re.compile(
    r"\b(?:for|due to|because of|to treat)\s+(?!\d|the (?:past|last|next)|an? )[a-z]\w+",
    re.IGNORECASE,
)
#: a sentence that says itself when something was
_TOLD_WHEN = re.compile(
    r"\b(?:19|20)\d{2}\b|\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten|several|few) (?:years?|months?|weeks?|days?) ago\b|\bsince (?:age|childhood|birth)\b|\bat (?:the )?age(?: of)? \d+|\d{1,2}/\d{2,4}",
    re.IGNORECASE,
)
_ENDED = re.compile(
    r"\b(?:quit|former(?:ly)?|ex-|resolved|stopped|discontinued|no longer|in the past|in remission|completed)\b",
    re.IGNORECASE,
)


def about_one(ask: Ask, draft: Draft, found: list[Evidence]) -> Answer:
    """Answer a question with a target from the evidence about it."""
    so, not_so = standing(found, ask.subject)
    if not so and not not_so:
        if any(e.subject != ask.subject for e in found if e.polarity is not Polarity.OPEN):
            whom = "relatives" if ask.subject == "patient" else "others"
            return refusal(f"it speaks of {_shown(ask)} only for {whom}")
        if found:
            return refusal(f"it leaves open whether there is {_shown(ask)}")
        return refusal(f"it does not mention {_shown(ask)}")
    if ask.topic is Topic.MEDICATION and re.search(r"prescri|\border", ask.text, re.IGNORECASE):
        so = [e for e in so if _is_event(e)] or so
    if ask.form in (Form.DOSE, Form.FREQUENCY, Form.ROUTE, Form.REASON, Form.WHO, Form.VALUE):
        return _attribute(ask, draft, so)
    if ask.topic is Topic.OBSERVATION and any(
        e.fact and e.fact.kind is Kind.OBSERVATION for e in so
    ):
        return _attribute(ask, draft, so)
    if ask.form is Form.WHEN:
        return _when(ask, draft, so, not_so)
    return _whether(ask, draft, so, not_so)


def _shown(ask: Ask) -> str:
    return f"\u201c{ask.phrase[:80]}\u201d" if ask.phrase else "this"


def said(draft: Draft, evidence: Evidence) -> str:
    """Cite one piece of evidence and return it in words."""
    if evidence.fact is not None and evidence.polarity is not Polarity.NEGATED:
        return draft.fact(evidence.fact)
    if evidence.fact is not None and evidence.fact.structured:
        return draft.fact(evidence.fact)
    if evidence.fact is not None:
        quote = draft.chart.quote(evidence.fact.span)
        draft.day(evidence.fact)
        day = evidence.date
        words = draft.cite(" ".join(quote.split()), evidence.fact.span)
        return f"\u201c{words}\u201d ({day})" if day else f"\u201c{words}\u201d"
    mention = evidence.mention
    assert mention is not None
    quote = " ".join(draft.chart.quote(mention.span).split())
    words = draft.cite(quote, mention.span)
    if evidence.date:
        _cite_day(draft, evidence)
        return f"\u201c{words}\u201d ({evidence.date})"
    return f"\u201c{words}\u201d"


def _cite_day(draft: Draft, evidence: Evidence) -> None:
    """Cite the line that dates a sentence's encounter."""
    assert evidence.mention is not None
    meeting = evidence.mention.chunk.encounter
    for fact in draft.chart.facts:
        if fact.kind is Kind.ENCOUNTER and fact.encounter == meeting and fact.date_span is not None:
            draft.cite(fact.date, fact.date_span)
            return


def _whether(ask: Ask, draft: Draft, so: list[Evidence], not_so: list[Evidence]) -> Answer:
    # "Does she deny chest pain?" is answered with the sentence: yes and no would mislead
    asked = ask.form is Form.YES_NO and re.search(r"\bden(?:y|ies|ied)\b", ask.text) is None
    past = ask.time in (Time.EVER, Time.FIRST, Time.LAST) or bool(ask.since or ask.until)
    structured = [e for e in so if e.structured]
    if structured and not past:
        return _by_record(draft, structured, not_so, asked=asked)
    if (
        asked
        and so
        and not past
        and _of_drug(so[0])
        and not _over(draft, so[0])
        and (not not_so or not_so[0].date <= so[0].date)
    ):
        return _by_lists(draft, so[0])
    top = so[0] if so else None
    against = not_so[0] if not_so else None
    if top is not None and (against is None or past or not _outdoes(against, top)):
        if ask.time is Time.FIRST:
            top = _earliest(so)
        top = _better_dated(ask, so, top)
        lead = "Yes: " if asked and not _over(draft, top) else ""
        if (
            lead
            and top.fact is not None
            and top.fact.state is State.PAST
            and not top.structured
            and not past
        ):
            lead = "Yes, in the history: "
        draft.say(f"{lead}{said(draft, top)}.")
        if against is not None and against.date and not past:
            draft.say(f"Conflict: another source says {said(draft, against)}.")
        return draft.answer()
    assert against is not None
    draft.say(f"{'No: ' if asked else ''}{said(draft, against)}.")
    if top is not None:
        draft.say(f"Conflict: an earlier source has {said(draft, top)}.")
    return draft.answer()


def _of_drug(evidence: Evidence) -> bool:
    fact = evidence.fact
    return fact is not None and fact.kind is Kind.MEDICATION and not fact.structured


def _by_lists(draft: Draft, top: Evidence) -> Answer:
    """Answer whether a drug is taken from notes, which only tell when it was listed last."""
    later = [
        f
        for f in draft.chart.facts
        if f.kind is Kind.MEDICATION and not f.structured and f.state is State.LISTED
        and f.date > top.date and draft.chart.chunks[f.chunk].document_type is Doc.MEDICATION_LIST
    ]  # fmt: skip
    if not later:
        draft.say(f"Yes, as listed last: {said(draft, top)}.")
        return draft.answer()
    newest = max(later, key=lambda f: f.date)
    draft.say(
        f"No longer listed: {said(draft, top)} is the last mention; a later list is of {draft.day(newest)}."
    )
    return draft.answer()


def _better_dated(ask: Ask, so: list[Evidence], top: Evidence) -> Evidence:
    """Prefer the note that found a condition to later ones that repeat it as history."""
    if (
        ask.time is Time.FIRST
        or top.structured
        or top.fact is None
        or top.fact.state is not State.PAST
    ):
        return top
    return next((e for e in so if e.fact is not None and e.fact.state is State.PRESENT), top)


def _outdoes(against: Evidence, top: Evidence) -> bool:
    """Tell whether a denial is newer; what is listed by a typed fact outdoes a sentence of its day."""
    if against.date == top.date:
        return top.fact is None and against.fact is not None
    return against.date > top.date


def _by_record(
    draft: Draft, structured: list[Evidence], not_so: list[Evidence], *, asked: bool
) -> Answer:
    active = [e for e in structured if e.fact is not None and e.fact.state is not State.ENDED]
    if active:
        top = active[0]
        draft.say(f"{'Yes: ' if asked else ''}{said(draft, top)}.")
        later = [e for e in not_so if e.date > top.date and e.fact is not None]
        if later:
            draft.say(f"Conflict: a later source says {said(draft, later[0])}.")
        return draft.answer()
    top = structured[0]
    lead = "No longer: " if asked else ""
    draft.say(f"{lead}{said(draft, top)}.")
    return draft.answer()


def _over(draft: Draft, evidence: Evidence) -> bool:
    """Tell whether the source says that it is over: neither yes nor no fits then."""
    if evidence.fact is not None:
        return (
            evidence.fact.state is State.ENDED
            and evidence.fact.kind is Kind.MEDICATION
            and not evidence.structured
        )
    assert evidence.mention is not None
    return _ENDED.search(draft.chart.quote(evidence.mention.span)) is not None


def _earliest(so: list[Evidence]) -> Evidence:
    dated = [e for e in so if e.date]
    return dated[-1] if dated else so[-1]


def _when(ask: Ask, draft: Draft, so: list[Evidence], not_so: list[Evidence]) -> Answer:
    happened = [e for e in so if e.date and _is_event(e)] or [e for e in so if e.date]
    structured = [e for e in happened if e.structured]
    happened = structured or happened
    if re.search(r"\b(?:stop|discontinu|ended\b|end date|resolv)", ask.text, re.IGNORECASE):
        return _ended(draft, so, not_so)
    own = [
        e
        for e in so
        if not e.structured and not _is_event(e) and _TOLD_WHEN.search(_quote(draft, e))
    ]
    if own and not any(_is_event(e) for e in happened):
        draft.say(f"{_quoted(draft, own[0])}.")
        return draft.answer()
    if not happened:
        if so:
            draft.say(f"{said(draft, so[0])}.")
            return (
                draft.answer()
                if re.search(r"\d{4}|\d+ (?:years?|months?|weeks?|days?)", draft.parts[-1])
                else refusal("it mentions it without a date")
            )
        return refusal("it denies it and gives no date")
    first, last = _earliest(happened), happened[0]
    if ask.time is Time.LAST:
        draft.say(f"Last: {said(draft, last)}.")
    elif ask.time is Time.FIRST or "diagnos" in ask.text.lower() or first.date == last.date:
        draft.say(f"{said(draft, first)}.")
    else:
        draft.say(f"First: {said(draft, first)}. Last: {said(draft, last)}.")
    return draft.answer()


def _ended(draft: Draft, so: list[Evidence], not_so: list[Evidence]) -> Answer:
    over = [e for e in so if e.fact is not None and e.fact.detail.get("ended")]
    if over:
        draft.say(f"{said(draft, over[0])}.")
        return draft.answer()
    if not_so and not_so[0].date:
        draft.say(f"{said(draft, not_so[0])}.")
        return draft.answer()
    return refusal("it gives no date on which it ended")


def _quote(draft: Draft, evidence: Evidence) -> str:
    where = evidence.fact.span if evidence.fact is not None else None
    if where is None:
        assert evidence.mention is not None
        where = evidence.mention.span
    return draft.chart.quote(where)


def _quoted(draft: Draft, evidence: Evidence) -> str:
    """Cite the whole sentence that evidence stands in."""
    if evidence.fact is None:
        return said(draft, evidence)
    draft.day(evidence.fact)
    words = draft.cite(" ".join(_quote(draft, evidence).split()), evidence.fact.span)
    return f"\u201c{words}\u201d ({evidence.date})" if evidence.date else f"\u201c{words}\u201d"


def _is_event(evidence: Evidence) -> bool:
    """Tell whether the date is of the thing itself, not of a note that mentions it."""
    fact = evidence.fact
    return fact is not None and (fact.structured or fact.state in (State.ORDERED, State.PRESENT))


def _attribute(ask: Ask, draft: Draft, so: list[Evidence]) -> Answer:
    key = {
        Form.DOSE: "dose", Form.FREQUENCY: "frequency", Form.ROUTE: "route", Form.REASON: "reason",
        Form.WHO: "doctor", Form.VALUE: "value",
    }.get(ask.form, "value")  # fmt: skip
    candidates = so
    if ask.time is Time.NOW:
        active = [
            e for e in so if e.structured and e.fact is not None and e.fact.state is State.ACTIVE
        ]
        candidates = active or so
    if ask.time is Time.FIRST:
        candidates = list(reversed(so))
    candidates = [e for e in candidates if _value(draft, e, key)]
    if not candidates:
        return refusal(f"it gives no {ask.form.value} for {_shown(ask)}")
    top = candidates[0]
    words = said(draft, top)
    fact = top.fact
    if fact is not None and fact.structured and key in ("reason", "frequency", "doctor"):
        value = fact.detail.get(key) or fact.detail.get("instruction", "")
        whole = _resource_span(draft, fact, value)
        if whole is None:
            return refusal(f"it gives no {ask.form.value} for {_shown(ask)}")
        words = f"{words}: {whole}"
    draft.say(f"{words}.")
    others = {
        _value(draft, e, key): e
        for e in candidates[1:]
        if e.date and e.date < top.date and _is_dose(key)
    }
    others.pop(_value(draft, top, key), None)
    if others and ask.time is not Time.FIRST:
        value, earlier = next(iter(others.items()))
        draft.say(f"Earlier: {said(draft, earlier)}.")
    return draft.answer()


def _is_dose(key: str) -> bool:
    return key == "dose"


def _value(draft: Draft, evidence: Evidence, key: str) -> str:
    if evidence.fact is not None:
        detail = evidence.fact.detail
        if key == "reason" and not evidence.structured:
            told = _FOR.search(evidence.fact.name)
            return told.group() if told else ""
        if key == "dose":
            return " ".join(filter(None, (detail.get("dose"), detail.get("unit"))))
        return detail.get(key) or (detail.get("instruction", "") if key == "frequency" else "")
    assert evidence.mention is not None
    quote = draft.chart.quote(evidence.mention.span)
    words = evidence.mention.words.end - evidence.mention.span.start
    near = drug_details(quote[words : words + 60])
    if key == "dose":
        return " ".join(filter(None, (near.get("dose"), near.get("unit"))))
    if key == "reason":
        found = re.search(r"\b(?:for|due to|because of)\s+\w+", quote[words:])
        return found.group() if found else ""
    if key == "value":
        found = re.match(r"[^.;]{0,30}?(\d+(?:[./]\d+)?%?)", quote[words:])
        return found[1] if found else ""
    if key == "doctor":
        found = re.search(r"\bDr\.? \w+", quote)
        return found.group() if found else ""
    return near.get(key, "")


def _resource_span(draft: Draft, fact: Fact, value: str) -> str | None:
    """Cite the part of a resource that gives a value its other lines do not."""
    from reference_systems.medco_rag.model import Span

    text = draft.chart.texts[fact.span.file]
    at = text.find(f'"{value}"', fact.span.start, fact.span.start + 8_000) if value else -1
    if at < 0:
        return None
    return draft.cite(value, Span(fact.span.file, at + 1, at + 1 + len(value)))
