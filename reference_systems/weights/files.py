"""A state dict as the bytes of an ``.npz`` file: numbers and their names, nothing that can run."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

__all__ = ["State", "packed", "unpacked", "write"]

State = dict[str, torch.Tensor]


def packed(state: Mapping[str, torch.Tensor]) -> bytes:
    """Return the bytes of a state; the same values give the same bytes.

    >>> unpacked(packed({"w": torch.ones(2)}))
    {'w': tensor([1., 1.])}
    """
    body = io.BytesIO()
    arrays = {name: weight.detach().cpu().numpy() for name, weight in state.items()}
    np.savez_compressed(body, allow_pickle=False, **arrays)
    return body.getvalue()


def unpacked(data: bytes) -> State:
    """Return the state in the bytes; raise :class:`ValueError` where an array needs a pickle."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def write(path: Path, data: bytes) -> None:
    """Write a file at once: whoever reads it meanwhile sees all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.stem}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
