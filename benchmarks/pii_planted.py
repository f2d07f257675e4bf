"""Is the planted recall of ``pii_leak`` believable? Against the true one, on ten corpora made elsewhere.

Each corpus is a way in which a subject writes a value; its values are Faker's. The true recall is the share
of them that the detector confirms; the planted one is what the gate would measure with these texts at
hand, the lower of that between words and that in place. It should lie within 5 points of it, or below;
where it does not, the verdict says whether the gate passed what leaks in every text.

    python benchmarks/pii_planted.py
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence

from faker import Faker

from pytest_mlgates.gates.pii_leak import PiiLeak
from pytest_mlgates.gates.pii_leak.in_place import recall_in_place
from pytest_mlgates.gates.pii_leak.plant import recall
from pytest_mlgates.pii import Detector


def by_fours(number: str, joint: str) -> str:
    return joint.join(number[at : at + 4] for at in range(0, len(number), 4))


def corpora(fake: Faker) -> dict[str, tuple[str, Callable[[], tuple[str, str]]]]:
    """Return each corpus: the kind, and what makes a text and the value in it."""

    def within(
        left: Callable[[], str], value: Callable[[], str], right: str
    ) -> Callable[[], tuple[str, str]]:
        def make() -> tuple[str, str]:
            made = value()
            return f"{left()}{made}{right}", made

        return make

    card = lambda: fake.credit_card_number("visa16")  # noqa: E731
    plain: Callable[[str], Callable[[], str]] = lambda text: lambda: text  # noqa: E731
    return {
        "chat, card in a sentence": ("CREDIT_CARD", within(lambda: f"{fake.sentence()} For it we charged ", card, ".")),
        "card after another label": ("CREDIT_CARD", within(lambda: f"{fake.name()}, ref no. ", card, "")),
        "card of 13 digits alone": ("CREDIT_CARD", within(plain(""), lambda: fake.credit_card_number("visa13"), "")),
        "web page, &nbsp; between": (
            "CREDIT_CARD", within(plain("<p>Your card is "), lambda: by_fours(card(), "&nbsp;"), " now.</p>")
        ),
        "card cut with a letter between": (
            "CREDIT_CARD", within(plain("card "), lambda: by_fours(card(), "x"), " paid")
        ),
        "SSN in a column of its name": ("US_SSN", within(plain("customer_ssn: "), lambda: fake.ssn().replace("-", ""), "")),
        "SSN without any word": (
            "US_SSN", within(lambda: f"{fake.name()}, ", lambda: fake.ssn().replace("-", ""), ", Ohio")
        ),
        "SSN with dots, no word": ("US_SSN", within(lambda: f"{fake.name()} ", lambda: fake.ssn().replace("-", "."), "")),
        "address in a link": ("EMAIL_ADDRESS", within(plain("https://news.x/out?email="), fake.company_email, "&a=1")),
        "address written (at)": (
            "EMAIL_ADDRESS", within(plain("write to "), lambda: fake.company_email().replace("@", " (at) "), " please")
        ),
    }  # fmt: skip


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="texts of each corpus, and plants")
    count = parser.parse_args(argv).count
    fake = Faker("en_US")
    fake.seed_instance(14)
    detector, gate = Detector(), PiiLeak(max_leak_rate=0.1, plants=100)
    print(f"{'corpus':34}{'kind':15}{'true':>8}{'planted':>9}{'in place':>9}  too high by  verdict")
    for name, (kind, make) in corpora(fake).items():
        pairs = [make() for _ in range(count)]
        texts = [text for text, _ in pairs]
        found = sum(
            any(
                s.entity == kind
                and s.confirmed
                and s.start <= text.index(value) + 1
                and s.end >= text.index(value) + len(value) - 1
                for s in spans
            )
            for (text, value), spans in zip(pairs, detector.find_all(texts), strict=True)
        )
        draw = random.Random(2)
        planted = recall(detector, texts, kind, count, 0.5, draw) / count
        tried, there = recall_in_place(detector, texts, kind, count, 0.5, draw)
        in_place = there / tried if tried else None
        least = planted if in_place is None else min(planted, in_place)
        shown = "-" if in_place is None else f"{in_place:.1%}"
        verdict = gate.run(texts).verdict
        print(
            f"{name:34}{kind:15}{found / count:8.1%}{planted:9.1%}{shown:>9}"
            f"{least - found / count:13.1%}  {verdict.outcome.value}",
            flush=True,
        )


if __name__ == "__main__":
    main()
