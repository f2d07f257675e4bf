"""Read a picture, and say whether it is one to judge a board by at all.

A camera that is covered, blinded, loose or cut off gives a picture without defects. So before
anything is inspected, the frame must look like those that the model was trained on; where it does
not, that is an alarm, never "ok". What is measured of a frame is its own alone: levels, greys
between them, specks, edges, dark bands.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError
from scipy import ndimage

from reference_systems.factory_edge_qc.alignment import threshold_of

__all__ = ["MAX_PIXELS", "Envelope", "Fault", "Frame", "measured", "read_picture"]

Gray = npt.NDArray[np.uint8]

MAX_PIXELS = 50_000_000
_MAX_FILE = 200_000_000
_LEAST = 64
_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "PPM", "GIF")


class Fault(ValueError):
    """A picture can't be judged; ``alarm`` where the camera is to blame, not the request."""

    def __init__(self, message: str, *, alarm: bool = True) -> None:
        super().__init__(message)
        self.alarm = alarm


@dataclass(frozen=True, slots=True)
class Frame:
    """What is measured of one frame: levels are 0 to 255, shares and lengths 0 to 1."""

    dark: float
    light: float
    between: float
    specks: float
    ink: float
    edges: float
    dark_rows: float
    ripple: float


def read_picture(source: Path | bytes) -> Gray:
    """Return a picture as grey levels.

    Raises :class:`Fault`: an alarm for a frame that is damaged, no alarm for what is not there.
    """
    name = source.name if isinstance(source, Path) else "the picture"
    try:
        data = source if isinstance(source, bytes) else _bytes_of(source)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow warns of what it then reads all the same
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise Fault(
                        f"{name}: {width} x {height} pixels are more than {MAX_PIXELS:,}",
                        alarm=False,
                    )
                if min(width, height) < _LEAST:
                    raise Fault(f"{name}: {width} x {height} pixels are too few for a board")
                return _gray(image)
    except Fault:
        raise
    except UnidentifiedImageError:
        if not data:
            raise Fault(f"{name}: is empty") from None
        raise Fault(f"{name}: is not a picture ({', '.join(_FORMATS)})") from None
    except Image.DecompressionBombError:
        raise Fault(f"{name}: has more than {MAX_PIXELS:,} pixels", alarm=False) from None
    except MemoryError:
        raise Fault(f"{name}: does not fit into memory", alarm=False) from None
    except Exception as error:  # noqa: BLE001  (decoders raise what they like on damaged bytes)
        raise Fault(f"{name}: is damaged: {' '.join(str(error).split())[:120]}") from None


def _bytes_of(path: Path) -> bytes:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise Fault(f"{path.name}: {what}", alarm=False)
    try:
        if path.stat().st_size > _MAX_FILE:
            raise Fault(f"{path.name}: has more than {_MAX_FILE:,} bytes", alarm=False)
        return path.read_bytes()
    except OSError as error:
        raise Fault(f"{path.name}: {error.strerror}", alarm=False) from None


def _gray(image: Image.Image) -> Gray:
    image.load()
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits and more
        values = np.asarray(image, np.float64)
        top = 65535.0 if values.max() > 255 else 255.0
        return np.clip(values / top * 255, 0, 255).astype(np.uint8)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        under = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(under, image.convert("RGBA"))
    return np.asarray(image.convert("L")).copy()


def measured(picture: Gray) -> Frame:
    """Return what there is to say of a frame.

    >>> measured(np.zeros((64, 64), np.uint8)).light
    0.0
    """
    below = np.bincount(picture.ravel(), minlength=256).cumsum() / picture.size
    dark, light = (float(np.searchsorted(below, share)) for share in (0.01, 0.99))
    level = threshold_of(picture)
    span = max(light - dark, 1.0)
    between = (picture > dark + 0.2 * span) & (picture < light - 0.2 * span)
    ink = picture <= level
    calm = _majority(ink)
    steps = (ink[:, 1:] != ink[:, :-1]).mean() + (ink[1:] != ink[:-1]).mean()
    part = picture[::4].astype(np.float32)
    apart = np.abs(part - ndimage.uniform_filter1d(part, 5, axis=1))
    return Frame(
        dark=dark,
        light=light,
        between=float(between.mean()),
        specks=float((ink != calm).mean()),
        ink=float(ink.mean()),
        edges=float(steps),
        dark_rows=max(_longest(ink.mean(1) > 0.97), _longest(ink.mean(0) > 0.97)),
        ripple=float(np.quantile(apart[:, ::2], 0.3)),
    )


def _majority(ink: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return for each pixel what most of the 3 x 3 around it are: their median, by counting.

    >>> spots = np.random.default_rng(1).random((9, 7)) < 0.4
    >>> bool((_majority(spots) == ndimage.median_filter(spots, 3)).all())
    True
    """
    edged = np.pad(ink.view(np.uint8), 1, mode="symmetric")
    rows = edged[:-2] + edged[1:-1] + edged[2:]
    found: npt.NDArray[np.bool_] = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:] > 4
    return found


def _longest(hits: npt.NDArray[np.bool_]) -> float:
    """Return the longest run of True as a share of the length."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], hits, [False]]).astype(np.int8)))
    runs = ends[1::2] - ends[::2]
    return float(runs.max() / hits.size) if runs.size else 0.0


#: how far beyond those seen in training a value may lie: (times, plus), below and above
_SLACK = {
    "dark": ((1.0, -45.0), (1.0, 45.0)),
    "light": ((1.0, -45.0), (1.0, 45.0)),
    "between": ((0.0, 0.0), (2.0, 0.03)),
    "specks": ((0.0, 0.0), (3.0, 0.004)),
    "ink": ((0.3, -0.005), (1.25, 0.1)),
    "edges": ((0.3, 0.0), (2.0, 0.02)),
    "dark_rows": ((0.0, 0.0), (1.0, 0.05)),
    "ripple": ((0.0, 0.0), (1.5, 3.0)),
}
_TOLD = {
    "dark": "its dark level",
    "light": "its light level",
    "between": "the share of greys between dark and light",
    "specks": "the share of specks",
    "ink": "the share that is dark",
    "edges": "the share of edges",
    "dark_rows": "the widest dark band",
    "ripple": "the noise in plain areas",
}
#: levels between dark and light that any picture of a board has
_CONTRAST = 40.0


@dataclass(frozen=True, slots=True)
class Envelope:
    """What frames looked like in training: shapes, and the least and most of each measure."""

    shapes: tuple[tuple[int, int], ...]
    least: Frame
    most: Frame

    @classmethod
    def of(cls, pictures: Sequence[Gray]) -> Envelope:
        """Return the envelope of pictures."""
        rows = [asdict(measured(picture)) for picture in pictures]
        names = [field.name for field in fields(Frame)]
        return cls(
            shapes=tuple(sorted({(p.shape[0], p.shape[1]) for p in pictures})),
            least=Frame(**{name: min(row[name] for row in rows) for name in names}),
            most=Frame(**{name: max(row[name] for row in rows) for name in names}),
        )

    def check(self, picture: Gray, *, any_shape: bool = False) -> None:
        """Raise :class:`Fault` where a frame is not like those of the training."""
        height, width = picture.shape
        if not any_shape and (height, width) not in self.shapes:
            known = ", ".join(f"{w} x {h}" for h, w in self.shapes[:3])
            raise Fault(f"the frame has {width} x {height} pixels, not {known}: is it cut off?")
        seen = asdict(measured(picture))
        if seen["light"] - seen["dark"] < _CONTRAST:
            raise Fault(f"the frame is flat: levels from {seen['dark']:.0f} to {seen['light']:.0f}")
        least, most = asdict(self.least), asdict(self.most)
        for name, ((times_low, plus_low), (times_high, plus_high)) in _SLACK.items():
            low = least[name] * times_low + plus_low
            high = most[name] * times_high + plus_high
            if not low <= seen[name] <= high:
                raise Fault(
                    f"{_TOLD[name]} is {seen[name]:.3g}, in training it was"
                    f" {least[name]:.3g} to {most[name]:.3g}"
                )
