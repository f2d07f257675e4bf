"""Whether two answers are the same within a tolerance, and by how much they are not.

What is shown of them is numbers only: a text is told by its length.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.shadow_divergence.edit_distance import word_distance

__all__ = ["Broken", "Comparison", "Difference", "is_blank", "plain"]


_LARGEST = float(np.finfo(float).max)
#: 1.1 - 1.0 is a hair more than 0.1
_ROUNDING = 1 + 1e-9


class Broken(Exception):
    """The control's own answer is none to compare with."""


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """A divergence: its kind, how far it goes (inf where there is no distance), what is shown."""

    why: str
    size: float = math.inf
    shown: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """Compares the shadow's answer with the control's; called, returns a difference or None.

    Numbers agree within ``tolerance`` or within ``relative_tolerance`` of the larger one, vectors
    where each element does (for the norm ``l2``: where the length of the difference is that small
    against the longer one), texts by the share of words edited,
    mappings by key, lists by item, and everything else where it is equal. NaN is no answer: a
    divergence of the shadow, :class:`Broken` from the control. With ``nan_agrees`` a NaN of both at
    the same place agrees, and a NaN of only one diverges.

    >>> same = Comparison(tolerance=0.5)
    >>> same(1.0, 1.4), same(1.0, 2.0).shown
    (None, '2 against 1')
    >>> same({"steer": 0.1}, {"steer": 0.9, "brake": 0.0}).why
    'other keys'
    >>> Comparison()([0.0, 1.0, 2.0], [0.0, 1.0]).why
    'shape (2,) against (3,)'
    """

    tolerance: float = 0.0
    relative_tolerance: float = 0.0
    text_tolerance: float = 0.0
    norm: str = "max"
    exact: bool = False
    nan_agrees: bool = False
    distance: Callable[[Any, Any], Any] | None = None

    def __call__(self, control: object, shadow: object) -> Difference | None:
        """Return how the shadow's answer differs, or None where it does not."""
        if control is None:
            raise Broken("None")
        if self.distance is not None:
            return self._by_distance(self.distance, control, shadow)
        return self._compare(control, shadow)

    def _by_distance(
        self, distance: Callable[[Any, Any], object], control: object, shadow: object
    ) -> Difference | None:
        if shadow is None:
            return Difference("None")
        size = plain(distance(control, shadow))
        if isinstance(size, bool) or not isinstance(size, (int, float)) or not size >= 0:
            raise Unmeasurable("distance must return a number of at least 0: 0 for the same answer")
        if size <= self.tolerance:
            return None
        return Difference("too far apart", float(size), f"distance {size:.4g}")

    def _compare(self, control: object, shadow: object) -> Difference | None:  # noqa: C901  (a branch a kind)
        a, b = _as_bytes(control), _as_bytes(shadow)
        kind, other = _answer_kind(a), _answer_kind(b)
        if b is None and a is not None:
            return Difference("None")
        if {kind, other} == {"list", "vector"}:  # numbers among other things on one side
            a, b, kind = list(a), list(b), "list"
        elif {kind, other} == {"number", "vector"}:
            self._control_is_sound(a)
            return Difference(f"shape {np.shape(b)} against {np.shape(a)}")
        elif kind != other:
            self._control_is_sound(a)
            return Difference(f"a {other} for a {kind}")
        if kind == "number":
            return self._numbers(a, b)
        if kind == "vector":
            return self._vectors(a, b)
        if kind == "text" and not self.exact and self.text_tolerance > 0:
            size = word_distance(a, b)
            if size <= self.text_tolerance:
                return None
            return Difference(
                "other words", size, f"{_texts(a, b)}, {size:.0%} of the words differ"
            )
        if kind == "mapping":
            if a.keys() != b.keys():
                both = len(a.keys() & b.keys())
                return Difference("other keys", shown=f"{both} of {len(a)} keys in both")
            return self._worst([(a[key], b[key]) for key in a])
        if kind == "list":
            if len(a) != len(b):
                return Difference(f"{len(b)} items against {len(a)}")
            return self._worst(list(zip(a, b, strict=True)))
        if _equal(a, b):
            return None
        return Difference("another text" if kind == "text" else "another class", 1.0, _texts(a, b))

    def _worst(self, pairs: list[tuple[object, object]]) -> Difference | None:
        found = [self._compare(a, b) for a, b in pairs]
        return max((d for d in found if d is not None), key=lambda d: d.size, default=None)

    def _control_is_sound(self, value: object) -> None:
        if self.nan_agrees or _answer_kind(value) not in ("number", "vector"):
            return
        if bool(np.any(np.isnan(np.asarray(value)))):
            raise Broken("NaN")

    def _numbers(self, a: Any, b: Any) -> Difference | None:
        nan, other = a != a, b != b  # noqa: PLR0124  (NaN)
        if nan and not self.nan_agrees:
            raise Broken("NaN")
        if (nan and other) or (not nan and a == b):
            return None
        if nan or other:
            return Difference("NaN", shown=f"{_short(b)} against {_short(a)}")
        try:
            gap, largest = float(abs(a - b)), float(max(abs(a), abs(b)))
        except OverflowError:
            gap = largest = math.inf
        if self._close(gap, largest):
            return None
        return Difference("other numbers", gap, f"{_short(b)} against {_short(a)}")

    def _vectors(self, a: npt.NDArray[Any], b: npt.NDArray[Any]) -> Difference | None:
        self._control_is_sound(a)
        if a.shape != b.shape:
            return Difference(f"shape {b.shape} against {a.shape}")
        if a.size == 0:
            return None
        wide = np.complex128 if "c" in a.dtype.kind + b.dtype.kind else np.float64
        same = a == b
        x, y = a.astype(wide).ravel(), b.astype(wide).ravel()
        nan, other = np.isnan(x), np.isnan(y)
        if bool(np.any(nan != other)):
            at = int(np.flatnonzero(nan != other)[0])
            return Difference("NaN", shown=_item_distance(at, x, y))
        same = same.ravel() | nan
        if bool(same.all()):
            return None
        apart = ~same
        finite = np.isfinite(x) & np.isfinite(y)
        gaps = np.zeros(x.shape)
        with np.errstate(over="ignore"):
            gaps[apart] = np.where(finite[apart], np.abs(x[apart] - y[apart]), np.inf)
        sizes = np.zeros(x.shape)
        sizes[finite] = np.maximum(np.abs(x[finite]), np.abs(y[finite]))
        if self.norm == "max":  # a time stamp must not hide the steering beside it
            gaps[self._near(gaps, sizes)] = 0.0
            if not gaps.any():
                return None
            gap = float(gaps.max())
        else:
            with np.errstate(over="ignore"):
                gap = float(np.linalg.norm(gaps))
                longer = max(float(np.linalg.norm(v[finite])) for v in (x, y))
            if self._close(gap, longer):
                return None
        return Difference("other numbers", gap, _item_distance(int(gaps.argmax()), x, y))

    def _close(self, gap: float, largest: float) -> bool:
        return bool(self._near(np.array([gap]), np.array([largest]))[0])

    def _near(
        self, gaps: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:
        finite = np.isfinite(gaps)
        sizes = np.where(finite, np.minimum(sizes, _LARGEST), 0.0)
        bounds = np.maximum(self.tolerance, self.relative_tolerance * sizes) * _ROUNDING
        near: npt.NDArray[np.bool_] = finite & (gaps <= bounds) & (not self.exact)
        return near


def plain(value: Any) -> Any:
    """Return an answer as plain numbers, texts, lists and mappings, or numpy arrays."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, Enum)):
        return value
    if hasattr(value, "detach") and hasattr(value, "cpu"):  # a torch tensor, on any device
        value = value.detach().cpu()
        value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    if isinstance(value, np.generic):
        return value.item()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, (Mapping, list, set, frozenset)):
        return value
    if isinstance(value, tuple):
        return value._asdict() if hasattr(value, "_asdict") else list(value)
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        return array.item() if array.ndim == 0 else array
    if hasattr(value, "as_integer_ratio"):  # Decimal, Fraction
        return float(value)
    return value


def is_blank(value: object) -> bool:
    """Tell whether there is nothing in an answer that could differ.

    >>> is_blank(" "), is_blank([]), is_blank(0), is_blank(np.zeros((0, 4)))
    (True, True, False, True)
    """
    value = plain(value)
    if isinstance(value, (str, bytes)):
        return not value.strip()
    if isinstance(value, np.ndarray):
        return value.size == 0
    return value is None or (isinstance(value, (list, Mapping, set, frozenset)) and not value)


def _answer_kind(value: object) -> str:
    if isinstance(value, (bool, Enum)):
        return "class"
    if isinstance(value, (int, float, complex)):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "mapping"
    if isinstance(value, np.ndarray):
        return "vector" if value.dtype.kind in "iufc" else "list"
    if isinstance(value, list):
        return "list"
    return "class"


def _as_bytes(value: object) -> Any:
    """Return an answer with lists of numbers as vectors."""
    value = plain(value)
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind in "iufc" else value.tolist()
    if not isinstance(value, list):
        return value
    items = [_as_bytes(item) for item in value]
    if not items:
        return items
    if all(_answer_kind(item) == "number" for item in items):
        try:
            return np.array(items, complex if complex in map(type, items) else float)
        except OverflowError:
            return items
    alike = all(isinstance(item, np.ndarray) and item.shape == items[0].shape for item in items)
    return np.stack(items) if alike else items


def _equal(a: object, b: object) -> bool:
    if getattr(type(a), "__eq__", None) is object.__eq__ and not isinstance(a, (Enum, type(None))):
        raise Unmeasurable(
            f"the control gave a {type(a).__name__}, which can't be compared: return numbers, a"
            " vector, a label, a text or a mapping of them, or pass distance="
        )
    return bool(a == b)


def _texts(a: object, b: object) -> str:
    if isinstance(a, str) and isinstance(b, str):
        return f"a text of {len(b)} characters against one of {len(a)}"
    numbers = all(isinstance(x, (bool, int)) and not isinstance(x, Enum) for x in (a, b))
    return f"{b} against {a}" if numbers else ""


def _item_distance(at: int, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> str:
    return f"element {at}: {_short(y[at].item())} against {_short(x[at].item())}"


def _short(number: object) -> str:
    try:
        return f"{number:.4g}"
    except OverflowError:
        return "a number too large to write"
