"""The bidder both builds are made of: request in, bid out, in four named stages."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from pytest_mlgates import stage
from reference_systems.rtb_bidder import openrtb
from reference_systems.rtb_bidder.openrtb import Json, NoBid
from reference_systems.rtb_bidder.vocabulary import vocabulary_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reference_systems.rtb_bidder.model import PriceModel

__all__ = ["CAMPAIGNS", "Bidder", "Tokenizer"]

SEAT = "seat-1"
#: the share of its value that is bid in a first-price auction
SHADING = 0.85
#: what there is to show: id, the advertiser's domain and category, format
CAMPAIGNS = (
    ("c-101", "roadster.example", "IAB2", "banner"),
    ("c-102", "harbour-bank.example", "IAB13", "banner"),
    ("c-201", "roadster.example", "IAB2", "video"),
    ("c-301", "far-shores.example", "IAB20", "native"),
)


class Tokenizer(Protocol):
    """What turns a text into token ids."""

    mlgates_digest: str

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text."""


class Bidder:
    """Prices the impressions of an OpenRTB BidRequest and bids where its price is high enough."""

    def __init__(self, tokenizer: Tokenizer, model: PriceModel) -> None:
        self.tokenizer = tokenizer
        self.model = model
        parts = (tokenizer.mlgates_digest, model.mlgates_digest, vocabulary_digest())
        self.mlgates_digest = hashlib.sha256("|".join(parts).encode()).hexdigest()

    def bid(self, request: Json) -> Json:
        """Return the BidResponse to a BidRequest; without a bid it holds ``nbr``, the reason.

        Raises :class:`~reference_systems.rtb_bidder.openrtb.InvalidRequest` where the request
        breaks OpenRTB.
        """
        with stage("parse"):
            openrtb.check(request)
            text = openrtb.text_of(request)
            offers = [pair for imp in request["imp"] if (pair := _campaign(request, imp))]
            features = [openrtb.features_of(request, imp) for imp, _ in offers]
        if not offers:
            return openrtb.no_bid(request, NoBid.NO_CAMPAIGN)
        with stage("tokenize"):
            ids = self.tokenizer.encode(text)
        with stage("model"):
            values = self.model.prices(ids, features)
        with stage("respond"):
            bids = list(_bids(request, offers, values))
            if not bids:
                return openrtb.no_bid(request, NoBid.BELOW_FLOOR)
            return openrtb.seat_bids(request, SEAT, bids)


def _campaign(request: Json, imp: Json) -> tuple[Json, tuple[str, ...]] | None:
    """Return the impression with a campaign that may be shown there, if there is one."""
    kind = openrtb.format_of(imp)
    if kind is None or "USD" not in (request.get("cur") or ["USD"]):
        return None
    if imp.get("bidfloorcur", "USD") != "USD":
        return None
    blocked = {*(request.get("bcat") or ()), *(request.get("badv") or ())}
    fitting = (
        campaign
        for campaign in CAMPAIGNS
        if campaign[3] == kind and not blocked.intersection(campaign[1:3])
    )
    chosen = next(fitting, None)
    return (imp, chosen) if chosen else None


def _bids(
    request: Json, offers: list[tuple[Json, tuple[str, ...]]], values: list[float]
) -> Iterator[Json]:
    for (imp, campaign), value in zip(offers, values, strict=True):
        price = round(value * (SHADING if request.get("at", 2) == 1 else 1.0), 4)
        floor, deal = _terms(imp)
        if price < floor or (deal is None and imp.get("pmp", {}).get("private_auction")):
            continue
        yield _bid(imp, campaign, price, deal)


def _terms(imp: Json) -> tuple[float, str | None]:
    """Return the floor, and the deal that the bid is made under, if our seat has one."""
    floor: float = imp.get("bidfloor", 0.0)
    for deal in imp.get("pmp", {}).get("deals", []):
        if SEAT in (deal.get("wseat") or [SEAT]):
            return deal.get("bidfloor", floor), deal["id"]
    return floor, None


def _bid(imp: Json, campaign: tuple[str, ...], price: float, deal: str | None) -> Json:
    number, domain, category, kind = campaign
    width, height = openrtb.size_of(imp)
    bid: Json = {
        "id": f"{number}-{imp['id']}",
        "impid": imp["id"],
        "price": price,
        "adomain": [domain],
        "cat": [category],
        "cid": number,
        "crid": f"{number}-{width}x{height}",
        "mtype": openrtb.FORMATS[kind],
        "nurl": f"https://win.{domain}/{number}?price=${{AUCTION_PRICE}}",
    }
    if kind == "banner":
        image = f"https://cdn.{domain}/{number}.png"
        bid["adm"] = f'<a href="https://{domain}/"><img src="{image}"></a>'
    if width and height:
        bid |= {"w": width, "h": height}
    if deal is not None:
        bid["dealid"] = deal
    return bid
