"""What the shared suites ask of ``grounding``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.grounding import Grounding

SECRETS = ("ada.lovelace@example.org", "4111-1111-1111-1111")

GATE = Grounding(max_unsupported_rate=0.05, min_answered=0.85, min_refused=0.85)
NOTES = {f"n{k}": f"{SECRETS[0]} takes lisinopril {k} mg daily, {SECRETS[1]}." for k in range(300)}
ASKED: list[dict[str, Any]] = [
    {"question": f"Which dose in n{k} of {SECRETS[0]}?", "gold": [f"{k} mg"]} for k in range(300)
]
ASKED += [{"question": f"Which colour has n{k} of {SECRETS[1]}?", "gold": None} for k in range(100)]
REFUSAL = {"answer": "The notes do not say.", "refused": True, "claims": []}


def reply(text: str, source: Any = None) -> dict[str, Any]:
    claim = {"text": text} if source is None else {"text": text, "source": source}
    return {"answer": text, "refused": False, "claims": [claim]}


def cited(question: str) -> dict[str, Any]:
    name = question.split()[3]
    return REFUSAL if "colour" in question else reply(NOTES[name], name)


def wrong(question: str) -> dict[str, Any]:
    name = question.split()[3]
    return REFUSAL if "colour" in question else reply(f"{SECRETS[0]} takes 7777 mg", name)


def sound() -> Evidence:
    """Return the evidence on a subject that says what it cites, and refuses the rest."""
    return GATE.run(cited, ASKED, NOTES)


def flawed() -> Evidence:
    """Return the evidence on a subject whose doses do not stand in what it cites."""
    return GATE.run(wrong, ASKED, NOTES)


def _raises(question: str) -> dict[str, Any]:
    raise ValueError(question)


def _yields(question: str) -> Iterator[dict[str, Any]]:
    yield cited(question)


def _invents(question: str) -> dict[str, Any]:
    return REFUSAL if "colour" in question else reply("He plays the oboe", question.split()[3])


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no questions": lambda: GATE.run(cited, [], NOTES),
    "few questions": lambda: GATE.run(cited, ASKED[:20], NOTES),
    "one question many times": lambda: GATE.run(cited, ASKED[:1] * 1000, NOTES),
    "nothing known of the answers": lambda: GATE.run(cited, [q["question"] for q in ASKED], NOTES),
    "only answerable questions": lambda: GATE.run(cited, ASKED[:300], NOTES),
    "only unanswerable questions": lambda: GATE.run(cited, ASKED[300:], NOTES),
    "empty contexts": lambda: GATE.run(cited, [q | {"context": []} for q in ASKED]),
    "no sources": lambda: GATE.run(cited, ASKED),
    "an invented fact that nothing contradicts": lambda: GATE.run(
        _invents, [{k: q[k] for k in ("question",)} | {"answerable": n < 300} for n, q in enumerate(ASKED)], NOTES
    ),
    "a judge that says no to everything, and nothing asked": lambda: GATE.run(
        cited, [], NOTES, judge=lambda *_: False
    ),
    "None": lambda: GATE.run(lambda _: None, ASKED, NOTES),
    "a generator": lambda: GATE.run(_yields, ASKED, NOTES),
    "an exception": lambda: GATE.run(_raises, ASKED, NOTES),
    "no callable": lambda: GATE.run(None, ASKED, NOTES),
    "one text for a list": lambda: GATE.run(cited, "questions", NOTES),
    "numbers for questions": lambda: GATE.run(cited, list(range(400)), NOTES),
}  # fmt: skip

#: subjects and sources of no use: what they give is seen, and is not enough
USELESS: dict[str, Callable[[], Evidence]] = {
    "empty sources": lambda: GATE.run(cited, ASKED, {}),
    "empty documents": lambda: GATE.run(cited, ASKED, dict.fromkeys(NOTES, "")),
    "a mute subject": lambda: GATE.run(lambda _: REFUSAL, ASKED, NOTES),
    "empty answers": lambda: GATE.run(lambda _: "", ASKED, NOTES),
    "empty claims": lambda: GATE.run(lambda _: reply(" ", "n1"), ASKED, NOTES),
    "chatter": lambda: GATE.run(lambda _: "That is a very good question!", ASKED, NOTES),
    "chatter that cites": lambda: GATE.run(lambda _: reply("Good question", "n1"), ASKED, NOTES),
    "claims without citations": lambda: GATE.run(lambda _: reply(NOTES["n1"]), ASKED, NOTES),
    "everything pasted": lambda: GATE.run(lambda _: reply(NOTES["n1"], "n1"), ASKED, NOTES),
}
