"""Changes to a report folder, drawn at random: each is one that someone could make to it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["KINDS", "Files", "read", "tamper", "write"]

#: a folder's files by name
Files = dict[str, bytes]

Change = Callable[[random.Random, bytes], bytes]


def _at(rng: random.Random, data: bytes) -> int:
    return rng.randrange(len(data)) if data else 0


def _span(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = _at(rng, data)
    return start, min(len(data), start + rng.choice([2, 10, 100, 10_000]))


def _flip(rng: random.Random, data: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _replace(rng: random.Random, data: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + rng.randbytes(1) + data[at + 1 :]


def _digit(rng: random.Random, data: bytes) -> bytes:
    """Change one digit, letter or sign to another that a reader takes as well."""
    at = _at(rng, data)
    return data[:at] + rng.choice(b'0123456789abcAZ+/=-_"{}[],: \n').to_bytes(1) + data[at + 1 :]


def _insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    more = rng.choice([rng.randbytes(1), b" ", b"\n", b"\r", b"\t", b"=", b"\0", rng.randbytes(20)])
    return data[:at] + more + data[at:]


def _delete(rng: random.Random, data: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + data[at + 1 :]


def _delete_span(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:start] + data[end:]


def _double_span(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:end] + data[start:]


def _swap_spans(rng: random.Random, data: bytes) -> bytes:
    (a, b), (c, d) = sorted([_span(rng, data), _span(rng, data)])
    if b > c:
        return data
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def _truncate(rng: random.Random, data: bytes) -> bytes:
    return data[: _at(rng, data)]


BYTES: Mapping[str, Change] = {
    "bit flipped": _flip,
    "byte replaced": _replace,
    "plausible byte": _digit,
    "bytes inserted": _insert,
    "byte deleted": _delete,
    "span deleted": _delete_span,
    "span doubled": _double_span,
    "spans swapped": _swap_spans,
    "truncated": _truncate,
}
FILES = (
    "file removed",
    "file added",
    "file renamed",
    "two files swapped",
    "file of another report",
    "bytes of another report",
)
KINDS = (*BYTES, *FILES)


def tamper(
    rng: random.Random, kind: str, name: str, files: Files, others: Sequence[Files]
) -> Files:
    """Return the files with one change of ``kind`` to the file ``name``; perhaps none changed."""
    changed = dict(files)
    if kind in BYTES:
        changed[name] = BYTES[kind](rng, files[name])
    elif kind == "file removed":
        del changed[name]
    elif kind == "file added":
        changed[rng.choice(["a", f"{name}.bak", f".{name}", f"sub/{name}"])] = rng.choice(
            [b"", files[name]]
        )
    elif kind == "file renamed":
        changed[name.upper()] = changed.pop(name)
    elif kind == "two files swapped":
        other = rng.choice(sorted(files))
        changed[name], changed[other] = files[other], files[name]
    else:
        donor = rng.choice(others)[name]
        if kind == "bytes of another report":
            start, end = _span(rng, donor)
            changed[name] = files[name][:start] + donor[start:end] + files[name][end:]
        else:
            changed[name] = donor
    return changed


def read(folder: Path) -> Files:
    """Return the files of a folder."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def write(folder: Path, old: Files, new: Files) -> None:
    """Turn a folder that holds ``old`` into one that holds ``new``."""
    for name in old.keys() - new.keys():
        (folder / name).unlink()
        if (folder / name).parent != folder:
            (folder / name).parent.rmdir()
    for name, data in new.items():
        if old.get(name) != data:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
