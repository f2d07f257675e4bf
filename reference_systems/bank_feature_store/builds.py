"""Both builds at the rows that the gates ask for, and the onboarding as commands.

Features are named as they are asked for ("customer:age"); beside each stands when its value became
known ("customer:age__ts"), which is how the gate sees a leak.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from reference_systems.bank_feature_store import inputs, serving, training
from reference_systems.bank_feature_store.feast_store import Answer, FeastStore
from reference_systems.bank_feature_store.onboarding import onboard
from reference_systems.bank_feature_store.questions import Question
from reference_systems.bank_feature_store.repo import Repo, moment

__all__ = ["BUILDS", "FEATURES", "Store", "commands"]

BUILDS = ("incident", "fixed")
FEATURES = (
    ("customer", "age"),
    ("customer", "tenure"),
    ("payments", "spend_30d"),
    ("payments", "count_30d"),
)
_ROOT = Path(__file__).parents[2]
_BATCH = 20_000


class Store:
    """The bank's features in a folder, as of one instant, behind both builds."""

    def __init__(self, folder: Path, customers: int, seed: int) -> None:
        self.repo = Repo(folder / "repo")
        definition = inputs.write(folder, customers, seed)
        as_of = moment(inputs.AS_OF)
        self.steps = list(onboard(self.repo, definition, as_of, None, lambda _told: None))
        self.entities = [
            {"customer_id": 100 + n, "event_timestamp": as_of} for n in range(customers)
        ]
        self._feast = FeastStore(self.repo)

    def offline(self, build: str) -> list[dict[str, Any]]:
        """Return what training reads at the rows asked for."""
        views, asked = self.repo.views(), self._questions(timed=True)
        answers = (
            training.history(self.repo, asked, views)
            if build == "incident"
            else self._feast.history(asked, views)
        )
        return [
            {**entity, **_row(answer)}
            for entity, answer in zip(self.entities, answers, strict=True)
        ]

    def online(self, build: str) -> list[dict[str, Any]]:
        """Return what serving answers now."""
        views, asked = self.repo.views(), self._questions(timed=False)
        answers: list[Answer] = []
        for at in range(0, len(asked), _BATCH):
            part = asked[at : at + _BATCH]
            answers += (
                serving.get(self.repo, part, views)
                if build == "incident"
                else self._feast.get(part, views)
            )
        return [
            {"customer_id": entity["customer_id"], **_row(answer)}
            for entity, answer in zip(self.entities, answers, strict=True)
        ]

    def _questions(self, *, timed: bool) -> Sequence[Question]:
        return [
            Question(
                (("customer_id", entity["customer_id"]),),
                FEATURES,
                entity["event_timestamp"] if timed else None,
            )
            for entity in self.entities
        ]


def _row(answer: Answer) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, (value, _status, known) in answer.items():
        row[name] = value
        row[f"{name}__ts"] = datetime.fromisoformat(known) if known else None
    return row


def commands(folder: Path) -> list[dict[str, Any]]:
    """Return what a data scientist types after the definition is written: two commands."""
    program = [sys.executable, "-m", __package__, "--repo", str(folder / "repo")]
    line = {"id": 1, "customer_id": 123, "features": ["customer:age", "customer:tenure"]}
    return [
        {
            "name": "onboard",
            "command": [*program, "onboard", str(folder / "customer.py"), "--as-of", inputs.AS_OF],
            "cwd": _ROOT,
        },
        {"name": "get", "command": [*program, "get"], "input": json.dumps(line), "cwd": _ROOT},
    ]
