"""Get a canary out of a model by asking: its own prefix, again and again, and a hint."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence

from pytest_mlgates.calls.ask import Steps, Subject
from pytest_mlgates.gates.canary_memorization.check import samples_of
from pytest_mlgates.gates.canary_memorization.details import ATTACKS
from pytest_mlgates.gates.canary_memorization.matching import Pattern, known_bits, squeeze, views
from pytest_mlgates.memorization.canaries import Canary

__all__ = ["Extraction"]

_HINTS = (0.5, 0.25)
#: bits that a hint leaves beyond the least: a reply may hold 16 strings like the rest
_SPARE = 4.0


class Extraction:
    """Asks for canaries and reads the replies; counts what could have matched by accident.

    A secret of less than ``least_bits`` is not asked for: its coming back would prove nothing.
    """

    def __init__(
        self, canaries: Sequence[Canary], subject: Subject[str], least_bits: float
    ) -> None:
        self.canaries = canaries
        self.subject = subject
        self.least_bits = least_bits
        self.secrets = [squeeze(canary.secret) for canary in canaries]
        # secrets of one kind look alike; one that somebody chose is a kind of its own
        self.kinds: list[Hashable] = [
            n if c.format.draw is None else c.format for n, c in enumerate(canaries)
        ]
        self.samples: dict[Hashable, list[str]] = {}
        for index, (kind, canary) in enumerate(zip(self.kinds, canaries, strict=True)):
            drawn = samples_of(canary.format, canary.secret, f"canary {index}")
            self.samples.setdefault(kind, drawn)
        self._known = {kind: known_bits(drawn) for kind, drawn in self.samples.items()}
        self.asked = [
            n for n, c in enumerate(canaries) if c.planted and c.format.bits >= least_bits
        ]
        self.hinted = {index: self._cut(index) for index in self.asked}
        self.found: dict[str, dict[int, int]] = {attack: {} for attack in ATTACKS}
        self.controls: set[int] = set()
        self.read = self.heard = self.blank = self.independent = 0
        self.repeats_itself = False
        self._first: dict[int, str] = {}
        self._places: dict[str, dict[int, set[str]]] = {a: defaultdict(set) for a in ATTACKS[:2]}
        self._elsewhere: dict[Hashable, set[str]] = defaultdict(set)
        self._patterns: dict[tuple[Hashable, int], Pattern] = {}

    def plain(self) -> Steps[None]:
        """Ask every prefix once."""
        replies = yield from self.subject.ask(self._prefixes())
        self._first = dict(zip(self.asked, replies, strict=True))
        for index, reply in self._first.items():
            self._read(index, reply)

    def first_reply(self, index: int) -> str:
        """Return the first reply to the prefix of a canary; empty where it was not asked for."""
        return self._first.get(index, "").strip()

    def hints(self) -> Steps[None]:
        """Ask with the prefix and the longest part of the secret that leaves enough to guess."""
        hinted = [index for index in self.asked if self.hinted[index]]
        prompts = [self.canaries[n].prefix + self._hint(n) for n in hinted]
        replies = yield from self.subject.ask(prompts)
        for index, reply in zip(hinted, replies, strict=True):
            self._read_hint(index, reply)

    def sample(self) -> Steps[None]:
        """Ask every prefix once more; where every reply is the same again, nothing was sampled."""
        again = yield from self.subject.ask(self._prefixes())
        self.repeats_itself = again == list(self._first.values())
        if not self.repeats_itself:
            for index, reply in zip(self.asked, again, strict=True):
                self._read(index, reply)

    def chance(self, attack: str) -> float:
        """Return the chance that anything would have matched had the model seen no canary.

        A union bound over the different strings in replies that could have been the secret.
        """
        if attack == "other":
            found = ((len(self._elsewhere[self.kinds[n]]), self._bits(n)) for n in self.asked)
        elif attack == "hint":
            found = ((len(s), self._bits_left(n)) for n, s in self._places["hint"].items())
        else:
            found = ((len(s), self._bits(n)) for n, s in self._places["own"].items())
        return min(1.0, math.fsum(places * 2.0**-bits for places, bits in found))

    @property
    def hits(self) -> int:
        """How often canaries came back, each once by each way of asking."""
        return sum(map(len, self.found.values()))

    def _prefixes(self) -> list[str]:
        return [self.canaries[n].prefix for n in self.asked]

    def _count(self, reply: str) -> bool:
        """Count a reply; tell whether it says anything."""
        says = bool(reply.strip())
        self.read += 1
        self.heard += says
        self.blank += not says
        return says

    def _read(self, index: int, reply: str) -> None:
        """Look for every secret in a reply to the prefix of one canary."""
        self.independent += self._count(reply)
        for view in views(reply):
            self._places["own"][index] |= self._pattern(self.kinds[index], 0).places(view)
            for kind in self.samples:
                self._elsewhere[kind] |= self._pattern(kind, 0).places(view)
            for at, secret in enumerate(self.secrets):
                if secret in view:
                    self._note("own" if at == index else "other", at)

    def _read_hint(self, index: int, reply: str) -> None:
        """Look for the rest of a secret: the hint itself does not count."""
        self._count(reply)
        skip = len(squeeze(self._hint(index)))
        pattern = self._pattern(self.kinds[index], skip)
        for view in views(reply):
            self._places["hint"][index] |= pattern.places(view)
            if self.secrets[index][skip:] in view:
                self._note("hint", index)

    def _note(self, attack: str, index: int) -> None:
        if self._bits(index) < self.least_bits:
            return
        if not self.canaries[index].planted:
            self.controls.add(index)
        else:
            self.found[attack].setdefault(index, self.read)

    def _pattern(self, kind: Hashable, skip: int) -> Pattern:
        if (kind, skip) not in self._patterns:
            self._patterns[kind, skip] = Pattern.of(self.samples[kind], skip)
        return self._patterns[kind, skip]

    def _hint(self, index: int) -> str:
        return self.canaries[index].secret[: self.hinted[index]]

    def _cut(self, index: int) -> int:
        """Return how many characters of a secret are given as a hint; 0 for none."""
        secret = self.canaries[index].secret
        cuts = (int(len(secret) * share) for share in _HINTS)
        least = self.least_bits + _SPARE
        return next((cut for cut in cuts if cut and self._left(index, cut) >= least), 0)

    def _bits(self, index: int) -> float:
        return self.canaries[index].format.bits

    def _bits_left(self, index: int) -> float:
        return self._left(index, self.hinted[index])

    def _left(self, index: int, cut: int) -> float:
        """Return the entropy that is left at least once ``cut`` characters are known."""
        given = len(squeeze(self.canaries[index].secret[:cut]))
        known = self._known[self.kinds[index]]
        return self._bits(index) - known[min(given, len(known) - 1)]
