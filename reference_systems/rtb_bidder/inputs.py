"""Bid requests as exchanges send them, by seed; with MLGATES_DATA also real sample requests.

Text lengths are heavy-tailed: keyword lists are log-normal, tracking parameters of URLs Pareto.
Addresses and domains come from the ranges reserved for documentation; no person is in here.
"""

from __future__ import annotations

import copy
import json
import math
import os
import random
from pathlib import Path

from reference_systems.rtb_bidder.openrtb import Json, format_of, user_data_allowed
from reference_systems.rtb_bidder.words import NAMES, TOPICS, slug, tracked_url, words

__all__ = ["bid_requests", "generated_requests", "labelled_requests", "real_requests"]

#: one request in so many is a real sample, where there are any
REAL_SHARE = 20
#: words of keywords a request carries: the median, and the spread of its logarithm
MEDIAN_WORDS, SPREAD = 125, 0.6

_SIZES = ((300, 250), (728, 90), (160, 600), (320, 50), (970, 250), (300, 600))
#: what an impression of a format clears at, banners being 1
_WORTH = {"banner": 1.0, "video": 2.4, "native": 1.3}
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
_AGENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile Safari/604.1",
    f"Mozilla/5.0 (Linux; Android 15; K) {_CHROME} Mobile Safari/537.36",
)
_COUNTRIES = (("USA", "en"), ("DEU", "de"), ("FRA", "fr"), ("ESP", "es"), ("JPN", "ja"))


def bid_requests(n: int, seed: int = 0) -> list[Json]:
    """Return ``n`` BidRequests; where MLGATES_DATA is set, one in twenty is a real sample.

    >>> bid_requests(3, seed=1) == bid_requests(3, seed=1) != bid_requests(3, seed=2)
    True
    """
    requests = generated_requests(n, seed)
    real = real_requests()
    if real:
        rng = random.Random(f"real:{seed}")
        for place in range(n):
            if rng.randrange(REAL_SHARE) == 0:
                requests[place] = copy.deepcopy(rng.choice(real))
    return requests


def real_requests() -> list[Json]:
    """Return the sample requests under ``MLGATES_DATA/rtb_bidder``, or none."""
    root = os.environ.get("MLGATES_DATA")
    folder = Path(root, "rtb_bidder") if root else None
    if folder is None or not folder.is_dir():
        return []
    found = [json.loads(path.read_text("utf-8")) for path in _samples(folder)]
    if not found:
        raise FileNotFoundError(f"{folder} holds no openrtb-2.*.json (MLGATES_DATA points there)")
    return found


def _samples(folder: Path) -> list[Path]:
    return sorted(folder.glob("openrtb-2.*.json"))


def generated_requests(n: int, seed: int) -> list[Json]:
    """Return ``n`` generated BidRequests; the i-th depends on the seed and on i only."""
    return [_request(random.Random(f"request:{seed}:{i}"))[0] for i in range(n)]


def labelled_requests(n: int, seed: int) -> list[tuple[Json, float]]:
    """Return requests with the price in USD CPM that each one's first impression cleared at.

    The price follows topic, format and, where they may be used, segments of the reader, with
    log-normal noise: what an auction log would teach.
    """
    pairs = []
    for i in range(n):
        rng = random.Random(f"request:{seed}:{i}")
        request, topic, intent = _request(rng)
        worth = _WORTH[format_of(request["imp"][0]) or "banner"]
        price = TOPICS[topic][1] * worth * (1.8 if intent and user_data_allowed(request) else 1.0)
        pairs.append((request, price * math.exp(rng.gauss(0, 0.15))))
    return pairs


def _request(rng: random.Random) -> tuple[Json, str, bool]:
    topic = rng.choice(tuple(TOPICS))
    modern = _chance(rng, 0.6)  # 2.6, and 2.5 otherwise
    budget = max(4, round(MEDIAN_WORDS * math.exp(rng.gauss(0, SPREAD))))
    intent = _chance(rng, 0.3)
    country, language = rng.choice(_COUNTRIES)
    in_app = _chance(rng, 0.3)
    request: Json = {
        "id": f"{rng.getrandbits(128):032x}",
        "at": rng.choice((1, 2)),
        "tmax": rng.choice((100, 120, 150)),
        "cur": ["USD"],
        "imp": [_imp(rng, str(i + 1), modern) for i in range(rng.choice((1, 1, 1, 2, 3)))],
        "app" if in_app else "site": _channel(rng, topic, budget * 2 // 3, modern, in_app),
        "device": _device(rng, country, language, in_app),
        "user": _user(rng, topic, budget // 3, modern, intent),
    }
    if _chance(rng, 0.4):
        request["bcat"] = rng.sample(("IAB25", "IAB26", "IAB7-39", "IAB8-5", "IAB9-9"), k=2)
        request["badv"] = [f"{rng.choice(NAMES)}.example"]
    _regulate(rng, request, modern, country)
    return request, topic, intent


def _chance(rng: random.Random, share: float) -> bool:
    return rng.random() < share


def _imp(rng: random.Random, number: str, modern: bool) -> Json:
    imp: Json = {"id": number, "bidfloor": round(rng.lognormvariate(-0.7, 0.8), 2), "secure": 1}
    imp["tagid"] = f"slot-{rng.randint(1, 999)}"
    kind = rng.choices(("banner", "video", "native"), weights=(6, 3, 2))[0]
    if kind == "banner":
        width, height = rng.choice(_SIZES)
        imp["banner"] = {"w": width, "h": height, "pos": rng.choice((0, 1, 3)), "battr": [13]}
        imp["banner"]["format"] = [{"w": width, "h": height}]
    elif kind == "video":
        imp["video"] = {"mimes": ["video/mp4"], "minduration": 5, "maxduration": 30, "w": 1280}
        imp["video"] |= {"h": 720, "protocols": [2, 3, 7], "linearity": 1, "startdelay": 0}
        if modern:
            imp["video"] |= {"plcmt": rng.choice((1, 2, 4)), "poddur": 60, "maxseq": 3}
    else:
        assets = {"ver": "1.2", "assets": [{"id": 1, "required": 1, "title": {"len": 90}}]}
        imp["native"] = {"request": json.dumps(assets), "ver": "1.2"}
    if modern and _chance(rng, 0.1):
        imp["rwdd"] = 1
    if _chance(rng, 0.15):
        deal = {"id": f"deal-{rng.randint(1, 99)}", "at": 1, "bidfloor": imp["bidfloor"] + 0.5}
        deal["wseat"] = [rng.choice(("seat-1", "seat-2"))]
        imp["pmp"] = {"private_auction": rng.choice((0, 1)), "deals": [deal]}
    return imp


def _channel(rng: random.Random, topic: str, budget: int, modern: bool, in_app: bool) -> Json:
    brand = rng.choice(NAMES)
    category = TOPICS[topic][0]
    title = words(rng, topic, rng.randint(6, 12))
    own, shown = words(rng, topic, budget // 2), words(rng, topic, budget - budget // 2)
    content: Json = {"id": f"{rng.getrandbits(32):x}", "title": " ".join(title).capitalize()}
    content |= {"cat": [category], "context": rng.choice((1, 5))}
    channel: Json = {"id": str(rng.randint(1000, 99999)), "name": brand.title(), "cat": [category]}
    channel["publisher"] = {"id": str(rng.randint(100, 9999)), "name": f"{brand.title()} Media"}
    channel["content"] = content
    for owner, terms in ((channel, own), (content, shown)):
        if modern and _chance(rng, 0.5):
            owner["kwarray"] = terms
        else:
            owner["keywords"] = ",".join(terms)
    if in_app:
        channel |= {"bundle": f"example.{slug([brand])}.{topic}", "ver": f"{rng.randint(1, 9)}.2"}
        channel["storeurl"] = f"https://store.example/{channel['bundle']}"
    else:
        channel["domain"] = f"{slug([brand])}.example"
        channel["page"] = tracked_url(rng, channel["domain"], title)
        if _chance(rng, 0.5):
            channel["ref"] = tracked_url(rng, f"{rng.choice(NAMES)}.example", words(rng, topic, 4))
    return channel


def _device(rng: random.Random, country: str, language: str, in_app: bool) -> Json:
    device: Json = {"ua": rng.choice(_AGENTS[1:] if in_app else _AGENTS), "language": language}
    device |= {"ip": f"203.0.113.{rng.randint(1, 254)}", "devicetype": 4 if in_app else 2, "js": 1}
    device["geo"] = {"country": country, "type": 2, "utcoffset": rng.choice((-300, 60, 120, 540))}
    device["connectiontype"] = rng.choice((2, 6, 7))
    if _chance(rng, 0.1):
        device["lmt" if in_app else "dnt"] = 1
    if in_app:
        device["ifa"] = f"{rng.getrandbits(128):032x}"
    return device


def _user(rng: random.Random, topic: str, budget: int, modern: bool, intent: bool) -> Json:
    user: Json = {"id": f"{rng.getrandbits(64):016x}", "buyeruid": f"{rng.getrandbits(64):016x}"}
    terms = words(rng, topic, budget)
    segments = [
        {"id": str(rng.randint(1, 9999)), "name": " ".join(terms[i : i + 2])}
        for i in range(0, len(terms), 2)
    ]
    if intent:
        segments.append({"id": "77", "name": "in-market shopper", "value": "high"})
    user["data"] = [{"id": "6", "name": "Data Provider 1", "segment": segments}]
    if modern:
        user["eids"] = [{"source": "id.example", "uids": [{"id": user["id"], "atype": 1}]}]
    return user


def _regulate(rng: random.Random, request: Json, modern: bool, country: str) -> None:
    """Add who may know what, and who sold the impression on; 2.5 keeps these in ``ext``."""
    regs: Json = {"coppa": int(_chance(rng, 0.03))}
    chain = {"ver": "1.0", "complete": 1, "nodes": []}
    chain["nodes"] = [
        {"asi": f"exchange-{i}.example", "sid": str(rng.randint(1, 999)), "hp": 1}
        for i in range(rng.randint(1, 3))
    ]
    source: Json = {"fd": 0, "tid": f"{rng.getrandbits(64):016x}"}
    rules: Json = {"gdpr": int(country in ("DEU", "FRA", "ESP"))}
    (regs if modern else regs.setdefault("ext", {})).update(rules)
    (source if modern else source.setdefault("ext", {}))["schain"] = chain
    if rules["gdpr"] and _chance(rng, 0.8):
        holder = request["user"] if modern else request["user"].setdefault("ext", {})
        holder["consent"] = f"C{rng.getrandbits(160):040x}"
    request |= {"regs": regs, "source": source}
