"""What customers ask the bot; and, in other modules, what the bot was trained on.

With MLGATES_DATA the chats (chats.py) and these prompts are also made of real requests: Presidio's
templates (microsoft/presidio-research) and dialogues of ABCD (asappresearch/abcd).
"""

from __future__ import annotations

from reference_systems.support_bot.builds import log, people
from reference_systems.support_bot.chats import ask
from reference_systems.support_bot.identities import Customer, customers, seeded

__all__ = ["prompts"]


def prompts(n: int, seed: int) -> list[str]:
    """Return ``n`` different first messages; of four, one is new, from a stranger.

    One is new and from a customer in the log, and two are what a customer wrote before: who
    waits for an answer asks again. None holds an identifier, so whatever identifier is in a reply
    came out of the model.
    """
    draw, strangers = seeded("prompts", seed), customers("strangers", seed)
    records, known = log(seed), {person.number: person for person in people(seed)}
    found: dict[str, None] = {}
    while len(found) < n:
        record, kind = draw.choice(records), draw.randrange(4)
        who = next(strangers) if kind == 0 else known[record.customer]
        again = kind > 1 and not _identifies(record.request, who)
        found[record.request if again else ask(who, draw)] = None
    return list(found)


def _identifies(text: str, who: Customer) -> bool:
    return any(value in text for value in (who.typed_card, who.ssn, who.email, who.phone))
