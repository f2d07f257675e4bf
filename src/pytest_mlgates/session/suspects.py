"""Why a subject may waver that its owner thinks is fixed: a model left in train mode."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator

__all__ = ["train_mode"]

#: how far from what was handed in a model is looked for: a method, its object, the model in that
_DEPTH = 3
_MOST = 500
#: layers that do something else while a model is trained
_LAYERS = ("Dropout", "BatchNorm", "DropPath")


def train_mode(values: Iterable[object]) -> str:
    """Return a sentence about a torch model in train mode within reach of ``values``, or nothing.

    >>> train_mode([len, "text"])
    ''
    """
    torch = sys.modules.get("torch")
    module = getattr(getattr(torch, "nn", None), "Module", None)
    if module is None:
        return ""
    for found in _reach(values):
        if not isinstance(found, module) or not found.training:
            continue
        for layer in found.modules():
            kind = type(layer).__name__
            if layer.training and kind.startswith(_LAYERS) and getattr(layer, "p", 1):
                return (
                    f"{type(found).__name__} is in train mode with an active {kind}: its answers "
                    "differ from call to call: call its eval() first"
                )
    return ""


def _reach(values: Iterable[object]) -> Iterator[object]:
    """Yield values and what they refer to, the near ones first."""
    level, seen = list(values), set[int]()
    for _ in range(_DEPTH + 1):
        further: list[object] = []
        for value in level:
            if id(value) in seen or len(seen) > _MOST:
                continue
            seen.add(id(value))
            yield value
            further += _referred(value)
        level = further


def _referred(value: object) -> list[object]:
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    found: list[object] = [getattr(value, "__self__", None), getattr(value, "__wrapped__", None)]
    for cell in getattr(value, "__closure__", None) or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:
            continue  # not filled yet
    code, names = getattr(value, "__code__", None), getattr(value, "__globals__", {})
    if code is not None:
        found += [names[name] for name in code.co_names if name in names]
        found += getattr(value, "__defaults__", None) or ()
    held = getattr(value, "__dict__", None)
    if isinstance(held, dict) and code is None and not isinstance(value, type):
        found += held.values()
    return [item for item in found if item is not None and not isinstance(item, type(sys))]
