"""What a gate config can't come to, known before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pytest_mlgates.config.config import Config
from pytest_mlgates.config.profiles import Profile
from pytest_mlgates.config.waivers import Waiver
from pytest_mlgates.core import Gate

__all__ = ["faults_ahead", "notes_ahead", "why_never_passes"]


def why_never_passes(gate: Gate) -> str:
    """Return why no subject can pass a gate, however good, or an empty text.

    >>> from pytest_mlgates import P99Latency
    >>> why_never_passes(P99Latency(max_ms=5, max_calls=100))
    'can never PASS: that takes 5,000 calls or more, and max_calls is 100'
    >>> why_never_passes(P99Latency(max_ms=5))
    ''
    """
    needs = gate.needs()
    most = getattr(gate, gate.cap) if gate.cap else None
    if needs is None or most is None or most >= needs.to_pass:
        return ""
    return (
        f"can never PASS: that takes {needs.to_pass:,} {needs.unit} or more, and {gate.cap} is"
        f" {most:,}"
    )


def faults_ahead(config: Config, now: datetime) -> Iterator[str]:
    """Yield a line for each entry that can't PASS under a profile, and each waiver that is over."""
    for entry in config.entries.values():
        why = {name: why_never_passes(config.gate(entry, p)) for name, p in _profiles(config)}
        known = {text for text in why.values() if text}
        for text in sorted(known):
            under = [name for name, said in why.items() if said == text]
            where = f" (profile {', '.join(under)})" if len(under) < len(why) else ""
            yield f"{entry.source}: {entry.name} {text}{where}"
    for waiver in config.waivers:
        if not waiver.active(now):
            yield (
                f"{waiver.source}: the waiver for {waiver.gate} expired ({waiver.expires}): fix the"
                " gate or renew the waiver"
            )


def notes_ahead(config: Config) -> Iterator[str]:
    """Yield a line for each waiver that leaves it to a default which limit it is about."""
    for waiver in config.waivers:
        gate = config.entries[waiver.gate].plain
        given = [name for name in gate.directions() if getattr(gate, name) is not None]
        if waiver.limit is None and len(given) > 1 and gate.limit_field():
            yield f"{waiver.source}: {_about(waiver, gate)}"


def _about(waiver: Waiver, gate: Gate) -> str:
    held = gate.limit_field()
    return f"the waiver for {waiver.gate} names no limit, so it is about {held} and no other"


def _profiles(config: Config) -> list[tuple[str, Profile]]:
    return list({"default": config.profile(None), **config.profiles}.items())
