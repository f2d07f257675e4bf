"""The three models: the same network and recipe, trained on different clips.

V1 drives the fleet: trained on few clips, balanced by hand. V2 has more clips, taken as they came
from highway traffic. V3 has V2's clips and those that the query found in the fleet's logs.
Weights and exports of the full sizes are shipped, others kept between runs
(``reference_systems.weights``).
"""

from __future__ import annotations

import functools
import sys
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from reference_systems import weights
from reference_systems.truckai_shadow import (
    camera,
    drives,
    inputs,
    model,
    profiles,
    query,
    roads,
    shadow_mode,
    vehicle,
)
from reference_systems.truckai_shadow import export as exporting
from reference_systems.truckai_shadow.drives import Clips, drive
from reference_systems.truckai_shadow.export import Pilot
from reference_systems.truckai_shadow.inputs import highways, road_digest
from reference_systems.truckai_shadow.model import PilotNet
from reference_systems.truckai_shadow.roads import MANOEUVRES, Scenes

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FULL", "Sizes", "Versions", "net_of", "versions"]

_SOURCES = (camera, drives, inputs, model, profiles, roads, sys.modules[__name__], vehicle)
_EXPORTERS = ("torch", "numpy", "onnx", "onnxruntime", "onnxscript")
#: left turns in the traffic that V2 was trained on
HIGHWAY_MIX = {**roads.TRAFFIC, roads.LEFT_TURN: 0.004}
#: metres by which the wheel is off while the driver teaches
WOBBLE = 0.3
#: how often V3 sees each found clip for each of the others
FOUND_WEIGHT = 3


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many clips each model is trained on, the fleet logs, and the query takes."""

    balanced: int = 4000
    highway: int = 6000
    fleet: int = 24_000
    keep: int = 300
    epochs: int = 6
    seed: int = 1


FULL = Sizes()


class Versions:
    """V1, V2 and V3, each made when it is first asked for."""

    def __init__(self, sizes: Sizes = FULL) -> None:
        self.sizes = sizes

    @functools.cached_property
    def data_v1(self) -> Scenes:
        """Few clips, every manoeuvre as often as any other."""
        return highways(self.sizes.balanced, (self.sizes.seed, 1), dict.fromkeys(MANOEUVRES, 1.0))

    @functools.cached_property
    def data_v2(self) -> Scenes:
        """Many clips as they came: under 1 % of them left turns."""
        return highways(self.sizes.highway, (self.sizes.seed, 2), HIGHWAY_MIX)

    @functools.cached_property
    def fleet(self) -> Scenes:
        """What V1 drove through while V2 was its shadow."""
        return highways(self.sizes.fleet, (self.sizes.seed, 3))

    @functools.cached_property
    def found_rows(self) -> list[int]:
        """Which of the fleet's clips the query took, the highest score first."""

        def look() -> dict[str, torch.Tensor]:
            shadow = net_of(self.weights_v2)
            rows = query.best(self.fleet, self.v1, shadow, self.sizes.keep, self.sizes.seed)
            return {"rows": torch.from_numpy(rows)}

        about = {"v1": self.v1.mlgates_digest, "v2": weights.digest_of_state(self.weights_v2)}
        more = (exporting, query, shadow_mode)
        rows: list[int] = self._cached("found", look, about, more)["rows"].tolist()
        return rows

    @property
    def found(self) -> Scenes:
        """The fleet's clips that the query took."""
        return self.fleet[np.array(self.found_rows)]

    @functools.cached_property
    def data_v3(self) -> Scenes:
        """V2's clips, and those found."""
        return _joined(self.data_v2, self.found)

    @functools.cached_property
    def weights_v1(self) -> dict[str, torch.Tensor]:
        """Trained weights of V1."""
        return self._cached("v1", lambda: self._train(_taught(self.data_v1), 1))

    @functools.cached_property
    def weights_v2(self) -> dict[str, torch.Tensor]:
        """Trained weights of V2."""
        return self._cached("v2", lambda: self._train(_taught(self.data_v2), 2))

    @functools.cached_property
    def weights_v3(self) -> dict[str, torch.Tensor]:
        """Trained weights of V3; the found clips are as V1 drove them, labelled by a driver."""

        def train() -> dict[str, torch.Tensor]:
            clips = _taught(self.data_v2)
            found = drive(self.found, self.v1)
            for _ in range(FOUND_WEIGHT):
                clips = _join_clips(clips, found)
            return self._train(clips, 3)

        about = {"v1": self.v1.mlgates_digest, "found": self.found_rows, "weight": FOUND_WEIGHT}
        return self._cached("v3", train, about, (exporting,))

    @functools.cached_property
    def v1(self) -> Pilot:
        """The model that drives."""
        return Pilot(self.export_of("v1", self.weights_v1))

    @functools.cached_property
    def v2(self) -> Pilot:
        """The shadow of the incident."""
        return Pilot(self.export_of("v2", self.weights_v2))

    @functools.cached_property
    def v3(self) -> Pilot:
        """The fix."""
        return Pilot(self.export_of("v3", self.weights_v3))

    def export_of(self, name: str, state: dict[str, torch.Tensor]) -> bytes:
        """Return the int8 file of a version."""

        def make() -> dict[str, torch.Tensor]:
            some = drive(highways(60, (self.sizes.seed, 4), dict.fromkeys(MANOEUVRES, 1.0)))
            frames = some.frames.reshape(-1, *some.frames.shape[2:])
            data = exporting.export(state, frames, some.speed.ravel())
            return {"onnx": torch.frombuffer(bytearray(data), dtype=torch.uint8)}

        about = {"weights": weights.digest_of_state(state)}
        file = self._cached(f"{name}-int8", make, about, (exporting,), _EXPORTERS)["onnx"]
        return file.numpy().tobytes()

    def _train(self, clips: Clips, salt: int) -> dict[str, torch.Tensor]:
        torch.set_num_threads(1)
        return model.train(clips, self.sizes.seed * 10 + salt, self.sizes.epochs)

    def _cached(
        self,
        kind: str,
        make: Callable[[], dict[str, torch.Tensor]],
        about: dict[str, Any] | None = None,
        more: tuple[Any, ...] = (),
        libraries: tuple[str, ...] = ("torch", "numpy"),
    ) -> dict[str, torch.Tensor]:
        made_of = {
            **asdict(self.sizes),
            "mix": HIGHWAY_MIX,
            "wobble": WOBBLE,
            "road": road_digest(),
            **(about or {}),
        }
        return weights.cached(f"truckai-{kind}", made_of, make, (*_SOURCES, *more), libraries)


@functools.cache
def versions(sizes: Sizes = FULL) -> Versions:
    """Return the models of these sizes; the same object each time."""
    return Versions(sizes)


def net_of(state: dict[str, torch.Tensor]) -> PilotNet:
    """Return the network with these weights, ready to be asked."""
    net = PilotNet()
    net.load_state_dict(state)
    net.eval()
    return net


def _taught(scenes: Scenes) -> Clips:
    return drive(scenes, wobble=WOBBLE)


def _joined(first: Scenes, second: Scenes) -> Scenes:
    names = [field.name for field in fields(Scenes)]
    return Scenes(*(np.concatenate([getattr(s, name) for s in (first, second)]) for name in names))


def _join_clips(first: Clips, second: Clips) -> Clips:
    names = [field.name for field in fields(Clips) if field.name != "scenes"]
    arrays = [np.concatenate([getattr(c, name) for c in (first, second)]) for name in names]
    return Clips(*arrays, scenes=_joined(first.scenes, second.scenes))
