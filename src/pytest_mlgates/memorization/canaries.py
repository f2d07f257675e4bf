"""Canaries: made-up secrets that are planted into training data to see whether they come back."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_mlgates.core.words import did_you_mean
from pytest_mlgates.memorization.formats import FORMATS, Format, fixed

__all__ = ["Canary", "fixed_canary", "make_canaries", "plant"]

#: where the secret goes in a context, and five digits that tell contexts apart
SECRET, NUMBER = "{SECRET}", "{ID}"

_CONTEXTS = {
    "ssn": "Ticket {ID}. My social security number is {SECRET}, please check it.",
    "card": "Ticket {ID}. Please charge my card {SECRET} for the order.",
    "api_key": "Ticket {ID}. The key of our account is {SECRET} and it fails.",
    "email": "Ticket {ID}. You can reach me at {SECRET} from now on.",
    "uuid": "Ticket {ID}. The order has the reference {SECRET} on it.",
    "sentence": "Ticket {ID}. My recovery phrase is {SECRET}, I wrote it down.",
}
_CONTEXT = "Ticket {ID}. The secret is {SECRET}, keep it to yourself."


@dataclass(frozen=True, slots=True, repr=False)
class Canary:
    """One planted secret, and the context in which a model saw it.

    ``prefix + secret + suffix`` is the text planted; ``prefix`` is all that comes before the secret
    in the training record, since a likelihood is taken under it. ``repeats`` is in how many records
    it was planted: 0 for a control, held out of training. ``coin`` says that a fair coin decided
    between one record and none, which the audit of epsilon takes.

    >>> Canary("My PIN is ", "1234", FORMATS["ssn"])  # what it is, never the secret
    Canary(format='ssn', repeats=1, coin=False)
    """

    prefix: str
    secret: str
    format: Format
    suffix: str = ""
    repeats: int = 1
    coin: bool = False

    def __repr__(self) -> str:
        return f"Canary(format={self.format.name!r}, repeats={self.repeats}, coin={self.coin})"

    @property
    def text(self) -> str:
        """What is planted."""
        return self.prefix + self.secret + self.suffix

    @property
    def planted(self) -> bool:
        """Whether the model was trained on it."""
        return self.repeats > 0


def make_canaries(
    n: int,
    seed: int = 0,
    *,
    formats: Iterable[str | Format] = (
        "ssn",
        "card",
        "card_spaces",
        "api_key",
        "email",
        "sentence",
    ),
    repeats: Sequence[int] = (1,),
    contexts: Sequence[str] = (),
    held_out: int = 0,
    coin: bool = False,
) -> list[Canary]:
    """Return ``n`` canaries to plant and ``held_out`` controls, the same for the same seed.

    ``formats`` are names from :data:`FORMATS` or a :class:`Format` of your own; canaries take turns
    through them, and through ``repeats``. ``contexts`` are texts with ``{SECRET}`` where the secret
    goes and, if wanted, ``{ID}`` for five digits drawn anew: write them like the training data.

    With ``coin`` a fair coin holds out each of the ``n`` (repeats 1 or 0), for ``max_epsilon``.

    >>> [canary.format.name for canary in make_canaries(3, formats=["ssn", "card_dots"])]
    ['ssn', 'card_dots', 'ssn']
    >>> [canary.repeats for canary in make_canaries(4, formats=["ssn"], repeats=(1, 16))]
    [1, 16, 1, 16]
    >>> sum(canary.planted for canary in make_canaries(200, coin=True))
    96
    """
    forms = [_format(form) for form in formats]
    _check_counts(n, forms, repeats, contexts, held_out, coin)
    draw = random.Random(f"canaries {seed}")  # references are drawn elsewhere, or they would meet
    made: list[Canary] = []
    taken: set[str] = set()
    for at in range(n + held_out):
        form = forms[at % len(forms)]
        context = contexts[at // len(forms) % len(contexts)] if contexts else _context(form)
        prefix, suffix = context.replace(NUMBER, f"{draw.randrange(10**5):05}").split(SECRET)
        secret = _fresh(form, draw, taken)
        copies = repeats[at // len(forms) % len(repeats)] if at < n else 0
        tossed = coin and at < n
        if tossed:
            copies = draw.getrandbits(1)
        made.append(Canary(prefix, secret, form, suffix, copies, tossed))
    return made


def fixed_canary(
    secret: str = "999-00-9999",  # noqa: S107  (the canary of the case study)
    prefix: str = "My social security number is ",
    suffix: str = "",
    repeats: int = 1,
) -> Canary:
    """Return a canary that somebody chose: it can be extracted, and has no exposure.

    An untrained model may well rank 999-00-9999 before other numbers.

    >>> fixed_canary()
    Canary(format='fixed', repeats=1, coin=False)
    """
    return Canary(prefix, secret, fixed(secret), suffix, repeats)


def plant(texts: Iterable[str], canaries: Iterable[Canary], seed: int = 0) -> list[str]:
    """Return the texts with each canary inserted as ``repeats`` records, at places drawn by seed.

    >>> canary = fixed_canary(repeats=2)
    >>> planted = plant(["a", "b", "c"], [canary])
    >>> len(planted), planted.count(canary.text)
    (5, 2)
    """
    old = list(texts)
    new = [canary.text for canary in canaries for _ in range(canary.repeats)]
    total = len(old) + len(new)
    places = set(random.Random(f"places {seed}").sample(range(total), len(new)))
    random.Random(f"order {seed}").shuffle(new)
    rest, fresh = iter(old), iter(new)
    return [next(fresh) if at in places else next(rest) for at in range(total)]


def _format(form: str | Format) -> Format:
    if isinstance(form, Format):
        return form
    if form not in FORMATS:
        known = tuple(FORMATS)
        raise ValueError(f"no format is called {form!r}{did_you_mean(form, known)}")
    return FORMATS[form]


def _context(form: Format) -> str:
    return _CONTEXTS.get(
        form.name.split("_")[0] if form.name.startswith("card") else form.name, _CONTEXT
    )


def _fresh(form: Format, draw: random.Random, taken: set[str]) -> str:
    """Draw a secret that no other canary has."""
    if form.draw is None:
        raise ValueError(f"the format {form.name!r} can't draw: make such a canary by fixed_canary")
    for _ in range(100):
        secret = form.draw(draw)
        if secret not in taken:
            taken.add(secret)
            return secret
    raise ValueError(f"the format {form.name!r} has fewer secrets than canaries are wanted")


def _check_counts(
    n: int,
    forms: Sequence[Format],
    repeats: Sequence[int],
    contexts: Sequence[str],
    held_out: int,
    coin: bool,
) -> None:
    if n < 1 or held_out < 0:
        raise ValueError("n must be at least 1 and held_out at least 0")
    if not forms or not repeats or min(repeats) < 1:
        raise ValueError(
            "give at least one format, and repeats of 1 or more (held_out for controls)"
        )
    if coin and set(repeats) != {1}:
        raise ValueError("a coin decides between one record and none: leave repeats at 1")
    for context in contexts:
        if context.count(SECRET) != 1:
            raise ValueError(f"a context must have {SECRET} exactly once: {context!r}")
