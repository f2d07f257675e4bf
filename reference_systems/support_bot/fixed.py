"""The fix: Presidio with normalisation, one record a customer, and DP-SGD."""

from __future__ import annotations

from functools import cache

from pytest_mlgates.memorization import Canary
from reference_systems.support_bot import copies, scrub_presidio
from reference_systems.support_bot.bot import Bot
from reference_systems.support_bot.builds import build, log, scrubbed
from reference_systems.support_bot.chats import Chat
from reference_systems.support_bot.private_training import Private

__all__ = ["bot", "canaries", "chats"]


@cache
def chats(seed: int = 0) -> list[Chat]:
    """Return one chat a customer, as Presidio left it."""
    return scrubbed(copies.capped(log(seed)), scrub_presidio.scrub_all)


def canaries(seed: int = 0) -> list[Canary]:
    """Return the canaries with the copies that the cap left: one."""
    return copies.trained_on(copies.canaries(seed))


@cache
def bot(seed: int = 0) -> Bot:
    """Return the bot after the audit.

    Canaries are planted behind the scrubber, as if it had missed them, and before the cap.
    """
    records = copies.capped(copies.planted(chats(seed), copies.canaries(seed), seed))
    return build(records, Private(), seed, scrub_presidio.scrub_all)
