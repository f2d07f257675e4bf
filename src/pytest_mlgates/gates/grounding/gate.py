"""Whether every claim of an answer is supported by what it cites, and questions get answers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pytest_mlgates.core import Headline, Look, Measurement, Needs, StatisticalGate, Verdict
from pytest_mlgates.core.fields import Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point, Shares
from pytest_mlgates.gates.grounding.details import Seen
from pytest_mlgates.gates.grounding.judge import Limits, headline, judge
from pytest_mlgates.stats.binomial import lower, upper
from pytest_mlgates.stats.zero_tolerance import tries

if TYPE_CHECKING:
    import os

__all__ = ["Grounding"]


@dataclass(frozen=True, kw_only=True)
class Grounding(StatisticalGate):
    """Is every claim in an answer supported by the passage it cites, and is what can be answered answered?

    ``answer`` is asked each different question once. An answer is a mapping with ``answer``,
    ``refused`` and ``claims``; a claim has ``text`` and ``source`` (``file``, ``start``, ``end`` and
    ``quote``, or the key of a document). Each claim is held against the passage it cites by rules
    that know nothing of who wrote it: the citation can be fetched and its quote stands there;
    numbers, doses, dates, identifiers and known names are in the passage, units, spellings and
    brand names brought to one form; nothing is affirmed of the patient that the passage denies, or
    says of a relative. What the text says outside of claims counts too. A word that no rule knows
    and that is not in the passage makes the answer unclear: it keeps the gate from passing, and
    fails nobody.

    A question may hold ``gold``: True, False or the values an answer must hold; an answer that
    differs is unsupported. ``gold`` None, or ``answerable`` False, is a question that has to be
    refused. Gold never reaches the subject, nor does ``context``, documents of one question.

    ``sources`` is where citations are fetched: a folder, a mapping of documents or a callable.
    ``judge(claim, passage) -> bool``, any model, only adds suspects: one counts if it is
    confirmed when asked again, by a judge that accepts the passage as support of itself.

    What is taken for granted: questions are drawn like those that will be asked, one by one.

    >>> gate = Grounding(max_unsupported_rate=0.02, min_answered=0.8, min_refused=0.8)
    >>> notes = {f"n{k}": f"Lisinopril {k} mg daily." for k in range(500)}
    >>> asked = [{"question": f"dose in n{k}?", "gold": [f"{k} mg"]} for k in range(500)]
    >>> asked += [{"question": f"colour of n{k}?", "gold": None} for k in range(100)]
    >>> def cited(question):
    ...     what, _, name = question.rstrip("?").split()
    ...     if what == "colour":
    ...         return {"answer": "I can't tell.", "refused": True, "claims": []}
    ...     claim = {"text": notes[name], "source": name}
    ...     return {"answer": notes[name], "refused": False, "claims": [claim]}
    >>> gate.run(cited, asked, notes).outcome.value
    'pass'
    >>> gate.run(lambda question: "Warfarin 7 mg daily.", asked, notes).outcome.value
    'fail'

    Not seen: a claim that leaves out what matters, an implication that takes knowledge, a date
    that belongs to something else in its passage, languages other than English.

    To mend: answer from what was retrieved alone, cite every claim, and refuse where no passage
    supports it.

    Sources: Clopper and Pearson 1934; negation in the manner of NegEx, Chapman et al. 2001.
    """

    name: ClassVar[str] = "grounding"
    cap: ClassVar[str] = "max_questions"
    guards_texts: ClassVar[bool] = True
    subject: ClassVar[str] = "answer"

    max_unsupported_rate: Annotated[
        float,
        Limit(tighten="down", gt=0, le=0.5),
        "share of answers that may hold a claim without support",
    ] = 0.01
    min_answered: Annotated[
        float, Limit(tighten="up", ge=0, lt=1), "share of answerable questions that get an answer"
    ] = 0.85
    min_refused: Annotated[
        float, Limit(tighten="up", ge=0, lt=1), "share of unanswerable questions that are refused"
    ] = 0.95
    names: Annotated[
        str | None,
        "CSV of name,same_as in place of the table of brand names and spellings that ships",
    ] = None
    max_questions: Annotated[int, Limit(ge=1), "largest number of questions asked"] = 100_000
    timeout_s: Annotated[float, Limit(gt=0, unit="s"), "a call that takes longer is stopped"] = 60.0
    concurrency: Annotated[
        int, Limit(ge=1, le=1000), "calls at a time of a subject whose answers are awaited"
    ] = 8

    def needs(self) -> Needs:
        """Return how many questions a PASS takes where every answer is right."""
        to_pass = tries(self.max_unsupported_rate, 1.0, self.beta)
        for floor in (self.min_answered, self.min_refused):
            if floor:
                to_pass = max(to_pass, tries(1 - floor, 1.0, self.beta))
        to_fail = tries(1 - self.max_unsupported_rate, 1.0, self.alpha / 3)
        return Needs(to_pass, to_fail, "questions")

    def measure(
        self,
        answer: Callable[[Any], object],
        questions: object,
        sources: Mapping[str, str] | Callable[[str], str] | str | os.PathLike[str] | None = None,
        *,
        judge: Callable[[str, str], object] | None = None,
    ) -> Generator[Look, object, None]:
        """Ask every question, and check each claim of what comes back."""
        from pytest_mlgates.gates.grounding.measure import Plan, measure_grounding

        plan = Plan(
            names=self.names,
            max_questions=self.max_questions,
            timeout_s=self.timeout_s,
            concurrency=self.concurrency,
            lower_error=self.alpha / 3,
            upper_error=self.beta,
        )
        yield from measure_grounding(answer, questions, sources, judge, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen), self.alpha / 3, self.beta)

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a limit is surely broken; PASS where each surely holds."""
        limits = Limits(
            unsupported=self.max_unsupported_rate,
            answered=self.min_answered,
            refused=self.min_refused,
            alpha=self.alpha,
            beta=self.beta,
        )
        return judge(measurement.read(Seen), measurement.n, limits)

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw the shares against their limits, and why claims are without support."""
        seen = measurement.read(Seen)
        rows = (
            ("answers without support", seen.unsupported, seen.answers),
            ("answerable, answered", seen.answered, seen.answerable),
            ("unanswerable, refused", seen.refused, seen.unanswerable),
        )
        points = tuple(
            Point(
                f"{label} ({whole})",
                100 * part / whole,
                100 * lower(part, whole, self.beta),
                100 * upper(part, whole, self.beta),
            )
            for label, part, whole in rows
            if whole
        )
        if points:
            yield Intervals("Answers and refusals, with their bounds", points, "%")
        if seen.reasons:
            why = tuple(Point(reason, count, bad=True) for reason, count in seen.reasons.items())
            yield Shares("Why answers are without support", why, "answers")
