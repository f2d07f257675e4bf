"""What was gated, by name and by content.

The digest walks code, closures, the globals that code names, and object state. Where anything
opaque is met (a socket, a lock, an extension object without state) there is no digest rather than
one that two different subjects could share.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import types
from collections.abc import Mapping
from typing import Any

__all__ = ["digest_of", "subject_of"]

_MOST_NODES = 20_000


def subject_of(gate: Any, args: Any, kwargs: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the name and the digest of what ``gate.run(*args, **kwargs)`` gates.

    The subject is the parameter of ``measure`` that the class names in ``subject``, or the first.
    """
    try:
        bound = inspect.signature(gate.measure).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return "", None
    wanted = getattr(gate, "subject", next(iter(bound), ""))
    if wanted not in bound:
        return "", None
    return name_of(bound[wanted]), digest_of(bound[wanted])


def name_of(subject: Any) -> str:
    """Return ``module:qualname`` of a callable, or of the class of anything else.

    >>> name_of(len)
    'builtins:len'
    """
    inner = getattr(subject, "func", subject) if type(subject).__name__ == "partial" else subject
    if not hasattr(inner, "__qualname__"):
        inner = type(inner)
    module = getattr(inner, "__module__", None) or ""
    owner = getattr(inner, "__self__", None)
    if owner is not None and not isinstance(owner, (type, types.ModuleType)):
        inner_name = f"{type(owner).__qualname__}.{inner.__name__}"
        return f"{type(owner).__module__}:{inner_name}"
    return f"{module}:{inner.__qualname__}"


def digest_of(subject: Any) -> str | None:
    """Return the hex SHA-256 of a subject's code and state, or None where it can't be told.

    An attribute ``mlgates_digest`` (a string) overrides the walk: a server's build, a model's
    registry digest.

    >>> digest_of(lambda x: x + 1) == digest_of(lambda x: x + 2)
    False
    """
    declared = getattr(subject, "mlgates_digest", None)
    if isinstance(declared, str) and declared:
        return declared
    try:
        walk = _Walk()
        walk.add(subject)
        return walk.sha.hexdigest()
    except (_Opaque, RecursionError):
        return None
    except Exception:
        return None  # a property that raises must not break a gate


class _Opaque(Exception):
    """Something whose content can't be told."""


class _Walk:
    def __init__(self) -> None:
        self.sha = hashlib.sha256()
        self.seen: dict[int, int] = {}
        self.kept: list[object] = []

    def put(self, tag: str, data: bytes = b"") -> None:
        self.sha.update(f"{tag}:{len(data)}:".encode())
        self.sha.update(data)

    def add(self, value: Any) -> None:
        if value is None or isinstance(value, (bool, int, float, complex, str)):
            self.put(type(value).__name__, repr(value).encode("utf-8", "replace"))
            return
        if isinstance(value, (bytes, bytearray)):
            self.put("bytes", bytes(value))
            return
        if id(value) in self.seen:
            self.put("again", str(self.seen[id(value)]).encode())
            return
        if len(self.seen) >= _MOST_NODES:
            raise _Opaque
        self.seen[id(value)] = len(self.seen)
        self.kept.append(value)  # so that an id is not used twice
        self._container(value)

    def _container(self, value: Any) -> None:
        if isinstance(value, (list, tuple)):
            self.put("list", str(len(value)).encode())
            for item in value:
                self.add(item)
        elif isinstance(value, (set, frozenset)):
            self.put("set", repr(sorted(map(repr, value))).encode())
        elif isinstance(value, types.CodeType):
            self._code(value)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.MethodType):
            self.put("method")
            self.add(value.__func__)
            self.add(value.__self__)
        elif isinstance(value, types.ModuleType):
            self.put("module", f"{value.__name__} {getattr(value, '__version__', '')}".encode())
        elif isinstance(value, types.BuiltinFunctionType):
            self.put("builtin", value.__qualname__.encode())
            if not isinstance(value.__self__, (types.ModuleType, type(None))):
                self.add(value.__self__)
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, dict):
            self.put("dict", str(len(value)).encode())
            for key, item in value.items():
                self.add(key)
                self.add(item)
        elif isinstance(value, property):
            self.put("property")
            self.add((value.fget, value.fset))
        elif isinstance(value, (staticmethod, classmethod)):
            self.put(type(value).__name__)
            self.add(value.__func__)
        else:
            self._object(value)

    def _code(self, code: types.CodeType) -> None:
        self.put("code", code.co_code)
        self.put("names", repr((code.co_names, code.co_varnames, code.co_freevars)).encode())
        for constant in code.co_consts:
            self.add(constant)

    def _function(self, function: types.FunctionType) -> None:
        self.put("function", function.__qualname__.encode())
        self.add(function.__code__)
        self.add((function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            try:
                self.add(cell.cell_contents)
            except ValueError:
                self.put("empty cell")
        for name in _names(function.__code__):
            if name in function.__globals__:
                self.put("global", name.encode())
                self.add(function.__globals__[name])

    def _class(self, cls: type) -> None:
        self.put("class", f"{cls.__module__}.{cls.__qualname__}".encode())
        top = cls.__module__.partition(".")[0]
        if top in sys.stdlib_module_names or "site-packages" in _file(cls.__module__):
            return  # installed code is known by its package's version, in the environment
        for name, member in sorted(vars(cls).items()):
            if name not in (
                "__dict__",
                "__weakref__",
                "__doc__",
                "__module__",
                "__abstractmethods__",
            ):
                if isinstance(
                    member, (types.FunctionType, staticmethod, classmethod, property)
                ) or isinstance(member, (str, int, float, bytes, tuple, type(None))):
                    self.put("member", name.encode())
                    self.add(member)
        for base in cls.__bases__:
            self.add(base)

    def _object(self, value: Any) -> None:
        self._class(type(value))
        declared = getattr(value, "mlgates_digest", None)
        if isinstance(declared, str):
            self.put("declared", declared.encode())
        elif hasattr(value, "detach") and hasattr(value, "numpy"):  # a torch tensor
            self.add(value.detach().cpu().numpy())
        elif hasattr(value, "tobytes") and hasattr(value, "dtype"):  # an array
            if value.dtype == object:
                raise _Opaque
            self.put("array", f"{value.dtype} {value.shape}".encode())
            self.put("data", value.tobytes())
        elif hasattr(value, "__dict__") and not hasattr(type(value), "__slots__"):
            self.add(value.__getstate__())
        else:
            reduced = value.__reduce_ex__(2)
            if isinstance(reduced, str):
                raise _Opaque
            for part in reduced[:3]:
                self.add(part)


def _names(code: types.CodeType) -> list[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names.update(_names(constant))
    return sorted(names)


def _file(module: str) -> str:
    return getattr(sys.modules.get(module), "__file__", None) or ""
