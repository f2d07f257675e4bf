"""Fit the weights of CREDIT_CARD on one corpus, and test them on another that was made otherwise.

Fitted on: Faker's card types in half of the contexts of ``pii.texts`` (and 20 of its locales'
sentences), against numbers of the same lengths that pass the check digit by chance, in the sentences
of ``pii_detection.numbers`` and in tables and decimals. Tested on: the other contexts, presidio-research's
templates where they are installed, and the installed documentation of this machine. What was set by hand
is the prior (each weight may move, at a price), so that evidence which a corpus lacks keeps its weight.

    python benchmarks/pii_weights.py            # print the fit and both tests
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from faker import Faker
from pii.texts import CONTEXTS, LOCALES, Labelled, groups, within
from pii_detection import numbers

from pytest_mlgates.pii import Detector, cards, weigh

TYPES = (
    "amex",
    "diners",
    "discover",
    "jcb15",
    "jcb16",
    "maestro",
    "mastercard",
    "visa13",
    "visa16",
    "visa19",
)
#: what it costs to move a weight, in negative log likelihood of one text for each squared unit
PRICE = 1.0


def luhn(body: str) -> str:
    total = 0
    for at, digit in enumerate(reversed(body)):
        value = int(digit) * (2 - at % 2)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def positives(draw: random.Random, contexts: Sequence[str], count: int) -> Iterator[Labelled]:
    fake = Faker(list(LOCALES[:8]))
    fake.seed_instance(draw.randrange(10**6))
    for _ in range(count):
        number = Faker("en_US").credit_card_number(draw.choice(TYPES))
        if draw.random() < 0.5:
            joint = draw.choice((" ", "-", "\u00a0", ".", ""))
            cuts = "(....)(......)(.*)" if len(number) in (14, 15) else "....|.+$"
            pieces = re.findall(cuts, number)
            number = joint.join(pieces[0] if isinstance(pieces[0], tuple) else pieces)
        left = fake.sentence() + " " if draw.random() < 0.5 else ""
        found = within("CREDIT_CARD", draw.choice(contexts), number)
        yield Labelled(
            found.kind, left + found.text, found.start + len(left), found.end + len(left)
        )


def negatives(draw: random.Random, count: int) -> Iterator[str]:
    """Texts with numbers that are no cards, many of which have the length and check digit of one."""

    def passing(size: int) -> str:
        return luhn(draw.choice("3456") + "".join(draw.choices("0123456789", k=size - 2)))

    for _ in range(count):
        text = numbers(draw)
        yield re.sub(r"\d{12,19}", lambda m: passing(len(m[0])), text)
        size = draw.choice((13, 14, 15, 16))
        yield draw.choice(
            (
                f"{draw.random() * 100:.3f} .{passing(size)} {draw.random():.9f}",
                f"x = {draw.randrange(99)}.{passing(size)}",
                " ".join(str(draw.randrange(1000, 9999)) for _ in range(draw.randrange(5, 30))),
                "\n".join(
                    " ".join(str(draw.randrange(1000, 9999)) for _ in range(4)) for _ in range(6)
                ),
                " ".join(str(draw.randrange(10)) for _ in range(draw.randrange(16, 40))),
                f"https://shop.example/items/{passing(16)}/",
                f"{draw.choice(('order', 'serial', 'ticket', 'tracking', 'invoice'))} {passing(16)}",
                f"v{passing(16)}z",
                f"{passing(16)}*t**12",
            )
        )


def evidence(texts: Iterable[tuple[str, int, int]]) -> Iterator[tuple[int, bool]]:
    """Yield the evidence (as bits) of each candidate, and whether it is a real value."""
    detector = Detector(["CREDIT_CARD"])
    seen: list[int] = []

    def note(_kind: str, bits: int) -> float:
        seen.append(bits)
        return 1.0

    with mock.patch.object(cards, "score_of_bits", note):
        for text, start, end in texts:
            for real in [start < end]:
                seen.clear()
                found = detector.find(text)
                if real:
                    hits = [s for s in found if s.start <= start + 1 and s.end >= end - 1]
                    if hits and len(seen) == 1:
                        yield seen[0], True
                else:
                    yield from ((bits, False) for bits in seen)


def fit(rows: Sequence[tuple[int, bool]]) -> dict[str, float]:
    """Return the weights that a logistic regression gives, drawn to those set by hand."""
    from scipy.optimize import minimize

    prior = weigh.weights("CREDIT_CARD")
    names = list(prior)
    bits = np.array([row for row, _ in rows])
    x = np.stack(
        [np.ones(len(rows)) if n == "always" else (bits >> at & 1) for at, n in enumerate(names)],
        axis=1,
    )
    y = np.array([real for _, real in rows], dtype=float)
    start = np.array([prior[name] for name in names])

    def loss(w: Any) -> tuple[float, Any]:
        z = x @ w
        value = np.logaddexp(0, z) - y * z
        grad = x.T @ (1 / (1 + np.exp(-z)) - y)
        moved = w - start
        return float(value.sum() + PRICE * (moved**2).sum()), grad + 2 * PRICE * moved

    best = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return {name: round(float(value), 1) for name, value in zip(names, best, strict=True)}


def test(weights: dict[str, float], contexts: Sequence[str], seed: int, megabytes: int) -> str:
    """Return recall and false alarms with some weights, on what they were not fitted on."""
    with mock.patch.object(
        weigh, "weights", lambda kind: weights if kind == "CREDIT_CARD" else WEIGHTS(kind)
    ):
        weigh.score_of_bits.cache_clear()
        detector = Detector(["CREDIT_CARD"])
        draw = random.Random(seed)
        cells = []
        templates = [
            g for name, its in groups(400) if name.startswith("CREDIT_CARD, templates") for g in its
        ]
        for name, given in (
            ("other contexts", list(positives(draw, contexts, 1500))),
            ("templates", templates),
        ):
            hit = sum(
                any(
                    s.confirmed and s.start <= g.start + 1 and s.end >= g.end - 1
                    for s in detector.find(g.text)
                )
                for g in given
            )
            cells.append(f"{name} {hit / max(1, len(given)):.1%} of {len(given)}")
        size = alarms = 0
        for text in documentation(megabytes * 1_000_000):
            size += len(text)
            alarms += sum(span.confirmed for span in detector.find(text))
        cells.append(
            f"confirmed in {size / 1e6:.0f} MB of installed source and documentation: {alarms}"
        )
    weigh.score_of_bits.cache_clear()
    return "; ".join(cells)


WEIGHTS = weigh.weights


def documentation(limit: int) -> Iterator[str]:
    files = sorted(Path(sysconfig.get_paths()["purelib"]).rglob("*"))
    random.Random(3).shuffle(files)
    for file in files:
        if limit <= 0:
            return
        if file.suffix in (".py", ".txt", ".md", ".csv", ".json", ".rst") and file.is_file():
            try:
                text = file.read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            limit -= len(text)
            yield text


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=4000, help="texts to fit on")
    parser.add_argument("--megabytes", type=int, default=100, help="of documentation to test on")
    args = parser.parse_args(argv)
    draw = random.Random(21)
    here, there = CONTEXTS[::2], CONTEXTS[1::2]
    rows = list(evidence((g.text, g.start, g.end) for g in positives(draw, here, args.count)))
    rows += evidence((text, 0, 0) for text in negatives(draw, args.count // 2))
    print(
        f"{sum(real for _, real in rows)} cards and {sum(not real for _, real in rows)} other numbers to fit on"
    )
    hand = weigh.weights("CREDIT_CARD")
    found = fit(rows)
    for name, value in found.items():
        held = sum(bits >> list(hand).index(name) & 1 for bits, _ in rows)
        print(f"  {name:34}{hand[name]:6.1f} -> {value:6.1f}   in {held}")
    for name, weights in (("as they are", hand), ("fitted", found)):
        print(f"{name}: {test(weights, there, 33, args.megabytes)}")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
