"""What a run of ``infra_guardrails`` records: how often each rule is kept, broken or open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_mlgates.core.details import Count

__all__ = ["Found", "Seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The checks of one rule; ``numbers`` are values with how often, and where first, they stand.

    ``open`` checks can't be told from the files.
    """

    kept: Count
    broken: Count
    open: Count
    numbers: tuple[tuple[float, int, str], ...]
    example: str

    def __post_init__(self) -> None:
        if any(not value > 0 or times < 1 for value, times, _ in self.numbers):
            raise ValueError("a number is not above zero, or stands nowhere")

    @property
    def checks(self) -> int:
        """How many checks were made."""
        return self.kept + self.broken + self.open + sum(times for _, times, _ in self.numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the rules found in all manifests; ``not_seen`` parts of them could not be judged.

    ``passed_over`` are files that are no manifests, and resources that the policy calls harmless.
    """

    rules: Mapping[str, Found]
    not_seen: Count
    owner_labels: tuple[str, ...]
    trusted_modules: tuple[str, ...]
    files: Count
    files_sha256: str
    calls: Count
    findings: tuple[str, ...]
    harmless_kinds: tuple[str, ...] = ()
    trusted_kinds: tuple[str, ...] = ()
    rendered_by: tuple[str, ...] = ()
    passed_over: Count = 0
