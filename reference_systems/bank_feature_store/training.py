"""The incident, first half: features for training, written by the data scientists in pandas.

Nobody compared it with serving.py. Three things differ: times are the wall clock of the branches and
are held against the times of the training rows, which are UTC; an empty value becomes 0; and a
window, or the last value, ends just before the event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from reference_systems.bank_feature_store.feast_store import Answer
from reference_systems.bank_feature_store.intake import AT
from reference_systems.bank_feature_store.questions import Question
from reference_systems.bank_feature_store.repo import Repo, Served, plain

__all__ = ["history"]

BRANCH_TIME = "America/New_York"


def history(repo: Repo, questions: Sequence[Question], views: dict[str, Served]) -> list[Answer]:
    """Return the features of training rows."""
    answers: list[Answer] = [{} for _ in questions]
    for view in views.values():
        events = pd.read_parquet(repo.events(view.name))
        events["local"] = events[AT].dt.tz_convert(BRANCH_TIME).dt.tz_localize(None)
        by_key = dict(iter(events.groupby(list(view.keys), sort=False)))
        for at, one in enumerate(questions):
            asked = [name for of, name in one.features if of == view.name]
            if not asked or one.when is None:
                continue
            group = by_key.get(tuple(one.of(view).values()), events[:0])
            now = pd.Timestamp(one.when).tz_localize(None)
            past = group[group["local"] < now]
            known = plain(past[AT].iloc[-1]) if len(past) else None
            for name in asked:
                value = _value(past, now, name, view.windows.get(name))
                answers[at][f"{view.name}:{name}"] = value, "present", known
    return answers


def _value(
    past: pd.DataFrame, now: pd.Timestamp, name: str, window: tuple[str, str, float] | None
) -> Any:
    if window is None:
        return plain(
            past[name].iloc[-1:].fillna(0).sum() if _numeric(past, name) else _text(past[name])
        )
    operation, column, seconds = window
    inside = past[past["local"] >= now - pd.Timedelta(seconds=seconds)]
    if operation == "count":
        return len(inside)
    return plain(inside[column].fillna(0).agg(operation)) or 0


def _numeric(past: pd.DataFrame, name: str) -> bool:
    return pd.api.types.is_numeric_dtype(past[name])


def _text(column: pd.Series) -> str:
    held = column.dropna()
    return str(held.iloc[-1]) if len(held) else ""
