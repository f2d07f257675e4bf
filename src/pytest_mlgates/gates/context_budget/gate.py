"""Whether contexts fit a model, with all that they must hold."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pytest_mlgates.core import Gate, Headline, Look, Measurement, Needs, Verdict
from pytest_mlgates.core.fields import FieldError, Limit
from pytest_mlgates.core.pictures import Intervals, Picture, Point
from pytest_mlgates.gates.context_budget.details import Seen
from pytest_mlgates.gates.context_budget.judge import headline, judge
from pytest_mlgates.gates.context_budget.keep import Keep, parse_keep

__all__ = ["ContextBudget"]

#: contexts that a picture shows
MAX_DRAWN = 20


@dataclass(frozen=True, kw_only=True)
class ContextBudget(Gate):
    """Does every context fit the model, and does it hold what the question needs?

    ``build_context`` is given each question and returns the text for the model; ``count_tokens`` is
    the count of the served model's own tokenizer. A budget alone is met best by an empty context, so
    the policy says what must be kept: ``keep`` names fields of the questions, each a list of texts
    that the context must contain (the code on the path to what is asked, the names that can be
    reached, the sources cited), all of them or a share, as in ``names >= 0.95``. The subject sees
    ``question`` and none of these fields. Blanks are folded; a name inside a longer word is not one.

    Tokens and texts are facts about these questions, so there is no alpha; nothing is claimed of
    others. Whether the texts to keep are the right ones is not judged: take them from another
    source than the subject.

    >>> gate = ContextBudget(max_tokens=50, keep=("names",))
    >>> questions = [{"question": "who calls put?", "names": ["Cache.put", "Store.save"]}]
    >>> words = lambda text: len(text.split())
    >>> gate.run(lambda question: "Store.save calls Cache.put", questions, words).outcome.value
    'pass'
    >>> gate.run(lambda question: "see Cache", questions, words).outcome.value
    'fail'

    Not seen: whether the texts to keep are the right ones, whether the model would use them,
    and whether the tokenizer is the one that is served.

    To mend: give what is near to the question in full and what is far in a line; rank by that
    distance before anything is cut.
    """

    name: ClassVar[str] = "context_budget"
    cap: ClassVar[str] = "max_questions"
    subject: ClassVar[str] = "build_context"

    max_tokens: Annotated[
        int, Limit(tighten="down", ge=1, unit="tokens"), "most tokens that a context may have"
    ]
    keep: Annotated[
        tuple[str, ...],
        "fields of the questions whose texts must be in the context, as in path or names >= 0.95",
    ]
    max_questions: Annotated[int, Limit(ge=1), "largest number of questions asked"] = 10_000
    timeout_s: Annotated[float, Limit(gt=0, unit="s"), "a call that takes longer is stopped"] = 60.0
    concurrency: Annotated[
        int, Limit(ge=1, le=1000), "calls at a time of a subject whose answers are awaited"
    ] = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.keep:
            raise FieldError("keep", "names nothing, so that an empty context would pass")
        names = [rule.what for rule in self._keep()]
        if len(set(names)) < len(names):
            raise FieldError("keep", "names a field twice")

    def _keep(self) -> tuple[Keep, ...]:
        try:
            return tuple(map(parse_keep, self.keep))
        except ValueError as error:
            raise FieldError("keep", str(error)) from None

    def needs(self) -> Needs:
        """Return that one question can show that a context is too long, or fits."""
        return Needs(to_pass=1, to_fail=1, unit="questions")

    def measure(
        self,
        build_context: Callable[[Any], object],
        questions: object,
        count_tokens: Callable[[str], int],
    ) -> Generator[Look, object, None]:
        """Have ``build_context`` answer every question, and look at the texts.

        ``questions`` are records with ``question`` and a field for each thing to keep: a list of
        texts, or one. ``count_tokens`` takes a text and returns how many tokens it has.
        """
        from pytest_mlgates.gates.context_budget.measure import Plan, measure_contexts

        plan = Plan(
            keep=tuple(rule.what for rule in self._keep()),
            max_questions=self.max_questions,
            timeout_s=self.timeout_s,
            concurrency=self.concurrency,
        )
        yield from measure_contexts(build_context, questions, count_tokens, plan)

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return the number that the policy is about, as the details give it."""
        return headline(measurement.read(Seen))

    def decide(self, measurement: Measurement, /) -> Verdict:
        """FAIL where a context is too long or lacks what it must hold, PASS where none does."""
        seen = measurement.read(Seen)
        return judge(seen, measurement.value, measurement.n, self.max_tokens, self._keep())

    def pictures(self, measurement: Measurement) -> Iterator[Picture]:
        """Draw the longest contexts against the budget."""
        tokens = measurement.read(Seen).tokens
        if not tokens:
            return
        order = sorted(range(len(tokens)), key=lambda at: -tokens[at])[:MAX_DRAWN]
        points = [
            Point(f"question {at + 1}", float(tokens[at]), bad=tokens[at] > self.max_tokens)
            for at in order
        ]
        yield Intervals("The longest contexts", tuple(points), "tokens", (float(self.max_tokens),))
