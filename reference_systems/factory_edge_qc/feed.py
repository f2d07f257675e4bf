"""Twenty cameras at 3840 x 2160: boards on a conveyor, drawn by seed, all cameras alike.

A board lies on a grey, grainy belt, three pixels of the camera for each of the board's; it lies a
little elsewhere each time. What a frame shows (its truth) is known to whoever draws it alone.
With ``MLGATES_DATA`` the boards are real ones (DeepPCB), template and photograph a pair.
"""

from __future__ import annotations

import functools
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from reference_systems.factory_edge_qc.boards import SIDE, again, board
from reference_systems.factory_edge_qc.defects import Box, spoiled

__all__ = [
    "CAMERAS", "FAULTS", "HEIGHT", "SCALE", "WIDTH", "Shot", "broken", "frame_of", "jpeg", "shot",
]  # fmt: skip

Gray = npt.NDArray[np.uint8]
Rng = np.random.Generator

CAMERAS = 20
WIDTH, HEIGHT, SCALE = 3840, 2160, 3
QUALITY = 85
FAULTS = ("black", "over-exposed", "flat", "noisy", "cropped", "no board", "blurred")
_EDGE = 20
_BELT, _DARK, _LIGHT = 110, 20, 235
_GRAIN = 2.95
Fault = Literal["black", "over-exposed", "flat", "noisy", "cropped", "no board", "blurred"]


@dataclass(frozen=True, slots=True)
class Shot:
    """A board before a camera: its photograph and template at 640 x 640, and the truth."""

    name: str
    photo: Gray
    template: Gray
    boxes: tuple[Box, ...]

    @property
    def bad(self) -> bool:
        """Whether the board has a defect."""
        return bool(self.boxes)


def shot(camera: int, number: int, seed: int, bad_share: float = 0.1) -> Shot:
    """Return the board of a camera; the same for the same numbers.

    >>> shot(3, 0, 1).name
    'camera-03/0'
    """
    rng = np.random.default_rng((seed, camera, number, 10))
    template = _design(camera % CAMERAS if number % 2 else camera * 1000 + number, seed)
    photo, boxes = again(template, rng), list[Box]()
    if rng.random() < bad_share:
        photo, boxes = spoiled(photo, rng, int(rng.integers(1, 6)))
    return Shot(f"camera-{camera:02d}/{number}", photo, template, tuple(boxes))


@functools.lru_cache(maxsize=64)
def _design(design: int, seed: int) -> Gray:
    return board(np.random.default_rng((seed, design, 20)))


@functools.lru_cache(maxsize=2)
def _grain(seed: int) -> npt.NDArray[np.int16]:
    """Return noise of the sensor, a little larger than a frame, to be cut from anywhere."""
    rng = np.random.default_rng((seed, 30))
    noise = rng.normal(0, _GRAIN, (HEIGHT + 64, WIDTH + 64)).astype(np.float32)
    return np.asarray(noise.round(), np.int16)


def frame_of(photo: Gray, rng: Rng, fault: Fault | None = None) -> Gray:
    """Return the camera's frame (2160, 3840) of a board, or of one that the camera fails on.

    >>> frame_of(np.full((640, 640), 255, np.uint8), np.random.default_rng(1)).shape
    (2160, 3840)
    """
    frame = np.full((HEIGHT, WIDTH), _BELT, np.int16)
    if fault != "no board":
        levels = np.where(photo > 127, _LIGHT, _DARK).astype(np.int16)
        large = np.pad(levels, _EDGE, constant_values=_LIGHT).repeat(SCALE, 0).repeat(SCALE, 1)
        y = int(rng.integers(10, HEIGHT - large.shape[0] - 10))
        x = int(rng.integers(40, WIDTH - large.shape[1] - 40))
        frame[y : y + large.shape[0], x : x + large.shape[1]] = large
    dy, dx = rng.integers(0, 64, 2)
    frame += _grain(0)[dy : dy + HEIGHT, dx : dx + WIDTH]
    if fault is not None:
        frame = broken(frame, fault)
    return np.clip(frame, 0, 255).astype(np.uint8)


def broken(frame: npt.NDArray[np.int16], fault: Fault) -> npt.NDArray[np.int16]:
    """Return a frame as a failing camera gives it."""
    if fault == "black":
        return frame // 40
    if fault == "over-exposed":
        return np.minimum(frame * 3 + 200, 255)
    if fault == "flat":
        return np.full_like(frame, 128)
    if fault == "noisy":
        return frame + 30 * _grain(0)[64:, 64:]
    if fault == "cropped":
        half = WIDTH // 2
        return np.pad(frame[:, half:], ((0, 0), (0, half)))
    if fault == "blurred":
        image = Image.fromarray(np.clip(frame, 0, 255).astype(np.uint8))
        small = image.resize((WIDTH // 40, HEIGHT // 40), Image.Resampling.BOX)
        return np.asarray(small.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR), np.int16)
    return frame


def jpeg(picture: Gray, quality: int = QUALITY) -> bytes:
    """Return a picture as JPEG."""
    body = io.BytesIO()
    Image.fromarray(picture).save(body, "JPEG", quality=quality)
    return body.getvalue()


def side() -> int:
    """Return the side of a board with its rim, in pixels of the camera."""
    return (SIDE + 2 * _EDGE) * SCALE


def real_boards() -> Path | None:
    """Return the folder of real boards, or None where there is none."""
    root = os.environ.get("MLGATES_DATA")
    folder = Path(root, "factory_edge_qc") if root else None
    return folder if folder is not None and folder.is_dir() else None
