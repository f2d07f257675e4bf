"""A third party's gate; the walk-through of CONTRIBUTING.md."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

from pytest_mlgates import Gate, Headline, Limit, Measurement, Outcome, Verdict


@dataclass(frozen=True, kw_only=True)
class AnswerLength(Gate):
    """Is every answer short enough?"""

    name = "answer_length"

    max_chars: Annotated[
        int, Limit(tighten="down", gt=0, unit="characters"), "longest answer allowed"
    ]

    def measure(self, answer: Callable[[str], str], prompts: Iterable[str]) -> Measurement:
        """Ask every prompt and keep the length of the longest answer."""
        lengths = [len(answer(prompt)) for prompt in prompts]
        return Measurement(value=max(lengths, default=0), unit="characters", n=len(lengths))

    def headline(self, measurement: Measurement, /) -> Headline:
        """Return what a report shows first: nothing but value and n is recorded to derive it from."""
        return Headline(value=measurement.value, unit="characters", n=measurement.n)

    def decide(self, measurement: Measurement, /) -> Verdict:
        """Judge the longest answer; no answer at all is no PASS."""
        if measurement.n == 0:
            return Verdict(Outcome.INCONCLUSIVE, "no prompt was asked")
        fits = measurement.value <= self.max_chars
        return Verdict(
            Outcome.PASS if fits else Outcome.FAIL,
            f"the longest of {measurement.n} answers has {measurement.value:.0f} characters, "
            f"{self.max_chars} are allowed",
        )
