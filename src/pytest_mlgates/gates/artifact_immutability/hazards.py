"""What happens to a store from outside: streams that break off, stored bytes that change."""

from __future__ import annotations

import io

__all__ = ["BreakingStream", "Hazard", "StoppedError"]


class StoppedError(BaseException):
    """What a stream raises that breaks off; not an Exception, as a kill is none."""


class BreakingStream(io.RawIOBase):
    """A stream that gives some bytes and then breaks off; what it gives is never short."""

    def __init__(self, content: bytes, after: int) -> None:
        self._content, self._left, self.broke = content, after, False

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Return so many bytes, or break off."""
        if size is None or size < 0 or size > self._left:
            self.broke = True
            raise StoppedError
        block, self._content = self._content[:size], self._content[size:]
        self._left -= size
        return block


class Hazard:
    """Changes stored bytes in one way, and knows whether it was asked and changed anything."""

    def __init__(self, kind: str, at: float) -> None:
        self.kind, self.at, self.changed = kind, at, False

    def __call__(self, stored: bytes) -> bytes:
        """Return changed bytes."""
        data = bytes(stored)
        place = min(int(self.at * len(data)), max(len(data) - 1, 0))
        new = {
            "flip": data[:place]
            + bytes(b ^ 1 for b in data[place : place + 1])
            + data[place + 1 :],
            "cut": data[:place],
            "lengthen": data + b"\0",
            "empty": b"",
            "swap": b"the bytes of some other artifact",
        }[self.kind]
        self.changed = new != data
        return new
