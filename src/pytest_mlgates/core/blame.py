"""What evidence may tell of an exception: its type and place, never its text.

The text may hold what a gate guards. The type, the lines of code, the status of an HTTP answer and
the shape of what was handed in hold nothing of it, and are what a person needs to look further.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePath
from types import CodeType, FrameType, TracebackType

from pytest_mlgates.core.words import a, one_line

__all__ = ["is_users_own", "number_call", "own_part", "shape_of", "what_broke"]

_OURS = str(Path(__file__).absolute().parents[1])
_STDLIB = str(Path(os.__file__).absolute().parent)
_INSTALLED = {"site-packages", "dist-packages"}
_CALL = "_mlgates_call"
#: parameters of the subject that are described
_MOST = 3


def number_call(error: BaseException, call: int) -> None:
    """Note during which call of the subject an exception was raised."""
    with contextlib.suppress(AttributeError, TypeError):  # a class may take no attributes
        if not hasattr(error, _CALL):
            setattr(error, _CALL, call)


def what_broke(error: BaseException, *, given: bool = True) -> str:
    """Return the type of an exception, where the user's own code raised it, and what that was given.

    Called where it is handled: the code that handed in the subject is still under way.

    >>> try: len(5)
    ... except TypeError as error: print(what_broke(error).partition(" was raised at ")[0])
    TypeError
    """
    frames = list(_frames(error.__traceback__))
    mine = next((f for f in reversed(frames) if is_users_own(f[0].f_code)), None) or _caller()
    last = frames[-1] if frames else None
    text = f"{type(error).__name__}{_http_status(error)} was raised"
    if mine is not None:
        text += f" at {_place(*mine)}"
        if last is not None and last != mine and not _is_ours(last[0].f_code):
            text += f", inside {_place(*last)}"
    elif last is not None:
        text += f" at {_place(*last)}"
    about = []
    if call := getattr(error, _CALL, 0):
        about.append(f"call {call}")
    tops = [f for f, _ in frames if _is_foreign(f.f_code)]
    entered = mine[0] if mine in frames and mine is not None else next(iter(tops), None)
    if given and entered is not None and (values := ", ".join(_given(entered))):
        about.append(f"given {values}")
    return f"{text} ({'; '.join(about)})" if about else text


def own_part(error: BaseException) -> BaseException:
    """Cut the frames of this package off a traceback, down to the subject's own; return the error."""
    trace = error.__traceback__
    while trace is not None and not _is_foreign(trace.tb_frame.f_code):
        trace = trace.tb_next
    return error.with_traceback(trace) if trace is not None else error


def shape_of(value: object) -> str:
    """Return the type of a value, with its shape or its length.

    >>> import numpy as np
    >>> shape_of(np.zeros((2, 3))), shape_of("abc"), shape_of(None), shape_of(1.5)
    ('a ndarray of shape (2, 3)', 'a str of length 3', 'None', 'a float')
    """
    text = a(one_line(type(value).__name__, 60))
    with contextlib.suppress(Exception):
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple) and all(type(n) is int for n in shape):
            return f"{text} of shape {tuple(shape)}"
    if isinstance(value, (str, bytes, list, tuple, dict, set, frozenset)):
        return f"{text} of length {len(value)}"
    return text


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _caller() -> tuple[FrameType, int] | None:
    """Return the frame of the user that called into this package, or None."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (the documented way)
    while frame is not None and not is_users_own(frame.f_code):
        frame = frame.f_back
    return (frame, frame.f_lineno) if frame is not None else None


def _place(frame: FrameType, line: int) -> str:
    code = frame.f_code
    return f"{PurePath(code.co_filename).name}:{line} in {code.co_name}"


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(_OURS + os.sep)


def _is_foreign(code: CodeType) -> bool:
    """Tell whether code is the subject's: neither ours nor what drives coroutines."""
    return not _is_ours(code) and f"{os.sep}asyncio{os.sep}" not in code.co_filename


def is_users_own(code: CodeType) -> bool:
    """Tell whether code is neither ours nor installed nor of Python itself."""
    file = code.co_filename
    installed = _INSTALLED.intersection(PurePath(file).parts) or file.startswith(_STDLIB + os.sep)
    return not (_is_ours(code) or installed or file.startswith("<"))


def _given(frame: FrameType) -> Iterator[str]:
    """Yield what a function was given, each with its type and shape alone."""
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    held = frame.f_locals
    shown = [name for name in names if held.get(name) is not None and name not in ("self", "cls")]
    for name in shown[:_MOST]:
        yield f"{name}: {shape_of(held[name])}"


def _http_status(error: BaseException) -> str:
    """Return the status of the HTTP answer that an exception is about, or nothing."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "status", "code"):
            value = getattr(holder, name, None)
            if type(value) is int and 100 <= value <= 599:
                return f" (HTTP {value})"
    return ""
