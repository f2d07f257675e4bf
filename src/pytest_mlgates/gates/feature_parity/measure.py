"""Hold what training holds against what serving holds, feature by feature."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from pytest_mlgates.core.details import plain
from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.records import Look, Measurement
from pytest_mlgates.core.words import percent, plural
from pytest_mlgates.gates.feature_parity.details import Feature, Seen
from pytest_mlgates.gates.feature_parity.judge import headline
from pytest_mlgates.gates.feature_parity.sides import (
    AskedRows,
    Side,
    asked_rows,
    asked_side,
    table_side,
)
from pytest_mlgates.gates.feature_parity.values import (
    ABSENT,
    difference,
    instant_of,
    plain_value,
)
from pytest_mlgates.reading.slices import mask_identifiers, unique_labels

__all__ = ["Plan", "measure_parity"]

#: rows that differ which are shown for a feature, and findings in all
MAX_ROWS, MAX_FINDINGS = 3, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How sides are read; the errors are those of the interval that is shown."""

    features: tuple[str, ...]
    keys: tuple[str, ...]
    timestamp: str
    feature_timestamp: str
    tolerance: float
    timeout_s: float
    concurrency: int
    lower_error: float
    upper_error: float

    def times_of(self, feature: str) -> tuple[str, str]:
        """Return the columns that may say when a value became known: its own, or the row's."""
        return f"{feature}__ts", self.feature_timestamp


@dataclass(slots=True)
class _Mismatch:
    """What is counted for a feature."""

    differ: list[bool] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    empty: int = 0
    leaks: int = 0
    timed: int = 0
    untimed: int = 0
    oldest_s: float | None = None
    shown: list[str] = field(default_factory=list)

    def show(self, row: int, told: str) -> None:
        if len(self.shown) < MAX_ROWS:
            self.shown.append(f"entities row {row}: {told}")


def measure_parity(
    offline: object, online: object, entities: object, plan: Plan
) -> Generator[Look, object, None]:
    """Compare both sides at the rows asked for, and yield what came of it."""
    if offline is online:
        raise Unmeasurable("offline and online are one and the same object: that compares nothing")
    notes: list[str] = []
    asked = asked_rows(entities, plan.timestamp, notes)
    if not asked.rows:
        raise Unmeasurable("entities holds no rows, so nothing was asked for")
    keys = _keys(asked, plan)
    subject = (plan.timeout_s, plan.concurrency)
    sides = []
    for what, source in (("offline", offline), ("online", online)):
        if callable(source):
            timestamp = plan.timestamp if what == "offline" else None
            side = yield from asked_side(source, what, asked, keys, timestamp, subject)
        else:
            side = table_side(source, what, asked, keys, plan.timestamp)
        sides.append(side)
        notes += side.notes
    before, now = sides
    names = _features(before, now, asked, plan)
    tallies = {name: _Mismatch() for name in names}
    for name, tally in tallies.items():
        _compare_feature(tally, name, before, now, asked.times, plan)
    yield _of_features(tallies, before, now, asked, keys, notes, plan)


def _keys(asked: AskedRows, plan: Plan) -> tuple[str, ...]:
    keys = plan.keys or asked.columns
    if lacking := [name for name in keys if name not in asked.columns]:
        shown = ", ".join(mask_identifiers(name) for name in asked.columns[:8])
        raise Unmeasurable(f"entities lacks the key column {lacking[0]!r} (it has {shown})")
    if not keys:
        raise Unmeasurable("entities holds no key column: whose features are asked for?")
    return keys


def _others(side: Side, asked: AskedRows, plan: Plan) -> list[str]:
    """Return the columns of a side that are features: not a key, and not a time."""
    known = {*asked.columns, plan.timestamp, plan.feature_timestamp}
    return sorted(name for name in side.columns - known if not name.endswith("__ts"))


def _features(before: Side, now: Side, asked: AskedRows, plan: Plan) -> list[str]:
    mine, theirs = _others(before, asked, plan), _others(now, asked, plan)
    if plan.features:
        if nowhere := [n for n in plan.features if n not in before.columns | now.columns]:
            shown = ", ".join(mask_identifiers(name) for name in sorted({*mine, *theirs})[:8])
            raise Unmeasurable(f"neither side has the feature {nowhere[0]!r} (they have {shown})")
        return list(plan.features)
    if common := [name for name in mine if name in theirs]:
        return common
    raise Unmeasurable(
        f"no feature is on both sides: offline has {', '.join(map(mask_identifiers, mine[:5])) or 'none'},"
        f" online has {', '.join(map(mask_identifiers, theirs[:5])) or 'none'}"
    )


def _compare_feature(
    tally: _Mismatch,
    name: str,
    before: Side,
    now: Side,
    times: Sequence[datetime] | None,
    plan: Plan,
) -> None:
    texts = (before.text, now.text)
    own = plan.times_of(name)
    has_times = [[column for column in own if column in side.columns] for side in (before, now)]
    for number, pair in enumerate(zip(before.rows, now.rows, strict=True)):
        values = [plain_value(row.get(name, ABSENT)) if row is not None else None for row in pair]
        if pair[0] is None or pair[1] is None:
            where = (
                "both sides" if pair[0] is pair[1] else "offline" if pair[0] is None else "online"
            )
            kind, told = "dropped", f"dropped by {where}"
        elif number in before.twice or number in now.twice:
            kind, told = "duplicate", "there more often than it was asked for"
        else:
            kind = difference(values[0], values[1], plan.tolerance, texts)
            told = f"{_type(values[0])} offline, {_type(values[1])} online" if kind else ""
        if kind == "value":
            told = _how_far(values)
        tally.differ.append(bool(kind))
        if kind:
            tally.kinds[kind] += 1
            tally.show(number, told)
        tally.empty += all(value is None for value in values)
        for side, row, value, columns in zip(
            ("offline", "online"), pair, values, has_times, strict=True
        ):
            if value is None or value is ABSENT:
                continue
            if not columns or times is None:
                tally.untimed += 1
            elif row is not None:
                _hold_time(tally, row, columns, times[number], (side, number))


def _hold_time(
    tally: _Mismatch, row: Any, columns: Sequence[str], event: datetime, place: tuple[str, int]
) -> None:
    """Hold the time at which a value became known against the event."""
    value = next((found for c in columns if (found := plain_value(row.get(c))) is not None), None)
    if value is None or value == 0:  # Feast writes 0 where it knows no time
        tally.untimed += 1
        return
    tally.timed += 1
    try:
        age = (event - instant_of(_epoch_seconds(value))).total_seconds()
    except (ValueError, OverflowError, OSError):
        where = f"{place[0]} at entities row {place[1]}"
        raise Unmeasurable(
            f"{where}: {columns[0]!r} is not a time (ISO 8601, or seconds)"
        ) from None
    if age < 0:
        tally.leaks += 1
        tally.show(place[1], f"{place[0]} knew it only after the event")
    else:
        tally.oldest_s = max(tally.oldest_s or 0.0, age)


def _epoch_seconds(value: object) -> object:
    """Read a number that a CSV file holds as text: seconds since 1970."""
    if isinstance(value, str) and value.strip().replace(".", "", 1).isdigit():
        return float(value)
    return value


def _type(value: object) -> str:
    return {"NoneType": "null", "Absent": "no such column"}.get(
        type(value).__name__, type(value).__name__
    )


def _how_far(values: Sequence[Any]) -> str:
    """Say how far numbers are apart; no value is shown, it may be somebody's age."""
    x, y = values
    if isinstance(x, (int, float)) and isinstance(y, (int, float)) and x:
        return f"online is off by {percent(abs(float(y) - float(x)) / abs(float(x)))} of the offline value"
    return f"two different {_type(x)} values"


def _of_features(
    tallies: dict[str, _Mismatch],
    before: Side,
    now: Side,
    asked: AskedRows,
    keys: Sequence[str],
    notes: list[str],
    plan: Plan,
) -> Measurement:
    units = {key: n for n, key in enumerate(dict.fromkeys(asked.keys(keys, as_texts=False)))}
    place = np.array([units[key] for key in asked.keys(keys, as_texts=False)])
    labels = unique_labels(tallies)
    features = tuple(_feature_of(labels[n], tally, place) for n, tally in tallies.items())
    mine, theirs = (_others(side, asked, plan) for side in (before, now))
    alone = [] if plan.features else [sorted({*mine} - {*theirs}), sorted({*theirs} - {*mine})]
    only = [tuple(map(mask_identifiers, names)) for names in alone] or [(), ()]
    seen = Seen(
        features=features,
        only_offline=only[0],
        only_online=only[1],
        event_times=asked.times is not None,
        tolerance=plan.tolerance,
        findings=tuple([*_mismatches(labels, tallies), *notes][:MAX_FINDINGS]),
    )
    return headline(seen, plan.lower_error, plan.upper_error).measurement(plain(seen))


def _feature_of(name: str, tally: _Mismatch, place: Any) -> Feature:
    differ = np.array(tally.differ)
    rows = np.bincount(place)
    wrong = np.bincount(place, weights=differ).astype(int)
    spread = Counter(zip(wrong.tolist(), rows.tolist(), strict=True))
    return Feature(
        name=name,
        rows=len(differ),
        differ=int(differ.sum()),
        kinds=dict(tally.kinds),
        spread=tuple((w, r, times) for (w, r), times in sorted(spread.items())),
        empty=tally.empty,
        leaks=tally.leaks,
        timed=tally.timed,
        untimed=tally.untimed,
        oldest_s=tally.oldest_s,
    )


def _mismatches(labels: dict[str, str], tallies: dict[str, _Mismatch]) -> Iterator[str]:
    for name, tally in sorted(tallies.items(), key=lambda item: -sum(item[1].differ)):
        if tally.kinds:
            kinds = ", ".join(f"{kind} {n:,}" for kind, n in tally.kinds.most_common())
            rows = plural(len(tally.differ), "row")
            yield f"{labels[name]}: {sum(tally.differ):,} of {rows} differ ({kinds})"
        for line in tally.shown:
            yield f"{labels[name]}: {line}"
        if tally.empty > len(tally.differ) / 2:
            yield f"{labels[name]}: null on both sides in {tally.empty:,} of {len(tally.differ):,} rows"
