"""JSON Lines in and out: one answer a line, in order, flushed as it is ready."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TextIO

__all__ = ["each_line", "reply"]


def each_line(
    lines: Iterator[bytes], answer: Callable[[Mapping[str, object]], Iterator[dict[str, object]]],
    out: TextIO | None = None,
) -> None:  # fmt: skip
    """Answer every line that is not blank; one that can't be read gets its error and the rest goes on.

    ``answer`` yields the lines of output of one line of input; ``id`` is given back with each.
    """
    out = out or sys.stdout
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        name: object = None
        try:
            line = _parsed(raw)
            name = line.get("id")
            for found in answer(line):
                reply({"id": name, **found}, out)
        except (ValueError, RecursionError) as error:
            why = str(error) or type(error).__name__
            reply({"id": name, "error": f"line {number}: {why}"}, out)


def reply(line: Mapping[str, object], out: TextIO) -> None:
    """Write one line and flush it."""
    out.write(json.dumps(line) + "\n")
    out.flush()


def _parsed(raw: bytes) -> Mapping[str, object]:
    try:
        line = json.loads(raw)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ValueError("is not JSON that can be read: nests too deeply") from error
    if not isinstance(line, dict):
        raise ValueError('is not an object such as {"id": 1, "patient": "…"}')
    return line
