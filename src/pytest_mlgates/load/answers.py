"""What counts as an answer, and whether answers differ at all."""

from __future__ import annotations

from typing import Any

from pytest_mlgates.calls.answers import PLAIN, pending

__all__ = ["Answers", "unfinished"]


def unfinished(answer: object) -> str | None:
    """Return what an answer is where it is not done yet, or None where it is one.

    >>> unfinished(n for n in range(3)), unfinished([1, 2])
    ('a generator', None)
    """
    if type(answer) in PLAIN:
        return None
    if getattr(answer, "is_cuda", False) is True:
        return "a tensor on a GPU, where work may be under way: move it to the CPU"
    found = pending(answer)
    return None if found is None else found[0]


class Answers:
    """Counts right and wrong answers of callables, and sees whether any two differ."""

    def __init__(self) -> None:
        self.first: Any = self
        self.differ = False
        #: what went wrong first, without a value of the subject's
        self.fault: str | None = None

    def take(self, answer: object) -> bool:
        """Return whether an answer is done; note whether it differs from the first."""
        if (fault := unfinished(answer)) is not None:
            self.fault = self.fault or f"the answer is {fault}"
            return False
        self.vary(answer)
        return True

    def vary(self, answer: object) -> None:
        """Note an answer."""
        if self.differ:
            return
        if self.first is self:
            self.first = answer
            return
        try:
            self.differ = bool(self.first != answer)
        except Exception:  # noqa: BLE001 - arrays and the like: their text is compared
            self.differ = repr(self.first) != repr(answer)

    def raised(self, error: BaseException) -> None:
        """Note that a call raised."""
        self.fault = self.fault or f"the call raised {type(error).__name__}"
