"""Two ways to ask the feature store: without waiting for it, and waiting for each answer."""

from __future__ import annotations

import collections
import contextlib
import socket
import time

import hiredis

__all__ = ["BlockingLookup", "PipelinedLookup", "StoreAway"]

_RETRY_S = 0.1
#: unsent bytes from which the link counts as jammed: nothing more is written behind
_JAMMED = 1 << 22
#: a store that owes an answer for this long has gone away without saying so
_SILENT_S = 2.0


class StoreAway(ConnectionError):
    """The store can't be reached."""


def _key(card: str) -> bytes:
    return b"card:" + card.encode()


class PipelinedLookup:
    """Asks for many cards at once and goes on; answers come through ``step``.

    The store may go away and come back: what was asked is asked again, what was written and not
    acknowledged is handed back.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.socket: socket.socket | None = None
        self.away = 0
        self._retry_at = 0.0
        self._out = bytearray()
        #: what was sent and not answered: cards asked for, or profiles written
        self._owed: collections.deque[tuple[list[str] | None, list[tuple[str, bytes]]]] = (
            collections.deque()
        )
        self._ask_again: list[list[str]] = []
        self._unwritten: list[tuple[str, bytes]] = []
        self._heard_at = 0.0

    @property
    def jammed(self) -> bool:
        """Tell whether writing behind would only queue."""
        return self.socket is None or len(self._out) > _JAMMED

    @property
    def wants_to_write(self) -> bool:
        """Tell whether bytes wait for room."""
        return bool(self._out)

    def connect(self, now: float) -> bool:
        """Connect where it is time to; tell whether there is a new connection."""
        if self.socket is not None:
            if self._owed and now - self._heard_at > _SILENT_S:
                self._lost(now)
            return False
        if now < self._retry_at:
            return False
        self._retry_at = now + _RETRY_S
        try:
            found = socket.create_connection(self.address, 0.05)
        except OSError:
            return False
        found.setblocking(False)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket, self._reader, self._heard_at = found, hiredis.Reader(), now
        again, self._ask_again = self._ask_again, []
        for cards in again:
            self.ask(cards)
        return True

    def ask(self, cards: list[str]) -> None:
        """Ask for the profiles of cards; without a connection once there is one."""
        if self.socket is None:
            self._ask_again.append(cards)
            return
        self._send(cards, [], hiredis.pack_command((b"MGET", *map(_key, cards))))

    def write(self, profiles: list[tuple[str, bytes]]) -> None:
        """Write profiles behind the answers."""
        if not profiles:
            return
        if self.socket is None:
            self._unwritten += profiles
            return
        parts: list[bytes] = [b"MSET"]
        for card, profile in profiles:
            parts += (_key(card), profile)
        self._send(None, profiles, hiredis.pack_command(tuple(parts)))

    def unwritten(self) -> list[tuple[str, bytes]]:
        """Return, once, the profiles that were not acknowledged."""
        found, self._unwritten = self._unwritten, []
        return found

    def step(self, now: float) -> list[tuple[list[str], list[bytes | None]]]:
        """Read and write what there is; return cards with their profiles, None for unknown ones."""
        if self.socket is None:
            return []
        found: list[tuple[list[str], list[bytes | None]]] = []
        try:
            self._flush()
            while True:
                data = self.socket.recv(1 << 18)
                if not data:
                    raise ConnectionResetError
                self._heard_at = now
                self._reader.feed(data)
                if len(data) < 1 << 18:
                    break
        except BlockingIOError:
            pass
        except OSError:
            self._lost(now)
            return found
        while (reply := self._reader.gets()) is not False:
            if isinstance(reply, hiredis.ReplyError):  # loading its data, read only, out of memory
                self._lost(now)
                break
            cards, _ = self._owed.popleft()
            if cards is not None:
                found.append((cards, reply))
        return found

    def close(self) -> None:
        """End the connection."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _send(
        self, cards: list[str] | None, profiles: list[tuple[str, bytes]], data: bytes
    ) -> None:
        if not self._owed:
            self._heard_at = time.perf_counter()
        self._owed.append((cards, profiles))
        self._out += data
        try:
            self._flush()
        except OSError:
            self._lost(time.perf_counter())

    def _flush(self) -> None:
        if self._out and self.socket is not None:
            with contextlib.suppress(BlockingIOError):
                del self._out[: self.socket.send(self._out)]

    def _lost(self, now: float) -> None:
        """Forget the connection; what it owed is asked or written again."""
        self.close()
        self.away += 1
        self._retry_at = now + _RETRY_S
        self._out.clear()
        for cards, profiles in self._owed:
            if cards is not None:
                self._ask_again.append(cards)
            self._unwritten += profiles
        self._owed.clear()


class BlockingLookup:
    """Asks for one card and waits: the incident's way."""

    def __init__(self, address: tuple[str, int], timeout: float = 1.0) -> None:
        self.address, self.timeout = address, timeout
        self._socket: socket.socket | None = None
        self._owed = 0

    def get(self, card: str) -> bytes | None:
        """Return the profile of a card, or None for an unknown one."""
        try:
            self._send((b"GET", _key(card)))
            while self._owed:
                reply = self._next()
        except OSError as error:
            self.close()
            raise StoreAway("the feature store can't be reached") from error
        if isinstance(reply, hiredis.ReplyError):
            self.close()
            raise StoreAway("the feature store refused the look-up")
        return reply  # type: ignore[no-any-return]

    def set(self, card: str, profile: bytes) -> None:
        """Write the profile of a card; its acknowledgement is read with the next answer."""
        try:
            self._send((b"SET", _key(card), profile))
        except OSError as error:
            self.close()
            raise StoreAway("the feature store can't be reached") from error

    def _send(self, command: tuple[bytes, ...]) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(self.address, self.timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._reader, self._owed = hiredis.Reader(), 0
        self._socket.sendall(hiredis.pack_command(command))
        self._owed += 1

    def _next(self) -> object:
        while (reply := self._reader.gets()) is False:
            assert self._socket is not None
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionResetError
            self._reader.feed(data)
        self._owed -= 1
        return reply

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
