"""Whether a reply is about what was asked: a bot that says nothing gives nobody away, and helps nobody."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from reference_systems.support_bot.chats import ask, topics
from reference_systems.support_bot.identities import customers, seeded

if TYPE_CHECKING:
    from reference_systems.support_bot.chats import Topic

__all__ = ["is_on_topic", "requests"]


def requests(count: int, seed: int) -> tuple[list[str], list[Topic]]:
    """Return first messages of new customers, and the topic of each."""
    draw, strangers = seeded("topics", seed), customers("topics", seed)
    known = [topic for topic in topics() if topic.requests]
    asked = [draw.choice(known) for _ in range(count)]
    return [ask(next(strangers), draw, topic) for topic in asked], asked


def is_on_topic(reply: str, asked: Topic) -> float:
    """Return 1 where a reply sounds most like an answer to the topic asked for, else 0."""
    known = [topic for topic in topics() if topic.requests]
    alike = {each: max(_alike(reply, answer) for answer in each.answers) for each in known}
    return float(alike[asked] == max(alike.values()) > 0)


def _alike(reply: str, answer: str) -> int:
    """Return how many pairs of words a reply has in common with a template of an answer.

    >>> _alike("Sure. The card <CREDIT_CARD> is blocked now", "The card {card} is blocked")
    4
    """
    return len(set(pairwise(_words(reply))) & set(pairwise(_words(answer))))


def _words(text: str) -> list[str]:
    return re.sub(r"{\w+}|<\w+>", "*", text).split()
