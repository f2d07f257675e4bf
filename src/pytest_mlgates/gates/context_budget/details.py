"""What a run of ``context_budget`` records: for each question, tokens and what was kept."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mlgates.core.details import Count

__all__ = ["KeptItems", "Seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptItems:
    """Of one thing to keep: how many items each question asks for, and how many are there.

    ``alone`` counts the tokens of a question's items by themselves: no context can hold them in fewer.
    """

    what: str
    wanted: tuple[Count, ...]
    found: tuple[Count, ...]
    alone: tuple[Count, ...] = ()

    def __post_init__(self) -> None:
        if len(self.wanted) != len(self.found):
            raise ValueError(f"{self.what!r} has {len(self.found)} counts for {len(self.wanted)}")
        if self.alone and len(self.alone) != len(self.wanted):
            raise ValueError(f"{self.what!r} has tokens for {len(self.alone)} questions")
        if any(found > wanted for found, wanted in zip(self.found, self.wanted, strict=True)):
            raise ValueError(f"more of {self.what!r} is found than is wanted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The contexts in the order of their questions; ``empty`` counts those without a word."""

    tokens: tuple[Count, ...]
    empty: Count
    kept: tuple[KeptItems, ...]
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.empty > len(self.tokens):
            raise ValueError(f"{self.empty} of {len(self.tokens)} contexts are empty")
        if any(len(row.wanted) != len(self.tokens) for row in self.kept):
            raise ValueError("what was kept has not a count for each context")
        if len({row.what for row in self.kept}) < len(self.kept):
            raise ValueError("a thing to keep appears twice")
