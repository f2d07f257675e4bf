"""The detector beside Presidio, detect-secrets, scrubadub and Kingfisher alone, on texts not made by us.

One run, the same texts for all: Faker over card types and 20 locales, libphonenumber's examples of
every region, public shapes of keys, Kingfisher's own rule examples, presidio-research's templates
(where ``presidio-evaluator`` is installed), spellings of labels. A rival that is not installed is
left out. Recall is the share of values that a span covers; of ours a span counts where it is
confirmed, since only those fail a gate. Precision is the share of spans that stand on a value.

    python benchmarks/pii_rivals.py --quick
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from pii.made import made
from pii.texts import Labelled, groups
from pii_detection import dialogue, numbers, presidio

from pytest_mlgates.pii import Detector

#: what a span says, and where it stands
Found = tuple[str, int, int]
Find = Callable[[Labelled], Iterable[Found]]
SAME = {"US_ITIN": "US_SSN"}
#: texts that the slow rivals see of each group
FEW = 80


def ours(*, sure: bool) -> Find:
    everywhere = {region: Detector(regions=[region]) for region in [""]}
    everywhere[""] = Detector()

    def find(given: Labelled) -> Iterator[Found]:
        region = given.region
        if region not in everywhere:
            everywhere[region] = Detector(regions=[region])
        for span in everywhere[region].find(given.text):
            if span.confirmed or not sure:
                yield span.entity, span.start, span.end

    return find


def by_presidio() -> Find:
    engine = presidio()
    return lambda given: (
        (found.entity_type, found.start, found.end) for found in engine.analyze(given.text, "en")
    )


def by_detect_secrets() -> Find:
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings

    def find(given: Labelled) -> Iterator[Found]:
        with default_settings():
            for line in given.text.splitlines():
                for secret in scan_line(line):
                    at = given.text.find(secret.secret_value or "\0")
                    if at >= 0:
                        yield "API_KEY", at, at + len(secret.secret_value)

    return find


def by_scrubadub() -> Find:
    import scrubadub

    scrubber = scrubadub.Scrubber()
    kinds = {
        "credit_card": "CREDIT_CARD", "email": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "social_security_number": "US_SSN",
        "credential": "API_KEY",
    }  # fmt: skip
    return lambda given: (
        (kinds.get(filth.type, filth.type), filth.beg, filth.end)
        for filth in scrubber.iter_filth(given.text)
    )


def by_kingfisher() -> Find:
    import kingfisher_sdk

    scanner = kingfisher_sdk.Scanner(kingfisher_sdk.Rules(cache=False))

    def find(given: Labelled) -> Iterator[Found]:
        code = given.text.encode("utf-8", "replace")
        for found in scanner.scan(code):
            if found.visible:
                start, end = found.location["start_offset"], found.location["end_offset"]
                yield (
                    "API_KEY",
                    len(code[:start].decode("utf-8", "replace")),
                    len(code[:end].decode("utf-8", "replace")),
                )

    return find


RIVALS: dict[str, tuple[str, Callable[[], Find]]] = {
    "Presidio": ("presidio_analyzer", by_presidio),
    "detect-secrets": ("detect_secrets", by_detect_secrets),
    "scrubadub": ("scrubadub", by_scrubadub),
    "Kingfisher": ("kingfisher_sdk", by_kingfisher),
}


def of_each_rule() -> tuple[str, list[Labelled]]:
    """A text made from the pattern of each rule of Kingfisher, with all its other rules to distract.

    Its release on PyPI carries no examples; ``pii.made`` draws characters for a pattern instead.
    """
    import kingfisher_sdk

    rules = kingfisher_sdk.Rules(cache=False, confidence="low")
    draw = random.Random(12)
    found = []
    for rule in rules.metadata():
        detail = rules.detail(rule["id"])
        if detail["visible"]:
            for _ in range(3):
                text = f"{made(detail['pattern'], draw)} "
                found.append(Labelled("API_KEY", text, 0, len(text), rule["id"]))
    return "API_KEY, made from Kingfisher's rules", found


def measure(name: str, texts: Sequence[Labelled], tools: dict[str, Find], tally: Any) -> None:
    cells = []
    for tool, find in tools.items():
        slow = tool in ("Presidio", "scrubadub", "detect-secrets")
        some = texts[:: max(1, len(texts) // FEW)] if slow else texts
        hit = 0
        for given in some:
            spans = [(SAME.get(kind, kind), start, end) for kind, start, end in find(given)]
            kind = SAME.get(given.kind, given.kind)
            whole = name.startswith("API_KEY")  # a secret is a part of what the shape shows
            hits = [
                span for span in spans
                if span[0] in (kind, "CRYPTO" if whole else kind)
                and (whole or (span[1] <= given.start + 2 and span[2] >= given.end - 2))
                and span[1] < given.end and span[2] > given.start
            ]  # fmt: skip
            hit += bool(hits)
            tally[tool, kind]["there"] += 1
            tally[tool, kind]["found"] += bool(hits)
            for span in spans:
                right = span[0] == kind and span[1] < given.end and span[2] > given.start
                tally[tool, span[0]]["right" if right else "wrong"] += 1
        cells.append(f"{hit / len(some):9.1%}")
    print(f"{name:52}{len(texts):6}{''.join(cells)}", flush=True)
    if name.endswith("Kingfisher's rules"):
        _by_rule(texts, tools)


def _by_rule(texts: Sequence[Labelled], tools: dict[str, Find]) -> None:
    """Print the share of rules of which each tool finds a text, of those whose texts are none by chance."""
    alone = by_kingfisher()
    rules: dict[str, list[Labelled]] = defaultdict(list)
    for given in texts:
        if list(
            alone(given)
        ):  # else the text has too little entropy, or lacks what the rule asks beside it
            rules[given.region].append(given)
    cells = [
        sum(any(any(f[0] == "API_KEY" for f in find(g)) for g in its) for its in rules.values())
        / len(rules)
        for find in tools.values()
    ]
    name = "  by rule, of those that Kingfisher finds itself"
    print(f"{name:52}{len(rules):6}{''.join(f'{cell:9.1%}' for cell in cells)}", flush=True)


def missed(name: str, texts: Sequence[Labelled], find: Find) -> None:
    """Print what our detector did not confirm: by the text round it, which names no value."""
    rows = Counter()
    for given in texts:
        spans = list(find(given))
        if not any(s < given.end and e > given.start for _, s, e in spans):
            shown = f"{given.text[: given.start][-40:]}<{given.region or given.kind}>{given.text[given.end :][:20]}"
            rows[shown if not name.startswith("API_KEY") else given.text[:90]] += 1
    for text, count in rows.most_common(30):
        print(f"    missed {count}: {text!r}")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer texts")
    parser.add_argument("--alone", action="store_true", help="leave the rivals out")
    parser.add_argument("--missed", action="store_true", help="print what ours did not confirm")
    args = parser.parse_args(argv)
    tools: dict[str, Find] = {"ours": ours(sure=True), "ours, any": ours(sure=False)}
    if not args.alone:
        tools |= {name: make() for name, (module, make) in RIVALS.items() if find_spec(module)}
    print(f"{'recall':52}{'texts':>6}" + "".join(f"{tool[:8]:>9}" for tool in tools))
    tally: dict[Any, Counter[str]] = defaultdict(Counter)
    every = list(groups(100 if args.quick else 400))
    if find_spec("kingfisher_sdk"):
        every.append(of_each_rule())
    for name, texts in every:
        measure(name, texts, tools, tally)
        if args.missed:
            missed(name, texts, tools["ours"])
    draw = random.Random(4)
    harmless = [
        Labelled("", make(draw), 0, 0)
        for make in (dialogue, numbers)
        for _ in range(len(every) * 20)
    ]
    print(
        f"\n{'recall and precision by kind':52}{'':6}"
        + "".join(f"{tool[:14]:>16}" for tool in tools)
    )
    for kind in sorted(
        {kind for _, kind in tally if any(k == kind and tally[t, k]["there"] for t, k in tally)}
    ):
        cells = []
        for tool in tools:
            its = tally[tool, kind]
            told = its["right"] + its["wrong"]
            recall = its["found"] / its["there"] if its["there"] else 0.0
            cells.append(f"{recall:8.1%}{its['right'] / told if told else 0.0:8.1%}")
        print(f"{kind:58}{''.join(cells)}")
    for tool, find in tools.items():
        some = (
            harmless[:: max(1, len(harmless) // 400)]
            if tool not in ("ours", "ours, any")
            else harmless
        )
        kinds = {SAME.get(kind, kind) for _, kind in tally} - {
            "PERSON",
            "LOCATION",
            "DATE_TIME",
            "URL",
            "NRP",
        }
        alarms = sum(any(SAME.get(f[0], f[0]) in kinds for f in find(text)) for text in some)
        print(f"false alarms on dialogues and number texts: {tool} {alarms} of {len(some)}")


if __name__ == "__main__":
    main()
