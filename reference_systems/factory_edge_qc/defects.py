"""Draw the six defects of bare boards into a picture, and say where (types as DeepPCB counts them).

1 open, 2 short, 3 mouse bite, 4 spur, 5 stray copper, 6 pin hole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage

from reference_systems.factory_edge_qc.alignment import ink_of

__all__ = ["KINDS", "PAD", "Box", "spoiled"]

Gray = npt.NDArray[np.uint8]
Rng = np.random.Generator

KINDS = {1: "open", 2: "short", 3: "mouse bite", 4: "spur", 5: "stray copper", 6: "pin hole"}
#: pixels that a labelled box is wider than its defect, on each side
PAD = 10
_EDGE = 24


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, ends included, and the type of the defect (0: not told)."""

    x1: int
    y1: int
    x2: int
    y2: int
    kind: int = 0


class _Places:
    """Where copper is, how far from its edge, and which way the nearest edge lies."""

    def __init__(self, picture: Gray) -> None:
        self.ink = ink_of(picture)
        self.inside = ndimage.distance_transform_edt(self.ink)
        self.outside, nearest = ndimage.distance_transform_edt(~self.ink, return_indices=True)
        self.nearest = nearest

    def pick(self, mask: npt.NDArray[np.bool_], rng: Rng) -> tuple[int, int] | None:
        inner = mask[_EDGE:-_EDGE, _EDGE:-_EDGE]
        found = np.flatnonzero(inner)
        if not found.size:
            return None
        y, x = divmod(int(rng.choice(found)), inner.shape[1])
        return y + _EDGE, x + _EDGE

    def normal(self, y: int, x: int) -> npt.NDArray[np.float64]:
        """Return the direction (y, x) out of the copper."""
        part = np.s_[max(y - 6, 0) : y + 7, max(x - 6, 0) : x + 7]
        field = self.outside[part] - self.inside[part]
        slope = np.array([g.mean() for g in np.gradient(field)])
        size = float(np.hypot(*slope))
        return slope / size if size > 1e-6 else np.array([1.0, 0.0])


def spoiled(
    picture: Gray, rng: Rng, count: int, kinds: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
) -> tuple[Gray, list[Box]]:
    """Return a picture with up to ``count`` defects and their boxes, none upon another.

    >>> from reference_systems.factory_edge_qc.boards import board
    >>> rng = np.random.default_rng(1)
    >>> bad, boxes = spoiled(board(rng), rng, 4)
    >>> len(boxes)
    4
    """
    places, result, boxes = _Places(picture), picture.copy(), list[Box]()
    taken = np.zeros(picture.shape, bool)
    for _ in range(count * 6):
        if len(boxes) == count:
            break
        kind = int(rng.choice(kinds))
        drawn = _DRAW[kind](places, rng)
        if drawn is None:
            continue
        mask, value = drawn
        changed = mask & ((result > 127) != (value > 127))
        if changed.sum() < 16 or (ndimage.binary_dilation(mask, iterations=6) & taken).any():
            continue
        y, x = np.nonzero(changed)
        pad = PAD + rng.integers(-2, 4, 4)
        height, width = picture.shape
        box = Box(
            max(int(x.min() - pad[0]), 0), max(int(y.min() - pad[1]), 0),
            min(int(x.max() + pad[2]), width - 1), min(int(y.max() + pad[3]), height - 1), kind,
        )  # fmt: skip
        if max(box.x2 - box.x1, box.y2 - box.y1) > 110:
            continue
        result[changed] = value
        if rng.random() < 0.25:  # frayed, as etching leaves it
            result[changed & (rng.random(picture.shape) < rng.uniform(0.05, 0.4))] = 255 - value
        taken[box.y1 : box.y2, box.x1 : box.x2] = True
        boxes.append(box)
    return result, boxes


_Drawn = tuple[npt.NDArray[np.bool_], int] | None


def _line(shape: tuple[int, ...], points: list[tuple[float, float]], width: int) -> Image.Image:
    image = Image.new("L", (shape[1], shape[0]), 0)
    ImageDraw.Draw(image).line([(x, y) for y, x in points], fill=255, width=width, joint="curve")
    return image


def _blob(shape: tuple[int, ...], y: float, x: float, radius: float, rng: Rng) -> Image.Image:
    """Return a lump with a wandering outline, longer one way."""
    image = Image.new("L", (shape[1], shape[0]), 0)
    around = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    far = radius * np.clip(rng.normal(1, 0.25, 14), 0.5, 1.6)
    turn, flat = rng.uniform(0, np.pi), rng.uniform(0.45, 1)
    long, short = far * np.cos(around), far * np.sin(around) * flat
    xs = x + long * np.cos(turn) - short * np.sin(turn)
    ys = y + long * np.sin(turn) + short * np.cos(turn)
    ImageDraw.Draw(image).polygon(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill=255)
    return image


def _mask(image: Image.Image) -> npt.NDArray[np.bool_]:
    return np.asarray(image) > 127


def _open(places: _Places, rng: Rng) -> _Drawn:
    at = places.pick((places.inside > 0) & (places.inside < 2), rng)
    if at is None:
        return None
    into = -places.normal(*at)
    end = np.array(at, float)
    for _ in range(46):  # through the trace, to its other side
        end += into
        y, x = (int(v) for v in end.round())
        if not (0 <= y < places.ink.shape[0] and 0 <= x < places.ink.shape[1]):
            return None
        if not places.ink[y, x] and np.hypot(*(end - at)) > 3:
            break
    else:
        return None
    way = end - at
    points = [tuple(np.array(at) - 0.15 * way - into), tuple(end + 0.15 * way + into)]
    return _mask(_line(places.ink.shape, points, int(rng.integers(3, 16)))), 255


def _short(places: _Places, rng: Rng) -> _Drawn:
    at = places.pick((places.outside > 0) & (places.outside < 2), rng)
    if at is None:
        return None
    turn = rng.normal(0, 0.35)
    out = places.normal(*at)
    out = np.array(
        [
            out[0] * np.cos(turn) - out[1] * np.sin(turn),
            out[0] * np.sin(turn) + out[1] * np.cos(turn),
        ]
    )
    end = np.array(at, float)
    for _ in range(80):
        end += out
        y, x = (int(v) for v in end.round())
        if not (0 <= y < places.ink.shape[0] and 0 <= x < places.ink.shape[1]):
            return None
        if places.ink[y, x] and np.hypot(*(end - at)) > 5:
            break
    else:
        return None
    middle = (np.array(at) + end) / 2 + rng.normal(0, 3, 2)
    points = [tuple(np.array(at) - 2 * out), tuple(middle), tuple(end + 2 * out)]
    return _mask(_line(places.ink.shape, points, int(rng.integers(3, 12)))), 0


def _bite(places: _Places, rng: Rng) -> _Drawn:
    at = places.pick((places.inside >= 1) & (places.inside < 3), rng)
    if at is None:
        return None
    return _mask(_blob(places.ink.shape, *at, rng.uniform(4, 9), rng)) & places.ink, 255


def _spur(places: _Places, rng: Rng) -> _Drawn:
    at = places.pick((places.outside > 0) & (places.outside < 2), rng)
    if at is None:
        return None
    if rng.random() < 0.4:
        return _mask(_blob(places.ink.shape, *at, rng.uniform(4, 10), rng)), 0
    out = places.normal(*at)
    tip = np.array(at) + out * rng.uniform(6, 18) + rng.normal(0, 3, 2)
    points = [tuple(np.array(at) - 2 * out), tuple(tip)]
    return _mask(_line(places.ink.shape, points, int(rng.integers(3, 9)))), 0


def _copper(places: _Places, rng: Rng) -> _Drawn:
    at = places.pick(places.outside > 9, rng)
    if at is None:
        return None
    room = float(places.outside[at])
    if rng.random() < 0.7:
        radius = min(rng.uniform(3, 12), room - 4)
        return _mask(_blob(places.ink.shape, *at, radius, rng)), 0
    far = min(room - 4, 22)
    points = [tuple(np.array(at) + rng.uniform(-far, far, 2) * 0.7) for _ in range(3)]
    return _mask(_line(places.ink.shape, points, int(rng.integers(3, 7)))), 0


def _hole(places: _Places, rng: Rng) -> _Drawn:
    at = places.pick(places.inside > 5, rng)
    if at is None:
        return None
    radius = min(rng.uniform(2.5, 8), float(places.inside[at]) - 1)
    return _mask(_blob(places.ink.shape, *at, radius, rng)), 255


_DRAW = {1: _open, 2: _short, 3: _bite, 4: _spur, 5: _copper, 6: _hole}
