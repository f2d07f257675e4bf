"""What was gated, by name and by content.

The digest walks code, closures, the globals that code names, and object state; of a path it is that
of the files there (``core/manifest.py``). Where anything opaque is met (a socket, a lock, a native
function of a package, an extension object without state) there is no digest rather than one that
two different subjects could share. A walk is bound to the Python that ran: whoever wants to compute
a digest elsewhere declares one, ``mlgates digest`` of the model's files.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import inspect
import os
import re
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_mlgates.core.canonical import Json, canonical
from pytest_mlgates.core.manifest import digest_of_path
from pytest_mlgates.core.plain import FileFault

__all__ = ["about_call", "digest_of", "name_of", "subject_of"]

_MOST_NODES = 20_000
#: what `functools.cache` makes of a function
_CACHE = type(functools.cache(len))
#: what a class has of itself, and what is no part of what it does
_OF_CLASS = frozenset(
    [
        "__module__",
        "__doc__",
        "__dict__",
        "__weakref__",
        "__qualname__",
        "__annotations__",
        "__annotate__",
        "__slots__",
        "__firstlineno__",
        "__static_attributes__",
        "__dataclass_fields__",
        "__dataclass_params__",
        "__match_args__",
        "__parameters__",
        "__orig_bases__",
        "__abstractmethods__",
        "__slotnames__",
        "__classcell__",
        "__hash__",
        "__type_params__",
        "_abc_impl",
    ]
)
_BY_TEXT = frozenset(["globals", "eval", "exec", "__import__"])
_PLAIN = {type(None), bool, int, float, complex, str, bytes}


#: of a declared digest: a token, no text with blanks or control characters
_DECLARED = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._:@/=\-]{0,199}")
#: inputs whose digest is taken: not so few that it would give one of them away, nor too many
_FEWEST_BYTES, _MOST_BYTES = 256, 64 << 20
#: a guarded file of fewer bytes might be guessed from its digest
_LARGE = 4096


def about_call(gate: Any, args: Any, kwargs: Mapping[str, Any]) -> dict[str, Json]:
    """Return name and digest of what ``gate.run(*args, **kwargs)`` gates, and of its inputs.

    The keys are fields of Evidence: ``subject``, ``subject_digest``, ``digest_from`` and ``inputs``.
    The subject is the parameter of ``measure`` that the class names in ``subject``, or the first.
    A gate that ``guards`` its subject gets no digest of its content: a digest without a key lets
    anybody try what a short text may be. One that the subject declares itself is kept.
    """
    try:
        bound = inspect.signature(gate.measure).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        return {"subject": "", "subject_digest": None}
    wanted = getattr(gate, "subject", next(iter(bound), ""))
    guarded = bool(getattr(gate, "guards", False))
    found: dict[str, Json] = {"subject": "", "subject_digest": None}
    if wanted in bound:
        name, digest, how = _identity(bound[wanted], guarded=guarded)
        found = {"subject": name, "subject_digest": digest, "digest_from": how}
    others = ((name, value) for name, value in bound.items() if name not in (wanted, "seed", "key"))
    known = {name: _input_digest(value) for name, value in others}
    found["inputs"] = {name: digest for name, digest in known.items() if digest}
    return found


def subject_of(gate: Any, args: Any, kwargs: Mapping[str, Any]) -> tuple[str, str | None]:
    """Return the name and the digest of what a call gates."""
    found = about_call(gate, args, kwargs)
    digest = found["subject_digest"]
    return str(found["subject"]), None if digest is None else str(digest)


def _identity(subject: Any, *, guarded: bool) -> tuple[str, str | None, str]:
    """Return name and digest of a subject, and how the digest was got."""
    try:
        own = isinstance(getattr(subject, "mlgates_digest", None), str)
        path = _path_in(subject)
        if (
            guarded
            and not own
            and (path is None or (path.is_file() and path.stat().st_size < _LARGE))
        ):
            return name_of(subject), None, ""
        if path is not None:
            digest = _files_digest(path)
            return path.name, digest, "files" if digest else ""
        name, digest = name_of(subject), digest_of(subject)
        declared = digest is not None and digest == getattr(subject, "mlgates_digest", None)
    except Exception:  # noqa: BLE001  (an attribute that raises must not break a gate)
        return type(subject).__qualname__, None, ""
    return name, digest, "" if digest is None else "declared" if declared else "code"


def _path_in(subject: object) -> Path | None:
    """Return the path that a subject is, where there is one: a path, or a text that names a file."""
    if isinstance(subject, os.PathLike):
        return Path(subject)
    if isinstance(subject, str) and 0 < len(subject) < 1024 and "\n" not in subject:
        path = Path(subject)
        return path if path.exists() else None
    return None


def _files_digest(path: Path) -> str | None:
    try:
        return digest_of_path(path)
    except (OSError, FileFault):
        return None


def _input_digest(value: Any) -> str | None:
    """Return a digest of inputs that anyone can make again, or None where there is none.

    Of a path, that of its files; of a text, list or dict of plain values, the SHA-256 of its
    canonical JSON (RFC 8785); of an array, that of its bytes behind type and shape.
    """
    try:
        if (path := _path_in(value)) is not None:
            return _files_digest(path)
        if isinstance(value, (list, tuple, dict, str)):
            data = canonical(value)
        elif hasattr(value, "tobytes") and hasattr(value, "dtype") and not value.dtype.hasobject:
            data = f"{value.dtype.str} {value.shape}\n".encode() + value.tobytes()
        else:
            return None
    except Exception:  # noqa: BLE001  (inputs of any kind, at which a gate must not break)
        return None
    if not _FEWEST_BYTES <= len(data) <= _MOST_BYTES:
        return None
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


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


def digest_of(subject: object) -> str | None:
    """Return the hex SHA-256 of a subject's code and state, or None where it can't be told.

    An attribute ``mlgates_digest`` (a string) overrides the walk: a server's build, a model's
    registry digest.

    >>> digest_of(lambda x: x + 1) == digest_of(lambda x: x + 2)
    False
    """
    try:
        declared = getattr(subject, "mlgates_digest", None)
        if isinstance(declared, str) and declared:
            return declared if _DECLARED.fullmatch(declared) else None
        walk = _Walk()
        walk.add(subject)
        return walk.sha.hexdigest()
    except (_Opaque, RecursionError):
        return None
    except Exception:  # noqa: BLE001  (an attribute that raises must not break a gate)
        return None


class _Opaque(Exception):
    """Something whose content can't be told."""


class _Walk:
    def __init__(self) -> None:
        self.sha = hashlib.sha256()
        self.seen: dict[int, int] = {}
        self.modules: set[tuple[object, ...]] = set()
        self.kept: list[object] = []

    def put(self, tag: str, data: bytes = b"") -> None:
        self.sha.update(f"{tag}:{len(data)}:".encode())
        self.sha.update(data)

    def add(self, value: object) -> None:
        if value is None or isinstance(value, (bool, int, float, complex, str)):
            self.put(type(value).__name__, repr(value).encode("utf-8", "replace"))
            return
        if isinstance(value, (bytes, bytearray)):
            self.put("bytes", bytes(value))
            return
        if isinstance(value, (list, tuple)) and set(map(type, value)) <= _PLAIN:
            # at once, as there may be millions; a tuple of the code may be one object or two
            self.put("list", repr(list(value)).encode("utf-8", "replace"))
            return
        if id(value) in self.seen:
            self.put("again", str(self.seen[id(value)]).encode())
            return
        if len(self.seen) >= _MOST_NODES:
            raise _Opaque
        self.seen[id(value)] = len(self.seen)
        self.kept.append(value)  # so that an id is not used twice
        self._container(value)

    def _container(self, value: object) -> None:  # noqa: C901  (one branch a type)
        if isinstance(value, (list, tuple)):
            self.put("list", str(len(value)).encode())
            for item in value:
                self.add(item)
        elif isinstance(value, (set, frozenset)):
            self.put("set", "".join(sorted(self._apart(item) for item in value)).encode())
        elif isinstance(value, types.CodeType):
            self._code(value)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.MethodType):
            self.put("method")
            self.add(value.__func__)
            self.add(value.__self__)
        elif isinstance(value, types.ModuleType):
            self._module(value, ())
        elif isinstance(value, types.BuiltinFunctionType):
            module = value.__module__ or type(value.__self__).__module__
            if module.partition(".")[0] not in sys.stdlib_module_names:
                raise _Opaque  # two builds of a native package have functions of one name
            self.put("builtin", f"{module}:{value.__qualname__}".encode())
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

    def _apart(self, item: object) -> str:
        """Return the digest of a member of a set, whose order differs between processes."""
        walk = _Walk()
        walk.add(item)
        return walk.sha.hexdigest()

    def _module(self, module: types.ModuleType, names: Sequence[str]) -> None:
        """Add a module's name and version; of a user's module also what the code uses of it."""
        self.put("module", f"{module.__name__} {getattr(module, '__version__', '')}".encode())
        if _installed(module.__name__) or len(self.seen) >= _MOST_NODES:
            return
        for name in names:
            if name in vars(module) and name not in ("__builtins__", module.__name__):
                self.put("attribute", name.encode())
                value = vars(module)[name]
                if isinstance(value, types.ModuleType):
                    key = (id(value), *names)
                    if key not in self.modules:
                        self.modules.add(key)
                        self._module(value, names)
                else:
                    self.add(value)

    def _code(self, code: types.CodeType) -> None:
        self.put("code", code.co_code + code.co_exceptiontable)
        self.put("takes", repr((code.co_argcount, code.co_kwonlyargcount, code.co_flags)).encode())
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
        if _installed(function.__module__ or ""):
            return  # known by its package's version, in the environment
        if _picks_by_text(function.__code__):
            raise _Opaque  # what it reaches by name at run time, no walk can tell
        if vars(function):  # attributes, and what a wrapper wraps
            self.add(vars(function))
        names = _names_used(function.__code__)
        for name in names:
            if name in function.__globals__:
                self.put("global", name.encode())
                value = function.__globals__[name]
                if isinstance(value, types.ModuleType):
                    self._module(value, names)
                else:
                    self.add(value)

    def _class(self, cls: type) -> None:
        self.put("class", f"{cls.__module__}.{cls.__qualname__}".encode())
        if _installed(cls.__module__):
            return
        for name, member in sorted(vars(cls).items()):
            code = isinstance(member, (types.FunctionType, staticmethod, classmethod, property))
            slot = isinstance(member, (types.MemberDescriptorType, types.GetSetDescriptorType))
            if code or not (slot or name in _OF_CLASS):
                self.put("member", name.encode())
                self.add(member)
        for base in cls.__bases__:
            self.add(base)
        if type(cls) is not type:
            self._class(type(cls))

    def _object(self, value: Any) -> None:
        self._class(type(value))
        declared = getattr(value, "mlgates_digest", None)
        if isinstance(declared, str):
            self.put("declared", declared.encode())
        elif hasattr(value, "detach") and hasattr(value, "numpy"):  # a torch tensor
            self.add(value.detach().cpu().numpy())
        elif hasattr(value, "tobytes") and hasattr(value, "dtype"):  # an array
            if getattr(value.dtype, "hasobject", True):
                raise _Opaque
            self.put("array", f"{value.dtype} {value.shape}".encode())
            self.put("data", value.tobytes())
            if type(value).__name__ == "MaskedArray":
                self.put("mask", value.mask.tobytes())
        elif isinstance(value, _CACHE):  # its state is what it was asked
            self.add(value.__wrapped__)
        else:
            reduced = value.__reduce_ex__(2)
            if isinstance(reduced, str):
                raise _Opaque
            for part in reduced[:3]:
                self.add(part)
            for items in reduced[3:5]:
                self.add(list(items or ()))


def _picks_by_text(code: types.CodeType) -> bool:
    """Tell whether code reaches things by texts: ``globals()[name]``, ``eval``, ``exec``."""
    if _BY_TEXT.intersection(code.co_names) and any(
        step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and step.argval in _BY_TEXT
        for step in dis.get_instructions(code)
    ):
        return True  # not a method of that name, such as a model's `eval`
    inner = (one for one in code.co_consts if isinstance(one, types.CodeType))
    return any(map(_picks_by_text, inner))


def _names_used(code: types.CodeType) -> list[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names.update(_names_used(constant))
    return sorted(names)


def _installed(module: str) -> bool:
    """Tell whether a module is the standard library's, this package's or an installed one's."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names - {"__main__"} or top == __name__.partition(".")[0]:
        return True
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file
