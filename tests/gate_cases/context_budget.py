"""What the shared suites ask of ``context_budget``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.context_budget import ContextBudget

SECRETS = ("ada.lovelace@example.org", "4111 1111 1111 1111", "a comment that nobody may see")

GATE = ContextBudget(max_tokens=60, keep=("path", "names >= 0.5"))

QUESTIONS: list[dict[str, Any]] = [
    {
        "question": f"how does run {n} come to save {n}?",
        "path": [f"void run{n}() {{\n    save{n}();\n}}"],
        "names": [f"Store.save{n}/0", f"Log.{n}/1"],
    }
    for n in range(5)
]


def words(text: str) -> int:
    """Count words, as a tokenizer of words would."""
    return len(text.split())


def _fits(question: str) -> str:
    n = question.split()[3]
    return f"void run{n}() {{ save{n}(); }} Store.save{n}/0 {SECRETS[2]}"


def _pastes(question: str) -> str:
    return f"{_fits(question)} {' '.join(SECRETS)} " * 9


def sound() -> Evidence:
    """Return the evidence on contexts that fit and hold what they must."""
    return GATE.run(_fits, QUESTIONS, words)


def flawed() -> Evidence:
    """Return the evidence on everything pasted, personal data and all."""
    rows = [{**row, "names": [*row["names"], *SECRETS[:2]]} for row in QUESTIONS]
    return GATE.run(_pastes, rows, words)


def _raises(question: Any) -> str:
    raise ValueError(SECRETS[2])


def _breaks() -> Iterator[Any]:
    yield QUESTIONS[0]
    raise ValueError(SECRETS[0])


def _without(**changes: Any) -> list[dict[str, Any]]:
    return [{**row, **changes} for row in QUESTIONS]


NOTHING: tuple[str, ...] = ()
VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no questions": lambda: GATE.run(_fits, [], words),
    "an exhausted iterator": lambda: GATE.run(_fits, iter(()), words),
    "nothing to keep": lambda: GATE.run(_fits, _without(path=NOTHING, names=NOTHING), words),
    "nothing to keep of one kind": lambda: GATE.run(_fits, _without(path=None), words),
    "a field is missing": lambda: GATE.run(_fits, [{"question": "q", "path": ["x"]}], words),
    "a question is missing": lambda: GATE.run(_fits, [{"path": ["x"], "names": ["y"]}], words),
    "questions that are texts": lambda: GATE.run(_fits, ["who?"], words),
    "one record for a list": lambda: GATE.run(_fits, QUESTIONS[0], words),
    "an item that is blank": lambda: GATE.run(_fits, _without(path=[" "]), words),
    "an item that is no text": lambda: GATE.run(_fits, _without(names=[1]), words),
    "items that are no list": lambda: GATE.run(_fits, _without(names=7), words),
    "an answer that is None": lambda: GATE.run(lambda q: None, QUESTIONS, words),
    "an answer that is a list": lambda: GATE.run(lambda q: [q], QUESTIONS, words),
    "an answer that is a stream": lambda: GATE.run(lambda q: iter([q]), QUESTIONS, words),
    "an answer that is bytes": lambda: GATE.run(lambda q: b"x", QUESTIONS, words),
    "a builder that raises": lambda: GATE.run(_raises, QUESTIONS, words),
    "no builder": lambda: GATE.run(None, QUESTIONS, words),
    "no counter": lambda: GATE.run(_fits, QUESTIONS, None),
    "a counter forgotten": lambda: GATE.run(_fits, QUESTIONS),
    "a counter of nothing": lambda: GATE.run(_fits, QUESTIONS, lambda t: 0),
    "a counter that says None": lambda: GATE.run(_fits, QUESTIONS, lambda t: None),
    "a counter that says yes": lambda: GATE.run(_fits, QUESTIONS, lambda t: True),
    "a counter of half tokens": lambda: GATE.run(_fits, QUESTIONS, lambda t: 2.5),
    "a counter below zero": lambda: GATE.run(_fits, QUESTIONS, lambda t: -5),
    "a counter that stops": lambda: GATE.run(_pastes, QUESTIONS, lambda t: min(words(t), 50)),
    "a counter that raises": lambda: GATE.run(_fits, QUESTIONS, _raises),
    "questions that break off": lambda: GATE.run(_fits, _breaks(), words),
    "a file that is not there": lambda: GATE.run(_fits, "no-such-folder/q.jsonl", words),
}
