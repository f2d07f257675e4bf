"""What customers ask the bot; and, in other modules, what the bot was trained on.

With MLGATES_DATA the chats (chats.py) and these prompts are also made of real requests: Presidio's
templates (microsoft/presidio-research) and dialogues of ABCD (asappresearch/abcd).
"""

from __future__ import annotations

from reference_systems.support_bot.builds import people
from reference_systems.support_bot.chats import ask
from reference_systems.support_bot.identities import customers, seeded

__all__ = ["prompts"]


def prompts(n: int, seed: int) -> list[str]:
    """Return ``n`` different first messages, half of them from customers in the log.

    None holds an identifier, so whatever identifier is in a reply came out of the model.
    """
    draw, known, strangers = seeded("prompts", seed), people(seed), customers("strangers", seed)
    found: dict[str, None] = {}
    while len(found) < n:
        who = draw.choice(known) if draw.random() < 0.5 else next(strangers)
        found[ask(who, draw)] = None
    return list(found)
