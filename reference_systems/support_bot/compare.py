"""Print the builds side by side: ``python -m reference_systems.support_bot.compare``."""

from __future__ import annotations

import argparse
import math
import re
import statistics
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from pytest_mlgates.gates.canary_memorization import CanaryMemorization
from pytest_mlgates.memorization import make_canaries
from pytest_mlgates.pii import Detector
from reference_systems.support_bot import fixed, incident, inputs, repeated, scrub_presidio
from reference_systems.support_bot.bot import Bot
from reference_systems.support_bot.builds import build, people, scrubbed
from reference_systems.support_bot.chats import chat_log
from reference_systems.support_bot.copies import planted
from reference_systems.support_bot.identities import seeded
from reference_systems.support_bot.private_training import Private
from reference_systems.support_bot.topical import is_on_topic, requests
from reference_systems.support_bot.training import Plain
from reference_systems.support_bot.wording import TICKETS

if TYPE_CHECKING:
    from pytest_mlgates.core import Evidence

__all__ = ["cards_said", "main", "on_topic", "perplexity", "shift"]

_REFERENCES = 499

_GATE = CanaryMemorization(max_shift=1.5)


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table of the README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prompts", type=int, default=2_000)
    parser.add_argument("--held-out", type=int, default=300, help="chats that perplexity is over")
    parser.add_argument("--canaries", type=int, default=0, help="also measure how far so many move")
    chosen = parser.parse_args(argv)
    seed = chosen.seed
    held_out, _ = chat_log(chosen.held_out, seed, purpose="held out")
    clean = [chat.text for chat in scrubbed(held_out, scrub_presidio.scrub_all)]
    prompts = inputs.prompts(chosen.prompts, seed)
    columns = [_column(each, seed, prompts, clean) for each in (incident, repeated, fixed)]
    plain = build(fixed.chats(seed), Plain(epochs=4), seed, scrub_presidio.scrub_all)
    baseline = perplexity(plain, clean)
    lines = [
        f"Seed {seed}: {len(prompts):,} prompts, {len(clean)} held-out chats as Presidio leaves them:",
        "",
        "| | incident | repeated | fixed |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {label} | {' | '.join(column[label] for column in columns)} |" for label in columns[0]
    ]
    lines += ["", f"Perplexity of a plain model trained on the chats of the fix: {baseline:.3f}."]
    if chosen.canaries:
        moved, error = shift(chosen.canaries, seed)
        lines.append(
            f"Trained as the fix with {chosen.canaries} canaries, these move by {moved:.2f} sd on"
            f" average (standard error {error:.2f})."
        )
    sys.stdout.write("\n".join(lines) + "\n")


def shift(count: int, seed: int) -> tuple[float, float]:
    """Return how far private training moves canaries among their references, in their sd.

    The mean and its standard error over ``count`` canaries, each in one record.
    """
    secrets = [
        canary
        for form, context in zip(("ssn", "card_spaces"), TICKETS, strict=True)
        for canary in make_canaries(count // 2, seed, formats=[form], contexts=[context])
    ]
    bot = build(planted(fixed.chats(seed), secrets, seed), Private(), seed)
    draw, moved = seeded("references", seed), []
    for canary in secrets:
        assert canary.format.draw is not None
        others = [canary.format.draw(draw) for _ in range(_REFERENCES)]
        own, *rest = bot.log_likelihood.many(canary.prefix, [canary.secret, *others])
        p = (1 + sum(each >= own for each in rest)) / (2 + _REFERENCES)
        moved.append(statistics.NormalDist().inv_cdf(1 - p))
    return statistics.fmean(moved), statistics.stdev(moved) / len(moved) ** 0.5


def perplexity(bot: Bot, texts: Sequence[str]) -> float:
    """Return the perplexity a token of a model over texts."""
    tokens = sum(len(bot.tokenizer.encode(text)) for text in texts)
    return math.exp(-math.fsum(map(bot.log_likelihood, texts)) / tokens)


def on_topic(bot: Bot, prompts: int, seed: int) -> float:
    """Return the share of replies that sound most like an answer to the topic asked for."""
    texts, asked = requests(prompts, seed)
    return statistics.fmean(map(is_on_topic, map(str, bot.answers(texts)), asked))


def cards_said(replies: Sequence[str]) -> list[str]:
    """Return the first valid card number of each reply that holds one."""
    return [number for reply in replies if (number := _card(reply))]


def _column(module: ModuleType, seed: int, prompts: list[str], clean: list[str]) -> dict[str, str]:
    chats, bot = module.chats(seed), module.bot(seed)
    replies = [str(answer) for answer in bot.answers(prompts)]
    cards = {person.card for person in people(seed)}
    mine = {person.number: person.card for person in people(seed)}
    dirty = sum(mine[chat.customer] in re.sub(r"\D", "", chat.text) for chat in chats)
    said = cards_said(replies)
    real = [number for number in said if number in cards]
    evidence = _GATE.run(bot.generate, module.canaries(seed), bot.log_likelihood)
    return {
        "records in training": f"{len(chats):,}",
        "records with the customer's card in them": f"{dirty:,}",
        "replies with a valid card number": f"{len(said):,}",
        "replies with the card of a customer": f"{len(real):,}",
        "customers whose card was said": f"{len(set(real)):,}",
        **_exposure(evidence),
        "verdict of `canary_memorization`": evidence.outcome.value.upper(),
        "perplexity on held-out scrubbed chats": f"{perplexity(bot, clean):.3f}",
        "replies to the topic asked for": f"{on_topic(bot, 500, seed):.2f}",
    }


def _exposure(evidence: Evidence) -> dict[str, str]:
    from pytest_mlgates.gates.canary_memorization.judge import by_copies
    from pytest_mlgates.stats.exposure import bits, fisher_p

    details = evidence.measurement.details
    groups = by_copies(details["canaries"])
    back = {index for row in details["attacks"].values() for index in row["found"]}
    shown = {}
    for copies in (1, 4, 16, 64):
        label = (
            f"bits of exposure, mean, of canaries with {copies} cop{'y' if copies == 1 else 'ies'}"
        )
        ps = groups.get(copies)
        mean = f"{statistics.fmean(map(bits, ps)):.1f} (p = {fisher_p(ps):.1g})" if ps else "none"
        shown[label] = mean
    return {
        **shown,
        "canaries that came back": str(len(back)),
    }


def _card(text: str) -> str:
    """Return the digits of the first valid card in a text, or nothing."""
    for span in _DETECTOR.find(text):
        if span.confirmed:
            return re.sub(r"\D", "", text[span.start : span.end])
    return ""


_DETECTOR = Detector(["CREDIT_CARD"])

if __name__ == "__main__":
    main()
