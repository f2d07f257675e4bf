"""One line asked: which keys, which features, at which time; or what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reference_systems.bank_feature_store.definition import meant
from reference_systems.bank_feature_store.errors import BadLine
from reference_systems.bank_feature_store.repo import Served, moment

__all__ = ["Question", "question"]

_MOST = 2**63
#: fields of a line that are not keys
_OTHERS = ("id", "features", "event_timestamp")


@dataclass(frozen=True, slots=True)
class Question:
    """Keys with their values, and the features asked for, as (view, feature)."""

    keys: tuple[tuple[str, int | str], ...]
    features: tuple[tuple[str, str], ...]
    when: datetime | None = None

    def of(self, view: Served) -> dict[str, int | str]:
        """Return the keys of one view."""
        given = dict(self.keys)
        return {key: given[key] for key in view.keys}


def question(line: Mapping[str, Any], views: Mapping[str, Served], *, timed: bool) -> Question:
    """Read a line; BadLine says what to change."""
    types = {key: kind for view in views.values() for key, kind in view.keys.items()}
    keys = {}
    for name, value in line.items():
        if name in types:
            keys[name] = _key(name, value, types[name])
        elif name not in _OTHERS:
            raise BadLine(f"{name!r} is not an entity key{meant(name, list(types))}")
    if not keys:
        raise BadLine(f"names no entity: give {' or '.join(map(repr, types))}")
    when = _when(line) if timed else None
    if not timed and "event_timestamp" in line:
        raise BadLine("get answers with what is served now: ask history for values at a time")
    return Question(tuple(sorted(keys.items())), _features(line, views, set(keys)), when)


def _features(
    line: Mapping[str, Any], views: Mapping[str, Served], keys: set[str]
) -> tuple[tuple[str, str], ...]:
    known = {f"{v.name}:{name}": (v.name, name) for v in views.values() for name in v.features}
    asked = line.get("features")
    if asked is None:
        found = [pair for pair in known.values() if set(views[pair[0]].keys) <= keys]
        if not found:
            missing = min((set(v.keys) - keys for v in views.values()), key=len)
            raise BadLine(f"no features of these keys alone: {min(missing)!r} is missing")
        return tuple(found)
    if not isinstance(asked, list) or not asked or not all(isinstance(f, str) for f in asked):
        raise BadLine("'features' must be a list such as [\"customer:age\"]")
    for reference in asked:
        if reference not in known:
            raise BadLine(f"{reference!r} is not served{meant(reference, list(known))}")
        if lacking := set(views[known[reference][0]].keys) - keys:
            raise BadLine(f"{reference!r} needs the key {min(lacking)!r}")
    return tuple(dict.fromkeys(known[reference] for reference in asked))


def _key(name: str, value: Any, kind: str) -> int | str:
    if value is None:
        raise BadLine(f"{name!r} is null: whose features?")
    if kind == "String":
        if isinstance(value, str):
            return value
        raise BadLine(f"{name!r} must be a text, as in the source: write it in quotes")
    # 1.0 is one; beyond 2**53 a number with a point has lost digits on its way
    exact = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    if isinstance(value, bool) or not (isinstance(value, int) or exact):
        raise BadLine(f"{name!r} must be a whole number, as in the source")
    if not -_MOST <= value < _MOST:
        raise BadLine(f"{name!r} is too large for a key of 64 bits")
    return int(value)


def _when(line: Mapping[str, Any]) -> datetime:
    text = line.get("event_timestamp")
    if not isinstance(text, str):
        raise BadLine('give "event_timestamp", ISO 8601, such as "2026-11-30T09:00:00Z"')
    try:
        return moment(text)
    except ValueError as fault:
        raise BadLine(f"'event_timestamp' {fault}") from None
