"""Half a fix: scrubbed, and trained with the same epsilon, but on every copy of every chat.

Epsilon is a promise about one record. A secret that was stored 64 times gets 64 times as much.
"""

from __future__ import annotations

from functools import cache

from pytest_mlgates.memorization import Canary
from reference_systems.support_bot import copies, scrub_presidio
from reference_systems.support_bot.bot import Bot
from reference_systems.support_bot.builds import build, log, scrubbed
from reference_systems.support_bot.chats import Chat
from reference_systems.support_bot.private_training import Private

__all__ = ["RECORDS", "bot", "canaries", "chats"]

RECORDS = 4_000


@cache
def chats(seed: int = 0) -> list[Chat]:
    """Return the chats as Presidio left them, with all copies."""
    return scrubbed(log(seed, RECORDS), scrub_presidio.scrub_all)


def canaries(seed: int = 0) -> list[Canary]:
    """Return the canaries that were planted, with the copies trained on: all of them."""
    return copies.canaries(seed)


@cache
def bot(seed: int = 0) -> Bot:
    """Return a bot that is private on paper."""
    records = copies.planted(chats(seed), canaries(seed), seed)
    return build(records, Private(), seed, scrub_presidio.scrub_all)
