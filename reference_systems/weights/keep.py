"""Weights from the repository, from the cache folder, or from training.

The cache folder is ``MLGATES_CACHE``, or ``pytest-mlgates`` in the user's cache folder. Deleting it
is always safe: what is missing, cut short or altered is trained again.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import torch

from pytest_mlgates.core.canonical import sha256
from reference_systems.weights import shipped
from reference_systems.weights.files import State, packed, unpacked, write

if TYPE_CHECKING:
    from pytest_mlgates.core.canonical import Json

__all__ = ["cache_folder", "cached", "digest_of_state", "key_of", "made"]

#: bytes of the SHA-256 that stands before what it is about
_HEAD = hashlib.sha256().digest_size

#: what this process trained or took from the cache, by the name that it would be shipped under
made: dict[str, State] = {}


def cached(
    kind: str,
    inputs: Mapping[str, Json],
    train: Callable[[], Mapping[str, torch.Tensor]],
    modules: Sequence[ModuleType] = (),
    libraries: Sequence[str] = ("torch",),
) -> State:
    """Return the state dict that ``train()`` gives, shipped or cached where it was trained before.

    ``inputs`` names everything that the training depends on (seed, sizes, digest of the data);
    ``modules`` are those whose source it depends on, ``libraries`` the distributions whose version
    may move a last digit: the cache keeps their results apart. ``train`` must be deterministic by
    all of them. Several processes may ask at once: each file is complete or absent.

    >>> state = cached("model", {"seed": 1}, lambda: {"w": torch.ones(2)})  # doctest: +SKIP
    """
    recipe = key_of(kind, inputs, modules)
    name = shipped.file_name(kind, recipe)
    state = shipped.find(name)
    if state is not None:
        return state
    versions = {library: version(library) for library in libraries}
    path = cache_folder() / f"{kind}-{sha256({'recipe': recipe, **versions})[:32]}.weights"
    state = _read(path)
    if state is None:
        state = {key: weight.detach().cpu().clone() for key, weight in train().items()}
        body = packed(state)
        with contextlib.suppress(OSError):  # a folder that can't be written costs a later training
            write(path, hashlib.sha256(body).digest() + body)
    made[name] = state
    return state


def key_of(kind: str, inputs: Mapping[str, Json], modules: Sequence[ModuleType] = ()) -> str:
    """Return the hex SHA-256 of a recipe: what goes in, and the sources that make weights of it."""
    return sha256(
        {
            "kind": kind,
            "inputs": inputs,
            "sources": {m.__name__: sha256(inspect.getsource(m)) for m in modules},
        }
    )


def digest_of_state(state: Mapping[str, torch.Tensor]) -> str:
    """Return the hex SHA-256 over the names, kinds, shapes and values of all weights."""
    sha = hashlib.sha256()
    for name, weight in state.items():
        sha.update(f"{name} {weight.dtype} {tuple(weight.shape)}\n".encode())
        sha.update(weight.numpy().tobytes())
    return sha.hexdigest()


def cache_folder() -> Path:
    """Return the folder that the weights are kept in; it need not exist."""
    if named := os.environ.get("MLGATES_CACHE"):
        return Path(named)
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local, "pytest-mlgates", "cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "pytest-mlgates")


def _read(path: Path) -> State | None:
    """Return what a file holds, or None where it is absent or not what was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head, body = data[:_HEAD], data[_HEAD:]
    return unpacked(body) if hashlib.sha256(body).digest() == head else None
