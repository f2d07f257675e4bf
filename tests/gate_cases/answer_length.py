"""What the shared suites need to know of the example gate."""

from __future__ import annotations

from collections.abc import Callable

from answer_length import AnswerLength

from pytest_mlgates.core import Evidence

GATE = AnswerLength(max_chars=10)
SECRETS = ("4111 1111 1111 1111", "hunter2")


def sound() -> Evidence:
    return GATE.run(lambda prompt: "fine", [SECRETS[0]])


def flawed() -> Evidence:
    return GATE.run(lambda prompt: prompt + SECRETS[1], [SECRETS[0]])


def _raises(prompt: str) -> str:
    raise RuntimeError(f"{SECRETS[1]}: {prompt}")


async def _unawaited(prompt: str) -> str:
    return prompt


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no prompts": lambda: GATE.run(lambda prompt: "fine", []),
    "an iterator at its end": lambda: GATE.run(lambda prompt: "fine", iter(())),
    "raises": lambda: GATE.run(_raises, [SECRETS[0]]),
    "no answer": lambda: GATE.run(lambda prompt: None, ["a"]),
    "not callable": lambda: GATE.run("fine", ["a"]),
    "prompts left out": lambda: GATE.run(lambda prompt: "fine"),
    "a misspelled argument": lambda: GATE.run(lambda prompt: "fine", promts=["a"]),
}
