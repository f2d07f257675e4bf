"""When two values are the same, whatever library they come from."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

__all__ = ["equality_key", "unwrapped"]


def unwrapped(value: object) -> object:
    """Return what a scalar of another library holds; other values as they are."""
    held: Any = value
    if hasattr(held, "detach"):
        held = held.detach().cpu().numpy()
    return held.item() if getattr(held, "shape", None) in ((), (1,)) else held


def equality_key(value: object) -> Hashable:
    """Return what is equal for equal values, whatever they are made of."""
    if isinstance(value, (str, bytes, type(None))):
        return value
    if isinstance(value, (bool, int, float)):
        return float(value) if value == value else "nan"  # noqa: PLR0124
    if isinstance(value, (list, tuple)):
        return tuple(map(equality_key, value))
    if isinstance(value, dict):
        return tuple(sorted((str(key), equality_key(item)) for key, item in value.items()))
    array: Any = unwrapped(value)
    if hasattr(array, "tobytes") and hasattr(array, "shape"):
        return str(array.dtype), tuple(array.shape), array.tobytes()
    return value if isinstance(value, Hashable) else (type(value).__name__, repr(value))
