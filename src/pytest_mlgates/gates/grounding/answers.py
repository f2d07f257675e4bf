"""Questions and answers in the one form that the gate reads, whatever a user hands in."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.reading.records import records

__all__ = ["Answer", "Claim", "Question", "answer_from", "questions_from"]

#: keys of a question that are the gate's and never reach the subject
_OURS = frozenset({"gold", "answerable", "context"})


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what is known of its answer; ``answerable`` None where nothing is."""

    index: int
    asked: object
    text: str
    answerable: bool | None
    gold: bool | tuple[str, ...] | None
    context: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement, and the citations it gives."""

    text: str
    sources: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    text: str
    refused: bool
    claims: tuple[Claim, ...]


def questions_from(given: object, most: int) -> tuple[list[Question], int]:
    """Return the different questions, each once, and how many were repeated."""
    how = "texts, or records with question and, where they are known, gold and context"
    found: dict[Hashable, Question] = {}
    repeated = 0
    rows = records(given, "questions", how, values=True)
    for index, row in enumerate(islice(rows, most)):
        question = _question(index, row)
        key = json.dumps(_question_key(question.asked), sort_keys=True, default=repr)
        if key in found:
            repeated += 1
        else:
            found[key] = question
    return list(found.values()), repeated


def _question(index: int, row: object) -> Question:
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        row = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    if isinstance(row, str):
        return Question(index, row, row, None, None, {})
    if not isinstance(row, Mapping):
        raise Unmeasurable(f"question {index} is {a(type(row).__name__)}: give a text or a record")
    text = row.get("question")
    if not isinstance(text, str):
        raise Unmeasurable(f"question {index} has no text under the key question")
    rest = {key: value for key, value in row.items() if key not in _OURS}
    asked = text if set(rest) == {"question"} else rest
    gold = _gold(index, row.get("gold"))
    answerable = row.get("answerable")
    if answerable is None and "gold" in row:
        answerable = gold is not None
    if answerable is not None and not isinstance(answerable, bool):
        raise Unmeasurable(f"question {index}: answerable is not true or false")
    if answerable is False and gold is not None:
        raise Unmeasurable(f"question {index} has gold and is said to be unanswerable")
    return Question(index, asked, text, answerable, gold, _context_of(index, row.get("context")))


def _gold(index: int, gold: object) -> bool | tuple[str, ...] | None:
    if gold is None or isinstance(gold, bool):
        return gold
    if isinstance(gold, (str, int, float)):
        return (str(gold),)
    if isinstance(gold, Sequence) and all(isinstance(g, (str, int, float)) for g in gold) and gold:
        return tuple(str(each) for each in gold)
    raise Unmeasurable(f"question {index}: gold is not true, false, a value or a list of values")


def _context_of(index: int, context: object) -> Mapping[str, str]:
    if context is None:
        return {}
    if isinstance(context, str):
        return {"0": context}
    if isinstance(context, Mapping) and all(isinstance(v, str) for v in context.values()):
        return {str(key): value for key, value in context.items()}
    if isinstance(context, Sequence) and all(isinstance(each, str) for each in context):
        return {str(number): each for number, each in enumerate(context)}
    raise Unmeasurable(f"question {index}: context is not a text, a list or a mapping of texts")


def _question_key(asked: object) -> object:
    return asked if isinstance(asked, (str, Mapping)) else repr(asked)


def answer_from(answer: Any, call: int) -> Answer:
    """Return an answer as the gate reads it.

    >>> answer_from("It is so.", 1).claims
    ()
    >>> answer_from({"answer": "No.", "claims": [{"text": "a", "source": "n1"}]}, 1).claims
    (Claim(text='a', sources=('n1',)),)

    :raises Unmeasurable: for what is not an answer, with the way out.
    """
    if inspect.isgenerator(answer) or inspect.isasyncgen(answer):
        raise Unmeasurable(
            f"answer gave {a(type(answer).__name__)} at call {call}: return the answer"
        )
    if isinstance(answer, str):
        return Answer(answer, refused=False, claims=())
    if callable(getattr(answer, "to_json", None)) and not isinstance(answer, Mapping):
        answer = answer.to_json()
    if not isinstance(answer, Mapping):
        raise Unmeasurable(
            f"answer gave {a(type(answer).__name__)} at call {call}: return a text, or a mapping with"
            " answer, refused and claims"
        )
    text = answer.get("answer", answer.get("text"))
    refused = answer.get("refused", False)
    claims = answer.get("claims", ())
    if not isinstance(text, str) or not isinstance(refused, bool):
        raise Unmeasurable(f"call {call}: answer must be a text, and refused true or false")
    if isinstance(claims, (str, Mapping)) or not isinstance(claims, Sequence):
        raise Unmeasurable(f"call {call}: claims must be a list of mappings with text and source")
    return Answer(text, refused, tuple(_claim_of(claim, call) for claim in claims))


def _claim_of(claim: object, call: int) -> Claim:
    if not isinstance(claim, Mapping) or not isinstance(claim.get("text"), str):
        raise Unmeasurable(f"call {call}: a claim must be a mapping with text and source")
    found = claim.get("source", claim.get("sources"))
    if found is None:
        return Claim(claim["text"], ())
    if isinstance(found, (str, Mapping)):
        return Claim(claim["text"], (found,))
    if isinstance(found, Sequence):
        return Claim(claim["text"], tuple(found))
    raise Unmeasurable(f"call {call}: the source of a claim must be a mapping or a name")
