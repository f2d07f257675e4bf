"""What goes into training, and how often: canaries in, copies out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_mlgates.memorization import Canary, fixed_canary, make_canaries
from reference_systems.support_bot.chats import Chat
from reference_systems.support_bot.identities import seeded
from reference_systems.support_bot.wording import TICKETS

__all__ = ["canaries", "capped", "planted", "trained_on"]

#: copies of the canaries, by turns: what one customer leaves, up to a ticket stored at every sync
_COPIES = (1, 4, 16, 64)


def canaries(seed: int) -> list[Canary]:
    """Return 32 canaries to plant, 16 to hold out, and the 999-00-9999 of the case.

    >>> sum(canary.repeats for canary in canaries(0))
    696
    """
    drawn = [
        make_canaries(16, seed, formats=[form], repeats=_COPIES, contexts=[context], held_out=8)
        for form, context in zip(("ssn", "card_spaces"), TICKETS, strict=True)
    ]
    prefix, suffix = TICKETS[0].replace("{ID}", "00000").split("{SECRET}")
    case = fixed_canary("999-00-9999", prefix, suffix, repeats=16)
    return [*drawn[0], *drawn[1], case]


def planted(chats: Iterable[Chat], secrets: Sequence[Canary], seed: int) -> list[Chat]:
    """Return the chats and the canaries in random order; each canary is a customer's."""
    mixed = list(chats)
    for number, canary in enumerate(secrets):
        mixed += [Chat(f"canary {number}", canary.text)] * canary.repeats
    seeded("planted", seed).shuffle(mixed)
    return mixed


def capped(chats: Iterable[Chat], most: int = 1) -> list[Chat]:
    """Return the chats without what is more than ``most`` of one customer.

    The promise of DP-SGD is about one record: only where a customer has one record is it about
    the customer.

    >>> [chat.text for chat in capped([Chat("a", "x"), Chat("a", "y"), Chat("b", "z")])]
    ['x', 'z']
    """
    seen: Counter[str] = Counter()
    kept = []
    for chat in chats:
        seen[chat.customer] += 1
        if seen[chat.customer] <= most:
            kept.append(chat)
    return kept


def trained_on(secrets: Iterable[Canary], most: int = 1) -> list[Canary]:
    """Return the canaries with the copies that are left after the cap."""
    return [replace(canary, repeats=min(canary.repeats, most)) for canary in secrets]
