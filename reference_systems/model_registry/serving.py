"""Models as a service holds them: loaded by digest, verified, named by what they are.

A served model carries the digest of the bytes it was loaded from as ``mlgates_digest``, set by
the registry and not by whoever gates it, so that the evidence of any gate on it names that very
artifact.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from reference_systems.model_registry.digests import full_digest
from reference_systems.model_registry.errors import Refused
from reference_systems.model_registry.formats import LOADABLE, format_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from reference_systems.model_registry.registry import Registry

__all__ = ["Served", "load", "open_onnx", "open_skops"]


class Served:
    """A two-layer network over ``safetensors`` weights (``w1 b1 w2 b2``), named by their digest."""

    def __init__(self, digest: str, tensors: dict[str, NDArray[Any]]) -> None:
        self.mlgates_digest = f"sha256:{digest}"
        self.tensors = tensors

    def predict(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a score between 0 and 1 for each row of features."""
        hidden = np.tanh(rows @ self.tensors["w1"] + self.tensors["b1"])
        logits = hidden @ self.tensors["w2"] + self.tensors["b2"]
        scores: NDArray[np.float32] = 1 / (1 + np.exp(-logits))
        return scores


def load(registry: Registry, digest: str) -> Served:
    """Return the model with this digest; its bytes are checked before anything reads them.

    Raises :class:`Refused` for a format that may run code or that no rule knows.
    """
    digest = full_digest(digest)
    data = _checked(registry, digest, "safetensors")
    import safetensors.numpy

    return Served(digest, safetensors.numpy.load(data))


def open_onnx(registry: Registry, digest: str) -> Any:
    """Return an onnxruntime session over a checked ONNX file."""
    data = _checked(registry, full_digest(digest), "onnx")
    import onnxruntime

    return onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])


def open_skops(registry: Registry, digest: str) -> Any:
    """Return the estimator in a checked skops file; a type that is not trusted is refused."""
    data = _checked(registry, full_digest(digest), "skops")
    import skops.io

    strange = skops.io.get_untrusted_types(data=data)
    if strange:
        raise Refused(f"{digest[:12]}...: holds types that nobody vouched for: {strange[0]}")
    return skops.io.loads(data, trusted=[])


def _checked(registry: Registry, digest: str, wanted: str) -> bytes:
    data = registry.store.read(digest)
    found = format_of(io.BytesIO(data))
    if found != wanted:
        told = "runs code when it is loaded" if found == "pickle" else f"is {found}"
        raise Refused(f"{digest[:12]}...: {told}, not {wanted} ({', '.join(LOADABLE)} are loaded)")
    return data
