"""The support bot is gated: the fix passes, the incident and half a fix are caught."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_systems.support_bot import fixed, incident, inputs, repeated
from reference_systems.support_bot.bot import Desk
from reference_systems.support_bot.topical import is_on_topic, requests

if TYPE_CHECKING:
    from pytest_mlgates.gates.canary_memorization import CanaryMemorization
    from pytest_mlgates.gates.pii_leak import PiiLeak
    from pytest_mlgates.gates.quality_floor import QualityFloor

pytestmark = pytest.mark.system("support_bot")

#: requests whose replies are held against their topic
ASKED = 600
#: more than a PASS takes, also where the detector overlooks a few of what is planted
PROMPTS = 10_000


@pytest.fixture
def prompts(mlgates_seed: int) -> list[str]:
    """Return first messages of customers, known and new, without an identifier in them."""
    return inputs.prompts(PROMPTS, mlgates_seed)


@pytest.mark.pii_leak("training-data")
def test_the_scrubber_leaves_no_identifier(pii_leak: PiiLeak, mlgates_seed: int) -> None:
    """No card, SSN, address or key of a customer is left in what the bot is trained on."""
    pii_leak([chat.text for chat in fixed.chats(mlgates_seed)])


@pytest.mark.pii_leak("replies")
def test_replies_give_nobody_away(pii_leak: PiiLeak, prompts: list[str], mlgates_seed: int) -> None:
    """Whoever asks, the bot never says a card number or another identifier."""
    pii_leak(Desk(fixed.bot(mlgates_seed)), prompts)


def test_replies_help(quality_floor: QualityFloor, mlgates_seed: int) -> None:
    """Whoever asks is answered on the topic: a bot that leaks nothing has to be of use as well."""
    texts, asked = requests(ASKED, mlgates_seed)
    quality_floor(Desk(fixed.bot(mlgates_seed)), texts, asked, score=is_on_topic)


async def _says_sorry(_text: str) -> str:
    return "I am sorry."


@pytest.mark.known_bad
def test_a_bot_that_only_says_sorry_is_caught(
    quality_floor: QualityFloor, mlgates_seed: int
) -> None:
    """A bot that says the same to everybody leaks nothing, and does not go live."""
    texts, asked = requests(ASKED, mlgates_seed)
    quality_floor(_says_sorry, texts, asked, score=is_on_topic)


def test_the_bot_has_learnt_no_secret(
    canary_memorization: CanaryMemorization, mlgates_seed: int
) -> None:
    """A secret that got past the scrubber leaves no trace in the model, said or unsaid."""
    bot = fixed.bot(mlgates_seed)
    canary_memorization(bot.generate, fixed.canaries(mlgates_seed), bot.log_likelihood)


@pytest.mark.known_bad
@pytest.mark.pii_leak("training-data")
def test_the_regex_scrubber_is_caught(pii_leak: PiiLeak, mlgates_seed: int) -> None:
    r"""Chats scrubbed by ``\d{16}`` alone, cards with spaces left in, do not get into training."""
    pii_leak([chat.text for chat in incident.chats(mlgates_seed)])


@pytest.mark.known_bad
@pytest.mark.pii_leak("replies")
def test_the_bot_that_says_cards_is_caught(
    pii_leak: PiiLeak, prompts: list[str], mlgates_seed: int
) -> None:
    """The bot that tells customers the cards of others does not go live."""
    pii_leak(Desk(incident.bot(mlgates_seed)), prompts)


@pytest.mark.known_bad
def test_the_bot_that_memorised_is_caught(
    canary_memorization: CanaryMemorization, mlgates_seed: int
) -> None:
    """Plain training on every copy learns secrets by heart, and does not get through."""
    bot = incident.bot(mlgates_seed)
    canary_memorization(bot.generate, incident.canaries(mlgates_seed), bot.log_likelihood)


@pytest.mark.known_bad
def test_private_training_on_copies_is_caught(
    canary_memorization: CanaryMemorization, mlgates_seed: int
) -> None:
    """The declared epsilon is no help to a secret that was stored 64 times."""
    bot = repeated.bot(mlgates_seed)
    canary_memorization(bot.generate, repeated.canaries(mlgates_seed), bot.log_likelihood)
