"""Whether a file runs code when it is loaded: pickles, told by their bytes and never by their name.

Looked into: plain pickles of every protocol, the same inside gzip, bzip2, xz and zlib, members of
zip and tar files (a ``.pt`` or ``.npz`` is a zip), and NumPy arrays of objects. No byte is loaded.
What no rule knows is not said to be harmless: its format is ``unknown``, and nothing loads it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickletools
import re
import tarfile
import zipfile
import zlib
from typing import BinaryIO

__all__ = ["holds_pickle"]

#: bytes of a stream, and members of an archive, that are looked at
_WINDOW = 1 << 20
_MEMBER = 1 << 16
_MOST_MEMBERS = 10_000
_DEEPEST = 3
#: what GLOBAL and INST name: a module and a name in it
_NAMES = re.compile(r"[A-Za-z_][\w.]* [A-Za-z_][\w.]*")
#: a pickle that begins with one value too long for the window
_LONG = re.compile(rb"\x80[\x02-\x05](?:\x95.{8})?[BTX\x8d\x8e\x96]", re.DOTALL)
_FEW = 3


def holds_pickle(file: BinaryIO, depth: int = 0) -> bool:
    """Tell whether a file is a pickle, or holds one.

    >>> import io, pickle
    >>> holds_pickle(io.BytesIO(pickle.dumps({"w": 1})))
    True
    >>> holds_pickle(io.BytesIO(b"weights"))
    False
    """
    file.seek(0)
    head = file.read(_WINDOW)
    if _is_pickle(head) or _is_object_array(head):
        return True
    if depth >= _DEEPEST:
        return False
    unpacked = _unpacked(head)
    if unpacked is not None and holds_pickle(io.BytesIO(unpacked), depth + 1):
        return True
    return _in_zip(file, depth) or _in_tar(file, head, depth)


def _is_pickle(head: bytes) -> bool:
    """Tell whether the first bytes are those of a pickle.

    A stream with the header of protocol 2 or later is one if its first opcodes are valid. Older
    ones have no header and any text may begin like one, so there it takes an opcode that runs
    something, or an end right at the end.
    """
    marked = head[:1] == b"\x80" and len(head) > 1 and head[1] <= 5
    count, runs, last = 0, False, -1
    stack: list[object] = []
    try:
        for opcode, argument, position in pickletools.genops(head):
            if not marked and not _step(opcode, stack):
                return False
            count += 1
            runs = runs or _runs(opcode.name, argument)
            last = position or 0
            if count >= _FEW and (marked or runs):
                return True
    except Exception:  # noqa: BLE001  (pickletools raises many kinds on what is no pickle)
        return marked and bool(_LONG.match(head))
    return last == len(head) - 1 and count > _FEW


def _step(opcode: pickletools.OpcodeInfo, stack: list[object]) -> bool:
    """Do to the stack what an opcode does; False where a pickle could not go on."""
    mark = pickletools.markobject
    before = list(opcode.stack_before)
    if mark in before:
        while stack and stack[-1] is not mark:
            stack.pop()
        if not stack:
            return False
        stack.pop()
        before = before[: before.index(mark)]
    if len(stack) < len(before):
        return False
    del stack[len(stack) - len(before) :]
    stack.extend(opcode.stack_after)
    return True


def _runs(name: str, argument: object) -> bool:
    """Tell whether an opcode fetches what could be called; text may look like one."""
    named = name in ("GLOBAL", "INST") and bool(_NAMES.fullmatch(str(argument)))
    return named or name == "STACK_GLOBAL"


def _is_object_array(head: bytes) -> bool:
    """Tell whether these are the first bytes of a NumPy array of Python objects."""
    return head[:6] == b"\x93NUMPY" and b"|O" in head[:512]


def _unpacked(head: bytes) -> bytes | None:
    """Return the first bytes of what is packed, or None where it is not packed."""
    if head[:2] == b"\x1f\x8b":
        return _some(gzip.GzipFile(fileobj=io.BytesIO(head)))
    if head[:3] == b"BZh":
        return _some(bz2.BZ2File(io.BytesIO(head)))
    if head[:6] == b"\xfd7zXZ\x00" or head[:3] == b"\x5d\x00\x00":
        return _some(lzma.LZMAFile(io.BytesIO(head)))
    if head[:1] == b"\x78":  # joblib's default
        try:
            return zlib.decompressobj().decompress(head, _WINDOW)
        except zlib.error:
            return None
    return None


def _some(file: io.BufferedIOBase | bz2.BZ2File | gzip.GzipFile | lzma.LZMAFile) -> bytes | None:
    found = b""
    try:
        while len(found) < _WINDOW and (block := file.read(1 << 16)):
            found += block
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        pass  # the window cuts a longer stream off
    return found or None


def _in_zip(file: BinaryIO, depth: int) -> bool:
    file.seek(0)
    if not zipfile.is_zipfile(file):
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist()[:_MOST_MEMBERS]:
                with archive.open(info) as member:
                    if holds_pickle(io.BytesIO(member.read(_MEMBER)), depth + 1):
                        return True
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, zlib.error, EOFError):
        return False
    return False


def _in_tar(file: BinaryIO, head: bytes, depth: int) -> bool:
    if head[257:262] != b"ustar":
        return False
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for number, info in enumerate(archive):
                if number >= _MOST_MEMBERS:
                    break
                member = archive.extractfile(info) if info.isfile() else None
                if member and holds_pickle(io.BytesIO(member.read(_MEMBER)), depth + 1):
                    return True
    except (tarfile.TarError, OSError, EOFError):
        return False
    return False
