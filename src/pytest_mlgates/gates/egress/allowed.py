"""The list of what may be reached: addresses, networks and host names, each with or without a port."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Allowed", "AllowedHost", "is_local", "parse_allowed"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAME = re.compile(r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_-]+)*\.?")


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """A network or a name (``*.example.org``: all below it), and a port or None for any."""

    network: Network | None
    name: str
    port: int | None

    @property
    def is_one_address(self) -> bool:
        """Whether it names a single address and port, to which connections can be passed on."""
        return (
            self.network is not None and self.network.num_addresses == 1 and self.port is not None
        )

    def has_name(self, name: str) -> bool:
        """Tell whether a host name is this one, or below it."""
        wanted, asked = self.name.rstrip(".").lower(), name.rstrip(".").lower()
        if wanted.startswith("*."):
            return asked.endswith(wanted[1:])
        return bool(wanted) and asked == wanted


def parse_allowed(text: str) -> AllowedHost:
    """Read an entry; ValueError says what is wrong with it.

    >>> parse_allowed("10.0.0.0/8").network, parse_allowed("db.internal:5432").port, parse_allowed("[::1]:9200").port
    (IPv4Network('10.0.0.0/8'), 5432, 9200)
    """
    host, port = text.strip(), None
    if match := re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:\[\]]+)(?::(\d+))?", host):
        host = match[1] or match[3]
        digits = match[2] or match[4]
        port = int(digits) if digits else None
    if port is not None and not 0 < port < 65536:
        raise ValueError(f"{text!r} has a port that is not one of 1 to 65535")
    try:
        return AllowedHost(ipaddress.ip_network(host, strict=False), "", port)
    except ValueError:
        if _NAME.fullmatch(host) and re.search(r"[A-Za-z]", host):
            return AllowedHost(None, host, port)
    raise ValueError(
        f"{text!r} is neither an address, a network nor a host name (with :port or without)"
    )


def is_local(address: str) -> bool:
    """Tell whether an address is this machine's own.

    >>> is_local("127.0.0.53"), is_local("::ffff:127.0.0.1"), is_local("10.0.0.1")
    (True, True, False)
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    plain = getattr(found, "ipv4_mapped", None) or found
    return bool(plain.is_loopback or plain.is_unspecified)


class Allowed:
    """The whole list; ``addresses`` are those that its names had when the run began."""

    def __init__(self, entries: Sequence[AllowedHost], addresses: dict[str, list[str]]) -> None:
        self.entries = entries
        self.addresses = addresses

    def has_address(self, address: str, port: int) -> bool:
        """Tell whether an address and port may be reached."""
        if is_local(address):
            return True
        found = ipaddress.ip_address(address.partition("%")[0])
        plain = getattr(found, "ipv4_mapped", None) or found
        for entry in self.entries:
            if entry.port not in (None, port):
                continue
            if entry.network is not None and plain in entry.network:
                return True
            if entry.name and str(plain) in self.addresses.get(entry.name, ()):
                return True
        return False

    def has_name(self, name: str) -> bool:
        """Tell whether a name may be looked up."""
        return name.rstrip(".").lower() == "localhost" or any(
            entry.has_name(name) for entry in self.entries
        )
