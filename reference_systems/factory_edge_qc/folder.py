"""Read a folder of labelled boards.

``NAME_test.jpg`` with ``NAME_temp.jpg`` (its template, may be missing) and ``NAME.txt`` (DeepPCB),
anywhere in the tree; ``NAME.txt`` may lie in another folder. A line is ``x1,y1,x2,y2,type`` or the
same with spaces, the type may be missing; an empty file is a good board. Besides: ``NAME.jpg`` with
``NAME.txt``; pictures in folders named ``good`` or ``ok``; masks of defects as
``ground_truth/KIND/NAME_mask.png`` (MVTec).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from reference_systems.factory_edge_qc.defects import PAD, Box
from reference_systems.factory_edge_qc.frames import Fault, read_picture

__all__ = ["Labelled", "boxes_of", "labelled"]

_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}
_GOOD = {"good", "ok", "normal", "pass", "no_defect"}
_NOT_BOARDS = {"ground_truth", "masks", "mask", "annotations"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """Where a board's picture and template lie, and the boxes of its defects."""

    photo: Path
    template: Path | None
    boxes: tuple[Box, ...]


class LabelError(ValueError):
    """A label file says what can't be a box; the message names file and line."""


def boxes_of(path: Path, width: int, height: int) -> tuple[Box, ...]:
    """Return the boxes of a label file for a picture of this size.

    Raises :class:`ValueError` that names file, line and value.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise LabelError(f"{path.name}: is not text in UTF-8") from None
    except OSError as error:
        raise LabelError(f"{path.name}: {error.strerror}") from None
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            found.append(_box(line, f"{path.name}:{number}", width, height))
    return tuple(found)


def _box(line: str, where: str, width: int, height: int) -> Box:
    parts = line.replace(",", " ").split()
    shown = line.strip()[:40]
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (4, 5) or not all(abs(n) < 1e6 for n in numbers):
        raise LabelError(f"{where}: {shown!r} is not x1,y1,x2,y2,type")
    x1, y1, x2, y2 = (round(n) for n in numbers[:4])
    kind = round(numbers[4]) if len(numbers) == 5 else 0
    if not (x1 < x2 and y1 < y2):
        raise LabelError(f"{where}: {shown!r} has no area: x1 < x2 and y1 < y2 are wanted")
    if x2 <= 0 or y2 <= 0 or x1 >= width or y1 >= height:
        raise LabelError(f"{where}: {shown!r} lies outside of {width} x {height} pixels")
    return Box(max(x1, 0), max(y1, 0), min(x2, width - 1), min(y2, height - 1), kind)


def labelled(folder: Path, say: Callable[[str], None]) -> list[Labelled]:
    """Return the boards of a folder, by name; what is left out is said, a line each.

    Raises :class:`ValueError` where the folder is not there.
    """
    if not folder.is_dir():
        raise ValueError(
            f"{folder}: is not a folder" if folder.exists() else f"{folder}: is not there"
        )
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    pictures = [path for path in files if path.suffix.lower() in _PICTURES]
    named: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        named[path.stem if path.suffix.lower() == ".txt" else path.stem + "|"].append(path)
    found = []
    for path in pictures:
        inside = {part.lower() for part in path.relative_to(folder).parts[:-1]}
        if path.stem.endswith(("_temp", "_mask")) or inside & _NOT_BOARDS:
            continue
        try:
            board = _one(path, named, inside, folder)
        except (ValueError, OSError) as error:
            say(f"{error}; the board is left out")
            continue
        if board is None:
            say(f"{path.relative_to(folder)}: has no labels (NAME.txt), so it is left out")
        else:
            found.append(board)
    return found


def _one(
    path: Path, named: dict[str, list[Path]], inside: set[str], folder: Path
) -> Labelled | None:
    name = path.stem.removesuffix("_test")
    template = _nearest(named.get(f"{name}_temp|", []), path)
    labels = _nearest(named.get(name, []), path) or _nearest(named.get(path.stem, []), path)
    masks = [
        mask
        for mask in named.get(f"{path.stem}_mask|", []) + named.get(f"{path.stem}|", [])
        if mask != path
        and mask.parent.name == path.parent.name
        and "ground_truth" in mask.relative_to(folder).parts
    ]
    if labels is not None:
        height, width = read_picture(path).shape
        return Labelled(path, template, boxes_of(labels, width, height))
    if masks:
        return Labelled(path, template, _boxes_of_mask(masks[0]))
    if inside & _GOOD:
        return Labelled(path, template, ())
    return None


def _nearest(candidates: list[Path], path: Path) -> Path | None:
    """Return the candidate that shares most of its folders with a path."""

    def shared(other: Path) -> int:
        same = 0
        for a, b in zip(other.parent.parts, path.parent.parts, strict=False):
            if a != b:
                break
            same += 1
        return same

    return max(candidates, key=shared, default=None)


def _boxes_of_mask(path: Path) -> tuple[Box, ...]:
    """Return a padded box around each part of a mask."""
    try:
        mask = read_picture(path) > 127
    except Fault as fault:
        raise LabelError(str(fault)) from None
    parts, _ = ndimage.label(ndimage.binary_dilation(mask, iterations=3))
    height, width = mask.shape
    boxes = []
    for part in ndimage.find_objects(parts):
        ys, xs = np.nonzero(mask[part])
        if ys.size:
            top, left = part[0].start, part[1].start
            boxes.append(
                Box(
                    max(left + int(xs.min()) - PAD, 0),
                    max(top + int(ys.min()) - PAD, 0),
                    min(left + int(xs.max()) + PAD, width - 1),
                    min(top + int(ys.max()) + PAD, height - 1),
                )
            )
    return tuple(boxes)
