"""Questions on the 184 shared charts (gold from FHIR, text from the notes), negations, hostile ids.

``python benchmarks/medco_questions.py [--questions 3000]``; needs ``MLGATES_DATA`` for the shared charts,
and takes made-up ones without it. About ten CPU minutes at full size.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import re
import statistics
import time
from collections.abc import Callable, Sequence
from importlib import resources
from random import Random

from pytest_mlgates.gates.grounding import Grounding
from reference_systems.medco_rag import inputs, trivial
from reference_systems.medco_rag.builds import System, build
from reference_systems.medco_rag.context import context_of
from reference_systems.medco_rag.engine import Mode
from reference_systems.medco_rag.filters import Filter
from reference_systems.medco_rag.folder import Folder
from reference_systems.medco_rag.half import Unfiltered
from reference_systems.medco_rag.memory import FromMemory, Tuning
from reference_systems.medco_rag.model import Answer
from reference_systems.medco_rag.questions_made import Question, questions
from reference_systems.medco_rag.questions_shared import shared_questions
from reference_systems.medco_rag.rag import Copilot
from reference_systems.medco_rag.scoring import equal

_GATE = Grounding(max_unsupported_rate=0.01)
_FORMS = (
    "{}' OR '1'='1", "{}' OR patient != '", "{}'; --", "' OR TRUE --", "{}%", "{}' OR patient LIKE '%", "*",
    "{}\\' OR 1=1 --", "{}\u2019 OR \u20181\u2019=\u20181", "{}'/**/OR/**/1=1", "{} OR patient IS NOT NULL",
    "') OR ('a'='a", "{}\x00' OR '1'='1", '{}" OR "1"="1', "{}'||'", "{}' UNION SELECT * --",
)  # fmt: skip


def main() -> None:
    """Print every figure of the README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=3_000)
    parser.add_argument("--others", type=int, default=150, help="questions for the other builds")
    parser.add_argument("--hostile", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    folder, asked, what = _asked(chosen.questions, chosen.seed)
    notes = folder if what.startswith("made") else dataclasses.replace(folder, fhir={})
    print(f"{what}: {len(folder.patients())} charts, {len(asked)} questions, seed {chosen.seed}\n")
    system = build("fixed", notes)
    system.warm_up()
    _report("fixed", system, notes, asked)
    _polarity()
    assert isinstance(system, Copilot)
    _hostile(system, chosen.hostile, chosen.seed)
    _modes(chosen.seed)
    part = Random(chosen.seed).sample(asked, min(chosen.others, len(asked)))
    tuning = Tuning(epochs=4, most=3_000)
    others: dict[str, Callable[[], System]] = {
        "incident": lambda: FromMemory(notes, tuning=tuning),
        "half": lambda: Unfiltered(_some(notes, part)),
        "mute": lambda: trivial.Mute(notes),
        "paste-all": lambda: trivial.PasteAll(notes),
    }
    for name, make in others.items():
        other = make()
        other.warm_up()
        _report(name, other, notes, part)


def _asked(count: int, seed: int) -> tuple[Folder, list[Question], str]:
    shared = inputs.shared_charts()
    if shared is not None:
        found = shared_questions(shared, count, seed)
        # chart by chart, as in a clinic: charts are read when they are first asked about
        return shared, sorted(found, key=lambda q: q.patient), "shared Synthea charts, notes alone"
    folder, persons = inputs.charts(184, seed)
    return (
        folder,
        sorted(questions(persons, count, seed), key=lambda q: q.patient),
        "made-up charts",
    )


def _some(folder: Folder, asked: Sequence[Question]) -> Folder:
    """Return the charts asked about: half the fix has to index every chart it may confuse."""
    kept = {question.patient for question in asked}
    return dataclasses.replace(folder, notes={p: f for p, f in folder.notes.items() if p in kept})


def _report(name: str, system: System, folder: Folder, asked: Sequence[Question]) -> None:
    took: list[float] = []
    told: dict[str, Answer] = {}

    def answer(line: dict[str, object]) -> Answer:
        if hasattr(system, "chart"):
            system.chart(str(line["patient"]))  # read and index: the warm-up of a chart
        began = time.perf_counter()
        found = system.ask(line)
        took.append(time.perf_counter() - began)
        told[f"{line['patient']} {line['question']}"] = found
        return found

    evidence = _GATE.run(answer, [question.record() for question in asked], folder.root)
    pairs = [(q, told[f"{q.patient} {q.text}"]) for q in asked if f"{q.patient} {q.text}" in told]
    can = [(q, a) for q, a in pairs if q.gold is not None]
    cannot = [a for q, a in pairs if q.gold is None]
    answered = [(q, a) for q, a in can if not a.refused]
    right = sum(equal(a, q.gold or (), q.never) for q, a in answered)
    claims = [c for _, a in pairs for c in a.claims]
    shares = [_share(folder, q.patient, a) for q, a in answered if any(c.source for c in a.claims)]
    ordered = sorted(took)
    details = evidence.measurement.details
    print(f"## {name}: {evidence.outcome.value.upper()}")
    print(f"{evidence.verdict.reason}")
    print(
        f"claims {len(claims):,}; answers with an unsupported claim {details.get('unsupported')}, unclear {details.get('unclear')}"
    )
    print(
        f"answerable answered {len(answered):,} of {len(can):,}; equal to gold {right:,} of {len(answered):,}"
    )
    print(f"unanswerable refused {sum(a.refused for a in cannot):,} of {len(cannot):,}")
    if shares:
        print(f"share of the chart to read: median {statistics.median(shares):.2%}")
    if ordered:
        print(
            f"answer: P50 {1e3 * ordered[len(ordered) // 2]:.0f} ms, P99 {1e3 * ordered[int(0.99 * len(ordered))]:.0f} ms, worst {1e3 * ordered[-1]:.0f} ms"
        )
    wrong = [(q, a) for q, a in answered if not equal(a, q.gold or (), q.never)]
    for question, said in wrong[:8] if name == "fixed" else ():
        print(f"  {question.text} | gold {question.gold} | {said.text[:120]}")
    print(flush=True)


def _share(folder: Folder, patient: str, answer: Answer) -> float:
    whole = sum(len(folder.text(file)) for file in folder.notes.get(patient, ()))
    spans = {(c.source.file, c.source.start, c.source.end) for c in answer.claims if c.source}
    return sum(end - start for _, start, end in spans) / max(1, whole)


def _polarity() -> None:
    for name in ("labelled_sentences.csv", "labelled_sentences_clinic.csv"):
        text = resources.files("reference_systems.medco_rag").joinpath(name)
        rows = list(csv.DictReader(text.read_text("utf-8").splitlines()))
        wrong = 0
        for row in rows:
            words = re.compile(rf"(?<!\w){re.escape(row['phrase'])}(?!\w)", re.IGNORECASE)
            found = words.search(row["sentence"])
            assert found is not None
            told = context_of(row["sentence"], found.start(), found.end())
            wrong += (told.polarity.value, told.subject) != (row["polarity"], row["subject"])
        print(f"{name}: {wrong} wrong of {len(rows)} negations, relatives and doubts\n")


def _hostile(system: Copilot, count: int, seed: int) -> None:
    rng = Random(f"hostile {seed}")
    known = system.folder.patients()
    foreign = 0
    modes = list(Mode)
    for number in range(count):
        form = rng.choice(_FORMS).format(rng.choice(known))
        patient = form + ("" if number % 2 else str(rng.random()))
        wanted = Filter(patient=patient)
        found = system.engine.search("allergies medication", wanted, 20, modes[number % 3])
        foreign += len(found) + len(system.engine.scan(wanted) if number % 10 == 0 else ())
    print(f"hostile ids: {foreign} foreign passages in {count:,} searches of {len(known)} charts\n")


def _modes(seed: int) -> None:
    """Compare rankings on made-up charts: is a passage with the answer among the first k?"""
    folder, persons = inputs.charts(48, seed)
    system = Copilot(folder)
    asked = [q for q in questions(persons, 2_000, seed) if q.gold not in (None, ("yes",), ("no",))]
    print(f"passages that hold the gold values, among the first k ({len(asked)} questions)")
    print("| ranking | k = 1 | k = 3 | k = 5 | k = 10 |\n|---|---|---|---|---|")
    for mode in Mode:
        hits = dict.fromkeys((1, 3, 5, 10), 0)
        for question in asked:
            system.chart(question.patient)
            wanted = Filter.of(question.line())
            texts = [
                f"{c.encounter_date} {c.text}".lower()
                for c in system.engine.search(question.text, wanted, 10, mode)
            ]
            for k in hits:
                joined = " ".join(texts[:k])
                hits[k] += all(value.lower() in joined for value in question.gold or ())
        print(
            f"| {mode.value} | " + " | ".join(f"{n / len(asked):.1%}" for n in hits.values()) + " |"
        )
    foreign = 0
    for question in asked:
        found = system.engine.search(question.text, None, 10)
        foreign += any(c.patient != question.patient for c in found)
    print(
        f"without the filter, {foreign / len(asked):.1%} of questions get passages of other patients",
        flush=True,
    )


if __name__ == "__main__":
    main()
