"""What a run of ``blocked_features`` records: names that are blocked, and how well groups are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_mlgates.core.details import Count, Share

__all__ = ["Hit", "ModelAuc", "Proxy", "Seen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A column whose name holds a blocked name, or may be a misspelling of it."""

    column: str
    blocked: str
    how: Literal["is", "near"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAuc:
    """How often a model, fitted to other applicants, ranks a member above one who is not."""

    model: str
    auc: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """How well the members of one group are told from the features.

    ``blocks`` counts independent pairs of a member and another; ``chance`` is the largest AUC that
    any model reached after the groups were dealt out anew ``permutations`` times, and
    ``chance_mean`` the mean of all: about a half, unless applicants are on both sides of a fold.
    """

    attribute: str
    group: str
    members: Count
    others: Count
    blocks: Count
    models: tuple[ModelAuc, ...]
    chance: Share
    chance_mean: Share
    permutations: Count

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError(f"no model was fitted to {self.group!r}")
        if self.blocks > min(self.members, self.others):
            raise ValueError(f"{self.group!r} has more pairs than members or others")

    @property
    def best(self) -> ModelAuc:
        """The model that tells the group best."""
        return max(self.models, key=lambda model: model.auc)

    @property
    def name(self) -> str:
        """The group with its attribute."""
        return f"{self.attribute}={self.group}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that was looked at; ``varying`` columns have more than one value.

    ``unknown`` applicants have no value of an attribute (the one that most lack).
    """

    blocked: tuple[str, ...]
    columns: Count
    varying: Count
    hits: tuple[Hit, ...]
    attributes: tuple[str, ...]
    proxies: tuple[Proxy, ...]
    too_few: tuple[str, ...]
    unknown: Count
    named: bool
    repeated: Count = 0
    #: applicants, each counted once; 0.2 did not record it
    applicants: Count | None = None
    findings: tuple[str, ...] = ()

    @property
    def highest(self) -> float:
        """The highest AUC; a half where no group was looked for."""
        return max((proxy.best.auc for proxy in self.proxies), default=0.5)
