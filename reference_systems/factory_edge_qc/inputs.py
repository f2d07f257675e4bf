"""What the gates ask: boards good and bad beside their templates, and frames of failing cameras."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast, get_args

import numpy as np
import numpy.typing as npt

from reference_systems.factory_edge_qc import feed
from reference_systems.factory_edge_qc.feed import Shot, frame_of, shot
from reference_systems.factory_edge_qc.folder import labelled
from reference_systems.factory_edge_qc.frames import read_picture
from reference_systems.factory_edge_qc.inspector import Finding

if TYPE_CHECKING:
    from reference_systems.factory_edge_qc.inspector import Inspector
    from reference_systems.factory_edge_qc.traffic import Day

__all__ = ["Arrived", "Asked", "Inspects", "Stops", "faulty", "real_boards"]

Gray = npt.NDArray[np.uint8]


class Inspects(Protocol):
    """What inspects a frame (2160, 3840) beside a template, and says what it was made of."""

    mlgates_digest: str

    def __call__(self, seen: tuple[Gray, Gray]) -> Finding:
        """Return what was found."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A board before a camera, drawn when it is asked for: a frame has 8 MB."""

    camera: int
    number: int
    seed: int
    bad: bool
    fault: feed.Fault | None = None

    @property
    def board(self) -> str:
        """Return the name of the pair of pictures."""
        return f"camera-{self.camera:02d}/{self.number}"

    def shot(self) -> Shot:
        """Return the board with its template."""
        return shot(self.camera, self.number, self.seed, bad_share=1.0 if self.bad else 0.0)

    def frame(self) -> Gray:
        """Return what the camera sees."""
        rng = np.random.default_rng((self.seed, self.camera, self.number, 70))
        return frame_of(self.shot().photo, rng, self.fault)


def boards(count: int, seed: int, *, bad: bool) -> list[Asked]:
    """Return boards, each a design of its own (even numbers are), from all cameras in turn."""
    return [
        Asked(index % feed.CAMERAS, 2 * (index // feed.CAMERAS) + 10, seed, bad)
        for index in range(count)
    ]


def faulty(count: int, seed: int) -> list[Asked]:
    """Return frames of failing cameras, every kind of fault in turn."""
    kinds = cast("tuple[feed.Fault, ...]", get_args(feed.Fault))
    return [
        Asked(index % feed.CAMERAS, 100 + index, seed, bad=False, fault=kinds[index % len(kinds)])
        for index in range(count)
    ]


class Arrived:
    """What the cloud was told of a board: a result that did not arrive stopped nothing."""

    def __init__(self, day: Day, inspector: Inspector) -> None:
        self.results, self.mlgates_digest = day.received.results, inspector.mlgates_digest

    def __call__(self, board: str) -> bool:
        """Return whether a board was stopped (defect or alarm)."""
        return self.results.get(board, {"status": "ok"})["status"] != "ok"


class Stops:
    """Whether an inspection keeps a board from being shipped: defect and alarm both do."""

    def __init__(self, inspect: Inspects) -> None:
        self.inspect, self.mlgates_digest = inspect, inspect.mlgates_digest

    def __call__(self, asked: Asked) -> bool:
        """Draw the frame, and ask."""
        return self.inspect((asked.frame(), asked.shot().template)).status != "ok"


def real_boards() -> Iterator[tuple[str, Gray, Gray, bool]]:
    """Yield the real pairs of ``MLGATES_DATA``: name, photograph, template, whether it is bad."""
    folder = feed.real_boards()
    for board in labelled(folder, print) if folder is not None else ():
        if board.template is not None:
            yield (
                board.photo.stem,
                read_picture(board.photo),
                read_picture(board.template),
                bool(board.boxes),
            )
