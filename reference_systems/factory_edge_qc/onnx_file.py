"""The network as it runs at the edge: one int8 ONNX file, named by its SHA-256."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor

from reference_systems.factory_edge_qc.network import CELL, PLANES, folded

__all__ = ["Model", "digest_of", "exported", "with_settings"]

_SETTINGS = "settings"

Floats = npt.NDArray[np.float32]


def digest_of(data: bytes) -> str:
    """Return the name of a model file: the hex SHA-256 of its bytes."""
    return hashlib.sha256(data).hexdigest()


def exported(state: dict[str, Tensor], examples: Sequence[Floats]) -> bytes:
    """Return the int8 file; ``examples`` (4, height, width) say how wide activations reach."""
    with tempfile.TemporaryDirectory() as folder:
        plain, ready, small = (Path(folder, f"{name}.onnx") for name in ("plain", "ready", "int8"))
        onnx.save(_graph(state), plain)
        quant_pre_process(plain, ready, skip_symbolic_shape=True)
        quantize_static(
            ready,
            small,
            _Examples(examples),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=["head"],
        )
        model = onnx.load(small)
    model.doc_string = ""
    del model.metadata_props[:]
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def with_settings(data: bytes, settings: str) -> bytes:
    """Return a model file that carries settings: one file, one digest for all that decides."""
    model = onnx.load_from_string(data)
    del model.metadata_props[:]
    helper.set_model_props(model, {_SETTINGS: settings})
    return bytes(model.SerializeToString(deterministic=True))


def _graph(state: dict[str, Tensor]) -> onnx.ModelProto:
    """Return the float graph: convolutions with their norms folded in, and the sums around them."""
    nodes, weights, now = [], [], "planes"
    for name, weight, bias, step, apart in folded(state):
        pad = apart * (weight.shape[2] // 2)
        weights += [
            numpy_helper.from_array(weight, f"{name}.w"),
            numpy_helper.from_array(bias, f"{name}.b"),
        ]
        out = "cells" if name == "head" else f"{name}.conv"
        nodes.append(
            helper.make_node(
                "Conv",
                [now, f"{name}.w", f"{name}.b"],
                [out],
                name=name,
                strides=[step, step],
                dilations=[apart, apart],
                pads=[pad] * 4,
            )
        )
        if name == "head":
            break
        nodes.append(helper.make_node("Relu", [out], [f"{name}.out"], name=f"{name}.relu"))
        if name.startswith("body"):
            nodes.append(helper.make_node("Add", [now, f"{name}.out"], [f"{name}.sum"]))
            now = f"{name}.sum"
        else:
            now = f"{name}.out"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, count, "height", "width"])
        for name, count in (("planes", PLANES), ("cells", 5))
    ]
    ends[1].type.tensor_type.shape.dim[2].dim_param = "rows"
    ends[1].type.tensor_type.shape.dim[3].dim_param = "columns"
    graph = helper.make_graph(nodes, "defects", ends[:1], ends[1:], weights)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name=""
    )


class _Examples(CalibrationDataReader):
    def __init__(self, examples: Sequence[Floats]) -> None:
        self.rest = iter(examples)

    def get_next(self) -> dict[str, Floats] | None:
        """Return the next example, or None."""
        example = next(self.rest, None)
        return None if example is None else {"planes": example[None]}


class Model:
    """The file at work, on one thread of onnxruntime.

    Raises :class:`ValueError` where the bytes are not a network of this kind.
    """

    def __init__(self, data: bytes) -> None:
        self.mlgates_digest = digest_of(data)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
            self.settings = self._session.get_modelmeta().custom_metadata_map.get(_SETTINGS, "")
            blank = self(np.zeros((PLANES, 64, 64), np.float32))
        except Exception as error:  # onnxruntime raises its own types, which derive from it alone
            raise ValueError(f"is not a network for boards: {type(error).__name__}") from error
        if blank.shape != (5, 8, 8) or not np.isfinite(blank).all():
            raise ValueError(f"is not a network for boards: answers {blank.shape}")

    def __call__(self, planes: Floats) -> Floats:
        """Return (5, rows, columns) for planes (4, height, width) of any size."""
        short = [(0, -n % CELL) for n in planes.shape[1:]]
        padded = np.pad(planes, [(0, 0), *short], mode="edge")
        cells: Floats = self._session.run(["cells"], {"planes": padded[None]})[0][0]
        return cells
