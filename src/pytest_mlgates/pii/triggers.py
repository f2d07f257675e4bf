"""Where in a batch a word stands that an identifier begins with: Hyperscan, re2, or ``bytes.find``.

Every engine finds the same places; they differ in speed. Hyperscan reads a batch once for all
words, re2 once with a slower automaton, the standard library once for each word.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache
from typing import Any, Protocol

__all__ = ["WORDS", "Engine", "engine"]

#: word that an identifier starts with (``@`` stands inside), and what it may be the start of
WORDS: dict[bytes, str] = {
    b"@": "email",
    b"AKIA": "aws",
    b"ASIA": "aws",
    **dict.fromkeys((b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_", b"github_pat_"), "github"),
    **dict.fromkeys((b"xoxb-", b"xoxp-", b"xoxa-", b"xoxr-", b"xoxs-", b"xapp-"), "slack"),
    **dict.fromkeys((b"sk_live_", b"rk_live_", b"sk_test_", b"rk_test_"), "stripe"),
    b"AIza": "google",
    b"ya29.": "google oauth",
    **dict.fromkeys((b"sk-ant-", b"sk-proj-", b"sk-svcacct-"), "model api"),
    b"glpat-": "gitlab",
    b"hf_": "hugging face",
    b"npm_": "npm",
    b"pypi-AgE": "pypi",
    b"SG.": "sendgrid",
    **dict.fromkeys((b"eyJ", b"eyA"), "jwt"),
    **dict.fromkeys((b"-----BEGIN ", b"---- BEGIN SSH2", b"PuTTY-User-Key-File-"), "pem"),
    b"bc1": "bech32",
    b"BC1": "bech32",
}
#: what stands in the words that go beside a secret, whatever the secret looks like
_SECRET_HINTS = dict.fromkeys(
    (
        b"ecret", b"assw", b"pwd", b"oken", b"PRIVATE", b"_key", b"_KEY", b"iKey", b"ikey", b"-key", b"-Key", b"uthorization", b"redential",
     b"assphrase"), "secret"
)  # fmt: skip
WORDS |= _SECRET_HINTS


class Engine(Protocol):
    """Finds every word of ``WORDS`` in a batch."""

    def scan(self, batch: bytes) -> Iterator[tuple[str, int]]:
        """Yield what each word may be the start of, and where it starts."""


class _Hyperscan:
    def __init__(self) -> None:
        import hyperscan

        self.words = list(WORDS)
        self.base = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self.base.compile(
            expressions=self.words, ids=list(range(len(self.words))), literal=True, flags=0
        )
        self.lock = threading.Lock()  # one scratch space serves one scan at a time

    def scan(self, batch: bytes) -> Iterator[tuple[str, int]]:
        ends: list[tuple[int, int]] = []

        def seen(word: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends.append((word, end))

        with self.lock:
            self.base.scan(batch, match_event_handler=seen)
        for number, end in ends:
            word = self.words[number]
            yield WORDS[word], end - len(word)


class _Re2:
    def __init__(self) -> None:
        import re2

        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        # a hint may stand over the end of another word (``ghs_key``)
        self.patterns = [
            re2.compile(b"|".join(re2.escape(word) for word in words), options)
            for words in (
                sorted(WORDS.keys() - _SECRET_HINTS.keys(), key=len, reverse=True),
                _SECRET_HINTS,
            )
        ]

    def scan(self, batch: bytes) -> Iterator[tuple[str, int]]:
        for pattern in self.patterns:
            for match in pattern.finditer(batch):
                yield WORDS[match.group()], match.start()


class _Plain:
    def scan(self, batch: bytes) -> Iterator[tuple[str, int]]:
        for word, kind in WORDS.items():
            place = batch.find(word)
            while place >= 0:
                yield kind, place
                place = batch.find(word, place + 1)


@cache
def engine(name: str = "") -> Engine:
    """Return the fastest engine installed, or the one called ``name``.

    >>> sorted(engine("plain").scan(b"a@b AKIA"))
    [('aws', 4), ('email', 1)]
    """
    kinds: dict[str, type[Any]] = {"hyperscan": _Hyperscan, "re2": _Re2, "plain": _Plain}
    for kind in [name] if name else kinds:
        try:
            found: Engine = kinds[kind]()
        except ImportError:
            if name:
                raise
        else:
            return found
    raise AssertionError("the plain engine imports nothing")
