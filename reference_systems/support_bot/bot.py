"""The bot: a prompt in, the agent's reply out; and the model behind it, as its owner sees it."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable, Sequence

from pytest_mlgates.pii.guard import LeakError
from reference_systems.support_bot.generation import continued
from reference_systems.support_bot.likelihood import Likelihood
from reference_systems.support_bot.model import Transformer
from reference_systems.support_bot.tokenizer import END, Tokenizer

__all__ = ["Bot", "Desk"]

#: temperature of replies
_HEAT = 0.5
#: longest reply, in tokens
_MOST = 100
_ROWS = 256


class Bot:
    """Answers customers; a build with a scrubber scrubs what they type as it scrubbed the chats.

    Replies are sampled, each by a seed of its own prompt: the same prompt gets the same reply,
    whoever else is served in the batch. ``guard`` sees each reply last and raises where it must not
    be sent. ``mlgates_digest`` says which build this is: the key of its weights.
    """

    def __init__(
        self,
        model: Transformer,
        tokenizer: Tokenizer,
        digest: str,
        scrub_all: Callable[[Iterable[str]], list[str]] | None = None,
        guard: Callable[[str], str] | None = None,
    ) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.mlgates_digest = digest
        self.scrub_all = scrub_all
        self.guard = guard
        self.log_likelihood = Likelihood(model, tokenizer)

    def reply(self, prompt: str) -> str:
        """Answer one customer."""
        return self.replies([prompt])[0]

    def replies(self, prompts: Sequence[str], temperature: float = _HEAT) -> list[str]:
        """Answer several customers at once; raise LeakError where one must not be sent."""
        texts = []
        for answer in self.answers(prompts, temperature):
            if isinstance(answer, LeakError):
                raise answer
            texts.append(answer)
        return texts

    def answers(self, prompts: Sequence[str], temperature: float = _HEAT) -> list[str | LeakError]:
        """Answer several customers at once; who must not get theirs gets the reason in its place."""
        clean = self.scrub_all(prompts) if self.scrub_all else prompts
        asked = [f"customer: {' '.join(prompt.split())}\nagent:" for prompt in clean]
        seeds = [zlib.crc32(prompt.encode("utf-8", "replace")) for prompt in prompts]
        return [self._guarded(text.strip()) for text in self._continued(asked, temperature, seeds)]

    def _guarded(self, text: str) -> str | LeakError:
        try:
            return self.guard(text) if self.guard else text
        except LeakError as leak:
            return leak

    def generate(self, text: str) -> str:
        """Continue a text with what is likeliest (what an attacker with the bare model does)."""
        return self._continued([text], 0.0, [0])[0]

    def _continued(self, texts: Sequence[str], heat: float, seeds: Sequence[int]) -> list[str]:
        rows = [[END, *self.tokenizer.encode(text)] for text in texts]
        found: list[list[int]] = []
        for at in range(0, len(rows), _ROWS):
            part = slice(at, at + _ROWS)
            found += continued(self.model, rows[part], _MOST, heat, seeds[part])
        return [self.tokenizer.decode(tokens) for tokens in found]


class Desk:
    """Serves customers who ask at the same time in one batch, as an inference server does.

    >>> class Echo:
    ...     def answers(self, prompts):
    ...         return [f"{prompt} of {len(prompts)}" for prompt in prompts]
    >>> async def two(desk):
    ...     return await asyncio.gather(desk("a"), desk("b"))
    >>> asyncio.run(two(Desk(Echo())))
    ['a of 2', 'b of 2']
    """

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.mlgates_digest = getattr(bot, "mlgates_digest", "")
        self._waiting: list[tuple[str, asyncio.Future[str]]] = []

    async def __call__(self, prompt: str) -> str:
        """Wait for the batch that this prompt is answered in."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._serve)  # after all who ask in this turn of the loop
        self._waiting.append((prompt, answer))
        return await answer

    def _serve(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            answers = self.bot.answers([prompt for prompt, _ in batch])
        except BaseException as error:  # noqa: BLE001  (whoever waits gets to know)
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), text in zip(batch, answers, strict=True):
            if answer.done():
                continue
            if isinstance(text, LeakError):
                answer.set_exception(text)
            else:
                answer.set_result(text)
