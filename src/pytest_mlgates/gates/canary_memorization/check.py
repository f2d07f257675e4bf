"""Refuse canaries that could prove nothing, before the model is asked anything."""

from __future__ import annotations

import random
from functools import lru_cache

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.core.words import a
from pytest_mlgates.gates.canary_memorization.matching import Pattern, squeeze
from pytest_mlgates.memorization.canaries import Canary, fixed_canary
from pytest_mlgates.memorization.formats import Format
from pytest_mlgates.reading.records import records

__all__ = ["checked", "samples_of"]

_DRAWS = 200
MIN_CHARACTERS = 4


def checked(canaries: object) -> list[Canary]:
    """Return the canaries as a list; Unmeasurable names the first that can't be used, and the way out.

    A plain text is a secret that somebody chose, planted nobody says where: it is asked for without
    a prefix, and has no exposure.
    """
    rows = records(canaries, "canaries", "a list, as make_canaries returns", values=True)
    listed = [fixed_canary(c, prefix="") if isinstance(c, str) else c for c in rows]
    for at, canary in enumerate(listed):
        if not isinstance(canary, Canary):
            kind = a(type(canary).__name__)
            raise Unmeasurable(
                f"canary {at} is {kind}: make canaries with make_canaries, or with"
                " fixed_canary(secret, prefix) where the secret is given"
            )
    if not any(canary.planted for canary in listed):
        raise Unmeasurable("no canary was planted (repeats 1 or more), so none can come back")
    _check_different(listed)
    return listed


def _check_different(canaries: list[Canary]) -> None:
    secrets = [squeeze(canary.secret) for canary in canaries]
    context = "\n".join(squeeze(canary.prefix) for canary in canaries)
    first: dict[str, int] = {}
    for at, (canary, secret) in enumerate(zip(canaries, secrets, strict=True)):
        if len(secret) < MIN_CHARACTERS:
            raise Unmeasurable(
                f"canary {at} has {len(secret)} letters and digits: a secret takes {MIN_CHARACTERS} or more"
            )
        if secret in first:
            raise Unmeasurable(f"canaries {first[secret]} and {at} have the same secret")
        first[secret] = at
        if secret in context:
            raise Unmeasurable(
                f"the secret of canary {at} stands in a prefix: a model that is given this prefix can"
                " copy it"
            )
        if canary.coin and canary.repeats > 1:
            raise Unmeasurable(
                f"canary {at} was planted {canary.repeats} times by a coin: the unit that epsilon"
                " protects is one record, so a coin decides between one copy and none"
            )


def samples_of(form: Format, secret: str, name: str) -> list[str]:
    """Return many draws of a canary's format, squeezed, having checked that it is what it says.

    >>> from pytest_mlgates.memorization.formats import FORMATS
    >>> len(samples_of(FORMATS["ssn"], "912-34-5678", "canary 0"))
    200
    """
    if form.draw is None:
        return [_shifted(squeeze(secret), step) for step in range(10)]
    drawn, shapes = _drawn(form)
    if not drawn:
        raise Unmeasurable(f"the format {form.name!r} of {name} drew something that is not a text")
    different = len(set(drawn))
    twice = _DRAWS * _DRAWS / 2 * 2.0**-form.bits  # chance that any two draws are equal
    if different == 1 or (different < _DRAWS and twice < 1e-6):
        raise Unmeasurable(
            f"the format {form.name!r} of {name} gave {different} different secrets in {_DRAWS}"
            f" draws: that is less than {form.bits:.1f} bits"
        )
    alike = len(shapes) > 1 or (
        _pattern_shape(secret) in shapes and Pattern.of(drawn).regex.fullmatch(squeeze(secret))
    )
    if not alike:
        raise Unmeasurable(
            f"{name} is not written like its format {form.name!r}: it would not rank fairly among"
            " secrets drawn from it"
        )
    return drawn


@lru_cache(maxsize=64)
def _drawn(form: Format) -> tuple[list[str], set[str]]:
    """Return draws of a format, squeezed, and how they are written; none where one is not a text."""
    assert form.draw is not None
    draw = random.Random("what a format looks like")
    drawn: list[object] = [form.draw(draw) for _ in range(_DRAWS)]
    texts = [one for one in drawn if isinstance(one, str) and one]
    if len(texts) < len(drawn):
        return [], set()
    return [squeeze(one) for one in texts], {_pattern_shape(one) for one in texts}


def _shifted(secret: str, step: int) -> str:
    """Return other digits and letters in the same places: what might have been chosen instead."""
    digits = "0123456789"
    letters = "abcdefghijklmnopqrstuvwxyz"
    table = str.maketrans(
        digits + letters,
        digits[step:] + digits[:step] + letters[step:] + letters[:step],
    )
    return secret.translate(table)


def _pattern_shape(text: str) -> str:
    return "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in text)
