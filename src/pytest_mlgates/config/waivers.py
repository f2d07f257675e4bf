"""An accepted failure: who accepted it, why, and until when."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pytest_mlgates.core import Evidence, Outcome
from pytest_mlgates.core.fields import Checked, FieldError

__all__ = ["Waiver", "ends", "same_person"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Waiver(Checked):
    """Turns a FAIL of one entry into WAIVED until it ends; it is shown everywhere."""

    gate: Annotated[str, "the entry whose FAIL is accepted"]
    reason: Annotated[str, "why it is accepted"]
    approved_by: Annotated[str, "who accepted it; not the owner"]
    expires: Annotated[str, "a date (it ends at 00:00 UTC of the next day) or an instant in UTC"]
    owner: Annotated[str, "who will fix it; by default the owner of the config"] = ""
    up_to: Annotated[float | None, "the measured value up to which it holds"] = None
    source: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for field in ("gate", "reason", "approved_by"):
            if not getattr(self, field).strip():
                raise FieldError(field, "must not be empty")
        ends(self.expires)
        if not self.owner.strip():
            raise FieldError("owner", "a waiver needs an owner: name one here or in the config")
        if same_person(self.owner, self.approved_by):
            raise FieldError(
                "approved_by", f"{self.approved_by!r} owns the gate: someone else approves"
            )

    def active(self, now: datetime) -> bool:
        """Tell whether the waiver still holds at ``now`` (aware)."""
        return now < ends(self.expires)

    def covers(self, evidence: Evidence, worse: str) -> bool:
        """Tell whether a FAIL is within what was accepted; says nothing of the date."""
        if evidence.outcome != Outcome.FAIL or evidence.measurement is None:
            return False
        if self.up_to is None:
            return True
        value = evidence.measurement.value
        return value <= self.up_to if worse == "up" else value >= self.up_to


def ends(text: str) -> datetime:
    """Return the first instant at which a waiver no longer holds.

    >>> ends("2026-12-31").isoformat()
    '2027-01-01T00:00:00+00:00'
    >>> ends("2026-12-31T12:00:00Z").isoformat()
    '2026-12-31T12:00:00+00:00'
    """
    try:
        when = (
            datetime.fromisoformat(text) if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
        )
        if when is not None and len(text) == len("2026-12-31"):
            return when.replace(tzinfo=UTC) + timedelta(days=1)
        if when is not None and when.tzinfo is not None:
            return when.astimezone(UTC)
    except (ValueError, OverflowError):
        when = None
    if when is None:
        raise FieldError("expires", f"expected a date such as 2026-12-31, got {text[:60]!r}")
    raise FieldError("expires", f"{text!r} has no time zone: write {text}Z for UTC")


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are one, however they are written."""
    first, second = (
        " ".join(unicodedata.normalize("NFKC", name).casefold().split()) for name in (one, other)
    )
    return first == second
