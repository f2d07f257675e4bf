"""Trained weights, kept by the digest of all that made them, so that a second run takes seconds.

The folder is ``MLGATES_CACHE``, or ``pytest-mlgates`` in the user's cache folder. Deleting it is
always safe: what is missing, cut short or altered is trained again.
"""

from __future__ import annotations

import hashlib
import inspect
import io
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import torch

from pytest_mlgates.core.canonical import sha256

if TYPE_CHECKING:
    from pytest_mlgates.core.canonical import Json

__all__ = ["cache_folder", "cached", "key_of"]

#: bytes of the SHA-256 that stands before what it is about
_HEAD = hashlib.sha256().digest_size


def cached(
    kind: str,
    inputs: Mapping[str, Json],
    train: Callable[[], Mapping[str, torch.Tensor]],
    modules: Sequence[ModuleType] = (),
) -> dict[str, torch.Tensor]:
    """Return the state dict that ``train()`` gives, from the cache where it was trained before.

    ``inputs`` names everything that the training depends on (seed, sizes, digest of the data);
    ``modules`` are those whose source it depends on. ``train`` must be deterministic by them.
    Several processes may ask at once: each file is complete or absent.

    >>> state = cached("model", {"seed": 1}, lambda: {"w": torch.ones(2)})  # doctest: +SKIP
    """
    path = cache_folder() / f"{kind}-{key_of(kind, inputs, modules)[:32]}.pt"
    state = _read(path)
    if state is None:
        state = {name: weight.detach().cpu().clone() for name, weight in train().items()}
        _write(path, state)
    return state


def key_of(kind: str, inputs: Mapping[str, Json], modules: Sequence[ModuleType] = ()) -> str:
    """Return the hex SHA-256 over inputs, sources and the version of torch."""
    return sha256(
        {
            "kind": kind,
            "inputs": inputs,
            "sources": {m.__name__: sha256(inspect.getsource(m)) for m in modules},
            "torch": torch.__version__,
        }
    )


def cache_folder() -> Path:
    """Return the folder that the weights are kept in; it need not exist."""
    if named := os.environ.get("MLGATES_CACHE"):
        return Path(named)
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local, "pytest-mlgates", "cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "pytest-mlgates")


def _read(path: Path) -> dict[str, torch.Tensor] | None:
    """Return what a file holds, or None where it is absent or not what was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head, body = data[:_HEAD], data[_HEAD:]
    if hashlib.sha256(body).digest() != head:
        return None
    state: dict[str, torch.Tensor] = torch.load(io.BytesIO(body), weights_only=True)
    return state


def _write(path: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Write a file at once; a folder that can't be written costs a later training, no more."""
    body = io.BytesIO()
    torch.save(dict(state), body)
    data = body.getvalue()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}.", suffix=".part")
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(data).digest() + data)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
