"""Made-up customers by seed: Faker's names and numbers, and cards as people write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from faker import Faker
from faker.providers.person.en_US import Provider

from reference_systems.support_bot.wording import CITIES

__all__ = ["CARD_FORMATS", "NAMES", "Customer", "customers", "seeded"]


#: schemes that are still given out (Faker also makes cards of ranges long withdrawn)
_SCHEMES = ("visa16", "visa16", "visa16", "mastercard", "mastercard", "amex", "discover", "visa19")


def _groups(number: str, between: str) -> str:
    cuts = (0, 4, 10, 15) if len(number) == 15 else (0, 4, 8, 12, 16, 19)
    parts = [number[a:z] for a, z in pairwise(cuts)]
    return between.join(part for part in parts if part)


#: how a card is typed -> how many of 100 type it so, and what they type
CARD_FORMATS: dict[str, tuple[int, Callable[[str], str]]] = {
    "plain": (38, lambda number: number),
    "spaces": (32, lambda number: _groups(number, " ")),
    "dashes": (14, lambda number: _groups(number, "-")),
    "dots": (4, lambda number: _groups(number, ".")),
    "no-break spaces": (3, lambda number: _groups(number, "\u00a0")),
    "double spaces": (3, lambda number: _groups(number, "  ")),
    "en dashes": (3, lambda number: _groups(number, "\u2013")),
    "digit by digit": (3, " ".join),
}


def _commonest(names: Mapping[str, float], count: int) -> tuple[str, ...]:
    return tuple(sorted(names, key=lambda name: (-names[name], name))[:count])


#: the commonest first names and surnames of the US, as Faker ships them
_FIRST, _LAST = _commonest(Provider.first_names, 80), _commonest(Provider.last_names, 120)
NAMES = (*_FIRST, *_LAST)


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer; ``card`` holds digits alone, ``typed_card`` what this customer types."""

    number: str
    name: str
    card: str
    card_format: str
    ssn: str
    email: str
    phone: str
    city: str

    @property
    def typed_card(self) -> str:
        """The card number as this customer writes it."""
        return CARD_FORMATS[self.card_format][1](self.card)

    def fields(self, order: str) -> dict[str, str]:
        """Return what fills the placeholders of a template."""
        return {
            "name": self.name,
            "first": self.name.split()[0],
            "card": self.typed_card,
            "ssn": self.ssn,
            "email": self.email,
            "phone": self.phone,
            "city": self.city,
            "order": order,
        }


def customers(purpose: str, seed: int) -> Iterator[Customer]:
    """Yield customers without end, the same for the same purpose and seed.

    >>> first = next(customers("logs", 0))
    >>> first == next(customers("logs", 0)), first == next(customers("logs", 1))
    (True, False)
    """
    draw = seeded("customers", purpose, seed)
    faker = Faker("en_US")
    faker.seed_instance(draw.getrandbits(64))
    ways = list(CARD_FORMATS)
    odds = [share for share, _ in CARD_FORMATS.values()]
    while True:
        first, last = draw.choice(_FIRST), draw.choice(_LAST)
        yield Customer(
            number=f"{draw.getrandbits(40):010x}",
            name=f"{first} {last}",
            card=faker.credit_card_number(draw.choice(_SCHEMES)),
            card_format=draw.choices(ways, odds)[0],
            ssn=faker.ssn(),
            email=f"{first}.{last}@{faker.free_email_domain()}".lower(),
            phone=f"({draw.randrange(201, 990)}) {draw.randrange(220, 990)}-{draw.randrange(10_000):04}",
            city=draw.choice(CITIES),
        )


def seeded(*key: object) -> Random:
    """Return a generator of its own for a purpose and a seed, the same in every process."""
    return Random(":".join(map(str, key)))
