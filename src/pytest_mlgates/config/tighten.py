"""What a marker may do to a configured gate: make its limits stricter, never looser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_mlgates.config.errors import ConfigError
from pytest_mlgates.core import Gate
from pytest_mlgates.core.fields import FieldError, convert, hints, limit_of, meant
from pytest_mlgates.core.gate import make

__all__ = ["tighten"]


def tighten(gate: Gate, changes: Iterable[Mapping[str, object]], where: str, source: str) -> Gate:
    """Return ``gate`` with stricter limits, or raise :class:`ConfigError`.

    ``changes`` stand side by side, as on one function: the strictest holds. ``where`` names the
    marker and ``source`` the place of the configured limits.
    """
    known = hints(type(gate))
    strictest: dict[str, Any] = {}
    for field, wanted in (pair for change in changes for pair in change.items()):
        if field not in known:
            hint = meant(field, wanted, known)
            raise ConfigError(f"{where}: {gate.name} has no field {field!r}{hint}")
        limit = limit_of(known[field])
        if limit.tighten is None:
            raise ConfigError(
                f"{where}: {field} can't be changed by a marker: change it in {source}"
            )
        try:
            new = convert(known[field], wanted, field)
        except FieldError as fault:
            raise ConfigError(f"{where}: {fault}") from None
        old = getattr(gate, field)
        if not (old is None or new is None or isinstance(old, (int, float))):
            raise ConfigError(
                f"{where}: {field} does not hold a single number: change it in {source}"
            )
        if old is not None and (new is None or limit.is_looser(new, old)):
            raise ConfigError(
                f"{where}: {field}={wanted!r} is looser than the {old:g} of {source}: "
                "a marker may only tighten a limit"
            )
        if field not in strictest or limit.is_looser(strictest[field], new):
            strictest[field] = new
    if not strictest:
        return gate
    try:
        return make(type(gate), {**gate.policy(), **strictest})
    except FieldError as fault:
        raise ConfigError(f"{where}: {fault}") from None
