"""Generated boards: black copper on white, drawn by seed (traces, pads, holes, planes, print).

Pictures are 640 x 640 grey pixels with ragged edges, as a line camera behind a threshold gives.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

__all__ = ["SIDE", "again", "board"]

Gray = npt.NDArray[np.uint8]
Rng = np.random.Generator

SIDE = 640
_TURNS = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))


def board(rng: Rng, side: int = SIDE) -> Gray:
    """Return the picture of a good board, a design of its own.

    >>> picture = board(np.random.default_rng(1))
    >>> picture.shape, 0.02 < (picture < 128).mean() < 0.8
    ((640, 640), True)
    """
    image = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(0, 3)):
        _plane(draw, rng, side)
    for _ in range(rng.integers(1, 5)):
        _bus(draw, rng, side)
    for _ in range(rng.integers(1, 5)):
        _row_of_pads(draw, rng, side)
    for _ in range(rng.integers(0, 3)):
        _print(image, rng, side)
    return _ragged(np.asarray(image), rng, 0.4)


def again(picture: Gray, rng: Rng, bend: float = 3.0) -> Gray:
    """Return another photograph of the same board: bent locally by pixels, with other edges."""
    height, width = picture.shape
    field = rng.normal(0, 1, (2, height // 80 + 2, width // 80 + 2))
    grid = np.mgrid[0:height, 0:width].astype(np.float32)
    pixels = [
        ndimage.zoom(part, (height / part.shape[0], width / part.shape[1]), order=1)
        for part in field
    ]
    size = rng.uniform(0, bend)
    shift = rng.normal(0, bend / 2, 2)
    where = [grid[i] + size * pixels[i][:height, :width] + shift[i] for i in range(2)]
    bent = ndimage.map_coordinates(picture.astype(np.float32), where, order=1, mode="nearest")
    return _ragged(bent, rng, rng.uniform(0.15, 0.5))


def _ragged(picture: npt.NDArray[np.generic], rng: Rng, size: float) -> Gray:
    """Return a picture with edges that wander by ``size`` pixels."""
    noise = ndimage.gaussian_filter(rng.normal(0, 1, picture.shape).astype(np.float32), 1.0)
    soft = ndimage.gaussian_filter(picture.astype(np.float32), 1.2)
    hard = soft + noise * size * 200 > 127
    return np.where(hard, 255, 0).astype(np.uint8)


def _plane(draw: ImageDraw.ImageDraw, rng: Rng, side: int) -> None:
    x, y = rng.integers(-80, side - 60, 2)
    width, height = rng.integers(60, 260, 2)
    draw.rounded_rectangle((x, y, x + width, y + height), int(rng.integers(0, 30)), fill=0)
    for _ in range(rng.integers(0, 4)):
        cx, cy = x + rng.integers(15, width - 14), y + rng.integers(15, height - 14)
        _disc(draw, cx, cy, int(rng.integers(8, 14)), 255)


def _bus(draw: ImageDraw.ImageDraw, rng: Rng, side: int) -> None:
    """Draw parallel traces that turn by 45 degrees; some end in a pad."""
    count, width = int(rng.integers(1, 6)), int(rng.choice([6, 8, 10, 14, 20, 32]))
    pitch = width + int(rng.integers(10, 40))
    turn = int(rng.integers(0, 8))
    points = [rng.uniform(0, side, 2)]
    for _ in range(rng.integers(2, 6)):
        points.append(points[-1] + np.array(_TURNS[turn]) * rng.uniform(50, 260))
        turn = (turn + int(rng.choice([-1, 1]))) % 8
    way = np.array([1.0, -1.0]) if rng.random() < 0.5 else np.array([1.0, 1.0])
    for line in range(count):
        moved = [tuple(float(v) for v in p + way * line * pitch * 0.75) for p in points]
        draw.line(moved, fill=0, width=width, joint="curve")
        for end in (moved[0], moved[-1]):
            if rng.random() < 0.6:
                _pad(draw, rng, end[0], end[1], width)


def _pad(draw: ImageDraw.ImageDraw, rng: Rng, x: float, y: float, width: int) -> None:
    radius = width * 0.5 + rng.uniform(4, 16)
    if rng.random() < 0.4:
        draw.rectangle((x - radius, y - radius, x + radius, y + radius), fill=0)
    else:
        _disc(draw, x, y, radius, 0)
    if radius > 14 and rng.random() < 0.6:
        _disc(draw, x, y, radius * rng.uniform(0.35, 0.5), 255)


def _row_of_pads(draw: ImageDraw.ImageDraw, rng: Rng, side: int) -> None:
    x, y = rng.integers(20, side - 60, 2)
    width, height = int(rng.integers(14, 50)), int(rng.integers(20, 80))
    pitch = width + int(rng.integers(14, 40))
    hole = rng.uniform(0.2, 0.32) if min(width, height) > 28 and rng.random() < 0.6 else 0.0
    for index in range(rng.integers(2, 9)):
        left = x + index * pitch
        box = (left, y, left + width, y + height)
        draw.rounded_rectangle(box, width // 2 if hole else int(rng.integers(0, 8)), fill=0)
        if hole:
            _disc(draw, left + width / 2, y + height / 2, min(width, height) * hole, 255)
        if rng.random() < 0.4:
            middle = left + width / 2
            far = y + height + int(rng.integers(20, 120))
            draw.line((middle, y + height / 2, middle, far), fill=0, width=int(rng.integers(6, 12)))


def _print(image: Image.Image, rng: Rng, side: int) -> None:
    """Stamp letters, upright or turned."""
    text = "".join(rng.choice(list("0123456789ABCDEKLMPRSTX*-"), int(rng.integers(2, 9))))
    font = ImageFont.load_default(size=int(rng.integers(24, 60)))
    stamp = Image.new("L", (320, 80), 0)
    ImageDraw.Draw(stamp).text((4, 4), text, fill=255, font=font)
    turned = stamp.rotate(int(rng.choice([0, 90, 180, 270])), expand=True)
    x, y = (int(v) for v in rng.integers(-20, side - 60, 2))
    image.paste(0, (x, y), turned)


def _disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: int) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
