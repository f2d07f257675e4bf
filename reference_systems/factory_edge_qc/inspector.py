"""One inspection: a frame in, and out comes ok, defect or alarm, with boxes and a confidence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from reference_systems.factory_edge_qc.alignment import Difference, aligned, difference
from reference_systems.factory_edge_qc.frames import Envelope, Fault, Frame
from reference_systems.factory_edge_qc.network import CELL, REACH, planes
from reference_systems.factory_edge_qc.onnx_file import Model, digest_of

__all__ = ["Finding", "Inspector", "Settings", "compared", "residues"]

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
#: pixels at each side of a picture that are not compared with the template
RIM = 5
Status = Literal["ok", "defect", "alarm"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What an inspection found; boxes are (x1, y1, x2, y2) in pixels, the surest first.

    ``confidence`` is how sure the status is, from 0 to 1; ``reason`` says why it is an alarm.
    """

    status: Status
    boxes: tuple[tuple[int, int, int, int], ...] = ()
    scores: tuple[float, ...] = ()
    confidence: float = 1.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What training measured besides the weights.

    ``alone`` and ``beside`` are the scores from which a cell is a defect, without and with a
    template; ``residue`` the pixels that differ from the template, in one place, from which it is
    a defect whatever the network says; ``strange`` the share of all pixels from which the template
    is that of another board; ``pad`` how much wider labelled boxes are than what differs.
    """

    alone: float
    beside: float
    residue: int
    strange: float
    pad: int
    envelope: Envelope

    def to_json(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read settings; raises :class:`ValueError` on any other text."""
        try:
            told = json.loads(text)
            shape = told.pop("envelope")
            envelope = Envelope(
                shapes=tuple((int(h), int(w)) for h, w in shape["shapes"]),
                least=Frame(**shape["least"]),
                most=Frame(**shape["most"]),
            )
            return cls(envelope=envelope, **told)
        except (TypeError, KeyError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"are not settings of an inspector: {error}") from None


class Inspector:
    """A model file that carries its settings.

    Raises :class:`ValueError` where the bytes are not one.
    """

    def __init__(self, data: bytes) -> None:
        self._model = Model(data)
        self.settings = Settings.from_json(self._model.settings)
        self.mlgates_digest = self._model.mlgates_digest

    @classmethod
    def load(cls, folder: Path) -> Inspector:
        """Read what ``train`` wrote; raises :class:`ValueError` where it is not whole."""
        try:
            digest = str(json.loads((folder / "inspector.json").read_text("utf-8"))["model"])
            data = (folder / f"{digest}.onnx").read_bytes()
        except OSError as error:
            raise ValueError(f"{error.filename}: {error.strerror}: train into it first") from None
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"{folder / 'inspector.json'}: is damaged: train again") from None
        if digest_of(data) != digest:
            raise ValueError(f"{folder / digest}.onnx: is not what its digest says: train again")
        return cls(data)

    def inspect(self, photo: Gray, template: Gray | None = None) -> Finding:
        """Inspect a frame, beside its template where there is one."""
        try:
            apart = self._judged(photo, template)
        except Fault as fault:
            return Finding("alarm", reason=str(fault))
        bound = self.settings.alone if apart is None else self.settings.beside
        cells = self._cells(photo, apart)
        found = _boxes(cells, photo.shape, bound)
        if apart is not None:
            for box in residues(apart, self.settings.residue, self.settings.pad):
                if not any(_shared(box, other) > 0.1 for other, _ in found):
                    found.append((box, max(bound, 0.75)))
        if found:
            boxes, scores = zip(*found, strict=True)
            sure = _sure(max(scores), bound)
            return Finding("defect", boxes, tuple(round(s, 3) for s in scores), sure)
        return Finding("ok", confidence=_sure(float(cells[0].max()), bound))

    def score(self, photo: Gray, template: Gray | None = None) -> float:
        """Return the score of the surest defect, without settings applied to it."""
        apart = self._compared(photo, template) if template is not None else None
        return float(self._cells(photo, apart)[0].max())

    def likeliest(self, photo: Gray) -> tuple[int, int, int, int]:
        """Return the cell that looks most like a defect, as a box."""
        scores = self._cells(photo, None)[0]
        row, column = divmod(int(scores.argmax()), scores.shape[1])
        x, y = column * CELL, row * CELL
        return x, y, x + CELL, y + CELL

    def _judged(self, photo: Gray, template: Gray | None) -> Difference | None:
        """Check frame and template, and compare them; raises :class:`Fault`."""
        if template is None:
            self.settings.envelope.check(photo)
            return None
        self.settings.envelope.check(photo, any_shape=True)
        if template.shape != photo.shape:
            sizes = [f"{n.shape[1]} x {n.shape[0]}" for n in (photo, template)]
            raise Fault(f"the frame has {sizes[0]} pixels, its template {sizes[1]}")
        try:
            self.settings.envelope.check(template, any_shape=True)
        except Fault as fault:
            raise Fault(f"the template: {fault}") from None
        apart = self._compared(photo, template)
        if apart.share > self.settings.strange:
            raise Fault(f"{apart.share:.1%} of the frame is not as the template: another board?")
        return apart

    def _compared(self, photo: Gray, template: Gray) -> Difference:
        return compared(photo, aligned(photo, template))

    def _cells(self, photo: Gray, apart: Difference | None) -> Floats:
        """Return the scores of the cells, and the four distances in pixels."""
        masks = (apart.extra, apart.missing) if apart is not None else (None, None)
        cells = self._model(planes(photo, *masks))
        cells[0] = 1 / (1 + np.exp(-np.clip(cells[0], -30, 30)))
        cells[1:] *= REACH
        return cells


def _sure(score: float, bound: float) -> float:
    """Return how far a score is from its bound: 0.5 at the bound, 1 at either end.

    >>> _sure(0.5, 0.5), _sure(1.0, 0.4), _sure(0.0, 0.4)
    (0.5, 1.0, 1.0)
    """
    far = (score - bound) / (1 - bound) if score >= bound else (bound - score) / bound
    return round(0.5 + 0.5 * min(max(far, 0.0), 1.0), 3)


def compared(photo: Gray, laid: Gray) -> Difference:
    """Return what differs from a template that was laid over a photograph, but for the rim.

    There one of the two may show what the other's frame cut off.
    """
    apart = difference(photo, laid)
    for mask in (apart.extra, apart.missing):
        mask[:RIM] = mask[-RIM:] = False
        mask[:, :RIM] = mask[:, -RIM:] = False
    return apart


_Rect = tuple[int, int, int, int]


def _boxes(cells: Floats, shape: tuple[int, ...], bound: float) -> list[tuple[_Rect, float]]:
    """Return the boxes of cells above the bound, of those that overlap the surest."""
    scores = cells[0]
    rows, columns = np.nonzero(scores >= bound)
    kept: list[tuple[_Rect, float]] = []
    for at in np.argsort(-scores[rows, columns], kind="stable"):
        row, column = int(rows[at]), int(columns[at])
        cx, cy = (column + 0.5) * CELL, (row + 0.5) * CELL
        if cx >= shape[1] or cy >= shape[0]:
            continue
        left, top, right, below = (max(float(v), 2.0) for v in cells[1:, row, column])
        box = (
            max(round(cx - left), 0),
            max(round(cy - top), 0),
            min(round(cx + right), shape[1] - 1),
            min(round(cy + below), shape[0] - 1),
        )
        if all(_shared(box, other) < 0.35 for other, _ in kept):
            kept.append((box, float(scores[row, column])))
    return kept


def _shared(a: Sequence[int], b: Sequence[int]) -> float:
    """Return the common area over the smaller of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return width * height / max(smaller, 1)


def residues(apart: Difference, least: int, pad: int) -> list[_Rect]:
    """Return a padded box around each place where at least so many pixels differ."""
    both = apart.extra | apart.missing
    parts, count = ndimage.label(ndimage.binary_dilation(both, iterations=3))
    if not count:
        return []
    sizes = ndimage.sum(both, parts, range(1, count + 1))
    height, width = both.shape
    found = []
    for part, size in zip(ndimage.find_objects(parts), sizes, strict=True):
        if size >= least:
            rows, columns = part
            found.append(
                (
                    max(columns.start + 3 - pad, 0),
                    max(rows.start + 3 - pad, 0),
                    min(columns.stop - 4 + pad, width - 1),
                    min(rows.stop - 4 + pad, height - 1),
                )
            )
    return found
