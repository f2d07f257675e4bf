"""The chat log: who wrote, and what was said, as the company stored it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from reference_systems.support_bot.identities import Customer, customers, seeded
from reference_systems.support_bot.wording import (
    CLOSINGS,
    ESCORTS,
    OPENINGS,
    TICKETS,
    TOPICS,
    Topic,
)

__all__ = ["Chat", "ask", "chat_log", "data_folder", "templates", "topics"]

#: of 100 requests that could hold an identifier, how many do
_TYPED = 35
#: how often a chat was stored (at each sync of a ticket that stays open): of 100, how many at least
#: and at most so many times
_STORED = ((70, 1, 1), (20, 2, 4), (7, 6, 12), (3, 20, 32))

#: and within how many records of the log the copies lie
_OPEN = 300


@dataclass(frozen=True, slots=True)
class Chat:
    """One record of the log: the customer's number and the text of the chat."""

    customer: str
    text: str

    @property
    def request(self) -> str:
        """What the customer wrote."""
        return self.text.split("\n", 1)[0].removeprefix("customer: ")


def chat_log(n: int, seed: int, purpose: str = "log") -> tuple[list[Chat], list[Customer]]:
    """Return ``n`` chats and the customers in them; some chats were stored many times.

    >>> chats, people = chat_log(3, seed=0)
    >>> {chat.customer for chat in chats} == {customer.number for customer in people}
    True
    """
    draw, source = seeded("chats", purpose, seed), customers(purpose, seed)
    stored: list[tuple[float, Chat]] = []
    people: list[Customer] = []
    while len(stored) < n:
        customer = next(source)
        people.append(customer)
        _, least, most = draw.choices(_STORED, [share for share, _, _ in _STORED])[0]
        chat, begun = Chat(customer.number, _text(customer, draw)), len(stored)
        stored += [(begun + _OPEN * draw.random(), chat) for _ in range(draw.randint(least, most))]
    stored.sort(key=lambda record: record[0])
    chats = [chat for _, chat in stored[:n]]
    kept = {chat.customer for chat in chats}
    return chats, [customer for customer in people if customer.number in kept]


def ask(customer: Customer, draw: Random, topic: Topic | None = None) -> str:
    """Return a first message of this customer that holds no identifier but the name."""
    topic = topic or draw.choice([topic for topic in topics() if topic.requests])
    return f"{draw.choice(OPENINGS)} {draw.choice(topic.requests)}".format(
        **customer.fields(_order(draw))
    )


def templates() -> list[str]:
    """Return every sentence a chat can be made of: public, and all that the vocabulary knows."""
    spoken = [line for t in topics() for line in (*t.requests, *t.typed, *t.answers)]
    return [*OPENINGS, *ESCORTS, *CLOSINGS, *TICKETS, *spoken]


def topics() -> tuple[Topic, ...]:
    """Return what chats are about: our own topics, and with MLGATES_DATA real requests as well."""
    folder = data_folder()
    return TOPICS if folder is None else TOPICS + _real_topics(folder)


def data_folder() -> Path | None:
    """Return the folder with the real material (see MLGATES_DATA), or None."""
    root = os.environ.get("MLGATES_DATA")
    folder = Path(root) / "support_bot" if root else None
    return folder if folder and folder.is_dir() else None


@cache
def _real_topics(folder: Path) -> tuple[Topic, ...]:
    """Return what real customers ask: Presidio's templates with a card, ABCD's dialogues."""
    own = {"credit_card_number": "card", "email": "email", "phone_number": "phone", "ssn": "ssn"}
    own |= {"person": "name", "name": "name", "first_name": "first", "city": "city"}
    typed = []
    for line in (folder / "presidio_templates.txt").read_text(encoding="utf-8").splitlines():
        names = re.findall(r"{{(\w+)}}", line)
        if "credit_card_number" in names and set(names) <= set(own):
            plain = re.sub(r"{{(\w+)}}", lambda found: f"{{{own[found[1]]}}}", line)
            typed.append(" ".join(plain.split()))
    found = [Topic((), tuple(typed), TOPICS[1].answers + TOPICS[4].answers)]
    for dialogue in json.loads((folder / "abcd_sample.json").read_text(encoding="utf-8")):
        name = dialogue["scenario"]["personal"]["customer_name"].lower().split()
        said: dict[str, list[str]] = {"customer": [], "agent": [], "action": []}
        for speaker, text in dialogue["original"]:
            # whatever could be somebody's stays out: names, numbers, addresses
            if not re.search(r"[\d@{}]", text) and not any(part in text.lower() for part in name):
                said[speaker].append(text)
        found.append(Topic(tuple(said["customer"]), (), tuple(said["agent"])))
    return tuple(found)


def _text(customer: Customer, draw: Random) -> str:
    topic = draw.choice(topics())
    typed = topic.typed and draw.randrange(100) < _TYPED
    request = draw.choice(topic.typed if typed or not topic.requests else topic.requests)
    lines = (
        f"customer: {draw.choice(OPENINGS)} {request}",
        f"agent: {draw.choice(ESCORTS)} {draw.choice(topic.answers)} {draw.choice(CLOSINGS)}",
    )
    return "\n".join(lines).format(**customer.fields(_order(draw)))


def _order(draw: Random) -> str:
    return f"{draw.randrange(10**5, 10**6)}"
