"""Is an answer there, or only the promise of one? And how a promise is kept.

A generator, a future, a lazy frame come back before any work is done: who times the call alone
times nothing. What is known to be such a promise is named, with the way out; of an object of a
class that nothing is known about, its name is told, so that whoever reads a verdict knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import inspect
import io
import itertools
import types
from collections.abc import Iterator, Mapping, Set
from functools import cached_property, partial
from time import perf_counter_ns
from typing import Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.core.words import a

__all__ = ["PLAIN", "Taken", "pending", "read_s", "take", "take_async", "unknown_kind"]

#: what holds no work
PLAIN = frozenset({str, bytes, int, float, bool, complex, type(None), bytearray})
#: methods without arguments by which handles of one kind or another are asked for what they stand for
_ASKED = (
    "result", "compute", "collect", "execute", "materialize", "realize", "resolve", "fetchall",
)  # fmt: skip
_FUNCTIONS = (
    types.FunctionType, types.MethodType, types.BuiltinFunctionType, partial,
)  # fmt: skip
_LIBRARIES = frozenset({
    "builtins", "collections", "datetime", "decimal", "uuid", "pathlib", "fractions", "enum",
    "numpy", "pandas", "polars", "pyarrow", "torch", "scipy", "PIL", "pydantic", "xarray", "jax",
    "jaxlib", "tensorflow", "cupy", "transformers", "httpx", "requests", "aiohttp",
})  # fmt: skip
_DEEP, _WIDE = 3, 64


@dataclasses.dataclass(slots=True)
class Taken:
    """What came of a promise: when its first item was there (ns, None: none came), how many."""

    first_ns: int | None = None
    items: int = 0

    def one(self) -> None:
        """Note an item."""
        if self.first_ns is None:
            self.first_ns = perf_counter_ns()
        self.items += 1


def pending(answer: object, depth: int = 0) -> tuple[str, str] | None:
    """Return what an answer is that is not there yet, and how to get it; or None.

    What lists, mappings and dataclasses hold is looked at too, as far as a few dozen items.

    >>> pending(n for n in range(3))
    ('a generator', 'return list(call(x))')
    >>> pending({"text": map(str, [1])})[0], pending([1, 2])
    ('a map', None)
    """
    kind = type(answer)
    if kind in PLAIN or isinstance(answer, type):
        return None
    if _undone_graph(answer):
        return a(kind.__name__), "return call(x).compute()"
    if inspect.isawaitable(answer):
        return a(kind.__name__), "await it"
    if inspect.isasyncgen(answer) or hasattr(kind, "__anext__"):
        return a(kind.__name__.replace("_", " ")), "return [one async for one in call(x)]"
    if (found := _stream(answer)) is not None:
        return found
    if hasattr(kind, "__next__") and not isinstance(answer, io.IOBase):
        return a(kind.__name__), "return list(call(x))"
    if isinstance(answer, _FUNCTIONS):
        return "a function", "return what it gives"
    if (way := _way(answer)) is not None:
        return a(kind.__name__), f"return call(x).{way}()"
    if _made_as_it_is_read(kind):
        return a(kind.__name__), "return list(call(x))"
    for part in _parts(answer) if depth < _DEEP else ():
        if (found := pending(part, depth + 1)) is not None:
            return found
    return None


def unknown_kind(answer: object) -> str:
    """Return the class of an answer that nothing is known about, or an empty text.

    >>> unknown_kind({"a": 1}), unknown_kind(types.SimpleNamespace())
    ('', '')
    >>> class Handle: ...
    >>> unknown_kind(Handle())
    'Handle'
    """
    kind = type(answer)
    if _known(kind) or dataclasses.is_dataclass(answer):
        return ""
    if isinstance(answer, (Mapping, list, tuple, Set, types.SimpleNamespace, BaseException)):
        return ""
    return kind.__name__


def read_s(answer: object) -> float:
    """Return how long it takes to read what an answer of a user's class holds, in seconds.

    That is its properties and its items: lazy ones do their work then. Other answers take none.

    >>> read_s([1, 2])
    0.0
    """
    kind = type(answer)
    if _known(kind) or kind in PLAIN:
        return 0.0
    start = perf_counter_ns()
    for name in {name for base in kind.__mro__ for name in vars(base)}:
        if isinstance(inspect.getattr_static(kind, name), (property, cached_property)):
            with contextlib.suppress(Exception):
                getattr(answer, name)
    if hasattr(kind, "__len__") and (hasattr(kind, "__getitem__") or hasattr(kind, "__iter__")):
        anything: Any = answer
        with contextlib.suppress(Exception):
            for _ in itertools.islice(iter(anything), len(anything)):
                pass
    return (perf_counter_ns() - start) / 1e9


def _known(kind: type) -> bool:
    """Tell whether a class, or what it derives from, is of a library whose values are done."""
    roots = (base.__module__.partition(".")[0] for base in kind.__mro__ if base is not object)
    return any(root in _LIBRARIES for root in roots)


def _made_as_it_is_read(kind: type) -> bool:
    """Tell whether a class gives items without knowing how many: it makes them when asked."""
    if issubclass(kind, io.IOBase) or _known(kind):
        return False
    return hasattr(kind, "__iter__") and not hasattr(kind, "__len__")


def _stream(answer: Any) -> tuple[str, str] | None:
    """Recognise a response or file whose bytes are still to come."""
    kind = type(answer)
    if isinstance(answer, (io.BytesIO, io.StringIO)):
        return None
    if isinstance(answer, io.IOBase):
        return None if answer.closed else ("an open stream", "return call(x).read()")
    if getattr(answer, "is_stream_consumed", None) is False and not answer.is_closed:
        return f"{a(kind.__name__)} that was not read", "return call(x).read()"
    if getattr(answer, "_content_consumed", None) is False:
        return f"{a(kind.__name__)} that was not read", "return call(x).content"
    return None


def _undone_graph(answer: Any) -> bool:
    """Tell whether it is a graph of dask's that nobody has computed."""
    graph = getattr(type(answer), "__dask_graph__", None)
    return graph is not None and graph(answer) is not None


def _way(answer: Any) -> str | None:
    """Return the method that gives what a handle stands for."""
    kind = type(answer)

    def can(*names: str) -> bool:
        return all(callable(getattr(kind, name, None)) for name in names)

    if _undone_graph(answer):
        return "compute"
    if _known(kind) and kind.__name__ != "LazyFrame":
        return None
    if can("join", "is_alive"):  # a thread, a process
        return "join"
    if can("poll", "wait"):
        return "wait"
    if can("get", "ready"):
        return "get"
    return next((name for name in _ASKED if can(name)), None)


def _parts(answer: Any) -> Iterator[object]:
    if isinstance(answer, Mapping):
        values: Any = answer.values()
    elif isinstance(answer, (list, tuple, set, frozenset)):
        values = answer
    elif dataclasses.is_dataclass(answer):
        values = [getattr(answer, field.name, None) for field in dataclasses.fields(answer)]
        values = [value for value in values if not isinstance(value, _FUNCTIONS)]
    else:
        return
    for place, value in enumerate(values):
        if place >= _WIDE:
            return
        yield value


def take(answer: object, taken: Taken, depth: int = 0) -> None:
    """Do the work that an answer promises: read, wait, compute, call. Returns when it is done.

    >>> taken = Taken()
    >>> take((n for n in range(3)), taken)
    >>> taken.items
    3
    """
    found = pending(answer)
    if found is None or depth > _DEEP:
        return
    anything: Any = answer
    kind = type(answer)
    lazy = _undone_graph(answer)
    if not lazy and (inspect.isawaitable(answer) or hasattr(kind, "__anext__")):
        raise Unmeasurable(f"call is plain and gave {found[0]}: make it async, and it is awaited")
    if _stream(answer) is not None:
        read = getattr(anything, "read", None)
        taken.one() if (read() if read is not None else anything.content) is not None else None
    elif not lazy and (hasattr(kind, "__next__") or _made_as_it_is_read(kind)):
        for item in anything:
            taken.one()
            take(item, taken, depth + 1)
    elif isinstance(answer, _FUNCTIONS):
        take(anything(), taken, depth + 1)
    elif (way := _way(answer)) is not None:
        take(getattr(anything, way)(), taken, depth + 1)
    else:
        for part in list(_parts(answer)):
            take(part, taken, depth + 1)


async def take_async(answer: object, taken: Taken, depth: int = 0) -> None:
    """Do the same inside a running loop; what is awaitable is awaited."""
    if pending(answer) is None or depth > _DEEP:
        return
    anything: Any = answer
    if inspect.isawaitable(answer) and not _undone_graph(answer):
        await take_async(await anything, taken, depth + 1)
    elif hasattr(type(answer), "__anext__"):
        async for item in anything:
            taken.one()
            await take_async(item, taken, depth + 1)
    elif isinstance(answer, (list, tuple, Mapping)):
        await asyncio.gather(*(take_async(part, taken, depth + 1) for part in list(_parts(answer))))
    else:
        take(answer, taken, depth)
