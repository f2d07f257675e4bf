"""What the builds share: a bot from chats, trained or taken from what was trained before."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from types import ModuleType

from pytest_mlgates.core.canonical import sha256
from pytest_mlgates.pii import guard
from reference_systems.support_bot import batches, model, private_training, tokenizer, training
from reference_systems.support_bot.bot import Bot
from reference_systems.support_bot.chats import Chat, chat_log, templates
from reference_systems.support_bot.identities import Customer
from reference_systems.support_bot.private_training import Private
from reference_systems.support_bot.training import Plain
from reference_systems.weights import cached, digest_of_state, key_of

__all__ = ["Scrubber", "build", "log", "people", "scrubbed", "words"]

Scrubber = Callable[[Iterable[str]], list[str]]

#: records of the log: enough for 6,000 customers with one record each
_RECORDS = 16_000
#: whose source decides what comes out of training
_SOURCES: tuple[ModuleType, ...] = (batches, model, private_training, tokenizer, training)

#: what a scrubber made of a text
_CLEAN: dict[Scrubber, dict[str, str]] = {}


@cache
def _log(seed: int) -> tuple[tuple[Chat, ...], tuple[Customer, ...]]:
    chats, customers = chat_log(_RECORDS, seed)
    return tuple(chats), tuple(customers)


def log(seed: int, records: int = _RECORDS) -> tuple[Chat, ...]:
    """Return the first records of the chat log, as the company stored them."""
    return _log(seed)[0][:records]


def people(seed: int) -> tuple[Customer, ...]:
    """Return the customers in the whole log."""
    return _log(seed)[1]


def scrubbed(chats: Sequence[Chat], scrub_all: Scrubber) -> list[Chat]:
    """Return the chats as a scrubber leaves them; equal texts are scrubbed once a process."""
    clean = _CLEAN.setdefault(scrub_all, {})
    new = list(dict.fromkeys(chat.text for chat in chats if chat.text not in clean))
    clean.update(zip(new, scrub_all(new), strict=True))
    return [dataclasses.replace(chat, text=clean[chat.text]) for chat in chats]


@cache
def words() -> tokenizer.Tokenizer:
    """Return the tokenizer, which knows nothing but public words."""
    return tokenizer.Tokenizer(templates())


def build(
    chats: Sequence[Chat], plan: Plain | Private, seed: int, scrub_all: Scrubber | None = None
) -> Bot:
    """Return a bot trained on the chats; ``scrub_all`` is what customers' prompts go through.

    The same chats, plan, seed and code give the same weights: they are taken from the repository
    or the cache where they were trained before.
    """
    known = words()
    texts = [known.encode(chat.text) for chat in chats]
    shape = model.Config(vocabulary=len(known))
    inputs = {
        "texts": sha256(texts),
        "words": sha256(known.tokens),
        "shape": dataclasses.asdict(shape),
        "plan": dataclasses.asdict(plan),
        "seed": seed,
    }
    if isinstance(plan, Private):
        train = partial(private_training.train, texts, shape, plan, seed)
    else:
        train = partial(training.train, texts, shape, plan, seed)
    network = model.Transformer(shape)
    state = cached("support_bot", inputs, train, _SOURCES, ("torch", "opacus"))
    network.load_state_dict(state)
    recipe = key_of("support_bot", inputs, _SOURCES)
    digest = sha256([recipe, digest_of_state(state)])
    return Bot(network, known, digest, scrub_all, guard if scrub_all else None)
