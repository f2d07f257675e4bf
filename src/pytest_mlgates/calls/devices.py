"""Wait for accelerators: a kernel that was launched is not a result."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["device_wait"]


def device_wait() -> Callable[[], None] | None:
    """Return what waits for all accelerators that this process has in use, or None.

    Libraries are asked only where somebody has imported them, and devices only where somebody has
    started them.
    """
    waits = [*_torch(sys.modules.get("torch")), *_others()]
    if not waits:
        return None

    def wait() -> None:
        for one in waits:
            one()

    return wait


def _torch(torch: Any) -> list[Callable[[], Any]]:
    waits: list[Callable[[], Any]] = []
    for name in ("cuda", "xpu"):
        device = getattr(torch, name, None)
        started = getattr(device, "is_initialized", None)
        if device is None or started is None or not started():
            continue

        def all_of(device: Any = device) -> None:
            for one in range(device.device_count()):
                device.synchronize(one)

        waits.append(all_of)
    backends = getattr(torch, "backends", None)
    metal = getattr(backends, "mps", None)
    if torch is not None and metal is not None and metal.is_available():
        waits.append(torch.mps.synchronize)
    return waits


def _others() -> list[Callable[[], Any]]:
    waits: list[Callable[[], Any]] = []
    cupy: Any = sys.modules.get("cupy")
    if cupy is not None and cupy.cuda.is_available():
        waits.append(cupy.cuda.runtime.deviceSynchronize)
    jax: Any = sys.modules.get("jax")
    if jax is not None and hasattr(jax, "live_arrays"):
        waits.append(lambda: jax.block_until_ready(jax.live_arrays()))
    flow: Any = sys.modules.get("tensorflow")
    if flow is not None and flow.config.list_physical_devices("GPU"):
        waits.append(flow.test.experimental.sync_devices)
    return waits
