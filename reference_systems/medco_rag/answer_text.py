"""What no typed fact answers: sentences of the passages found, where all that is asked stands."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from reference_systems.medco_rag.chart import is_note, mixed_section
from reference_systems.medco_rag.context import context_of
from reference_systems.medco_rag.draft import Draft, refusal
from reference_systems.medco_rag.model import Answer, Chunk, Fact, Kind, Polarity, Span
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.question import Ask, Form
from reference_systems.medco_rag.terms import tokens
from reference_systems.medco_rag.words import stems

__all__ = ["aspect", "from_passages", "person", "section_of"]

#: what people ask for in one word, and how charts say it
_ASPECTS: tuple[tuple[str, str], ...] = (
    (r"insur|\bpayer\b|coverage|\bcovered\b", r"\binsur\w*|\bmedicare\b|\bmedicaid\b|dual eligible|\bhumana\b|\banthem\b|\baetna\b|\bcigna\b|blue cross|united ?health\w*|\bself[- ]pay\b"),
    (r"\bsmok|tobacco|cigarette|nicotine|\bvap", r"\b(?:non-?)?smok\w*|\btobacco\b|\bcigarettes?\b|\bpacks?[ -]?(?:a|per|years?)\b|\bnicotine\b|\bvap(?:es|ing)\b"),
    (r"alcohol|\bdrink|\betoh\b", r"\balcohol\w*|\bdrinks?\b|\bdrinking\b|\betoh\b|\bbeers?\b|\bwine\b|\bsober\b"),
    (r"\b(?:illicit|recreational|street|iv|substance|drug)s? (?:drug|use|abuse)|drug abuse|substance|marijuana|cannabis|cocaine|opioid", r"\b(?:illicit|recreational|street|iv|intravenous) drugs?\b|\bdrug (?:use|abuse)\b|\bsubstance\b|\bmarijuana\b|\bcannabis\b|\bcocaine\b|\bopioid addiction\b|\bheroin\b"),
    (r"\bmarital|\bmarried\b|\bspouse\b|\bsingle\b|\bdivorced\b|\bwidow", r"\bmarried\b|\bsingle\b(?! [a-z]+ (?:episode|dose))|\bdivorced\b|\bwidow(?:ed|er)?\b|\bseparated\b"),
    (r"educat|\bschool|college|\bdegree", r"\bschool\b|\bcollege\b|\bgraduate\b|\beducation\b|\bdegree\b"),
    (r"socio-?economic|\bincome\b", r"\bsocioeconomic\b"),
    (r"sexual|orientation", r"\b(?:hetero|homo|bi)sexual\b|\bsexual\w*"),
    (r"occupation|\bjob\b|\bprofession|\bemploy|\bwork(?:s|ing)?\b|for a living|\bretired\b", r"\bworks? (?:as|at|in|for|full|part|from)\b|\bemployed\b|\bemployment\b|\bretired\b|\boccupation\b|\bunemployed\b|\bis an? (?:\w+ )?(?:teacher|engineer|nurse|homemaker|driver|student|technician|manager|farmer|lawyer)\b|\blabor force\b"),
    (r"\brace\b|ethnic", r"\b(?:non)?hispanic\b|\bwhite\b|\bblack\b|\basian\b|\bcaucasian\b|\bafrican[- ]american\b"),
    (r"\blives? with\b|living (?:situation|arrangement)|where does .* live|\bhome situation|\bhousing\b", r"\blives?\b|\bresides?\b|\bliving (?:with|in|at|alone)\b|\bhousing\b|\bhomeless\b"),
    (r"care ?plan", r"\bcare ?plan\b"),
    (r"blood pressure", r"\b(?:blood pressure|bp)\b[^.\n]{0,25}\d{2,3}\s*/\s*\d{2,3}|\d{2,3}/\d{2,3} ?mm"),
    (r"ejection fraction|\blvef\b|\bef\b", r"\b(?:ejection fraction|lvef|ef)\b"),
)  # fmt: skip
_COMPILED = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(told, re.IGNORECASE)) for asked, told in _ASPECTS
)
#: words of a question that alone decide nothing
_WEAK = stems("weak")
_AROUND = _WEAK | stems("around an aspect")
_QUIT = re.compile(r"\b(?:quit|former|ex-|stopped|used to|in the past|sober)\b", re.IGNORECASE)
_MOST = 3


def aspect(ask: Ask, draft: Draft, chunks: Sequence[Chunk]) -> Answer | None:
    """Answer what is asked in one word and told in another: insurance, smoking, marriage.

    None where the question is about no such thing.
    """
    told = [
        told for asked, told in _COMPILED if asked.search(ask.text) and _nothing_else(ask, asked)
    ]
    if not told or ask.subject != "patient":
        return None
    inside = [c for c in chunks if is_note(c) and _within(ask, c.encounter_date)]
    for chunk in sorted(inside, key=lambda c: c.encounter_date, reverse=True):
        for span, said in draft.chart.sentences_of(chunk):
            found = told[0].search(said)
            if found is None or not _of_patient(said, found, chunk):
                continue
            if (
                chunk.document_type is Doc.FAMILY_HISTORY
                and "fam" not in said.lower()
                and len(said) < 3
            ):
                continue
            return _told(ask, draft, chunk, span, said, found)
    return None


def _nothing_else(ask: Ask, asked: re.Pattern[str]) -> bool:
    """Tell whether a question is about no more than an aspect: not "nicotine 7 mg patch"."""
    rest = {word for word, _, _ in tokens(asked.sub(" ", ask.phrase))}
    return not (rest & set(ask.target)) - _AROUND


def _told(
    ask: Ask, draft: Draft, chunk: Chunk, span: Span, said: str, found: re.Match[str]
) -> Answer:
    context = context_of(said, found.start(), found.end())
    lead = ""
    if ask.form is Form.YES_NO and not _QUIT.search(said):
        if context.polarity is Polarity.NEGATED or re.search(
            r"\bnever\b|\bNO INSURANCE\b|\bnon-?(?:smok|drink)\w*", said
        ):
            lead = "No: "
        elif context.polarity is Polarity.AFFIRMED and _matches_words(ask, said):
            lead = "Yes: "
    draft.say(f"{lead}{draft.cite(' '.join(said.split()), span)}{_day(draft, chunk)}")
    return draft.answer()


def _matches_words(ask: Ask, said: str) -> bool:
    return set(ask.target) <= {word for word, _, _ in tokens(said)}


def _of_patient(said: str, found: re.Match[str], chunk: Chunk) -> bool:
    told = context_of(
        said, found.start(), found.end(), mixed=chunk.document_type is Doc.FAMILY_HISTORY
    )
    return told.subject == "patient" and told.polarity is not Polarity.OPEN


def person(ask: Ask, draft: Draft, facts: Sequence[Fact], chunks: Sequence[Chunk]) -> Answer:
    """Answer age, sex, birth, marriage."""
    text = ask.text.lower()
    wanted = (
        "birth date" if re.search(r"born|birth|dob", text)
        else "marital status" if re.search(r"marit|married|single|divorc", text)
        else "gender" if re.search(r"gender|\bsex\b|male", text)
        else "death" if re.search(r"\bdie|death|deceased", text)
        else "age"
    )  # fmt: skip
    for fact in facts:
        if fact.kind is Kind.PERSON and fact.name == wanted:
            draft.say(f"{draft.cite(fact.detail['value'], fact.span)}.")
            return draft.answer()
    pattern = {
        "age": r"\b\d{1,3}[- ](?:years?|months?|weeks?|days?|y\.?o\.?|y/o)(?:[- ]old)?|\b\d{1,3} ?(?:y\.?o\.?|y/o|yo)\b",
        "gender": r"\b(?:male|female|man|woman|boy|girl|gentleman|lady)\b",
        "marital status": r"\b(?:married|single|divorced|widowed|separated)\b",
        "birth date": r"\b(?:dob|date of birth|born)\b[^.\n]*\d{4}",
        "death": r"\b(?:died|deceased|expired)\b",
    }[wanted]
    inside = [c for c in chunks if is_note(c) and _within(ask, c.encounter_date)]
    for chunk in sorted(inside, key=lambda c: c.encounter_date, reverse=True):
        for span, said in draft.chart.sentences_of(chunk):
            found = re.search(pattern, said, re.IGNORECASE)
            if found and _of_patient(said, found, chunk):
                words = Span(span.file, span.start + found.start(), span.start + found.end())
                draft.say(f"{draft.cite(found.group(), words)}{_day(draft, chunk)}")
                return draft.answer()
    born = [f for f in facts if f.kind is Kind.PERSON and f.name == "birth date"]
    if wanted == "age" and born:
        draft.say(f"Born {draft.cite(born[0].detail['value'], born[0].span)}.")
        return draft.answer()
    return refusal(f"it does not give the {wanted}")


def section_of(ask: Ask, draft: Draft, chunks: Sequence[Chunk], kind: Doc, what: str) -> Answer:
    """Answer with the newest passage of a kind: the chief complaint, the plan."""
    own = [
        c
        for c in chunks
        if c.document_type is kind and is_note(c) and _within(ask, c.encounter_date)
    ]
    for day in sorted({chunk.encounter_date for chunk in own}, reverse=True):
        here = [c for c in own if c.encounter_date == day]
        if kind is Doc.PLAN:
            here = [c for c in here if _headed(draft, c, "plan")] or here
        chunk = here[0] if here else own[0]
        said = [
            pair for c in here for pair in draft.chart.sentences_of(c) if re.search(r"\w", pair[1])
        ]
        if said:
            parts = [draft.cite(" ".join(text.split()), span) for span, text in said[:12]]
            draft.say(f"{' '.join(parts)}{_day(draft, chunk)}")
            return draft.answer()
    return refusal(f"it holds no {what}")


def plan_for(ask: Ask, draft: Draft, chunks: Sequence[Chunk]) -> Answer:
    """Answer with what the newest plan says from where it names the target on."""
    own = [
        c
        for c in chunks
        if c.document_type is Doc.PLAN and is_note(c) and _within(ask, c.encounter_date)
    ]
    for chunk in sorted(own, key=lambda c: c.encounter_date, reverse=True):
        said = list(draft.chart.sentences_of(chunk))
        named = [
            (len(text), at)
            for at, (_, text) in enumerate(said)
            if set(ask.target) <= {word for word, _, _ in tokens(text)}
        ]
        if named:
            length, at = min(named)  # a short line that names it is a heading
            parts = said[at : at + (5 if length < 40 else 1)]
            quotes = " ".join(draft.cite(" ".join(text.split()), span) for span, text in parts)
            draft.say(f"{quotes}{_day(draft, chunk)}")
            return draft.answer()
    return refusal(f"no plan speaks of \u201c{ask.phrase[:80]}\u201d")


def _headed(draft: Draft, chunk: Chunk, word: str) -> bool:
    """Tell whether the heading right before a passage holds a word."""
    before = draft.chart.texts[chunk.span.file][: chunk.span.start].rstrip()
    return word in before[max(0, len(before) - 40) :].rsplit("\n", 1)[-1].lower()


def family_history(ask: Ask, draft: Draft, chunks: Sequence[Chunk]) -> Answer:
    """Answer what runs in the family with what notes say of relatives, newest first."""
    inside = [c for c in chunks if is_note(c) and _within(ask, c.encounter_date)]
    for day in sorted({c.encounter_date for c in inside}, reverse=True):
        here = [c for c in inside if c.encounter_date == day]
        said = [
            (chunk, span, text)
            for chunk in here
            for span, text in draft.chart.sentences_of(chunk)
            if _of_relatives(draft, chunk, text)
        ]
        if said:
            for _, span, text in said[:20]:
                draft.say(draft.cite(" ".join(text.split()), span))
            draft.say(_day(draft, said[0][0]).strip())
            return draft.answer()
    return refusal("it says nothing of relatives")


_RELATIVES = re.compile(
    r"\b(?:mother|father|brother|sister|son|daughter|aunt|uncle|cousin|grandmother|grandfather|sibling|parent)s?\b[^.]*\b(?:has|have|had|with|died|history|suffers|diagnosed)\b|\bfamily history\b|^noncontributory",
    re.IGNORECASE,
)
_BYSTANDER = re.compile(
    r"\b(?:lives?|living|accompanied|here|came|presents?) (?:\w+ )?(?:with|by)\b", re.IGNORECASE
)


def _of_relatives(draft: Draft, chunk: Chunk, said: str) -> bool:
    mixed = mixed_section(draft.chart.texts[chunk.span.file], chunk)
    if chunk.document_type is Doc.FAMILY_HISTORY and not mixed:
        return re.search(r"\w{3}", said) is not None
    return _RELATIVES.search(said) is not None and _BYSTANDER.search(said) is None


def from_passages(ask: Ask, draft: Draft, passages: Sequence[Chunk]) -> Answer:
    """Answer with sentences of the passages found in which every word that matters stands."""
    wanted = {word for word in ask.target if word not in _WEAK}
    if not wanted:
        return refusal("it is not clear what is asked")
    kept: list[tuple[Chunk, Span, str]] = []
    for chunk in passages:
        if not is_note(chunk) or not _within(ask, chunk.encounter_date):
            continue
        for span, said in draft.chart.sentences_of(chunk):
            if wanted <= {word for word, _, _ in tokens(said)}:
                kept.append((chunk, span, said))
    if not kept:
        return refusal(f"no passage speaks of \u201c{ask.phrase[:80]}\u201d")
    kept.sort(key=lambda each: each[0].encounter_date, reverse=True)
    latest = kept[0][0].encounter_date
    for chunk, span, said in [each for each in kept if each[0].encounter_date == latest][:_MOST]:
        draft.say(f"{draft.cite(' '.join(said.split()), span)}{_day(draft, chunk)}")
    return draft.answer()


def _within(ask: Ask, date: str) -> bool:
    if not ask.since and not ask.until:
        return True
    return (
        bool(date) and (not ask.since or date >= ask.since) and (not ask.until or date <= ask.until)
    )


def _day(draft: Draft, chunk: Chunk) -> str:
    if not chunk.encounter_date:
        return ""
    for fact in draft.chart.facts:
        if fact.kind is Kind.ENCOUNTER and fact.encounter == chunk.encounter and fact.date_span:
            draft.cite(fact.date, fact.date_span)
            return f" ({fact.date})"
    return ""


def allowed_chunks(chunks: dict[str, Chunk], allowed: Collection[str]) -> list[Chunk]:
    """Return the passages that a filter lets through."""
    return [chunk for name, chunk in chunks.items() if name in allowed]
