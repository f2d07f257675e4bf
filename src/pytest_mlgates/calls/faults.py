"""What an exception of a subject is called in evidence: its type and status, never its text."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["fault_name", "is_timeout"]

_STATUS = ("status_code", "status", "code")


def fault_name(error: BaseException) -> str:
    """Return the type of an exception, with the status of a response where it has one.

    >>> class HttpError(Exception):
    ...     status = 503
    >>> fault_name(HttpError("secret")), fault_name(ValueError("secret"))
    ('HttpError 503', 'ValueError')
    """
    status = next(_statuses(error), None)
    return type(error).__name__ if status is None else f"{type(error).__name__} {status}"


def is_timeout(error: BaseException) -> bool:
    """Tell whether a client gave up waiting.

    >>> class ReadTimeout(Exception): ...
    >>> is_timeout(TimeoutError()), is_timeout(ReadTimeout()), is_timeout(ValueError())
    (True, True, False)
    """
    names = (kind.__name__ for kind in type(error).__mro__)
    return isinstance(error, TimeoutError) or any("Timeout" in name for name in names)


def _statuses(error: BaseException) -> Iterator[int]:
    for holder in (error, getattr(error, "response", None)):
        for name in _STATUS:
            value = getattr(holder, name, None)
            if isinstance(value, int) and not isinstance(value, bool) and 100 <= value < 600:
                yield int(value)
