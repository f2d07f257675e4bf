"""The folder that everything durable of this system lies in.

``models/`` by digest with ``current``; ``decisions/`` with a ring for each scorer; ``outbox.db``
with confirmed labels; ``ledger.db`` with what was learned; ``reference.npz`` with the payments that
a new model is compared on. A new folder starts with a model trained on generated payments.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reference_systems.finalgo_fraud import history, inputs, learning
from reference_systems.finalgo_fraud.model import InvalidModel, Model, ModelFolder, write_whole
from reference_systems.finalgo_fraud.profile import COLUMNS, PLACES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Reference", "State"]

#: weeks that the first model is trained on, and the one after it, which it is judged on
_WEEKS, _SEED, _CARDS = 3, 7, 4000


@dataclass(frozen=True, eq=False)
class Reference:
    """Labelled rows that came from elsewhere than the labels to be learned.

    ``learn_*`` is replayed beside new labels; ``judge_*`` is only ever scored.
    """

    learn_places: NDArray[np.uint16]
    learn_fraud: NDArray[np.bool_]
    judge_places: NDArray[np.uint16]
    judge_fraud: NDArray[np.bool_]
    learner: NDArray[np.float64]


class State:
    """One state folder, made ready where it is new."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.models = ModelFolder(folder / "models")
        self.decisions = folder / "decisions"
        self.outbox = folder / "outbox.db"
        self.ledger = folder / "ledger.db"
        with self.lock("start"):
            name = folder / "topic"
            if not name.exists():
                write_whole(name, b"confirmed-labels-" + secrets.token_hex(4).encode())
            #: labels of other states don't come through it, though they share a broker
            self.topic = name.read_text("ascii")
            if self.models.current() is None or not (folder / "reference.npz").exists():
                self._begin()

    @contextlib.contextmanager
    def lock(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """Hold a lock among processes; without ``wait`` BlockingIOError where it is held."""
        with (self.folder / f"{name}.lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield

    def model(self) -> tuple[str, Model]:
        """Return the model that is to be served, with its digest."""
        digest = self.models.current()
        if digest is None:
            raise InvalidModel(f"{self.folder} names no model")
        return digest, self.models.get(digest)

    def reference(self) -> Reference:
        """Return the payments that models are compared on."""
        path = self.folder / "reference.npz"
        data = path.read_bytes()
        head, body = data[:64], data[64:]
        if hashlib.sha256(body).hexdigest().encode() != head:
            raise InvalidModel(f"{path} was cut short or altered: delete it, it is made again")
        with np.load(io.BytesIO(body), allow_pickle=False) as held:
            return Reference(**{name: held[name] for name in held.files})

    def _begin(self) -> None:
        """Train the first model on generated payments and keep what later ones are judged on."""
        world = inputs.World(_SEED, _CARDS)
        replay = history.Replay(world)
        weeks = [world.week(number) for number in range(_WEEKS + 1)]
        places = [replay.places(week) for week in weeks]
        fraud = np.concatenate([week.fraud for week in weeks[:-1]])
        rows = np.concatenate(places[:-1])
        keep = history.kept(fraud, _SEED)
        learner = learning.batch_model(rows[keep], fraud[keep], _SEED)
        scores = learner.model(0.5).scores(rows)
        model = learner.model(learning.threshold_of(scores, fraud))
        body = io.BytesIO()
        judged = history.kept(weeks[-1].fraud, _SEED + 1)
        reference = Reference(
            rows[keep], fraud[keep], places[-1][judged], weeks[-1].fraud[judged], learner.state
        )
        np.savez_compressed(body, **vars(reference))
        data = body.getvalue()
        digest = hashlib.sha256(data).hexdigest().encode()
        write_whole(self.folder / "reference.npz", digest + data)
        if self.models.current() is None:
            self.models.promote(self.models.put(model))


def check_rows(places: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return rows of places, or raise ValueError where they are none."""
    if places.ndim != 2 or places.shape[1] != COLUMNS or (places >= PLACES).any():
        raise ValueError(f"rows hold {COLUMNS} places below {PLACES}")
    return places
