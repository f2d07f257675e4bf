"""The language that generated publishers write in: topic words, invented names, tracked URLs.

All of it is fixed: only what is drawn from it depends on a seed.
"""

from __future__ import annotations

import itertools
import random

__all__ = ["NAMES", "TOPICS", "Topic", "slug", "tracked_url", "words"]

#: topic -> (IAB content category 1.0, value of its readers in USD CPM, words)
Topic = tuple[str, float, tuple[str, ...]]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _topic(category: str, cpm: float, text: str) -> Topic:
    return category, cpm, _words(text)


TOPICS: dict[str, Topic] = {
    "cars": _topic(
        "IAB2",
        4.2,
        "hybrid sedan torque gearbox dealership lease mileage diesel charging range tyres brakes "
        "chassis horsepower warranty showroom convertible suspension steering Zündkerze coupé",
    ),
    "finance": _topic(
        "IAB13",
        6.5,
        "mortgage dividend pension savings interest broker portfolio equity insurance credit "
        "refinance liquidity bonds inflation tax deposit underwriting escrow Sparkonto crédit",
    ),
    "travel": _topic(
        "IAB20",
        3.6,
        "itinerary beach hostel airline luggage passport cruise resort island ferry backpack "
        "visa layover vineyard museum safari boarding sightseeing playa forêt 旅行 温泉",
    ),
    "health": _topic(
        "IAB7",
        2.8,
        "nutrition cardio sleep vitamin allergy posture therapy pulse hydration recovery clinic "
        "immune stretching wellness migraine physician symptom dosage santé Gesundheit",
    ),
    "sports": _topic(
        "IAB17",
        1.9,
        "league transfer striker marathon playoff coach stadium fixture referee sprint goalkeeper "
        "championship derby innings relegation podium training fútbol ligue サッカー ⚽",
    ),
    "cooking": _topic(
        "IAB8",
        1.6,
        "recipe oven garlic simmer dough whisk seasoning roast pastry vegan broth skillet caramel "
        "marinade sourdough basil zest casserole crème jalapeño 料理 🍜",
    ),
    "technology": _topic(
        "IAB19",
        3.1,
        "processor laptop firmware battery display benchmark router encryption compiler cloud "
        "sensor bandwidth graphics keyboard storage wireless robotics quantum Rechner 量子",
    ),
    "games": _topic(
        "IAB9-30",
        1.2,
        "quest multiplayer speedrun console loot controller arcade leaderboard dungeon avatar "
        "strategy puzzle respawn crafting expansion tournament pixel boss 🎮 ゲーム",
    ),
    "fashion": _topic(
        "IAB18",
        2.2,
        "runway denim tailoring sneakers vintage silk collection accessory designer lookbook "
        "wardrobe linen jewellery fragrance couture streetwear boutique prêt-à-porter 👗",
    ),
    "parenting": _topic(
        "IAB6",
        2.6,
        "toddler stroller bedtime nursery daycare teething homework playground pregnancy allowance "
        "lullaby sibling crib milestone babysitter kindergarten école Spielplatz niño",
    ),
}

_COMMON = _words(
    "the of and to in a for with on best new how your from this guide review top what more today "
    "why five ten year people first time home work world under after before again without buy free "
    "price compare ideas tips video photos latest update opinion deals explained everything"
)

_SYLLABLES = _words(
    "ka lo mi ta re son der ing tion al pro con ber ter mo vi ne ra st ly ou gre fla qui zen dor "
    "bel cu pha wyn ox tri"
)


def _invent(count: int) -> tuple[str, ...]:
    """Return names of brands, authors and places that no one has."""
    rng = random.Random("names")
    names = ("".join(rng.choices(_SYLLABLES, k=rng.randint(2, 5))) for _ in range(count))
    return tuple(dict.fromkeys(names))


NAMES = _invent(6000)
#: names follow Zipf's law: a few are everywhere, most are seen once
_CUMULATIVE = list(itertools.accumulate(1 / (rank + 3) for rank in range(len(NAMES))))


def words(rng: random.Random, topic: str, count: int) -> list[str]:
    """Draw ``count`` words: about half of the topic, the rest common words and names."""
    lexicon = TOPICS[topic][2]
    drawn: list[str] = []
    named = rng.choices(NAMES, cum_weights=_CUMULATIVE, k=count)
    kinds = rng.choices((0, 1, 2), weights=(45, 25, 30), k=count)
    for kind, name in zip(kinds, named, strict=True):
        if kind == 0:
            drawn.append(rng.choice(lexicon))
        elif kind == 1:
            drawn.append(rng.choice(_COMMON))
        else:
            drawn.append(name)
    return drawn


def slug(text: list[str]) -> str:
    """Return words as the path of an article, in ASCII.

    >>> slug(["Crème", "brûlée", "at", "home"])
    'crme-brle-at-home'
    """
    ascii_words = (word.encode("ascii", "ignore").decode().lower() for word in text)
    return "-".join(word for word in ascii_words if word)


def tracked_url(rng: random.Random, domain: str, text: list[str]) -> str:
    """Return an article's URL with the tracking parameters it collected on its way here.

    How many it carries is heavy-tailed (Pareto): most have one to three, some sixteen.
    """
    url = f"https://www.{domain}/{rng.randint(2019, 2026)}/{slug(text)}"
    marks = min(int(2 * rng.paretovariate(1.6)) - 1, 16)
    keys = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "ref", "clid")
    pairs = []
    for mark in range(marks):
        key = keys[mark % len(keys)]
        value = f"{rng.getrandbits(128):x}" if key == "clid" else slug(rng.choices(NAMES, k=2))
        pairs.append(f"{key}={value}")
    return url + ("?" + "&".join(pairs) if pairs else "")
