"""What a run of ``egress`` records: the calls, and every address or name that was reached for."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mlgates.core.details import Count

__all__ = ["Contact", "Seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One address, or name, and how often; ``place`` is the line of Python behind it, if any."""

    protocol: str
    address: str
    port: Count
    times: Count
    allowed: bool
    place: str

    @property
    def target(self) -> str:
        """The address or name with its port, as it would stand on the list."""
        return f"{self.address}:{self.port}" if self.port else self.address

    def __str__(self) -> str:
        by = f", {self.place}" if self.place else ", not through Python's own sockets"
        return f"{self.protocol} {self.target} ({self.times} times{by})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """``confined`` says whether native code and subprocesses were seen, else ``why_not`` says why."""

    calls: Count
    failed: Count
    confined: bool
    why_not: str
    allow: tuple[str, ...]
    before: tuple[str, ...]
    contacts: tuple[Contact, ...]
    #: addresses off the list, of which ``contacts`` holds the first; 0.2 did not record it
    off: Count | None = None
    findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.failed > self.calls:
            raise ValueError(f"{self.failed} of {self.calls} calls failed")
        if self.off is not None and self.off < self._listed:
            raise ValueError(f"{self.off} contacts are off the list, {self._listed} are recorded")

    @property
    def _listed(self) -> int:
        return sum(not contact.allowed for contact in self.contacts)

    @property
    def off_list(self) -> int:
        """How many addresses off the list were reached for."""
        return self._listed if self.off is None else self.off
