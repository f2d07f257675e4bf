"""Both builds at the rows that the gates ask for, and the onboarding as commands.

Features are named as they are asked for ("customer:age"); beside each stands when its value became
known ("customer:age__ts"), which is how the gate sees a leak.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
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

    def __init__(self, folder: Path, customers: int, seed: int, payments: int = 12) -> None:
        self.repo = Repo(folder / "repo")
        definition = inputs.write(folder, customers, seed, payments)
        as_of = moment(inputs.AS_OF)
        self.steps = list(onboard(self.repo, definition, as_of, None, lambda _told: None))
        self.entities = [
            {"customer_id": 100 + n, "event_timestamp": as_of} for n in range(customers)
        ]
        self._feast = FeastStore(self.repo)
        self._kept: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def offline(self, build: str) -> list[dict[str, Any]]:
        """Return what training reads at the rows asked for."""
        if ("offline", build) not in self._kept:
            ask = self._feast.history if build == "fixed" else self._by_hand(training.history)
            answers = ask(self._questions(timed=True), self.repo.views())
            self._kept["offline", build] = [
                {**entity, **_row(answer)}
                for entity, answer in zip(self.entities, answers, strict=True)
            ]
        return list(self._kept["offline", build])

    def online(self, build: str) -> list[dict[str, Any]]:
        """Return what serving answers now."""
        if ("online", build) not in self._kept:
            ask = self._feast.get if build == "fixed" else self._by_hand(serving.get)
            asked, views = self._questions(timed=False), self.repo.views()
            answers: list[Answer] = []
            for at in range(0, len(asked), _BATCH):
                answers += ask(asked[at : at + _BATCH], views)
            self._kept["online", build] = [
                {"customer_id": entity["customer_id"], **_row(answer)}
                for entity, answer in zip(self.entities, answers, strict=True)
            ]
        return list(self._kept["online", build])

    def _by_hand(self, ask: Callable[..., list[Answer]]) -> Callable[..., list[Answer]]:
        return lambda asked, views: ask(self.repo, asked, views)

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
