"""Sequences of operations, drawn by seed, and how each is told to a person."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence

__all__ = ["KINDS", "Material", "Operation", "draw_sequence", "tell"]

#: every kind of operation: how often it is drawn, and the method of the store that it takes
KINDS = {
    "put": (24, "put"),
    "overwrite": (14, "put"),
    "again": (8, "put"),
    "alike": (8, "put"),
    "at once": (6, "put"),
    "broken off": (8, "put"),
    "reopen": (8, "reopen"),
    "delete": (8, "delete"),
    "rename": (6, "rename"),
    "flip": (6, "damage"),
    "cut": (5, "damage"),
    "lengthen": (2, "damage"),
    "empty": (2, "damage"),
    "swap": (4, "damage"),
    "cut read": (5, "cut_reads"),
    "killed": (1, "kill_put"),
}
LONGEST = 3_000
_NAMES = 5
_CONTENTS = 4
#: two texts whose SHA-256 begin with the same twelve digits
_PREFIX = (b"artifact 30833785", b"artifact 33245150")
#: two blocks of equal MD5 (Wang, Feng, Lai and Yu 2004)
_BLOCK = bytes.fromhex(
    "d131dd02c5e6eec4693d9a0698aff95c2fcab58712467eab4004583eb8fb7f89"
    "55ad340609f4b30283e488832571415a085125e8f7cdc99fd91dbdf280373c5b"
    "d8823e3156348f5bae6dacd436c919c6dd53e2b487da03fd02396306d248cda0"
    "e99f33420f577ee8ce54b67080a80d1ec69821bcb6a8839396f9652b6ff72a70"
)
_MD5 = (
    _BLOCK,
    bytes(b ^ 0x80 if at in (19, 45, 59, 83, 109, 123) else b for at, b in enumerate(_BLOCK)),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One step: ``content`` and ``name`` are numbers into the material, ``at`` a share from 0 to 1."""

    kind: str
    content: int
    name: int
    at: float


class Material:
    """The contents and names of one sequence; ``mark`` makes them its own.

    A name or a content appears in no other sequence, but for the pairs that collide and the empty
    artifact.
    """

    def __init__(self, mark: str, draw: random.Random) -> None:
        first = f"{mark} ".encode() + draw.randbytes(draw.randrange(1, LONGEST))
        same_length = first[:-1] + bytes([first[-1] ^ 1])
        second = f"{mark}:".encode() + draw.randbytes(draw.randrange(1, LONGEST))
        self.contents = (first, same_length, second, b"")
        self.pairs = (_PREFIX, _MD5)
        base = f"{mark}-modele"
        self.names = (
            f"{base}.bin",
            f"{base}_2.bin",
            f"{base.upper()}.BIN",
            f"{mark}-mod\u00e8le.bin",
            f"{mark}-mode\u0300le.bin",
        )

    def pair(self, operation: Operation) -> tuple[bytes, bytes]:
        """Return two contents that a careless key takes for one."""
        return self.pairs[operation.content % len(self.pairs)]


def draw_sequence(
    draw: random.Random, offers: Sequence[str], longest: int
) -> tuple[Operation, ...]:
    """Return a sequence; the first operation is a put, so that there is something to lose."""
    kinds = [kind for kind, (_, needs) in KINDS.items() if needs in ("put", *offers)]
    weights = [KINDS[kind][0] for kind in kinds]
    drawn = draw.choices(kinds, weights, k=draw.randrange(2, longest + 1))
    return tuple(
        Operation(
            kind=kind,
            content=draw.randrange(_CONTENTS),
            name=draw.randrange(_NAMES) if draw.random() < 0.5 else 0,
            at=draw.random(),
        )
        for kind in ("put", *drawn[1:])
    )


_CONTENT_WORDS = ("A", "A with its last bit changed", "B", "the empty file")
_NAME_WORDS = ("a", "b", "A in capitals", "è as one letter", "è as two letters")
_PAIR_WORDS = ("two files with the same first 12 digits of SHA-256", "two files of equal MD5")
_WORDS = {
    "put": "put {content} as {name}",
    "overwrite": "put {other} over {name}",
    "again": "put {content} as {name}, twice",
    "alike": "put {pair}",
    "at once": "put A and B as {name} at once, from four threads",
    "broken off": "put {content} as {name}, broken off after {share}",
    "reopen": "open the store anew",
    "delete": "delete the last artifact",
    "rename": "rename the last artifact to {name}",
    "flip": "flip a bit of the last artifact in the storage",
    "cut": "cut the last artifact in the storage to {share}",
    "lengthen": "add a byte to the last artifact in the storage",
    "empty": "empty the last artifact in the storage",
    "swap": "lay other bytes in the place of the last artifact",
    "cut read": "cut the read of the last artifact off",
    "killed": "put {content} as {name}, killed at {share}",
}


def tell(operation: Operation) -> str:
    """Return an operation in words.

    >>> tell(Operation(kind="overwrite", content=0, name=0, at=0.5))
    'put B over a'
    """
    return _WORDS[operation.kind].format(
        content=_CONTENT_WORDS[operation.content],
        other=_CONTENT_WORDS[2 if operation.content != 2 else 0],
        name=_NAME_WORDS[operation.name],
        pair=_PAIR_WORDS[operation.content % len(_PAIR_WORDS)],
        share=f"{operation.at:.0%}",
    )
