"""OpenRTB 2.5 and 2.6: what the bidder needs of a BidRequest, and the BidResponse it sends.

Source: IAB Tech Lab, OpenRTB 2.5 (2016) and 2.6 (2022 and later); no-bid reason codes of OpenRTB
3.0, which keeps 500 and above for the vendor's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "FORMATS",
    "InvalidRequest",
    "Json",
    "NoBid",
    "check",
    "features_of",
    "format_of",
    "no_bid",
    "seat_bids",
    "size_of",
    "text_of",
    "user_data_allowed",
]

Json = dict[str, Any]

#: markup types of a bid (Bid.mtype, 2.6) by the imp's format that they answer
FORMATS = {"banner": 1, "video": 2, "native": 4}


class InvalidRequest(ValueError):
    """The request breaks OpenRTB; the text names the field and is safe to send back."""


class NoBid:
    """Reasons for no bid (``nbr``)."""

    UNKNOWN = 0
    NO_CAMPAIGN = 500
    BELOW_FLOOR = 501


def check(request: object) -> Json:
    """Return the request when it holds what OpenRTB requires; raise :class:`InvalidRequest` else.

    >>> check({"id": "1", "imp": []})
    Traceback (most recent call last):
        ...
    reference_systems.rtb_bidder.openrtb.InvalidRequest: imp: at least one impression is required
    """
    if not isinstance(request, dict):
        raise InvalidRequest("a BidRequest is a JSON object")
    _text(request, "id", "id")
    imps = request.get("imp")
    if not isinstance(imps, list) or not imps:
        raise InvalidRequest("imp: at least one impression is required")
    for place, imp in enumerate(imps):
        _check_imp(imp, f"imp[{place}]")
    if "site" in request and "app" in request:
        raise InvalidRequest("site and app: only one may be present")
    for name in ("site", "app", "device", "user", "regs", "source"):
        if not isinstance(request.get(name, {}), dict):
            raise InvalidRequest(f"{name} is not an object")
    for name in ("cur", "bcat", "badv"):
        _names(request, name, name)
    return request


def _check_imp(imp: object, where: str) -> None:
    if not isinstance(imp, dict):
        raise InvalidRequest(f"{where} is not an object")
    _text(imp, "id", f"{where}.id")
    offered = [name for name in ("banner", "video", "audio", "native") if name in imp]
    if not offered:
        raise InvalidRequest(f"{where}: one of banner, video, audio, native is required")
    for name in offered:
        if not isinstance(imp[name], dict):
            raise InvalidRequest(f"{where}.{name} is not an object")
    if "video" in imp and not isinstance(imp["video"].get("mimes"), list):
        raise InvalidRequest(f"{where}.video.mimes is required")
    if "native" in imp:
        _text(imp["native"], "request", f"{where}.native.request")
    _price(imp, f"{where}.bidfloor")
    if not isinstance(imp.get("pmp", {}), dict):
        raise InvalidRequest(f"{where}.pmp is not an object")
    deals = imp.get("pmp", {}).get("deals", [])
    if not isinstance(deals, list):
        raise InvalidRequest(f"{where}.pmp.deals is not a list")
    for place, deal in enumerate(deals):
        _check_deal(deal, f"{where}.pmp.deals[{place}]")


def _check_deal(deal: object, where: str) -> None:
    if not isinstance(deal, dict):
        raise InvalidRequest(f"{where} is not an object")
    _text(deal, "id", f"{where}.id")
    _price(deal, f"{where}.bidfloor")
    _names(deal, "wseat", f"{where}.wseat")


def _price(owner: Mapping[str, Any], where: str) -> None:
    floor = owner.get("bidfloor", 0)
    if isinstance(floor, bool) or not isinstance(floor, (int, float)) or not floor >= 0:
        raise InvalidRequest(f"{where} is not a price")


def _names(owner: Mapping[str, Any], name: str, where: str) -> None:
    value = owner.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidRequest(f"{where} is not a list of strings")


def _text(owner: Mapping[str, Any], name: str, where: str) -> None:
    if not isinstance(owner.get(name), str) or not owner[name]:
        raise InvalidRequest(f"{where} is required and is a string")


def user_data_allowed(request: Json) -> bool:
    """Return whether the reader's own data may be used: not a child's, not without consent."""
    regs, user, device = (_object(request, name) for name in ("regs", "user", "device"))
    if regs.get("coppa") or device.get("lmt") or device.get("dnt"):
        return False
    gdpr = regs.get("gdpr", _object(regs, "ext").get("gdpr"))
    consent = user.get("consent", _object(user, "ext").get("consent"))
    return not gdpr or bool(consent)


def text_of(request: Json) -> str:
    """Return the words that say what the page, the app and the reader are about.

    Lower case, one blank between words. A URL stays one word: its parts are the tokenizer's job.

    >>> text_of({"site": {"page": "https://a.example/b-c", "keywords": "Red,Blue"}})
    'https://a.example/b-c red blue'
    """
    parts = [part for name in ("site", "app") for part in _of_channel(_object(request, name))]
    if user_data_allowed(request):
        parts.extend(_of_user(_object(request, "user")))
    text = " ".join(" ".join(parts).lower().split())
    return text.encode("utf-8", "replace").decode()  # JSON may hold half a surrogate pair


def _of_channel(channel: Mapping[str, Any]) -> Iterator[str]:
    yield from _strings(channel, "name", "domain", "bundle", "page", "ref", "search")
    for name in ("cat", "sectioncat", "pagecat"):
        yield from _list(channel, name)
    yield from _keywords(channel)
    content = _object(channel, "content")
    yield from _strings(content, "title", "series", "artist", "genre", "album")
    yield from _list(content, "cat")
    yield from _keywords(content)
    yield from _segments(content)


def _of_user(user: Mapping[str, Any]) -> Iterator[str]:
    yield from _keywords(user)
    yield from _segments(user)


def _keywords(owner: Mapping[str, Any]) -> Iterator[str]:
    """Yield the comma-separated ``keywords`` and the ``kwarray`` that 2.6 offers in their place."""
    for text in _strings(owner, "keywords"):
        yield text.replace(",", " ")
    yield from _list(owner, "kwarray")


def _segments(owner: Mapping[str, Any]) -> Iterator[str]:
    for data in _objects(owner, "data"):
        yield from _strings(data, "name")
        for segment in _objects(data, "segment"):
            yield from _strings(segment, "name", "value")


def _object(owner: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = owner.get(name)
    return value if isinstance(value, dict) else {}


def _objects(owner: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    value = owner.get(name)
    items: list[object] = value if isinstance(value, list) else []
    return (item for item in items if isinstance(item, dict))


def _list(owner: Mapping[str, Any], name: str) -> Iterator[str]:
    value = owner.get(name)
    items: list[object] = value if isinstance(value, list) else []
    return (item for item in items if isinstance(item, str))


def _strings(owner: Mapping[str, Any], *names: str) -> Iterator[str]:
    return (owner[name] for name in names if isinstance(owner.get(name), str))


def format_of(imp: Mapping[str, Any]) -> str | None:
    """Return the format that the bidder can fill in this impression, or None (audio)."""
    return next((name for name in FORMATS if name in imp), None)


def features_of(request: Json, imp: Mapping[str, Any]) -> list[float]:
    """Return the numbers about one impression that the model sees beside the text."""
    width, height = size_of(imp)
    flags = [format_of(imp) == name for name in FORMATS]
    flags += ["app" in request, bool(imp.get("instl")), user_data_allowed(request)]
    return [*map(float, flags), min(width * height / 1e6, 4.0)]


def size_of(imp: Mapping[str, Any]) -> tuple[int, int]:
    """Return width and height of an impression; 0 where the request leaves them open."""
    shape: Mapping[str, Any] = _object(imp, "banner") or _object(imp, "video")
    if not shape.get("w"):
        shape = next(_objects(shape, "format"), shape)
    width, height = (shape.get(name) for name in ("w", "h"))
    if not isinstance(width, int) or not isinstance(height, int):
        return 0, 0
    return (width, height) if min(width, height) > 0 and max(width, height) < 1e5 else (0, 0)


def no_bid(request: Json, reason: int) -> Json:
    """Return the BidResponse that offers nothing; over HTTP it is a 204."""
    return {"id": request["id"], "nbr": reason}


def seat_bids(request: Json, seat: str, bids: Sequence[Json]) -> Json:
    """Return the BidResponse that offers ``bids``."""
    return {
        "id": request["id"],
        "bidid": f"{seat}-{request['id']}",
        "cur": "USD",
        "seatbid": [{"seat": seat, "bid": list(bids)}],
    }
