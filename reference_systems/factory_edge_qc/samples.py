"""Crops to train on: parts of good and bad boards, with and without their template.

The same picture occurs clean and spoiled, so that nothing but the defect tells them apart: the
style of a photograph, the print on it or its corner do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reference_systems.factory_edge_qc.alignment import aligned, difference
from reference_systems.factory_edge_qc.boards import again, board
from reference_systems.factory_edge_qc.defects import Box, spoiled
from reference_systems.factory_edge_qc.network import CELL, PLANES, REACH, planes

__all__ = ["CROP", "Pair", "Samples", "crops", "generated_pairs", "mended", "targets"]

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Rng = np.random.Generator

CROP = 192


@dataclass(frozen=True, slots=True)
class Pair:
    """A photograph, its template (bent onto it) or None, and the defects labelled in it."""

    photo: Gray
    template: Gray | None
    boxes: tuple[Box, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Samples:
    """Planes as uint8 (n, 4, 192, 192; 255 is 1), and targets (n, 6, 24, 24)."""

    planes: npt.NDArray[np.uint8]
    targets: Floats


def generated_pairs(count: int, seed: int) -> list[Pair]:
    """Return pairs of generated boards, each a design of its own, with 0 to 12 defects."""
    pairs = []
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        template = board(rng)
        photo, boxes = spoiled(again(template, rng), rng, int(rng.integers(0, 13)))
        pairs.append(Pair(photo, aligned(photo, template), tuple(boxes), f"generated-{index}"))
    return pairs


def mended(pair: Pair) -> Gray:
    """Return the photograph with each labelled box as the template has it: a good board."""
    photo = pair.photo.copy()
    if pair.template is not None:
        for box in pair.boxes:
            part = np.s_[box.y1 : box.y2 + 1, box.x1 : box.x2 + 1]
            photo[part] = pair.template[part]
    return photo


def crops(pairs: Sequence[Pair], count: int, seed: int) -> Samples:
    """Return crops of pairs: as they are, mended, and spoiled anew; turned and mirrored."""
    out = np.zeros((count, PLANES, CROP, CROP), np.uint8)
    wanted = np.zeros((count, 6, CROP // CELL, CROP // CELL), np.float32)
    good = [mended(p) if p.template is not None or not p.boxes else None for p in pairs]
    for index in range(count):
        rng = np.random.default_rng((seed, 77, index))
        which = int(rng.integers(len(pairs)))
        made = _crop(pairs[which], good[which], rng)
        out[index] = (made[0] * 255).astype(np.uint8)
        wanted[index] = targets(made[1], CROP, CROP)
    return Samples(out, wanted)


def _crop(pair: Pair, good: Gray | None, rng: Rng) -> tuple[Floats, list[Box]]:
    kind = rng.random()
    clean = kind < 0.7 and good is not None
    photo = good if clean and good is not None else pair.photo
    boxes = [] if clean else list(pair.boxes)
    if min(photo.shape) < CROP:
        short = [(0, max(CROP - n, 0)) for n in photo.shape]
        photo = np.pad(photo, short, mode="edge")
    template = pair.template
    if template is not None and min(template.shape) < CROP:
        template = np.pad(template, [(0, max(CROP - n, 0)) for n in template.shape], mode="edge")
    y, x = _corner(photo.shape, boxes, rng)
    part = np.s_[y : y + CROP, x : x + CROP]
    photo, boxes = photo[part].copy(), _inside(boxes, y, x)
    template = template[part].copy() if template is not None else None
    if clean and template is not None and rng.random() < 0.3:
        photo = template.copy()  # templates too are pictures of good boards
    if clean and rng.random() < 0.5:
        template = again(photo, rng, 0.7) if rng.random() < 0.5 else template
    if clean and kind < 0.5:
        if template is not None and rng.random() < 0.15:
            photo, _ = spoiled(photo, rng, 2)  # what the template shows too is meant
            template = again(photo, rng, 0.7)
        photo, boxes = spoiled(photo, rng, int(rng.integers(1, 5)))
    photo, template, boxes = _turned(photo, template, boxes, rng)
    if template is None or rng.random() < 0.65:  # to judge alone is the harder task
        return planes(_exposed(photo, rng)), boxes
    apart = difference(photo, template)
    return planes(_exposed(photo, rng), apart.extra, apart.missing), boxes


def _corner(shape: tuple[int, ...], boxes: list[Box], rng: Rng) -> tuple[int, int]:
    """Return where a crop begins; most of those of a bad board hold a defect."""
    if boxes and rng.random() < 0.8:
        box = boxes[int(rng.integers(len(boxes)))]
        at = np.array([box.y1 + box.y2, box.x1 + box.x2]) // 2 - rng.integers(30, CROP - 30, 2)
    else:
        at = np.array([rng.integers(0, n - CROP + 1) for n in shape])
    y, x = (int(np.clip(v, 0, n - CROP)) // CELL * CELL for v, n in zip(at, shape, strict=True))
    return y, x


def _inside(boxes: list[Box], y: int, x: int) -> list[Box]:
    """Return the boxes that have their middle in a crop, cut to it."""
    kept = []
    for box in boxes:
        cx, cy = (box.x1 + box.x2) / 2 - x, (box.y1 + box.y2) / 2 - y
        if 0 <= cx < CROP and 0 <= cy < CROP:
            ends = (box.x1 - x, box.y1 - y, box.x2 - x, box.y2 - y)
            kept.append(Box(*(min(max(v, 0), CROP - 1) for v in ends), box.kind))
    return kept


def _turned(
    photo: Gray, template: Gray | None, boxes: list[Box], rng: Rng
) -> tuple[Gray, Gray | None, list[Box]]:
    """Mirror and turn by quarters."""
    last = CROP - 1
    if rng.random() < 0.5:
        photo = photo[:, ::-1]
        template = template[:, ::-1] if template is not None else None
        boxes = [Box(last - b.x2, b.y1, last - b.x1, b.y2, b.kind) for b in boxes]
    if rng.random() < 0.5:
        photo = photo.T
        template = template.T if template is not None else None
        boxes = [Box(b.y1, b.x1, b.y2, b.x2, b.kind) for b in boxes]
    if rng.random() < 0.5:
        photo = photo[::-1]
        template = template[::-1] if template is not None else None
        boxes = [Box(b.x1, last - b.y2, b.x2, last - b.y1, b.kind) for b in boxes]
    return photo, template, boxes


def _exposed(photo: Gray, rng: Rng) -> Gray:
    """Return a picture a little darker, lighter or noisier."""
    if rng.random() < 0.6:
        return photo
    values = photo * rng.uniform(0.85, 1.0) + rng.uniform(0, 20)
    values = values + rng.normal(0, rng.uniform(0, 6), photo.shape)
    return np.clip(values, 0, 255).astype(np.uint8)


def targets(boxes: Sequence[Box], height: int, width: int) -> Floats:
    """Return (6, rows, columns): 1 defect, 0 none, -1 not told; four distances; weight of them.

    >>> targets([Box(8, 8, 31, 31)], 64, 64)[0].max()
    np.float32(1.0)
    """
    rows, columns = height // CELL, width // CELL
    out = np.zeros((6, rows, columns), np.float32)
    cy, cx = (np.mgrid[0:rows, 0:columns] + 0.5) * CELL
    for box in sorted(boxes, key=lambda b: -(b.x2 - b.x1) * (b.y2 - b.y1)):
        left, top = cx - box.x1, cy - box.y1
        right, below = box.x2 + 1 - cx, box.y2 + 1 - cy
        within = np.minimum(np.minimum(left, right), np.minimum(top, below)) > 0
        near = np.abs(left - right) / 2 <= max((box.x2 - box.x1) * 0.2, CELL / 2 + 0.1)
        near &= np.abs(top - below) / 2 <= max((box.y2 - box.y1) * 0.2, CELL / 2 + 0.1)
        out[0][within & (out[0] == 0)] = -1
        core = within & near
        out[0][core] = 1
        for index, far in enumerate((left, top, right, below)):
            out[1 + index][core] = far[core] / REACH
        out[5][core] = 1
    return out
