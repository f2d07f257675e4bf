"""What the formats for other tools have in common: where an entry is written, and safe text."""

from __future__ import annotations

from pytest_mlgates.core.canonical import printable

__all__ = ["place", "plain"]

#: characters of a text that other tools show
_LONGEST = 1_000


def place(source: str) -> tuple[str, int]:
    """Return the file and the line that the source of a policy names.

    >>> place("gate_configs/bidder.yaml:6"), place("a.yaml")
    (('gate_configs/bidder.yaml', 6), ('a.yaml', 1))
    """
    file, _, line = source.rpartition(":")
    return (file, max(1, int(line))) if file and line.isascii() and line.isdigit() else (source, 1)


def plain(text: str, longest: int = _LONGEST) -> str:
    """Return measured text on one line, what can't be seen shown, cut where nobody reads on."""
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return printable(" ".join(cut.split()))
