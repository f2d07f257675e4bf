"""The weights in the repository: ``files/NAME.npz``, each with its digest in ``SHA256SUMS``.

``sha256sum --check SHA256SUMS`` in that folder checks them too. A name ends in the digest of the
recipe (inputs and sources), so weights of another recipe are not found, and never used. Versions
of torch and other libraries are not part of it: weights stay what they are when those change.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import torch

from reference_systems.weights.files import State, packed, unpacked, write

__all__ = ["FOLDER", "DamagedWeightsError", "file_name", "find", "ship", "sums"]

FOLDER = Path(__file__).parent / "files"
_SUMS = "SHA256SUMS"


class DamagedWeightsError(RuntimeError):
    """A shipped file is not the one whose digest is recorded."""


def file_name(kind: str, recipe: str) -> str:
    """Return the name of the file that holds the weights of a recipe.

    >>> file_name("truckai-v1", "0123456789abcdef" * 4)
    'truckai-v1-0123456789abcdef0123456789abcdef.npz'
    """
    return f"{kind}-{recipe[:32]}.npz"


def find(name: str) -> State | None:
    """Return the weights of a shipped file, or None where none of this name is shipped.

    With ``MLGATES_RETRAIN`` set there is none. Raise :class:`DamagedWeightsError` where the file
    is not what was shipped.
    """
    wanted = None if os.environ.get("MLGATES_RETRAIN") else sums().get(name)
    if wanted is None:
        return None
    try:
        data = (FOLDER / name).read_bytes()
    except OSError as error:
        raise DamagedWeightsError(_damaged(name, str(error.strerror))) from error
    if hashlib.sha256(data).hexdigest() != wanted:
        raise DamagedWeightsError(_damaged(name, f"its SHA-256 is not the one in {_SUMS}"))
    return unpacked(data)


def sums() -> dict[str, str]:
    """Return the SHA-256 of each shipped file by its name."""
    try:
        text = (FOLDER / _SUMS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    pairs = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return {name: digest for digest, name in pairs}


def ship(states: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
    """Make these weights, by file name, the shipped ones; those of before are deleted."""
    data = {name: packed(state) for name, state in states.items()}
    for name, body in data.items():
        write(FOLDER / name, body)
    lines = [f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in sorted(data.items())]
    write(FOLDER / _SUMS, "".join(lines).encode())
    for path in FOLDER.iterdir():
        if path.suffix == ".npz" and path.name not in data:
            path.unlink()
        else:
            path.chmod(0o644)  # drafts are the writer's alone


def _damaged(name: str, why: str) -> str:
    return (
        f"{FOLDER / name}: {why}; restore it from the repository,"
        " or set MLGATES_RETRAIN=1 to train instead"
    )
