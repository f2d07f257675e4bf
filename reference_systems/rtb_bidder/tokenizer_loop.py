"""The incident: the same byte-level BPE, rewritten in Python to drop a compiled dependency.

Every id is right. The merge loop looks at all pairs of a word again after each merge, so a word
costs the square of its length: unnoticed on the words of a unit test, not on tracked URLs.
"""

from __future__ import annotations

from reference_systems.rtb_bidder.vocabulary import merges, vocabulary_digest

__all__ = ["LoopTokenizer"]

#: Unicode's White_Space property; str.isspace also holds the separators U+001C to U+001F
_SPACES = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | frozenset(
    map(chr, range(0x2000, 0x200B))
)


def byte_letters() -> dict[int, str]:
    """Return the printable character that stands for each byte in a byte-level BPE (GPT-2).

    >>> byte_letters()[ord("a")], byte_letters()[ord(" ")]
    ('a', 'Ġ')
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        if byte not in letters:
            letters[byte] = chr(256 + len(letters) - len(printable))
    return letters


class LoopTokenizer:
    """Byte-level BPE in plain Python.

    >>> LoopTokenizer().encode("") == []
    True
    """

    def __init__(self) -> None:
        self._vocabulary, self._ranks = merges()
        self._letters = byte_letters()
        self.mlgates_digest = f"loop:{vocabulary_digest()}"

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text."""
        ids = []
        for word in self._split(text):
            for piece in self._merge(word):
                ids.append(self._vocabulary[piece])  # noqa: PERF401
        return ids

    def _split(self, text: str) -> list[str]:
        words = []
        word = ""
        for character in text:
            if character in _SPACES:
                if word:
                    words.append(word)
                word = ""
            else:
                word += character
        if word:
            words.append(word)
        return words

    def _merge(self, word: str) -> list[str]:
        pieces = [self._letters[byte] for byte in word.encode("utf-8")]
        while True:
            candidates = []
            for place in range(len(pieces) - 1):
                pair = (pieces[place], pieces[place + 1])
                if pair in self._ranks:
                    candidates.append((self._ranks[pair], place))
            if not candidates:
                return pieces
            # the lowest rank first, and of equal ranks the leftmost
            _, place = min(candidates)
            pieces = [
                *pieces[:place],
                pieces[place] + pieces[place + 1],
                *pieces[place + 2 :],
            ]
