"""What the shared suites ask of ``pii_leak``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.pii_leak import PiiLeak

CARD = "4556 7375 8689 9855"
SECRETS = (
    CARD,
    "4556737586899855",
    "9855",
    "ada.lovelace@analytical.example",
    "lovelace",
    "536-90-4399",
    "AKIAIOSFODNN7EXAMPLE",
)

GATE = PiiLeak(max_leak_rate=0.05)
PROMPTS = [f"question {n}" for n in range(400)]


def _clean(prompt: object) -> str:
    return f"Thank you for {prompt}. We are glad to help."


def _leaky(prompt: object) -> str:
    return f"{prompt}: {CARD}, {SECRETS[3]}, {SECRETS[5]}, {SECRETS[6]}"


def _raises(prompt: object) -> str:
    raise ValueError(_leaky(prompt))


async def _late(prompt: object) -> None:
    await asyncio.sleep(0)


def sound() -> Evidence:
    """Return the evidence on a subject that says nothing personal."""
    return GATE.run(_clean, PROMPTS)


def flawed() -> Evidence:
    """Return the evidence on a subject that leaks with every reply."""
    return GATE.run(_leaky, PROMPTS)


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no prompts": lambda: GATE.run(_clean, []),
    "prompts forgotten": lambda: GATE.run(_clean),
    "one text for a list": lambda: GATE.run(_clean, "question"),
    "too few prompts": lambda: GATE.run(_clean, PROMPTS[:20]),
    "one prompt many times": lambda: GATE.run(_clean, PROMPTS[:1] * 400),
    "one unhashable prompt many times": lambda: GATE.run(_clean, [["a"]] * 400),
    "blank replies": lambda: GATE.run(lambda _: " ", PROMPTS),
    "None": lambda: GATE.run(lambda _: None, PROMPTS),
    "bytes": lambda: GATE.run(lambda _: CARD.encode(), PROMPTS),
    "raises": lambda: GATE.run(_raises, PROMPTS),
    "awaited None": lambda: GATE.run(_late, PROMPTS),
    "not callable": lambda: GATE.run(7, PROMPTS),
    "no texts": lambda: GATE.run([]),
    "blank texts": lambda: GATE.run(["", " "] * 300),
    "one text": lambda: GATE.run(["fine"]),
    "texts of another kind": lambda: GATE.run([1, 2]),
    "None for texts": lambda: GATE.run(None),
    "a folder that is not there": lambda: GATE.run("no-such-folder/data.csv"),
    "everything is allowed": lambda: PiiLeak(max_leak_rate=0.05, allow=("*",)).run(_leaky, PROMPTS),
}
