"""What a file is, told by its bytes: what runs code is refused, what no rule knows is not loaded."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import random
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from reference_systems.model_registry import inputs, serving
from reference_systems.model_registry.errors import Refused
from reference_systems.model_registry.formats import format_of
from reference_systems.model_registry.pickles import holds_pickle
from reference_systems.model_registry.registry import Registry
from tests.reference_systems.model_registry.conftest import put


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


def packed(write):
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def in_zip(data):
    def write(stream):
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("archive/data.bin", data)

    return packed(write)


def in_tar(data):
    def write(stream):
        with tarfile.open(fileobj=stream, mode="w") as archive:
            info = tarfile.TarInfo("model")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))

    return packed(write)


EVIL = pickle.dumps(Evil())
OBJECTS = np.array([{}, {}], dtype=object)
PICKLES = {
    **{f"protocol {p}": pickle.dumps(Evil(), p) for p in range(6)},
    **{f"a dict, protocol {p}": pickle.dumps({"w": 1.5, "b": [1]}, p) for p in range(6)},
    **{f"large, protocol {p}": pickle.dumps([b"x" * 2_000_000, Evil()], p) for p in range(2, 6)},
    "without a header": b"\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
    "what it does after harmless steps": b"I1\n0I2\n0cos\nsystem\n(S'true'\ntR.",
    "followed by more": EVIL + b"tail",
    "gzip": gzip.compress(EVIL),
    "bzip2": bz2.compress(EVIL),
    "xz": lzma.compress(EVIL),
    "zlib": zlib.compress(EVIL),
    "zip": in_zip(EVIL),
    "zip in zip": in_zip(in_zip(EVIL)),
    "gzip in tar": in_tar(gzip.compress(EVIL)),
    "an array of objects": packed(lambda stream: np.save(stream, OBJECTS, allow_pickle=True)),
    "arrays of objects": packed(lambda stream: np.savez_compressed(stream, a=OBJECTS)),
}


@pytest.mark.parametrize("name", PICKLES)
def test_pickles(name, tmp_path):
    assert holds_pickle(io.BytesIO(PICKLES[name]))
    registry = Registry.open(str(tmp_path))
    with pytest.raises(Refused, match="is a pickle, or holds one"):
        put(registry, PICKLES[name], "model.safetensors")
    assert list(registry.store.objects()) == []


def test_what_is_no_pickle():
    """Texts, sources, numbers and noise: at most one in ten thousand short noises looks like one."""
    draw = random.Random(1)
    texts = [path.read_bytes() for path in Path(__file__).parents[3].glob("**/*.py")][:300]
    texts += [b"", b"\x80", b"\x80\x04", b"hello", b"c,x\n5,1\n0,1\n", b"(1, 2)", b"N.", b"{}"]
    texts += [packed(lambda stream: np.save(stream, np.zeros(5))), gzip.compress(b"text")]
    assert [text[:40] for text in texts if holds_pickle(io.BytesIO(text))] == []
    noises = (draw.randbytes(draw.randrange(300)) for _ in range(20_000))
    assert sum(holds_pickle(io.BytesIO(noise)) for noise in noises) <= 2


def test_bombs_and_broken_archives_end():
    bomb = gzip.compress(bytes(50 << 20))
    for data in (bomb, in_zip(bomb), in_zip(EVIL)[:-30], bomb[:100], b"PK\x03\x04" + bytes(100)):
        assert not holds_pickle(io.BytesIO(data))


def test_safetensors(tmp_path):
    pytest.importorskip("safetensors")
    registry = Registry.open(str(tmp_path))
    data = inputs.model(1, 1)
    assert format_of(io.BytesIO(data)) == "safetensors"
    for broken in (data[:-1], data + b"\0", data[:100], b"\xff" * 8 + data[8:]):
        assert format_of(io.BytesIO(broken)) == "unknown"
    digest = put(registry, data)
    served = serving.load(registry, digest)
    assert served.mlgates_digest == f"sha256:{digest}"
    scores = served.predict(inputs.rows(10, 1))
    assert scores.shape == (10, 1)
    assert 0 <= scores.min() <= scores.max() <= 1


def test_onnx(tmp_path):
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    kind = onnx.TensorProto.FLOAT
    ends = [onnx.helper.make_tensor_value_info(name, kind, [1]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "g", ends[:1], ends[1:])
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9)
    data = model.SerializeToString()
    assert format_of(io.BytesIO(data)) == "onnx"
    assert format_of(io.BytesIO(data[:-1])) == "unknown"
    registry = Registry.open(str(tmp_path))
    session = serving.open_onnx(registry, put(registry, data))
    assert session.run(None, {"x": np.ones(1, np.float32)})[0].tolist() == [1.0]


def test_skops(tmp_path):
    skops = pytest.importorskip("skops.io")
    linear = pytest.importorskip("sklearn.linear_model")
    model = linear.LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    data = skops.dumps(model)
    assert format_of(io.BytesIO(data)) == "skops"
    registry = Registry.open(str(tmp_path))
    assert serving.open_skops(registry, put(registry, data)).predict([[1.0]]).tolist() == [1]


def test_what_is_not_loaded(tmp_path):
    """An allowed pickle is stored and served as bytes; nothing here unpickles it."""
    import hashlib

    digest = hashlib.sha256(EVIL).hexdigest()
    registry = Registry.open(str(tmp_path), pickles=[digest])
    assert put(registry, EVIL) == digest
    for load in (serving.load, serving.open_onnx, serving.open_skops):
        with pytest.raises(Refused, match="runs code when it is loaded"):
            load(registry, digest)
        with pytest.raises(Refused, match="is unknown"):
            load(registry, put(registry, b"some bytes"))
