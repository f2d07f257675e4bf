"""What Python itself says of the network, and the line of code behind it."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from pathlib import PurePath
from types import FrameType

__all__ = ["Attempt", "watch_events"]

#: the kind of attempt, the address or name, the port, and where in the code
Attempt = tuple[str, str, int, str]

_LIBRARY = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})


def watch_events(note: Callable[[Attempt], bool], *, block: bool) -> None:
    """Have ``note`` called at every attempt of this process; an audit hook can't be taken away.

    With ``block`` an attempt that ``note`` does not allow is stopped, where no namespace stops it.
    """
    busy = False

    def hook(event: str, args: tuple[object, ...]) -> None:
        nonlocal busy
        if busy or not event.startswith("socket."):
            return
        busy = True
        try:
            attempt = _attempt(event, args)
            if attempt is not None and not note(attempt) and block:
                raise PermissionError("not on the list of what may be reached")
        finally:
            busy = False

    sys.addaudithook(hook)


def _attempt(event: str, args: tuple[object, ...]) -> Attempt | None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1] if len(args) > 1 else None
        if isinstance(address, tuple) and len(address) >= 2:
            return "connect", str(address[0]), _port(address[1]), _place()
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0].decode("ascii", "replace") if isinstance(args[0], bytes) else args[0]
        if host:
            return "look up", str(host), _port(args[1] if len(args) > 1 else 0), _place()
    return None


def _port(value: object) -> int:
    return value if isinstance(value, int) else 0


def _place() -> str:
    """Return the nearest line that is neither ours nor the standard library's."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (there is no other way up)
    while frame is not None:
        file = frame.f_code.co_filename
        library = file.startswith(_LIBRARY) and "site-packages" not in file
        if not (library or file == __file__ or file.startswith("<")):
            package = "/".join(PurePath(file).parts[-2:])
            return f"{package}:{frame.f_lineno} in {frame.f_code.co_name}"
        frame = frame.f_back
    return ""
