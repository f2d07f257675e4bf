"""Everything that enters evidence goes through one masker, before it is recorded, shown or raised."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import pytest

from pytest_mlgates.core import Evidence, Gate, Outcome, Verdict
from pytest_mlgates.core.canonical import Json
from pytest_mlgates.pii.redact import Redactor
from pytest_mlgates.reading.slices import mask_identifiers

__all__ = ["TestNames", "redacted"]

_HIDES = "it holds what must not be recorded, and can't be judged without: name slices and inputs otherwise"


def redacted(gate: Gate, evidence: Evidence) -> Evidence:
    """Return evidence with what identifies a person, or opens a door, masked in all its texts.

    The verdict is made again from masked details, so that a replay comes to the same words. What
    the policy names stands in the config for all to read, and stays.
    """
    redactor = Redactor(gate.shows)
    keep = set(_texts(evidence.policy))
    keep |= {mask_identifiers(text) for text in keep}
    claim = redactor.text(evidence.claim)
    measurement, verdict = evidence.measurement, evidence.verdict
    if measurement is not None:
        details = redactor.tree(measurement.details, keep)
        assert isinstance(details, Mapping)  # a tree of a mapping
        if details != measurement.details:
            measurement = dataclasses.replace(measurement, details=details)
            if verdict.outcome != Outcome.ERROR:
                again = gate.decide(measurement)
                if again.outcome != verdict.outcome:
                    measurement, again = None, Verdict(Outcome.ERROR, f"{gate.name}: {_HIDES}")
                verdict = again
    if verdict.outcome == Outcome.ERROR:
        verdict = Verdict(Outcome.ERROR, redactor.text(verdict.reason))
    changed = (claim, measurement, verdict) != (
        evidence.claim, evidence.measurement, evidence.verdict,
    )  # fmt: skip
    if not changed:
        return evidence
    return dataclasses.replace(evidence, claim=claim, measurement=measurement, verdict=verdict)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)


class TestNames:
    """The ids of tests as evidence has them: a parameter's id can be somebody's address.

    Ids that become alike are numbered, in the order in which the tests were collected.
    """

    __test__ = False

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._taken: Counter[str] = Counter()

    @classmethod
    def of(cls, config: pytest.Config) -> TestNames:
        """Return those of a session."""
        return config.stash.setdefault(_NAMES, cls())

    def learn(self, ids: Iterable[str]) -> None:
        """Take the ids of tests, all at once."""
        new = [one for one in ids if one not in self._known]
        parts = {one: one.partition("[") for one in new}
        masks = Redactor(numbered=False).texts(t for _, bracket, t in parts.values() if bracket)
        for one, (head, bracket, tail) in parts.items():
            # a mask says nothing of whose value it stands for: no number but that of the test
            name = f"{head}{bracket}{masks[tail]}" if bracket else one
            if name != one:
                self._taken[name] += 1
                if (count := self._taken[name]) > 1:
                    name = f"{name}#{count}"
            self._known[one] = name

    def __getitem__(self, test: str) -> str:
        if test not in self._known:
            self.learn([test])
        return self._known[test]


_NAMES = pytest.StashKey[TestNames]()
