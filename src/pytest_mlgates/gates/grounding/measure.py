"""Ask the questions, check each claim of the answers, and record what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass

from pytest_mlgates.calls.ask import Subject
from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Look, Measurement
from pytest_mlgates.gates.grounding.answers import (
    Answer,
    Claim,
    Question,
    answer_from,
    questions_from,
)
from pytest_mlgates.gates.grounding.check import Checker, Finding, lacking
from pytest_mlgates.gates.grounding.details import Seen
from pytest_mlgates.gates.grounding.entities import Synonyms
from pytest_mlgates.gates.grounding.fetch import Documents, Missing, passage
from pytest_mlgates.gates.grounding.gold import differs
from pytest_mlgates.gates.grounding.judge import headline

__all__ = ["Plan", "measure_grounding"]

#: findings that are recorded
MAX_FINDINGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How answers are taken; the errors are those of the interval that is shown."""

    names: str | None
    max_questions: int
    timeout_s: float
    concurrency: int
    lower_error: float
    upper_error: float


def measure_grounding(
    answer: object,
    questions: object,
    sources: object,
    judge: Callable[[str, str], object] | None,
    plan: Plan,
) -> Generator[Look, object, None]:
    """Ask every different question once and yield what came of it."""
    if not callable(answer):
        raise Unmeasurable("answer is not a callable that takes a question")
    if judge is not None and not callable(judge):
        raise Unmeasurable("judge is not a callable of a claim and a passage")
    asked, repeated = questions_from(questions, plan.max_questions)
    if sources is None and not any(question.context for question in asked):
        raise Unmeasurable(
            "no citation can be fetched: give sources (a folder, a mapping of documents or a"
            " callable), or a context with each question"
        )
    tally = _ClaimTally(Checker(Synonyms.read(plan.names)), Documents(sources), judge)
    subject = Subject(answer, answer_from, plan.timeout_s, plan.concurrency)
    answers: list[Answer] = yield from subject.ask([question.asked for question in asked])
    for question, told in zip(asked, answers, strict=True):
        tally.add(question, told)
    yield tally.measurement(len(asked), repeated, plan)


class _ClaimTally:
    """Answers by what was found of them."""

    def __init__(
        self, checker: Checker, documents: Documents, judge: Callable[[str, str], object] | None
    ) -> None:
        self.checker, self.documents, self.judge = checker, documents, judge
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.findings: list[str] = []

    def add(self, question: Question, answer: Answer) -> None:
        """Check one answer."""
        counts = self.counts
        says = bool(answer.claims) or (bool(answer.text.strip()) and not answer.refused)
        if question.answerable is True:
            counts["answerable"] += 1
            counts["answered"] += not answer.refused and bool(answer.claims)
        elif question.answerable is False:
            counts["unanswerable"] += 1
            counts["refused"] += answer.refused or not answer.text.strip()
        counts["claims"] += len(answer.claims)
        if not says:
            return
        counts["answers"] += 1
        counts["without_claim"] += not answer.claims
        found = self._found(question, answer)
        sure = [each for each in found if each[1].sure]
        if not found:
            return
        counts["unsupported" if sure else "unclear"] += 1
        where, finding = (sure or found)[0]
        self.reasons[finding.reason] += 1
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(f"question {question.index}, {where}: {finding.reason}")

    def _found(self, question: Question, answer: Answer) -> list[tuple[str, Finding]]:
        found: list[tuple[str, Finding]] = []
        for number, claim in enumerate(answer.claims, 1):
            if (finding := self._claim(question, claim)) is not None:
                found.append((f"claim {number}", finding))
        if not answer.refused:
            if (finding := self._outside(question, answer)) is not None:
                found.append(("its text", finding))
            if question.gold is not None:
                wrong = differs(answer.text, question.gold, self.checker.names)
                if wrong:
                    found.append(("its text", Finding("differs from gold", sure=True)))
                elif wrong is None:
                    found.append(("its text", Finding("says neither yes nor no", sure=False)))
        return found

    def _claim(self, question: Question, claim: Claim) -> Finding | None:
        if not claim.text.strip():
            return Finding("a claim is empty", sure=True)
        if not claim.sources:
            return Finding("a claim cites nothing", sure=True)
        texts = []
        for source in claim.sources:
            try:
                texts.append(passage(source, self.documents, question.context))
            except Missing as missing:
                return Finding(str(missing), sure=True)
        joined = "\n\n".join(texts)
        finding = self.checker.check(claim.text, joined)
        if finding is None and self.judge is not None and self._suspected(claim.text, joined):
            return Finding("the judge found no support, twice", sure=True)
        return finding

    def _suspected(self, claim: str, text: str) -> bool:
        """Ask the judge: a suspect counts if it is confirmed, by a judge that is sane here."""
        assert self.judge is not None
        if self.judge(claim, text):
            return False
        self.counts["judged"] += 1
        return bool(self.judge(text, text)) and not self.judge(claim, text)

    def _outside(self, question: Question, answer: Answer) -> Finding | None:
        """Find what the text names and no claim does: an answer is no more than its claims."""
        if not answer.claims:
            return Finding("it makes no claim with a source", sure=True)
        said = self.checker.read(answer.text)
        told = self.checker.read(
            "\n".join([question.text, *(claim.text for claim in answer.claims)])
        )
        if missing := lacking(said, told):
            return Finding(f"{missing} stands outside of its claims", sure=True)
        return None

    def measurement(self, questions: int, repeated: int, plan: Plan) -> Measurement:
        """Return the share of answers without support, and all counts."""
        counts = self.counts
        bad, answers = counts["unsupported"], counts["answers"]
        unclear = counts["unclear"]
        seen = Seen(
            questions=questions,
            repeated=repeated,
            answers=answers,
            unsupported=bad,
            unclear=unclear,
            answerable=counts["answerable"],
            answered=counts["answered"],
            unanswerable=counts["unanswerable"],
            refused=counts["refused"],
            claims=counts["claims"],
            without_claim=counts["without_claim"],
            judged=counts["judged"],
            reasons=dict(self.reasons),
            findings=tuple(self.findings),
        )
        return headline(seen, plan.lower_error, plan.upper_error).measurement(plain(seen))
