"""Lay a template over a photograph of the same board, piece by piece.

Two photographs of a board differ by several pixels *locally* (lens, film, a board that lies
uneven), so one shift for all of it leaves edges that look like defects. Here: one coarse shift for
all, then block matching on a grid at half resolution, then again at full resolution; the field of
displacements is smoothed between blocks. Edges that still lie a little apart are tolerated by
comparing with a thinner and a fatter template.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

__all__ = ["TOLERANCE", "Difference", "aligned", "difference", "ink_of", "threshold_of"]

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: pixels by which an edge may lie elsewhere, after the alignment
TOLERANCE = 2
#: largest shift in pixels looked for, of all and then of each block
_FAR, _NEAR = 40, 10
_CELL = 8


@dataclass(frozen=True, slots=True)
class Difference:
    """What a photograph has that its aligned template lacks, and the reverse (boolean masks)."""

    extra: Mask
    missing: Mask

    @property
    def share(self) -> float:
        """The share of pixels that differ."""
        return float((self.extra | self.missing).mean())


def threshold_of(picture: Gray) -> float:
    """Return the grey level between dark and light (Otsu 1979).

    >>> 10 <= threshold_of(np.array([[10, 10, 200]], np.uint8)) < 200
    True
    """
    counts = np.bincount(picture.ravel(), minlength=256).astype(np.float64)
    below = counts.cumsum()
    mass = (counts * np.arange(256)).cumsum()
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = mass / below - (mass[-1] - mass) / above
    spread = np.nan_to_num(below * above * gap**2)
    best = np.flatnonzero(spread >= spread.max())
    return float(best.mean())


def ink_of(picture: Gray) -> Mask:
    """Return where a picture is dark."""
    return np.asarray(picture <= threshold_of(picture))


def aligned(photo: Gray, template: Gray) -> Gray:
    """Return the template bent so that it lies on the photograph (both of one shape)."""
    photo_f, template_f = photo.astype(np.float32), template.astype(np.float32)
    small, small_template = _halved(photo_f), _halved(template_f)
    dy, dx = _one_shift(small, small_template, _FAR // 2)
    coarse = ndimage.shift(small_template, (dy, dx), order=0, mode="nearest")
    field = _field(small, coarse, _NEAR // 2, cells=5)
    field = 2 * (field + np.array([dy, dx], np.float32)[:, None, None])
    bent = _bent(template_f, field)
    fine = _field(photo_f, bent, 2, cells=6)
    both = _grown(field, photo.shape) + _grown(fine, photo.shape)
    return _bent(template_f, both).astype(np.uint8)


def difference(photo: Gray, template: Gray, tolerance: int = TOLERANCE) -> Difference:
    """Return what differs between a photograph and a template that lies on it.

    An edge may lie ``tolerance`` pixels elsewhere.
    """
    ink, wanted = ink_of(photo), ink_of(template)
    size = 2 * tolerance + 1
    fat = ndimage.maximum_filter(wanted.view(np.uint8), size).astype(bool)
    thin = ndimage.minimum_filter(wanted.view(np.uint8), size).astype(bool)
    return Difference(extra=ink & ~fat, missing=~ink & thin)


def _halved(picture: Floats) -> Floats:
    height, width = (n // 2 * 2 for n in picture.shape)
    cut = picture[:height, :width]
    return np.asarray(cut.reshape(height // 2, 2, width // 2, 2).mean((1, 3)), np.float32)


def _one_shift(photo: Floats, template: Floats, far: int) -> tuple[int, int]:
    """Return the shift of the template at which it correlates most with the photograph."""
    a, b = photo - photo.mean(), template - template.mean()
    shape = [fft.next_fast_len(n + far, real=True) for n in photo.shape]
    product = fft.rfft2(a, shape) * np.conj(fft.rfft2(b, shape))
    match = fft.irfft2(product, shape)
    shifts = np.arange(-far, far + 1)
    near = match[np.ix_(shifts, shifts)]
    y, x = np.unravel_index(int(near.argmax()), near.shape)
    return int(shifts[y]), int(shifts[x])


def _field(photo: Floats, template: Floats, reach: int, cells: int) -> Floats:
    """Return the displacement (2, rows, columns) of each cell of 8 x 8 pixels of the template.

    A cell goes where the ``cells`` x ``cells`` around it match best; with nothing to see there, it
    stays, and takes the neighbours' displacement.
    """
    rows, columns = (n // _CELL for n in photo.shape)
    height, width = rows * _CELL, columns * _CELL
    padded = np.pad(template, reach, mode="edge")
    costs = []
    shifts = [(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)]
    for y, x in shifts:
        moved = padded[reach - y : reach - y + height, reach - x : reach - x + width]
        apart = np.abs(photo[:height, :width] - moved)
        bands = apart.reshape(rows, _CELL, width).sum(1)
        costs.append(bands.reshape(rows, columns, _CELL).sum(2))
    stack = ndimage.uniform_filter(np.stack(costs), (0, cells, cells), mode="nearest")
    far = np.array([y * y + x * x for y, x in shifts], np.float32)
    stack += (far * 4.0)[:, None, None]
    best = stack.argmin(0)
    found = np.array(shifts, np.float32)[best].transpose(2, 0, 1)
    weight = np.minimum(stack.max(0) - stack.min(0), 4000.0) + 1.0
    smooth = ndimage.gaussian_filter(found * weight, (0, 2, 2), mode="nearest")
    smooth /= ndimage.gaussian_filter(weight, 2, mode="nearest")
    return np.asarray(smooth, np.float32)


def _grown(field: Floats, shape: tuple[int, ...]) -> Floats:
    """Return a field of cells as one of pixels (linear between the middles of cells)."""
    down, across = (_between(n, m) for n, m in zip(shape, field.shape[1:], strict=True))
    return np.stack([down @ part @ across.T for part in field])


@functools.lru_cache(maxsize=16)
def _between(pixels: int, cells: int) -> Floats:
    """Return the weights (pixels, cells) of a linear interpolation."""
    at = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    low = np.minimum(at.astype(int), max(cells - 2, 0))
    weights = np.zeros((pixels, cells), np.float32)
    rows = np.arange(pixels)
    weights[rows, np.minimum(low + 1, cells - 1)] = at - low
    weights[rows, low] += 1 - (at - low)
    return weights


def _bent(template: Floats, field: Floats) -> Floats:
    """Return the template moved by a field of pixels or cells, to the nearest pixel."""
    pixels = _grown(field, template.shape) if field.shape[1:] != template.shape else field
    height, width = template.shape
    y = np.rint(np.arange(height, dtype=np.float32)[:, None] - pixels[0]).astype(np.int32)
    x = np.rint(np.arange(width, dtype=np.float32)[None, :] - pixels[1]).astype(np.int32)
    where = np.clip(y, 0, height - 1) * width + np.clip(x, 0, width - 1)
    return template.ravel()[where]
