"""The incident: a scrubber of one pattern, and plain training on every copy."""

from __future__ import annotations

from functools import cache

from pytest_mlgates.memorization import Canary
from reference_systems.support_bot import copies, scrub_regex
from reference_systems.support_bot.bot import Bot
from reference_systems.support_bot.builds import build, log, scrubbed
from reference_systems.support_bot.chats import Chat
from reference_systems.support_bot.training import Plain

__all__ = ["RECORDS", "bot", "canaries", "chats"]

RECORDS = 2_000


@cache
def chats(seed: int = 0) -> list[Chat]:
    """Return the chats as the regular expression left them."""
    return scrubbed(log(seed, RECORDS), scrub_regex.scrub_all)


def canaries(seed: int = 0) -> list[Canary]:
    """Return the canaries that were planted, with the copies trained on: all of them."""
    return copies.canaries(seed)


@cache
def bot(seed: int = 0) -> Bot:
    """Return the bot as it went live."""
    return build(copies.planted(chats(seed), canaries(seed), seed), Plain(), seed)
