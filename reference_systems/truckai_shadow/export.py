"""What goes to the trucks: the network as int8 ONNX, named by the SHA-256 of its bytes.

Weights and activations are quantised to 8 bits (QDQ, per channel), with ranges from frames of the
fleet. Everything that differs from run to run (paths, stack traces) is taken out of the file, so
that the same weights give the same digest.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from reference_systems.truckai_shadow.camera import HEIGHT, WIDTH
from reference_systems.truckai_shadow.model import PilotNet, inputs_of
from reference_systems.truckai_shadow.vehicle import wheel_angle

__all__ = ["OneFrame", "Pilot", "digest_of_export", "export"]

Array = npt.NDArray[Any]


def export(state: dict[str, torch.Tensor], frames: Array, speed: Array) -> bytes:
    """Return the int8 ONNX file of trained weights; frames (n, 32, 64) and speeds calibrate it."""
    net = PilotNet()
    net.load_state_dict(state)
    net.eval()
    # it warns of torchvision's operators, of which there are none here
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        plain, ready, small = (Path(folder, f"{name}.onnx") for name in ("plain", "ready", "int8"))
        examples = tuple(map(torch.from_numpy, inputs_of(frames[:2], speed[:2])))
        many = {0: torch.export.Dim("n", min=1)}
        torch.onnx.export(
            net, examples, plain, input_names=["frame", "ahead"], output_names=["aim"],
            dynamic_shapes=(many, many), dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
        quant_pre_process(plain, ready)
        quantize_static(
            ready, small, _Frames(frames, speed),
            per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        )  # fmt: skip
        return _bare(onnx.load(small))


class _Frames(CalibrationDataReader):
    def __init__(self, frames: Array, speed: Array) -> None:
        parts = (slice(i, i + 64) for i in range(0, len(frames), 64))
        self.batches = (inputs_of(frames[part], speed[part]) for part in parts)

    def get_next(self) -> dict[str, Array] | None:
        """Return the next batch, or None."""
        batch = next(self.batches, None)
        return None if batch is None else dict(zip(("frame", "ahead"), batch, strict=True))


def _bare(model: Any) -> bytes:
    """Return a model's bytes without what tells where and when it was made."""
    model.doc_string = ""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.input):
        part.doc_string = ""
        del part.metadata_props[:]
    for part in model.graph.output:
        del part.metadata_props[:]
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def digest_of_export(data: bytes) -> str:
    """Return the name of an export: the hex SHA-256 of its bytes."""
    return hashlib.sha256(data).hexdigest()


class Pilot:
    """An export as it runs in the truck: one thread of onnxruntime.

    Raises :class:`ValueError` where the bytes are no network of this kind.
    """

    def __init__(self, data: bytes) -> None:
        self.mlgates_digest = digest_of_export(data)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
            names = [i.name for i in self._session.get_inputs()]
            blank = self(np.zeros((1, HEIGHT, WIDTH), np.uint8), np.zeros(1))
        except Exception as error:  # onnxruntime raises its own types, which derive from it alone
            raise ValueError(f"is no pilot: {type(error).__name__}") from error
        if names != ["frame", "ahead"] or not np.isfinite(blank).all():
            raise ValueError(f"is no pilot: takes {names}, says {blank}")

    def __call__(self, frames: Array, speed: Array) -> Array:
        """Return the aims for frames (n, 32, 64) as uint8 and speeds (n)."""
        frame, ahead = inputs_of(frames, speed)
        aims: Array = self._session.run(["aim"], {"frame": frame, "ahead": ahead})[0]
        return aims[:, 0]


class OneFrame:
    """A pilot as the truck's loop calls it: one frame and its speed in, the wheel angle out."""

    def __init__(self, pilot: Pilot) -> None:
        self._pilot = pilot
        self.mlgates_digest = pilot.mlgates_digest

    def __call__(self, seen: tuple[Array, Array]) -> float:
        """Return the wheel angle in radians for a frame (1, 32, 64) and a speed (1)."""
        frame, speed = seen
        return float(wheel_angle(self._pilot(frame, speed), speed)[0])
