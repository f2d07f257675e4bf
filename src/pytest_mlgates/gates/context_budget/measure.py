"""Have a context built for each question, count its tokens, look for what it must hold."""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pytest_mlgates.calls.ask import Subject, text_from
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Look, Measurement
from pytest_mlgates.core.words import a, one_line, plural
from pytest_mlgates.gates.context_budget.details import KeptItems, Seen
from pytest_mlgates.gates.context_budget.judge import headline
from pytest_mlgates.gates.context_budget.keep import folded, holds
from pytest_mlgates.reading.records import records
from pytest_mlgates.reading.slices import mask_identifiers

__all__ = ["Plan", "measure_contexts"]

MAX_FINDINGS, MAX_NAME = 12, 120
#: a counter is tried on a text that is twice another: so much of the double it must count at least
_TWICE = 1.5
_HOW = "a list of records with a question and what must be kept, or the path of a .jsonl file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which fields of a question hold what must be kept, and how it is asked."""

    keep: tuple[str, ...]
    max_questions: int
    timeout_s: float
    concurrency: int


@dataclass(frozen=True, slots=True)
class _Asked:
    question: object
    items: dict[str, tuple[str, ...]]


def measure_contexts(
    build_context: object, questions: object, count_tokens: object, plan: Plan
) -> Generator[Look, object, None]:
    """Ask every question once, and yield what its context holds."""
    if not callable(build_context):
        kind = a(type(build_context).__name__)
        raise Unmeasurable(f"build_context is {kind}: pass a callable of one question")
    if not callable(count_tokens):
        kind = a(type(count_tokens).__name__)
        raise Unmeasurable(f"count_tokens is {kind}: pass the tokenizer's count, text -> int")
    asked = [
        _question_of(row, number, plan.keep)
        for number, row in enumerate(
            islice(records(questions, "questions", _HOW), plan.max_questions), 1
        )
    ]
    subject = Subject(build_context, text_from("build_context"), plan.timeout_s, plan.concurrency)
    contexts: list[str] = yield from subject.ask([one.question for one in asked])
    tokens = [_count(count_tokens, text, number) for number, text in enumerate(contexts, 1)]
    _try_counter(count_tokens, contexts, tokens)
    yield _counted(asked, contexts, tokens, count_tokens, plan.keep)


def _question_of(row: object, number: int, keep: Sequence[str]) -> _Asked:
    where = f"question {number}"
    if not isinstance(row, Mapping):
        raise Unmeasurable(
            f"{where} is {a(type(row).__name__)}: give a record with `question` and"
            f" {', '.join(f'`{what}`' for what in keep)}"
        )
    for field in ("question", *keep):
        if field not in row:
            raise Unmeasurable(f"{where} has no `{field}` (it has {', '.join(map(str, row))})")
    return _Asked(row["question"], {what: _wanted(row[what], what, where) for what in keep})


def _wanted(value: object, what: str, where: str) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if value is None:
        return ()
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise Unmeasurable(f"{where}: `{what}` is {a(type(value).__name__)}: give a list of texts")
    for item in value:
        if not isinstance(item, str) or not item.strip():
            kind = "blank" if isinstance(item, str) else a(type(item).__name__)
            raise Unmeasurable(f"{where}: an item of `{what}` is {kind}: give texts")
    return tuple(dict.fromkeys(map(folded, value)))


def _count(count_tokens: Callable[[str], Any], text: str, number: int) -> int:
    counted = count_tokens(text)
    try:
        tokens = operator.index(counted)
    except TypeError:
        tokens = -1
    if isinstance(counted, bool) or tokens < 0:
        kind = a(type(counted).__name__)
        raise Unmeasurable(f"count_tokens gave {kind} for context {number}: return how many")
    if text.strip() and not tokens:
        raise Unmeasurable(f"count_tokens gave 0 for context {number}, which is not empty")
    return tokens


def _try_counter(
    count_tokens: Callable[[str], object], contexts: Sequence[str], tokens: Sequence[int]
) -> None:
    """A counter that stops somewhere would let any context pass: the longest is counted twice."""
    most = max(tokens, default=0)
    if most > 1:
        text = contexts[tokens.index(most)]
        twice = _count(count_tokens, f"{text}\n{text}", tokens.index(most) + 1)
        if twice < _TWICE * most:
            raise Unmeasurable(
                f"count_tokens gave {most:,} for a context and {twice:,} for twice that: "
                "pass the count of the model's own tokenizer, without a limit"
            )


def _alone(items: Sequence[str], count_tokens: Callable[[str], object], number: int) -> int:
    """Return the tokens of what must be kept by itself; an item inside another takes no more."""
    apart = [one for one in items if not any(one != other and one in other for other in items)]
    return _count(count_tokens, "\n".join(apart), number) if apart else 0


def _counted(
    asked: Sequence[_Asked],
    contexts: Sequence[str],
    tokens: Sequence[int],
    count_tokens: Callable[[str], object],
    keep: Sequence[str],
) -> Measurement:
    found: dict[str, list[int]] = {what: [] for what in keep}
    findings: list[str] = []
    for number, (one, text) in enumerate(zip(asked, contexts, strict=True), 1):
        context = folded(text)
        for what in keep:
            lost = [item for item in one.items[what] if not holds(context, item)]
            found[what].append(len(one.items[what]) - len(lost))
            if lost:
                findings.append(_lost_of(number, what, lost, len(one.items[what])))
    seen = Seen(
        tokens=tuple(tokens),
        empty=sum(not text.strip() for text in contexts),
        kept=tuple(
            KeptItems(
                what=what,
                wanted=tuple(len(one.items[what]) for one in asked),
                found=tuple(found[what]),
                alone=tuple(
                    _alone(one.items[what], count_tokens, number)
                    for number, one in enumerate(asked, 1)
                ),
            )
            for what in keep
        ),
        findings=(*_largest(tokens), *findings[:MAX_FINDINGS]),
    )
    return headline(seen).measurement(plain(seen))


def _largest(tokens: Sequence[int]) -> list[str]:
    if not tokens:
        return []
    most = max(tokens)
    return [f"the longest context is that of question {tokens.index(most) + 1}: {most:,} tokens"]


def _lost_of(number: int, what: str, lost: Sequence[str], wanted: int) -> str:
    return f"question {number}: {len(lost)} of {wanted} {what} not there, such as {_shown_item(lost[0])}"


def _shown_item(item: str) -> str:
    """Name an item: a short one masked as all that is shown is, of a long one its length."""
    if len(item) > MAX_NAME:
        return f"a text of {plural(len(item), 'character')}"
    return repr(one_line(mask_identifiers(item)))
