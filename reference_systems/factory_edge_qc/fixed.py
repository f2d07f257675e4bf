"""The fixed build: an int8 network beside each camera; results and odd crops go out, no pictures."""

from __future__ import annotations

import functools
import sys

import numpy as np
import numpy.typing as npt
import torch

from reference_systems import weights
from reference_systems.factory_edge_qc import (
    feed,
    frames,
    inspector,
    locate,
    onnx_file,
    pretrained,
    training,
)
from reference_systems.factory_edge_qc.alignment import aligned
from reference_systems.factory_edge_qc.feed import SCALE, Shot, frame_of
from reference_systems.factory_edge_qc.frames import Fault
from reference_systems.factory_edge_qc.inspector import Finding, Inspector
from reference_systems.factory_edge_qc.locate import found
from reference_systems.factory_edge_qc.samples import Pair
from reference_systems.factory_edge_qc.training import Recipe, fitted

__all__ = ["Inspection", "captured", "inspector_of_the_line", "line_pairs", "line_state"]

Gray = npt.NDArray[np.uint8]

SEED, BOARDS, RIM = 5, 60, 20
RECIPE = Recipe(crops=640, epochs=2, seed=SEED)
_SOURCES = (
    *pretrained.SOURCES, feed, frames, inspector, locate, onnx_file, training,
    sys.modules[__name__],
)  # fmt: skip


def captured(one: Shot, seed: int) -> Pair:
    """Return a board as its camera's frame shows it, beside its template."""
    rng = np.random.default_rng((seed, 40))
    photo = found(frame_of(one.photo, rng), SCALE, RIM)
    return Pair(photo, aligned(photo, one.template), one.boxes, one.name)


class Inspection:
    """All that happens to a frame: find the board, bring it to size, inspect it."""

    def __init__(self, inspector: Inspector) -> None:
        self.inspector, self.mlgates_digest = inspector, inspector.mlgates_digest

    def __call__(self, seen: tuple[Gray, Gray]) -> Finding:
        """Return what was found in a frame (2160, 3840), beside the board's template."""
        frame, template = seen
        try:
            photo = found(frame, SCALE, RIM)
        except Fault as fault:
            return Finding("alarm", reason=str(fault))
        return self.inspector.inspect(photo, template)


@functools.cache
def line_pairs(count: int = BOARDS, seed: int = SEED) -> tuple[Pair, ...]:
    """Return the labelled boards that the line began with: designs that no gate asks for."""
    shots = [feed.shot(1000 + index, 0, seed, bad_share=0.7) for index in range(count)]
    return tuple(captured(one, seed + index) for index, one in enumerate(shots))


@functools.cache
def _made() -> dict[str, torch.Tensor]:
    def make() -> dict[str, torch.Tensor]:
        pairs = line_pairs()
        templates = [feed.shot(1000 + index, 0, SEED).template for index in range(BOARDS)]
        done = fitted(pairs, templates, RECIPE, pretrained.pretrained())
        onnx = torch.frombuffer(bytearray(done.model), dtype=torch.uint8)
        return {**done.state, "onnx": onnx}

    libraries = ("torch", "numpy", "scipy", "pillow", "onnx", "onnxruntime")
    about = {"net": weights.digest_of_state(pretrained.pretrained()), "boards": BOARDS}
    return weights.cached("factory-line", about, make, _SOURCES, libraries)


def line_state() -> dict[str, torch.Tensor]:
    """Return the weights that the line's inspector was made of, to train on from."""
    return {name: value for name, value in _made().items() if name != "onnx"}


@functools.cache
def inspector_of_the_line() -> Inspector:
    """Return the inspector as it goes to the cameras."""
    return Inspector(_made()["onnx"].numpy().tobytes())
