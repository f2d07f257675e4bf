"""An accepted failure: which limit, who accepted it, why, and until when."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pytest_mlgates.core import BrokenLimit
from pytest_mlgates.core.fields import Checked, FieldError

__all__ = ["Waiver", "ends", "mixed_alphabets", "same_person", "uncovered"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Waiver(Checked):
    """Accepts that one limit of an entry is broken, until it ends; it is shown everywhere.

    A FAIL is WAIVED where every limit that broke is accepted, by this waiver or by others.
    """

    gate: Annotated[str, "the entry whose FAIL is accepted"]
    reason: Annotated[str, "why it is accepted"]
    approved_by: Annotated[str, "who accepted it; not the owner"]
    expires: Annotated[str, "a date (it ends at 00:00 UTC of the next day) or an instant in UTC"]
    owner: Annotated[str, "who will fix it; by default the owner of the config"] = ""
    limit: Annotated[
        str | None,
        "the field whose limit may be broken; by default the first of the entry's limits",
    ] = None
    slice: Annotated[
        str | None, "the slice that may break it; by default any, and all inputs together"
    ] = None
    up_to: Annotated[
        float | None, "the measured value up to which it holds, in the unit of the limit"
    ] = None
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

    def covers(self, broken: BrokenLimit, held: str, worse: str) -> bool:
        """Tell whether a broken limit is within what was accepted; says nothing of the date.

        ``held`` is the field that is meant where the waiver names none (empty for a gate without
        such a field: then any), and ``worse`` whether a larger ("up") or a smaller value of the
        broken limit is the worse one. What no number measures is not within ``up_to``.
        """
        if broken.limit != (self.limit or held or broken.limit):
            return False
        if self.slice is not None and broken.slice != self.slice:
            return False
        if self.up_to is None:
            return True
        if broken.value is None:
            return False
        return broken.value <= self.up_to if worse == "up" else broken.value >= self.up_to


def uncovered(
    broken: Iterable[BrokenLimit],
    waivers: Iterable[Waiver],
    held: str,
    direction: Callable[[str], str],
) -> list[BrokenLimit]:
    """Return what broke and no waiver accepts; arguments as :meth:`Waiver.covers` takes them.

    >>> known = {"gate": "shadow", "reason": "r", "approved_by": "b", "owner": "o", "expires": "2099-01-01"}
    >>> waiver = Waiver(**known, limit="max_rate", slice="highway", up_to=0.06)
    >>> broke = [BrokenLimit("max_rate", 0.05, "highway"), BrokenLimit("max_rate", 0.7, "left turn")]
    >>> uncovered(broke, [waiver], "max_rate", lambda limit: "up")
    [BrokenLimit(limit='max_rate', value=0.7, slice='left turn')]
    """
    every = list(waivers)
    return [
        one for one in broken if not any(w.covers(one, held, direction(one.limit)) for w in every)
    ]


#: alphabets that have letters which look alike
_ALIKE = frozenset(["LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"])


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


def mixed_alphabets(name: str) -> str:
    r"""Return the first word that mixes letters of several alphabets, or nothing.

    A name with a Cyrillic letter in it looks like another person's and is not.

    >>> ascii(mixed_alphabets("t\u0435am-a")), mixed_alphabets("\u0410\u043d\u043d\u0430 team-a")
    ("'t\\u0435am-a'", '')
    """
    for word in name.split():
        scripts = {unicodedata.name(c, "?").partition(" ")[0] for c in word if c.isalpha()}
        if len(scripts & _ALIKE) > 1:
            return word
    return ""


def same_person(one: str, other: str) -> bool:
    """Tell whether two names are one, however they are written."""
    first, second = (
        " ".join(unicodedata.normalize("NFKC", name).casefold().split()) for name in (one, other)
    )
    return first == second
