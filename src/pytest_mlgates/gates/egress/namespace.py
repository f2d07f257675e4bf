"""A network namespace with nothing but a loopback interface that answers for every address.

What is sent to any address then arrives on that interface, where it is seen, whoever sent it:
Python, a C library, a subprocess. Linux only; no privilege is needed where user namespaces are
permitted.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from pathlib import Path

__all__ = ["confine", "sniffer"]

_NEWNET, _NEWUSER = 0x40000000, 0x10000000
_SIOCSIFFLAGS, _UP_RUNNING = 0x8914, 0x41
_RTM_NEWROUTE, _REQUEST_ACK_CREATE = 24, 0x405
_TABLE_LOCAL, _PROTOCOL_STATIC, _SCOPE_HOST, _TYPE_LOCAL = 255, 4, 254, 2
_RTA_OIF, _LOOPBACK_INDEX = 4, 1
_EVERY_PROTOCOL = 3


def confine() -> None:
    """Move this process, and all it starts, into a namespace of its own; OSError where refused.

    Before threads start: a namespace is a thread's.
    """
    unshare = getattr(ctypes.CDLL(None, use_errno=True), "unshare", None)
    if unshare is None:
        raise OSError("this system has no network namespaces")
    user, group = os.getuid(), os.getgid()
    if unshare(_NEWNET) != 0:
        if unshare(_NEWNET | _NEWUSER) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"a network namespace is not permitted ({os.strerror(code)})")
        _keep_identity(user, group)
    _bring_up()
    for family in (socket.AF_INET, socket.AF_INET6):
        _answer_for_all(family)


def _keep_identity(user: int, group: int) -> None:
    """Be the same user in the new user namespace: else files look like somebody else's."""
    Path("/proc/self/setgroups").write_text("deny", "ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")


def _bring_up() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14s", b"lo", _UP_RUNNING, b"")
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request)


def _answer_for_all(family: int) -> None:
    """Add the route ``local default dev lo``: rtnetlink(7)."""
    route = struct.pack(
        "=BBBBBBBBI",
        family, 0, 0, 0, _TABLE_LOCAL, _PROTOCOL_STATIC, _SCOPE_HOST, _TYPE_LOCAL, 0,
    )  # fmt: skip
    body = route + struct.pack("=HHI", 8, _RTA_OIF, _LOOPBACK_INDEX)
    header = struct.pack("=IHHII", 16 + len(body), _RTM_NEWROUTE, _REQUEST_ACK_CREATE, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as link:
        link.send(header + body)
        (code,) = struct.unpack("=i", link.recv(4096)[16:20])
    if code and family == socket.AF_INET:  # a kernel without IPv6 sends nothing by it
        raise OSError(-code, "no route could be added in the namespace")


def sniffer() -> socket.socket:
    """Return a socket that gets a copy of every packet of the namespace."""
    found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERY_PROTOCOL))
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    found.setblocking(False)
    return found
