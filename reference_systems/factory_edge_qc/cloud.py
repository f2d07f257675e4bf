"""The other end: take in what arrived, let a person label the crops, train again, and release.

What arrived is counted by board, once each, whatever was sent twice. A new model goes into the
registry under its digest and back to the cameras by that digest, with its evidence.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from reference_systems.factory_edge_qc.defects import Box
from reference_systems.factory_edge_qc.edge import unpacked
from reference_systems.factory_edge_qc.samples import Pair
from reference_systems.factory_edge_qc.training import Recipe, Trained, fitted
from reference_systems.model_registry.registry import Registry

if TYPE_CHECKING:
    from pytest_mlgates import Evidence
    from reference_systems.factory_edge_qc.inspector import Inspector
    from reference_systems.parts.depot import Depot
    from reference_systems.parts.ota import Decision, Updater

__all__ = ["Crop", "Received", "received", "relabelled", "released", "retrained"]


@dataclass(frozen=True, slots=True)
class Crop:
    """Part of a board that a model was not sure of, and where it lay."""

    board: str
    x: int
    y: int
    picture: bytes


@dataclass(slots=True)
class Received:
    """What arrived: a result a board, the crops, and what could not be read or came twice."""

    results: dict[str, dict[str, object]] = field(default_factory=dict)
    crops: list[Crop] = field(default_factory=list)
    damaged: int = 0
    twice: int = 0


def received(depot: Depot) -> Received:
    """Read all that lies in a depot."""
    taken = Received()
    for name in sorted(depot.clips()):
        try:
            kind, head, body = unpacked((depot.folder / name).read_bytes())
            if kind == "crop":
                crop = Crop(str(head["board"]), _whole(head["x"]), _whole(head["y"]), body)
                taken.crops.append(crop)
                continue
            rows = [json.loads(line) for line in body.splitlines()]
            names = [str(row["board"]) for row in rows]
        except (ValueError, KeyError, TypeError):
            taken.damaged += 1
            continue
        for board, row in zip(names, rows, strict=True):
            taken.twice += board in taken.results
            taken.results.setdefault(board, row)
    return taken


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("is not a whole number")
    return value


def relabelled(crops: Iterable[Crop], label: Callable[[str], Sequence[Box]]) -> list[Pair]:
    """Return crops as pictures to train on; ``label`` is the person who looks at the board."""
    pairs = []
    for crop in crops:
        picture = np.asarray(Image.open(io.BytesIO(crop.picture)).convert("L")).copy()
        height, width = picture.shape
        boxes = []
        for box in label(crop.board):
            x, y = (box.x1 + box.x2) // 2 - crop.x, (box.y1 + box.y2) // 2 - crop.y
            if 0 <= x < width and 0 <= y < height:
                ends = (box.x1 - crop.x, box.y1 - crop.y, box.x2 - crop.x, box.y2 - crop.y)
                cut = [
                    min(max(v, 0), n - 1) for v, n in zip(ends, (width, height) * 2, strict=True)
                ]
                boxes.append(Box(cut[0], cut[1], cut[2], cut[3], box.kind))
        pairs.append(Pair(picture, None, tuple(boxes), crop.board))
    return pairs


def retrained(
    known: Sequence[Pair], crops: Sequence[Pair], start: dict[str, torch.Tensor], recipe: Recipe
) -> Trained:
    """Train on from the weights at work, on what was known and the crops.

    Frames keep their envelope: a crop is no frame, so it does not widen what a camera may send.
    """
    return fitted(known, [], recipe, start, more=crops)


def released(
    data: bytes,
    store: Path,
    gates: Callable[[Inspector], Sequence[Evidence]],
    updaters: Sequence[Updater[Inspector]],
    load: Callable[[bytes], Inspector],
) -> list[Decision]:
    """Put a model into the registry, gate what the registry gives back, and offer that to cameras."""
    registry = Registry.open(str(store))
    digest = registry.put(io.BytesIO(data), "inspector.onnx").stored.digest
    evidence = [piece.to_json() for piece in gates(load(registry.store.read(digest)))]
    stored = registry.store.read(digest)
    return [updater.offer(digest, stored, evidence) for updater in updaters]
