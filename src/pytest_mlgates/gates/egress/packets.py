"""What a packet tells: who is being reached, and which name is being looked up."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

__all__ = ["Packet", "read_packet"]

_IPV4, _IPV6 = 0x0800, 0x86DD
_TCP, _UDP, _ICMP, _ICMP6 = 6, 17, 1, 58
#: what a kernel says by itself to manage multicast
_HOUSEKEEPING = (0, 2)
_SYN, _ACK = 0x02, 0x10
_DNS = 53
_LONGEST_NAME = 253
_PROTOCOLS = {_TCP: "tcp", _UDP: "udp"}


@dataclass(frozen=True, slots=True)
class Packet:
    """The first of a TCP connection, or any other that carries something; ``name`` is looked up."""

    protocol: str
    address: str
    port: int
    name: str = ""
    source_port: int = 0


def read_packet(frame: bytes) -> Packet | None:
    """Read an Ethernet frame; None for answers, and for what carries nothing to anybody."""
    kind = int.from_bytes(frame[12:14])
    packet = frame[14:]
    try:
        if kind == _IPV4:
            start, protocol = (packet[0] & 15) * 4, packet[9]
            address = socket.inet_ntop(socket.AF_INET, packet[16:20])
        elif kind == _IPV6:
            start, protocol = 40, packet[6]
            address = socket.inet_ntop(socket.AF_INET6, packet[24:40])
        else:
            return None
        return _transport(protocol, packet[start:], address)
    except (IndexError, ValueError, struct.error):
        return None  # cut short: it reaches nobody


def _transport(protocol: int, data: bytes, address: str) -> Packet | None:
    if protocol in (_ICMP, _ICMP6):
        echo = data[0] in (8, 128)  # the kernel itself says "unreachable"; a ping somebody sent
        return Packet("icmp", address, 0) if echo else None
    if protocol in _HOUSEKEEPING:
        return None
    if protocol not in _PROTOCOLS:
        return Packet(f"protocol {protocol}", address, 0)
    source, port = struct.unpack("!HH", data[:4])
    if protocol == _TCP:
        begins = data[13] & (_SYN | _ACK) == _SYN
        return Packet("tcp", address, port) if begins else None
    if port == _DNS:
        return Packet("udp", address, port, name_in(data[8:]))
    # the source is told only where it may be an answer of ours
    return Packet("udp", address, port, source_port=source if source == _DNS else 0)


def name_in(query: bytes) -> str:
    r"""Return the name that a DNS query asks for, or an empty text.

    >>> name_in(bytes(12) + b"\x03www\x07example\x03org\x00\x00\x01\x00\x01")
    'www.example.org'
    """
    labels: list[bytes] = []
    at = 12
    while at < len(query) and 0 < query[at] < 64 and sum(map(len, labels)) < _LONGEST_NAME:
        labels.append(query[at + 1 : at + 1 + query[at]])
        at += 1 + query[at]
    return b".".join(labels).decode("ascii", "replace")
