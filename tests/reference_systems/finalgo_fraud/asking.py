"""Transactions, and a client that asks for answers."""

from __future__ import annotations

import json
import socket


def payment(name: object = "a", **changes: object) -> dict[str, object]:
    """Return a transaction, with changes; a field set to ... is left out."""
    found = {"id": name, "card": "c1", "amount": 12.5, "merchant": "shop", "time": 1_760_000_000}
    return {key: value for key, value in (found | changes).items() if value is not ...}


def ask(address: tuple[str, int], data: bytes, *, wait: float = 20.0) -> list[dict[str, object]]:
    """Send bytes, end the sending side, and return the answers to the end."""
    with socket.create_connection(address, wait) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    return [json.loads(line) for line in received.splitlines()]


def lines(*found: object) -> bytes:
    """Return objects as JSON lines, bytes as they are."""
    return b"".join(
        (one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in found
    )
