"""What the shared suites ask of ``shadow_divergence``."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.shadow_divergence import ShadowDivergence

SECRETS = ("ada.lovelace@example.org", "4111 1111 1111 1111", "Wollstonecraft", "536-90-4399")

GATE = ShadowDivergence(max_rate=0.05, tolerance=0.05, slices=("left_turn",))
PLAIN = ShadowDivergence(max_rate=0.05, tolerance=0.05)
KINDS = ("highway", "city", "ramp", "left_turn")


def _frames(count: int = 2000) -> list[dict[str, Any]]:
    return [
        {"speed": n % 83, "turn": KINDS[n % 4], "place": n, "driver": f"{SECRETS[0]} {SECRETS[1]}"}
        for n in range(count)
    ]


FRAMES = _frames()


def _v1(frame: Any) -> float:
    return float(frame["speed"]) / 100


def _v2(frame: Any) -> float:
    return _v1(frame) + 0.01


def _aggressive(frame: Any) -> float:
    return _v2(frame) + (0.4 if frame["turn"] == "left_turn" else 0.0)


def _turn(frame: Any) -> str:
    return str(frame["turn"])


def _raises(frame: Any) -> float:
    raise ValueError(str(frame))


def _hangs(_frame: Any) -> float:
    time.sleep(30)
    return 0.0


async def _none(_frame: Any) -> None:
    await asyncio.sleep(0)


def _breaks() -> Iterator[dict[str, Any]]:
    yield FRAMES[0]
    raise ValueError(SECRETS[2])


def sound() -> Evidence:
    """Return the evidence on a shadow that is a hair off everywhere."""
    return GATE.run(_v1, _v2, FRAMES, _turn)


def flawed() -> Evidence:
    """Return the evidence on a shadow that turns left too hard."""
    return GATE.run(_v1, _aggressive, FRAMES, _turn)


def _texts(control: Any, shadow: Any) -> Evidence:
    return PLAIN.run(lambda _: control, lambda _: shadow, FRAMES)


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no inputs": lambda: PLAIN.run(_v1, _v2, []),
    "an exhausted iterator": lambda: PLAIN.run(_v1, _v2, iter(())),
    "an empty array": lambda: PLAIN.run(_v1, _v2, np.zeros((0, 3))),
    "one input for a list": lambda: PLAIN.run(_v1, _v2, FRAMES[0]),
    "one text for a list": lambda: PLAIN.run(_v1, _v2, SECRETS[2]),
    "not an iterable": lambda: PLAIN.run(_v1, _v2, 7),
    "too few inputs": lambda: PLAIN.run(_v1, _v2, FRAMES[:50]),
    "too few of one slice": lambda: GATE.run(_v1, _v2, [*FRAMES[::4], *FRAMES[3:60:4]], _turn),
    "one input many times": lambda: PLAIN.run(lambda f: 1.0, lambda f: 1.0, FRAMES[:1] * 2000),
    "few inputs many times": lambda: PLAIN.run(lambda f: 1.0, lambda f: 1.0, FRAMES[:20] * 100),
    "a slice that never occurs": lambda: GATE.run(
        _v1, _v2, [f for f in FRAMES if f["turn"] != "left_turn"], _turn
    ),
    "slices wanted and none named": lambda: GATE.run(_v1, _v2, FRAMES),
    "an unknown column": lambda: GATE.run(_v1, _v2, FRAMES, "manoeuvre"),
    "slice_of raises": lambda: GATE.run(_v1, _v2, FRAMES, _raises),
    "slice_of of another length": lambda: GATE.run(_v1, _v2, FRAMES, np.array(["left_turn"])),
    "slice_of is a number": lambda: GATE.run(_v1, _v2, FRAMES, 7),
    "the control raises": lambda: PLAIN.run(_raises, _v2, FRAMES),
    "the control says None": lambda: PLAIN.run(lambda _: None, lambda _: None, FRAMES),
    "the control says NaN": lambda: PLAIN.run(lambda _: math.nan, lambda _: math.nan, FRAMES),
    "the control's vector has a NaN": lambda: _texts([1.0, math.nan], [1.0, math.nan]),
    "the control hangs": lambda: ShadowDivergence(timeout_s=0.05).run(_hangs, _v2, FRAMES),
    "the control awaits None": lambda: PLAIN.run(_none, _v2, FRAMES),
    "the control gives objects": lambda: PLAIN.run(lambda _: object(), lambda _: object(), FRAMES),
    "blank texts": lambda: _texts("  ", "  "),
    "empty vectors": lambda: _texts([], []),
    "the same model twice": lambda: PLAIN.run(_v1, _v1, FRAMES),
    "control is not callable": lambda: PLAIN.run(7, _v2, FRAMES),
    "shadow is not callable": lambda: PLAIN.run(_v1, None, FRAMES),
    "inputs that break off": lambda: PLAIN.run(_v1, _v2, _breaks()),
    "labels of another length": lambda: PLAIN.run(_v1, _v2, FRAMES, labels=[1, 2]),
    "improvement without labels": lambda: ShadowDivergence(
        allow_improvement=True, tolerance=0.05
    ).run(_v1, _v2, FRAMES),
    "a batch of none": lambda: PLAIN.run(_v1, _v2, FRAMES, batch=0),
    "a control that answers a batch with one": lambda: PLAIN.run(
        lambda fs: 1.0, lambda fs: [1.0] * len(fs), FRAMES, batch=8
    ),
    "a distance that says NaN": lambda: PLAIN.run(_v1, _v2, FRAMES, distance=lambda a, b: math.nan),
    "a distance below 0": lambda: PLAIN.run(_v1, _v2, FRAMES, distance=lambda a, b: -1.0),
    "discovery without features": lambda: ShadowDivergence(discover=True).run(
        float, int, list(range(2000))
    ),
    "inputs that can't be copied": lambda: PLAIN.run(
        lambda x: 1.0, lambda x: 1.0, [(n for n in ()) for _ in range(2000)]
    ),
}
