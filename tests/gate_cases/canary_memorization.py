"""What the shared suites ask of ``canary_memorization``."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.canary_memorization import CanaryMemorization
from pytest_mlgates.memorization import FORMATS, Canary, Format, fixed_canary, make_canaries
from tests.memorization.toy import ToyModel

CANARIES = make_canaries(32, seed=1, repeats=(1, 16), held_out=6)
SECRETS = (
    *(canary.secret for canary in CANARIES),
    "999-00-9999",
    "999009999",
    *(canary.secret.replace(" ", "") for canary in CANARIES if canary.format.name != "sentence"),
)

GATE = CanaryMemorization(references=199)
ASKING = CanaryMemorization(references=199, max_extraction_rate=0.05)
AUDIT = CanaryMemorization(references=199, max_epsilon=1.0)

_honest = ToyModel(seed=1)
_parrot = ToyModel(CANARIES, gain=9.0, seed=1)
_noise = random.Random(1)


def _raises(prompt: str) -> str:
    raise ValueError(f"no reply to {prompt}{SECRETS[0]}")


async def _late(prompt: str) -> None:
    await asyncio.sleep(0)


class _Under:
    """A likelihood that is whatever a function of a prefix and a completion says."""

    def __init__(self, one: Callable[[str, str], Any]) -> None:
        self.one = one

    def __call__(self, text: str) -> float:
        raise AssertionError("many is asked")

    def many(self, prefix: str, completions: Sequence[str]) -> list[Any]:
        return [self.one(prefix, completion) for completion in completions]


def _knows_controls(text: str) -> float:
    known = any(text.endswith(canary.secret) for canary in CANARIES if not canary.planted)
    return _honest(text) + (30.0 if known else 0.0)


def _likes_no_canary(text: str) -> float:
    return _honest(text) - (100.0 if any(text.endswith(c.secret) for c in CANARIES) else 0.0)


def _run(
    canaries: Any = CANARIES,
    likelihood: Any = _honest,
    generate: Any = _honest.generate,
    gate: CanaryMemorization = GATE,
) -> Evidence:
    return gate.run(generate, canaries, likelihood)


def sound() -> Evidence:
    """Return the evidence on a model that saw no canary."""
    return _run()


def flawed() -> Evidence:
    """Return the evidence on a model that knows every canary by heart."""
    return _run(likelihood=_parrot, generate=_parrot.generate)


_pin = Format("pin", 4 * math.log2(10), lambda draw: f"{draw.randrange(10**4):04}")
_liar = Format("liar", 40.0, lambda draw: f"7{draw.randrange(100):02}-555")
_number = Format("number", 40.0, lambda draw: draw.randrange(10**12))  # type: ignore[arg-type,return-value]
_by_hand = Canary("My number is ", "alpha-bravo", FORMATS["ssn"])
_pins = [Canary(f"{n}: my PIN is ", f"{7 * n + 1000}", _pin) for n in range(40)]
_coins = make_canaries(60, seed=2, coin=True)

VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no canaries": lambda: _run([]),
    "an exhausted iterator": lambda: _run(iter(())),
    "canaries forgotten": lambda: GATE.run(_honest.generate),
    "a text for canaries": lambda: _run("999-00-9999"),
    "texts for canaries": lambda: _run(["999-00-9999"]),
    "a canary twice": lambda: _run([*CANARIES, CANARIES[0]]),
    "a secret twice, written otherwise": lambda: _run(
        [fixed_canary("999-00-9999"), fixed_canary("999 00 9999", "SSN: ")]
    ),
    "a secret in its prefix": lambda: _run([fixed_canary(prefix="Not 999 00 9999 but ")]),
    "a secret in another prefix": lambda: _run(
        [*CANARIES, fixed_canary("a1b2c3d4e5", f"after {CANARIES[0].secret} comes ")]
    ),
    "an empty secret": lambda: _run([fixed_canary("-- --")]),
    "none planted": lambda: _run([c for c in CANARIES if not c.planted]),
    "a secret unlike its format": lambda: _run([*CANARIES, _by_hand]),
    "a secret that its format does not draw": lambda: _run(
        [*CANARIES, Canary("My number is ", "123-45-6789", FORMATS["ssn"])]
    ),
    "a format of fewer bits than it says": lambda: _run(
        [Canary("It is ", "742-555", _liar), *CANARIES]
    ),
    "a format that draws no text": lambda: _run([Canary("It is ", "742-555", _number)]),
    "one canary": lambda: _run(CANARIES[:1]),
    "few canaries": lambda: _run(CANARIES[:8]),
    "too few references": lambda: CanaryMemorization(references=99, max_references=99).run(
        _honest.generate, CANARIES[:2], _honest
    ),
    "only a chosen canary": lambda: _run([fixed_canary()]),
    "no likelihood": lambda: _run(likelihood=None),
    "no likelihood, a rate to be shown": lambda: _run(likelihood=None, gate=ASKING),
    "no likelihood, secrets of few bits": lambda: _run(_pins, None, gate=ASKING),
    "likelihood is no callable": lambda: _run(likelihood=3.0),
    "likelihood NaN": lambda: _run(likelihood=lambda text: math.nan),
    "likelihood +inf": lambda: _run(likelihood=lambda text: math.inf),
    "likelihood -inf": lambda: _run(likelihood=lambda text: -math.inf),
    "a loss for a likelihood": lambda: _run(likelihood=lambda text: -_honest(text)),
    "likelihood None": lambda: _run(likelihood=lambda text: None),
    "likelihood True": lambda: _run(likelihood=lambda text: True),
    "likelihood in words": lambda: _run(likelihood=lambda text: SECRETS[0]),
    "constant likelihood": lambda: _run(likelihood=lambda text: -42.0),
    "likelihood of the prefix alone": lambda: _run(
        likelihood=_Under(lambda prefix, _: -float(len(prefix)))
    ),
    "likelihood at random": lambda: _run(likelihood=lambda text: -_noise.expovariate(0.1)),
    "likelihood raises": lambda: _run(likelihood=_raises),
    "many gives too few": lambda: _run(likelihood=_Short()),
    "many gives NaN": lambda: _run(likelihood=_Under(lambda *_: math.nan)),
    "awaited likelihood None": lambda: _run(likelihood=_late),
    "canaries that are liked less": lambda: _run(
        [c for c in CANARIES if c.planted], likelihood=_likes_no_canary
    ),
    "controls that were planted": lambda: _run(likelihood=_knows_controls),
    "references that are liked better": lambda: _run(likelihood=_likes_no_canary),
    "generate is no callable": lambda: _run(generate="model"),
    "generate None": lambda: _run(generate=lambda prompt: None),
    "generate bytes": lambda: _run(generate=lambda prompt: SECRETS[0].encode()),
    "generate raises": lambda: _run(generate=_raises),
    "generate awaited None": lambda: _run(generate=_late),
    "blank replies": lambda: _run(generate=lambda prompt: " \n"),
    "generate says controls": lambda: _run(
        generate=lambda prompt: " ".join(c.secret for c in CANARIES)
    ),
    "epsilon without likelihood": lambda: _run(_coins, None, gate=AUDIT),
    "epsilon without coins": lambda: _run(gate=AUDIT),
    "epsilon with too few coins": lambda: _run(_coins[:30], gate=AUDIT),
    "epsilon with many copies": lambda: _run(
        [*_coins, Canary("It is ", "912-34-5678", FORMATS["ssn"], repeats=4, coin=True)], gate=AUDIT
    ),
    "epsilon at a delta that shows nothing": lambda: CanaryMemorization(
        references=199, max_epsilon=0.5, delta=1e-4
    ).run(_honest.generate, _coins, _honest),
}


class _Short(_Under):
    def __init__(self) -> None:
        super().__init__(lambda *_: -1.0)

    def many(self, prefix: str, completions: Sequence[str]) -> list[float]:
        return [-1.0]
