"""What kind of file an artifact is, told by its bytes.

``safetensors``, ``onnx`` and ``skops`` hold numbers and structure; ``pickle`` runs code when it is
loaded; everything else is ``unknown``, stored and served as bytes and never loaded here.
"""

from __future__ import annotations

import json
import struct
import zipfile
from typing import BinaryIO

from reference_systems.model_registry.pickles import holds_pickle

__all__ = ["LOADABLE", "format_of"]

#: formats that the registry itself loads
LOADABLE = ("safetensors", "onnx", "skops")

_LARGEST_HEADER = 16 << 20
#: fields of an ONNX ModelProto: number -> wire type (0 a number, 2 bytes)
_ONNX = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_IR_VERSION, _GRAPH, _OPSETS = 1, 7, 8


def format_of(file: BinaryIO) -> str:
    """Return the format of a file that can be read from its start.

    >>> import io
    >>> format_of(io.BytesIO(b"weights"))
    'unknown'
    """
    size = file.seek(0, 2)
    if holds_pickle(file):
        return "pickle"
    for name, fits in (("safetensors", _safetensors), ("skops", _skops), ("onnx", _onnx)):
        file.seek(0)
        if fits(file, size):
            return name
    return "unknown"


def _safetensors(file: BinaryIO, size: int) -> bool:
    """Tell whether the header is there and its tensors cover the rest of the file exactly."""
    head = file.read(8)
    if len(head) < 8:
        return False
    (length,) = struct.unpack("<Q", head)
    if not 2 <= length <= min(size - 8, _LARGEST_HEADER):
        return False
    try:
        header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        spans = sorted(tuple(tensor["data_offsets"]) for tensor in header.values())
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    end = 0
    for span in spans:
        if len(span) != 2 or span[0] != end or not isinstance(span[1], int) or span[1] < end:
            return False
        end = span[1]
    return end == size - 8 - length


def _skops(file: BinaryIO, size: int) -> bool:  # noqa: ARG001
    """Tell whether it is a zip with the schema that skops writes."""
    if not zipfile.is_zipfile(file):
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            info = archive.getinfo("schema.json")
            if info.file_size > _LARGEST_HEADER:
                return False
            schema = json.loads(archive.read(info))
    except (zipfile.BadZipFile, KeyError, ValueError, RuntimeError, OSError, RecursionError):
        return False
    return isinstance(schema, dict) and {"__class__", "__loader__"} <= schema.keys()


def _onnx(file: BinaryIO, size: int) -> bool:
    """Walk the outermost fields of a protobuf message and see whether they are a ModelProto's."""
    seen: set[int] = set()
    while file.tell() < size:
        tag = _varint(file)
        if tag is None or _ONNX.get(tag >> 3) != tag & 7:
            return False
        value = _varint(file)
        if value is None:
            return False
        if tag & 7 == 2:
            if value > size - file.tell():
                return False
            file.seek(value, 1)
        seen.add(tag >> 3)
    return file.tell() == size and {_IR_VERSION, _GRAPH, _OPSETS} <= seen


def _varint(file: BinaryIO) -> int | None:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None
