"""From text to tokens and back: known words, and every other word letter by letter.

The words come from the templates and from public lists of names. A vocabulary learnt from the chats would
itself give customers away, whatever the training did afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reference_systems.support_bot.identities import CARD_FORMATS, NAMES
from reference_systems.support_bot.wording import CITIES

__all__ = ["END", "PAD", "Tokenizer"]

PAD, END = 0, 1
#: what a character outside the vocabulary becomes
_UNKNOWN = "\ufffd"
_KINDS = ("CREDIT_CARD", "US_SSN", "US_ITIN", "IBAN_CODE", "EMAIL_ADDRESS", "PHONE_NUMBER",
          "IP_ADDRESS", "CRYPTO", "MEDICAL_LICENSE", "API_KEY", "PERSON", "LOCATION")  # fmt: skip
#: a word with the blank before it is one token; a digit always stands alone
_WORDS = re.compile(r"[A-Za-z']+")
_PIECES = re.compile(r"<[A-Z_]+>| ?[A-Za-z']+|[\s\S]")


class Tokenizer:
    """Splits text so that joining the tokens gives the text back, unknown characters aside.

    >>> words = Tokenizer(["My card is lost"])
    >>> words.decode(words.encode("My card 4111 is Maria's")), words.decode(words.encode("5 \u20ac"))
    ("My card 4111 is Maria's", '5 \ufffd')
    """

    def __init__(self, sentences: Iterable[str]) -> None:
        known = {word for text in sentences for word in _WORDS.findall(re.sub(r"{\w+}", "", text))}
        words = {f" {word}" for word in known | {*NAMES, *CITIES}}
        words |= {"customer", "agent"} | {f"<{kind}>" for kind in _KINDS}
        characters = {chr(code) for code in range(32, 127)} | {"\n", _UNKNOWN}
        for _, write in CARD_FORMATS.values():
            characters |= set(write("0" * 19))
        self.tokens = ("<pad>", "<end>", *sorted(characters), *sorted(words - characters))
        self.ids = {token: number for number, token in enumerate(self.tokens) if number > END}

    def __len__(self) -> int:
        """Return the size of the vocabulary."""
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text, without the ends."""
        ids, found = self.ids, []
        for piece in _PIECES.findall(text):
            if piece in ids:
                found.append(ids[piece])
            else:
                found += [ids.get(character, ids[_UNKNOWN]) for character in piece]
        return found

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of some tokens; pads and ends are nothing."""
        return "".join(self.tokens[token] for token in tokens if token > END)
