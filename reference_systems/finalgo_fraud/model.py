"""The model: a weight for each place that a transaction touches, summed to log odds of fraud.

A model never changes. Its file is named by the SHA-256 of its bytes, which is checked on every
read: one that was cut short, altered or swapped is refused.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from reference_systems.finalgo_fraud.profile import PLACES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["InvalidModel", "Model", "ModelFolder", "write_whole"]


class InvalidModel(ValueError):
    """A model file that is missing, cut short or altered, in one line."""


@dataclass(frozen=True, eq=False)
class Model:
    """Weights of shape (PLACES,), a bias, and the score from which a transaction is declined."""

    weights: NDArray[np.float32]
    bias: float
    threshold: float

    def __post_init__(self) -> None:
        if self.weights.shape != (PLACES,) or not np.isfinite(self.weights).all():
            raise InvalidModel(f"a model has {PLACES} finite weights")
        if not (np.isfinite(self.bias) and 0 < self.threshold < 1):
            raise InvalidModel("a model has a finite bias and a threshold between 0 and 1")
        self.weights.setflags(write=False)

    def scores(self, places: NDArray[np.uint16]) -> NDArray[np.float64]:
        """Return the probability of fraud for places of shape (n, COLUMNS)."""
        logits = self.weights[places].sum(axis=1, dtype=np.float64) + self.bias
        scores: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
        return scores

    def to_bytes(self) -> bytes:
        """Return the file's bytes; the same model gives the same."""
        body = io.BytesIO()
        np.savez(body, weights=self.weights, scalars=np.array([self.bias, self.threshold]))
        return body.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Model:
        """Return the model of a file's bytes."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as held:
                bias, threshold = held["scalars"].tolist()
                return cls(held["weights"].astype(np.float32), bias, threshold)
        except InvalidModel:
            raise
        except Exception as error:
            raise InvalidModel("the file does not hold a model") from error


class ModelFolder:
    """Models by digest, and ``current``, the digest of the one that is served."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, model: Model) -> str:
        """Store a model and return its digest; one that is there already is checked and kept."""
        data = model.to_bytes()
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if not path.exists() or path.read_bytes() != data:
            write_whole(path, data)
        return digest

    def get(self, digest: str) -> Model:
        """Return the model of a digest."""
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise InvalidModel(f"{self.folder / 'current'} does not hold a SHA-256 in hex")
        path = self._path(digest)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InvalidModel(f"{path} can't be read: {error.strerror}") from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise InvalidModel(
                f"{path} holds {len(data)} bytes of another digest: it was cut short or altered; "
                "delete it and put the model again"
            )
        return Model.from_bytes(data)

    def promote(self, digest: str) -> None:
        """Serve the model of ``digest`` from now on; it must be whole."""
        self.get(digest)
        write_whole(self.folder / "current", digest.encode() + b"\n")

    def current(self) -> str | None:
        """Return the digest of the model that is served, or None before the first."""
        try:
            return (self.folder / "current").read_text("ascii", "replace").strip()
        except FileNotFoundError:
            return None

    def changed_at(self) -> int:
        """Return a number that changes whenever ``current`` does."""
        try:
            found = (self.folder / "current").stat()
        except OSError:
            return 0
        return found.st_mtime_ns ^ found.st_ino

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest}.npz"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and on the disk when this returns."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
