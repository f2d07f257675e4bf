"""What a run of ``bandwidth_budget`` records of an uplink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pytest_mlgates.core.details import Count, Share
from pytest_mlgates.core.fields import Limit
from pytest_mlgates.stats.ratio import RatioMoments

__all__ = ["Seen"]

Amount = Annotated[float, Limit(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Totals, the busiest window and the moments of the sources; what no limit is about is absent.

    ``most_bytes`` went over one uplink: the shared one, or the busiest.
    """

    shared_uplink: bool
    window_s: Annotated[float, Limit(gt=0)]
    sent_bytes: Amount
    calls: Count = 0
    raw_bytes: Amount | None = None
    moments: RatioMoments | None = None
    moments_one_heavier: RatioMoments | None = None
    peak_mbps: Amount | None = None
    peak_at: float | None = None
    most_bytes: Amount | None = None
    top_share: Share | None = None
    #: transfers that were added up; 0.2 did not record it
    transfers: Count | None = None
    findings: tuple[str, ...] | None = None
