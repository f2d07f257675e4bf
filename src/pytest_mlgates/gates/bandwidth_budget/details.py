"""What a run of ``bandwidth_budget`` records of an uplink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pytest_mlgates.core.details import Count, Share
from pytest_mlgates.core.fields import Limit

__all__ = ["Seen"]

Amount = Annotated[float, Limit(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Totals, the busiest window and the sources; what no limit is about is absent.

    ``most_bytes`` went over one uplink: the shared one, or the busiest. ``peak_if_totals_mbps`` is
    the peak where records without a length are totals of the time since the one before, and only
    there where they come by a clock. ``by_source`` holds bytes sent and raw bytes of a source, of
    many only so many, in order of appearance; ``most_of_one`` is the most of either that any had.
    """

    shared_uplink: bool
    window_s: Annotated[float, Limit(gt=0)]
    sent_bytes: Amount
    calls: Count = 0
    totals: bool = False
    raw_bytes: Amount | None = None
    sources: Count | None = None
    by_source: tuple[tuple[float, float], ...] | None = None
    most_of_one: tuple[float, float] | None = None
    peak_mbps: Amount | None = None
    peak_if_totals_mbps: Amount | None = None
    peak_at: float | None = None
    most_bytes: Amount | None = None
    top_share: Share | None = None
    #: transfers that were added up; 0.2 did not record it
    transfers: Count | None = None
    findings: tuple[str, ...] | None = None
    #: of version 0.2.0: there was a bound by a model, which stands in the interval
    moments: object = None

    def __post_init__(self) -> None:
        for sent, raw in (
            *(self.by_source or ()),
            *((self.most_of_one,) if self.most_of_one else ()),
        ):
            if sent < 0 or raw < 0:
                raise ValueError("a source has fewer than no bytes")
