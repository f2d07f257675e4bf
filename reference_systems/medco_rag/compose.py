"""The extractive composer: from a question and the passages within its filter to a cited answer.

It writes no sentence about the patient that is not taken from the chart; where nothing supports an
answer it refuses and says why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from reference_systems.medco_rag.answer_allergies import allergies, allergy_to
from reference_systems.medco_rag.answer_entity import about_one
from reference_systems.medco_rag.answer_interactions import interacting
from reference_systems.medco_rag.answer_lists import (
    conditions,
    encounters,
    events,
    everything_of_a_day,
    medication,
)
from reference_systems.medco_rag.answer_text import (
    allowed_chunks,
    aspect,
    family_history,
    from_passages,
    person,
    plan_for,
    section_of,
)
from reference_systems.medco_rag.chart import Chart
from reference_systems.medco_rag.draft import Draft, in_scope, refusal
from reference_systems.medco_rag.evidence import evidence_for, facts_about, named_in
from reference_systems.medco_rag.model import Answer, Chunk, Fact, Kind
from reference_systems.medco_rag.model import DocumentType as Doc
from reference_systems.medco_rag.question import Ask, Form, Topic, parse

__all__ = ["compose"]

#: the longest question that is read
_LONGEST = 2_000


def compose(
    question: str,
    chart: Chart,
    allowed: Collection[str],
    passages: Callable[[], Sequence[Chunk]],
) -> Answer:
    """Answer one question from a chart.

    :param allowed: ids of all passages within the filter, as the engine gave them.
    :param passages: gives the passages that the engine ranks highest, best first; asked where no
        typed fact answers.
    """
    if not question.strip():
        return refusal("nothing was asked")
    if len(question) > _LONGEST:
        return refusal(f"the question has {len(question):,} characters, {_LONGEST:,} are read")
    ask = parse(question, chart.names)
    facts = in_scope(chart.facts, allowed, ask.since, ask.until)
    ask = named_in(ask, facts)
    draft = Draft(chart)
    chunks = allowed_chunks(chart.chunks, allowed)
    answer = _typed(ask, draft, facts, chunks, allowed)
    if answer is None:
        answer = from_passages(ask, Draft(chart), passages())
    return answer


def _typed(
    ask: Ask, draft: Draft, facts: list[Fact], chunks: Sequence[Chunk], allowed: Collection[str]
) -> Answer | None:
    """Answer from typed facts and sentences about the target; None where that is not the way."""
    if ask.topic is Topic.ALLERGY and ask.subject == "patient":
        return allergy_to(ask, draft, facts) if ask.target else allergies(ask, draft, facts)
    if ask.topic is Topic.INTERACTION:
        return interacting(ask, draft, allowed)
    if not ask.target or not facts_about(ask, facts):
        told = aspect(ask, draft, chunks)
        if told is not None:
            return told
    if ask.topic is Topic.PERSON:
        return person(ask, draft, facts, chunks)
    if ask.topic is Topic.COMPLAINT and not ask.target:
        return section_of(ask, draft, chunks, Doc.CHIEF_COMPLAINT, "chief complaint")
    if ask.topic is Topic.SUMMARY:
        return _summary(ask, draft, facts)
    if ask.topic is Topic.PLAN and ask.target:
        return plan_for(ask, draft, chunks)
    if ask.target:
        found = evidence_for(ask, draft.chart, facts, allowed)
        if found or ask.topic is not Topic.OPEN or ask.form is Form.YES_NO:
            return about_one(ask, draft, found)
        return None
    return _untargeted(ask, draft, facts, chunks)


def _untargeted(ask: Ask, draft: Draft, facts: list[Fact], chunks: Sequence[Chunk]) -> Answer:
    if ask.subject != "patient":
        told = conditions(ask, draft, facts)
        return family_history(ask, Draft(draft.chart), chunks) if told.refused else told
    if ask.topic is Topic.MEDICATION:
        return medication(ask, draft, facts)
    if ask.topic is Topic.CONDITION:
        return conditions(ask, draft, facts)
    if ask.topic is Topic.PROCEDURE:
        return events(ask, draft, facts, Kind.PROCEDURE)
    if ask.topic is Topic.IMMUNIZATION:
        return events(ask, draft, facts, Kind.IMMUNIZATION)
    if ask.topic is Topic.PLAN:
        return section_of(ask, draft, chunks, Doc.PLAN, "plan")
    if ask.topic is Topic.ENCOUNTER and not (ask.since and ask.since == ask.until):
        return encounters(ask, draft, facts)
    if ask.since or ask.until:
        return everything_of_a_day(draft, facts)
    return refusal("it is not clear what is asked")


def _summary(ask: Ask, draft: Draft, facts: list[Fact]) -> Answer:
    """Say allergies, conditions and medication, each as if asked for alone."""
    texts, claims = [], {}
    for title, one in (
        ("Allergies", allergies(ask, Draft(draft.chart), facts)),
        ("Conditions", conditions(ask, Draft(draft.chart), facts)),
        ("Medication", medication(ask, Draft(draft.chart), facts)),
    ):
        if not one.refused:
            texts.append(one.text if one.text.startswith(title) else f"{title}: {one.text}")
            claims.update(dict.fromkeys(one.claims))
    if not texts:
        return refusal("it holds no allergies, conditions or medication")
    return Answer(" ".join(texts), tuple(claims))
