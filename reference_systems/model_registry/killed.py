"""A put that kills itself on the way: ``python killed.py FOLDER AT``, the bytes on standard input.

In its first two thirds (``AT`` from 0 to 1) while it reads, then before the file has its name, then
after that and before it is acknowledged. SIGKILL: nothing is cleaned up.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from reference_systems.model_registry.folder import FolderBackend
from reference_systems.model_registry.store import ContentStore


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Ending(io.RawIOBase):
    def __init__(self, content: bytes, after: int) -> None:
        self._content, self._after, self._done = content, after, 0

    def read(self, _: int = -1, /) -> bytes:
        block = self._content[self._done : self._done + 100]
        self._done += len(block)
        if self._done >= self._after:
            _die()
        return block


def main() -> None:
    """Put what standard input gives, and die."""
    content, at = sys.stdin.buffer.read(), float(sys.argv[2])
    store = ContentStore(FolderBackend(Path(sys.argv[1])))
    if at < 0.66:
        store.put(_Ending(content, int(at / 0.66 * len(content))))  # type: ignore[arg-type]
    link = os.link

    def linked(*args: Any, **kwargs: Any) -> None:
        if at >= 0.83:
            link(*args, **kwargs)
        _die()

    os.link = linked
    store.put(io.BytesIO(content))
    _die()  # it was there already


if __name__ == "__main__":
    main()
