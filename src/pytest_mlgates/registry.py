"""Gate names to gate classes; a gate is imported when it is first asked for.

Ours are the files of the folder ``gates``; those of other packages come from the entry-point
group ``pytest_mlgates.gates`` (name = the gate's name, value = ``module:Class``).
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from pytest_mlgates.core import Gate

__all__ = ["GROUP", "class_name", "classes", "load", "names"]

GROUP = "pytest_mlgates.gates"


@cache
def names() -> tuple[str, ...]:
    """Return the names of all gates, sorted, importing none of them."""
    return tuple(sorted({*_own_gates(), *_entry_points()}))


@cache
def classes() -> dict[str, str]:
    """Return the names of all gates by the names of their classes, importing none of them."""
    others = {point.attr: name for name, point in _entry_points().items()}
    return others | {class_name(name): name for name in _own_gates()}


@cache
def load(name: str) -> type[Gate]:
    """Import the gate called ``name`` and return its class."""
    import importlib

    from pytest_mlgates.core import Gate
    from pytest_mlgates.core.errors import UnknownGate
    from pytest_mlgates.core.words import did_you_mean

    cls: object
    if name not in names():
        raise UnknownGate(f"no gate is called {name!r}{did_you_mean(name, names())}")
    try:
        if name in _own_gates():
            module = importlib.import_module(f"pytest_mlgates.gates.{name}")
            cls = getattr(module, class_name(name))
        else:
            cls = _entry_points()[name].load()
    except (ImportError, AttributeError) as error:
        raise UnknownGate(f"the gate {name!r} can't be imported: {error}") from error
    if not (isinstance(cls, type) and issubclass(cls, Gate)):
        raise UnknownGate(f"the entry point {name!r} gives {cls!r}, which is not a Gate")
    if getattr(cls, "name", None) != name:
        called = getattr(cls, "name", None)
        raise UnknownGate(f"the gate {cls.__qualname__} calls itself {called!r}, not {name!r}")
    if "__dataclass_fields__" not in vars(cls):
        raise UnknownGate(
            f"the gate {cls.__qualname__} is not a dataclass: write "
            "@dataclass(frozen=True, kw_only=True)"
        )
    gate: type[Gate] = cls
    return gate


def class_name(name: str) -> str:
    """Return the class of a gate's name.

    >>> class_name("p99_latency")
    'P99Latency'
    """
    return "".join(part.capitalize() for part in name.split("_"))


@cache
def _own_gates() -> frozenset[str]:
    folder = os.path.join(os.path.dirname(__file__), "gates")  # noqa: PTH118, PTH120  (idle: no pathlib)
    with os.scandir(folder) as entries:
        return frozenset(
            entry.name.removesuffix(".py")
            for entry in entries
            if not entry.name.startswith("_") and (entry.name.endswith(".py") or entry.is_dir())
        )


@cache
def _entry_points() -> dict[str, EntryPoint]:
    """Return the entry points of our group, by name.

    What ``importlib.metadata.entry_points(group=GROUP)`` gives. That parses every file it reads,
    11 ms more among 300 distributions; nearly all of them have nothing for us.
    """
    from importlib.metadata import distribution, distributions

    points: dict[str, EntryPoint] = {}
    for found in distributions():
        if GROUP in (found.read_text("entry_points.txt") or ""):
            # the one of that name that comes first on the path hides the others
            first = distribution(found.name)
            points.update({point.name: point for point in first.entry_points.select(group=GROUP)})
    return points
