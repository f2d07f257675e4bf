"""What runs beside each camera: inspect, keep the result, send little (results and odd crops).

An inspection is a line of JSON of at most 1 KB. Lines go out in compressed batches; a crop of 96
pixels goes out besides where the model was not sure, within a budget of bytes an inspection. Both
wait in the durable queue of ``parts`` until they have arrived.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from reference_systems.factory_edge_qc.feed import SCALE, jpeg
from reference_systems.factory_edge_qc.frames import Fault
from reference_systems.factory_edge_qc.inspector import Finding, Inspector
from reference_systems.factory_edge_qc.locate import found

if TYPE_CHECKING:
    from reference_systems.parts.upload_queue import UploadQueue

__all__ = ["CROP", "MAX_RESULT", "Allowance", "Station", "packed", "result_line", "unpacked"]

Gray = npt.NDArray[np.uint8]

MAX_RESULT = 1024
CROP = 96
_MOST_CROP = 900
_RIM = 20
_MOST_BOXES = 12
_HEAD = {"results": b"R1", "crop": b"C1"}


def result_line(name: str, at: float, model: str, finding: Finding) -> bytes:
    """Return an inspection as a line of JSON of at most 1,024 bytes.

    Boxes beyond the twelve surest are counted, not listed.

    >>> len(result_line("camera-01/7", 3.5, "0" * 64, Finding("ok", confidence=0.98)))
    95
    """
    told: dict[str, object] = {
        "board": name,
        "at": round(at, 3),
        "model": model[:12],
        "status": finding.status,
        "confidence": finding.confidence,
    }
    if finding.boxes:
        told["boxes"] = [list(box) for box in finding.boxes[:_MOST_BOXES]]
        told["scores"] = list(finding.scores[:_MOST_BOXES])
        told["defects"] = len(finding.boxes)
    if finding.reason:
        told["reason"] = finding.reason[:120]
    line = json.dumps(told, separators=(",", ":")).encode() + b"\n"
    if len(line) > MAX_RESULT:
        raise ValueError(f"{name[:80]}: a result of {len(line)} bytes is more than {MAX_RESULT}")
    return line


def packed(kind: str, head: dict[str, object], body: bytes) -> bytes:
    """Return an item for the queue: its kind, a line of JSON, and compressed bytes."""
    return _HEAD[kind] + json.dumps(head).encode() + b"\n" + zlib.compress(body, 9)


def unpacked(item: bytes) -> tuple[str, dict[str, object], bytes]:
    """Return kind, head and body of an item; raises :class:`ValueError` on any other bytes."""
    kinds = {mark: kind for kind, mark in _HEAD.items()}
    head, line, rest = item[:2], *item[2:].partition(b"\n")[::2]
    if head not in kinds:
        raise ValueError("is not an item of a station")
    try:
        told = json.loads(line)
        unzip = zlib.decompressobj()
        body = unzip.decompress(rest, 4_000_000)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"is damaged: {type(error).__name__}") from None
    if unzip.unconsumed_tail or not unzip.eof or not isinstance(told, dict):
        raise ValueError("is damaged or too large")
    return kinds[head], told, body


@dataclass(slots=True)
class Allowance:
    """Bytes that crops may take, an inspection on average; all cameras of a plant share them.

    >>> allowance = Allowance(200.0, seen=10)
    >>> allowance.take(1500), allowance.take(1500)
    (True, False)
    """

    bytes_an_inspection: float = 120.0
    seen: int = 0
    spent: int = 0

    def take(self, size: int) -> bool:
        """Take bytes where there are enough; say whether there were."""
        enough = self.spent + size <= self.bytes_an_inspection * self.seen
        self.spent += size if enough else 0
        return enough


@dataclass(slots=True)
class Station:
    """One camera's box: an inspector, a queue, and what has been seen since the last batch."""

    camera: str
    inspector: Inspector
    queue: UploadQueue
    allowance: Allowance = field(default_factory=Allowance)
    unsure: float = 0.75
    batch: int = 20
    lines: list[bytes] = field(default_factory=list)
    batches: int = 0

    def inspect(self, name: str, frame: Gray, template: Gray | None, now: float) -> Finding:
        """Inspect a frame and keep what is to be sent."""
        self.allowance.seen += 1
        try:
            photo = found(frame, SCALE, _RIM)
        except Fault as fault:
            finding = Finding("alarm", reason=str(fault))
        else:
            finding = self.inspector.inspect(photo, template)
            self._maybe_crop(name, photo, finding, now)
        self.lines.append(result_line(name, now, self.inspector.mlgates_digest, finding))
        if len(self.lines) >= self.batch:
            self.flush(now)
        return finding

    def flush(self, now: float) -> None:
        """Queue the results that wait."""
        if self.lines:
            head = {"camera": self.camera, "batch": self.batches, "count": len(self.lines)}
            item = packed("results", head, b"".join(self.lines))
            self.queue.add(item, score=1e6, now=now)  # results go before crops
            self.lines.clear()
            self.batches += 1

    def _maybe_crop(self, name: str, photo: Gray, finding: Finding, now: float) -> None:
        """Queue a crop around the surest place, where that is not sure and bytes are left."""
        if finding.status == "alarm" or finding.confidence >= self.unsure:
            return
        box = finding.boxes[0] if finding.boxes else self.inspector.likeliest(photo)
        y, x = (
            int(np.clip((box[i] + box[i + 2]) // 2 - CROP // 2, 0, photo.shape[1 - i] - CROP))
            for i in (1, 0)
        )
        picture = _small(photo[y : y + CROP, x : x + CROP])
        item = packed("crop", {"board": name, "x": x, "y": y, "status": finding.status}, picture)
        if self.allowance.take(len(item)):
            self.queue.add(item, score=1 - finding.confidence, now=now)


def _small(crop: Gray) -> bytes:
    """Return a crop as a JPEG of at most 900 bytes where a lower quality can do that."""
    picture = b""
    for quality in (40, 25, 15, 8):
        picture = jpeg(crop, quality)
        if len(picture) <= _MOST_CROP:
            break
    return picture
