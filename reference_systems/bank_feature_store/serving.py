"""The incident, second half: the same features for serving, written again by the platform team.

In UTC, as servers are; an empty value stays empty; a window includes the instants at both its ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from reference_systems.bank_feature_store.feast_store import Answer
from reference_systems.bank_feature_store.intake import AT
from reference_systems.bank_feature_store.questions import Question
from reference_systems.bank_feature_store.repo import Repo, Served, plain

__all__ = ["get"]


def get(repo: Repo, questions: Sequence[Question], views: dict[str, Served]) -> list[Answer]:
    """Return the features of applicants who are asked for now."""
    answers: list[Answer] = [{} for _ in questions]
    for view in views.values():
        events: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in pd.read_parquet(repo.events(view.name)).to_dict("records"):
            events.setdefault(tuple(row[key] for key in view.keys), []).append(row)
        now = view.clock()
        for at, one in enumerate(questions):
            mine = events.get(tuple(one.of(view).values()), [])
            mine = [row for row in mine if row[AT] <= now]
            known = plain(mine[-1][AT]) if mine else None
            for of, name in one.features:
                if of == view.name:
                    value = _value(mine, now, name, view.windows.get(name))
                    status = "present" if value is not None else "null" if mine else "not found"
                    answers[at][f"{of}:{name}"] = value, status, known
    return answers


def _value(
    mine: list[dict[str, Any]], now: datetime, name: str, window: tuple[str, str, float] | None
) -> Any:
    if window is None:
        return plain(mine[-1][name]) if mine else None
    operation, column, seconds = window
    since = now - timedelta(seconds=seconds)
    amounts = [plain(row[column]) for row in mine if row[AT] >= since]
    if operation == "count":
        return len(amounts)
    held = [amount for amount in amounts if amount is not None]
    if not held:
        return None
    if operation == "mean":
        return sum(held) / len(held)
    return {"sum": sum, "max": max, "min": min}[operation](held)
