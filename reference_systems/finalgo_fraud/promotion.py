"""May a new model take the place of the one that is served? Paired, and on labels from elsewhere.

New labels can be poisoned, so they don't judge the model that learned them. Three questions:

1. Do the new labels contradict what is served? Its ranking of them is no worse than chance.
2. On reference payments, which no label of the stream ever touched: not worse in ranking, and no
   gross harm to the likelihood.
3. On labels of earlier, accepted rounds that were held out of learning: not worse in either.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from reference_systems.finalgo_fraud.learning import average_precision

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reference_systems.finalgo_fraud.model import Model

__all__ = ["Labelled", "Ruling", "rule"]

#: how far the area under precision and recall may fall, at 95 %, before a model is worse
MOST_DROP = 0.06
#: how much the mean log loss may grow: on reference payments, and on labels of earlier rounds
MOST_HARM, MOST_HARM_ACCEPTED = 1.5, 1.15
#: labels rank the other way round where the chance of a fraud above a genuine is surely below this
LEAST_AUC = 0.4
_LEAST_EACH, _RESAMPLES = 5, 200


@dataclass(frozen=True, eq=False)
class Labelled:
    """Places of shape (n, COLUMNS) with what became of each."""

    places: NDArray[np.uint16]
    fraud: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.fraud)

    @property
    def telling(self) -> bool:
        """Tell whether there are enough of both kinds to compare on."""
        frauds = int(self.fraud.sum())
        return min(frauds, len(self) - frauds) >= _LEAST_EACH


@dataclass(frozen=True)
class Ruling:
    """Whether the new model is served, and why, in one line."""

    promoted: bool
    reason: str


def rule(
    old: Model, new: Model, fresh: Labelled, reference: Labelled, accepted: Labelled
) -> Ruling:
    """Compare two models; ``fresh`` are the labels that ``new`` learned and ``old`` did not."""
    if fresh.telling:
        low, high = auc_interval(old.scores(fresh.places), fresh.fraud)
        if high < LEAST_AUC:
            return Ruling(
                False,
                f"the labels contradict what is served: a fraud scores above a genuine payment in "
                f"{100 * low:.0f} to {100 * high:.0f} % of pairs, at least {100 * LEAST_AUC:.0f} % "
                "are needed; they look flipped",
            )
    told = []
    for name, rows, most in (
        ("reference payments", reference, MOST_HARM),
        ("labels accepted earlier", accepted, MOST_HARM_ACCEPTED),
    ):
        if not rows.telling:
            continue
        ours, theirs = new.scores(rows.places), old.scores(rows.places)
        drop, low = _drop(ours, theirs, rows.fraud)
        harm = log_loss(ours, rows.fraud) / max(log_loss(theirs, rows.fraud), 1e-9)
        told.append(f"{len(rows)} {name}: AUPRC {drop:+.3f}, log loss x{harm:.2f}")
        if low < -MOST_DROP:
            return Ruling(
                False,
                f"worse on {len(rows)} {name}: AUPRC {drop:+.3f} (95 % above {low:+.3f}), "
                f"-{MOST_DROP} is allowed",
            )
        if harm > most and log_loss(ours, rows.fraud) > 0.01:
            return Ruling(
                False,
                f"worse on {len(rows)} {name}: log loss x{harm:.2f}, x{most} is allowed",
            )
    return Ruling(True, "not worse; " + "; ".join(told))


def log_loss(scores: NDArray[np.float64], fraud: NDArray[np.bool_]) -> float:
    """Return the mean negative log likelihood in nats."""
    held = np.clip(np.where(fraud, scores, 1 - scores), 1e-9, 1)
    return float(-np.log(held).mean())


def auc_interval(
    scores: NDArray[np.float64], fraud: NDArray[np.bool_], level: float = 0.99
) -> tuple[float, float]:
    """Return an interval for the chance that a fraud scores above a genuine payment.

    Hanley and McNeil, Radiology 143 (1982), with their bound on the variance; ties count half.

    >>> auc_interval(np.array([.9, .8, .2, .1] * 10), np.array([True, True, False, False] * 10))
    (1.0, 1.0)
    """
    yes, no = np.sort(scores[fraud]), np.sort(scores[~fraud])
    wins = np.searchsorted(no, yes, "left") + np.searchsorted(no, yes, "right")
    auc = float(wins.mean()) / 2 / len(no)
    q1, q2 = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (len(yes) - 1) * (q1 - auc**2) + (len(no) - 1) * (q2 - auc**2)
    half = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(max(spread, 0.0) / (len(yes) * len(no)))
    return max(0.0, auc - half), min(1.0, auc + half)


def _drop(
    new: NDArray[np.float64], old: NDArray[np.float64], fraud: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the change in average precision and its 5 % quantile over paired resamples."""
    weights = np.random.default_rng(0).poisson(1, (_RESAMPLES, len(fraud))).astype(float)
    changes = average_precision(new, fraud, weights) - average_precision(old, fraud, weights)
    change = average_precision(new, fraud)[0] - average_precision(old, fraud)[0]
    return float(change), float(np.quantile(changes, 0.05))
