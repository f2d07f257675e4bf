"""What the shared suites ask of ``name_invariance``."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.name_invariance import NameInvariance

SECRETS = ("jo.miller@example.org", "555-0199-4242", "https://example.org/jo-miller", "k3y-0f-jo")

GATE = NameInvariance(names_per_group=6, timeout_s=5)
TEMPLATES = [
    f"Name: {{NAME}}\nMail: {SECRETS[0]}\nPhone: {SECRETS[1]}\nWeb: {SECRETS[2]}\nYears: {years}"
    for years in range(3)
]


def sound() -> Evidence:
    """Return the evidence on a scorer that reads the years only."""
    return GATE.run(lambda text: 0.3 + int(text[-1]) / 10, TEMPLATES)


def flawed() -> Evidence:
    """Return the evidence on a scorer that puts one name down, with the address in play."""
    return GATE.run(lambda text: 0.2 if "Aisha" in text and SECRETS[0] in text else 0.8, TEMPLATES)


def _flat(_: str) -> float:
    return 0.5


def _leaky(text: str) -> float:
    raise ValueError(f"no score for {SECRETS[3]} {text}")


def _noisy(_: str) -> float:
    return random.random()


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no templates": lambda: GATE.run(_flat, []),
    "an empty template": lambda: GATE.run(_flat, [" "]),
    "no placeholder": lambda: GATE.run(_flat, ["Name: John"]),
    "one text for a list": lambda: GATE.run(_flat, TEMPLATES[0]),
    "no names": lambda: GATE.run(_flat, TEMPLATES, {}),
    "one group": lambda: GATE.run(_flat, TEMPLATES, {"a": ["John", "Juan"]}),
    "one empty group": lambda: GATE.run(_flat, TEMPLATES, {"a": ["John", "Juan"], "b": []}),
    "one name a group": lambda: GATE.run(_flat, TEMPLATES, {"a": ["John"], "b": ["Juan"]}),
    "NaN": lambda: GATE.run(lambda _: math.nan, TEMPLATES),
    "None": lambda: GATE.run(lambda _: None, TEMPLATES),
    "True": lambda: GATE.run(lambda _: True, TEMPLATES),
    "raises": lambda: GATE.run(_leaky, TEMPLATES),
    "noise only, one repeat": lambda: NameInvariance(names_per_group=6, max_repeats=1).run(
        _noisy, TEMPLATES
    ),
    "more templates than calls": lambda: NameInvariance(names_per_group=6, max_calls=200).run(
        _flat, [f"{{NAME}} {i}" for i in range(500)]
    ),
}
