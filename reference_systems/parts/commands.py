"""What the command lines of the reference systems share: usage, endings, lines in and answers out.

JSON Lines on standard output, words on standard error. Exit status 0 done, 1 refused or failed (one
line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NoReturn

__all__ = [
    "BadLine",
    "Command",
    "Parser",
    "RefusedError",
    "answers",
    "count",
    "lines",
    "opened",
    "record",
    "run",
    "say",
    "seed",
    "with_builds",
]

#: bytes of a line; a longer one is answered with an error, and the rest of it is not kept
LONGEST = 4_000_000

#: an escape of a surrogate, in a pair or alone
_HALF = re.compile(r"\\u[dD][89a-fA-F]")

Row = Mapping[str, object]
Command = Callable[[argparse.Namespace], Iterable[Row]]


class RefusedError(Exception):
    """What ends a command: its text is the one line that says why."""


class BadLine(ValueError):
    """What is wrong with one line; the rest goes on. ``id`` is its own where it has one."""

    def __init__(self, text: str, id_: object = None) -> None:
        super().__init__(text)
        self.id = id_


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the usage in one line."""

    def error(self, message: str) -> NoReturn:
        """End with status 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (see --help)\n")


def with_builds(
    prog: str, what: str, told: str = "default: fixed"
) -> tuple[Parser, Callable[[str, str], argparse.ArgumentParser]]:
    """Return the parser of a system, and what adds a command to it; ``--build`` may stand anywhere.

    It is absent from the options where it was not given.
    """
    of_build = argparse.ArgumentParser(add_help=False)
    of_build.add_argument(
        "--build", choices=("fixed", "incident"), default=argparse.SUPPRESS, help=told
    )
    parser = Parser(prog=prog, description=what.partition("\n")[0], parents=[of_build])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)

    def add(name: str, help_: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, parents=[of_build], help=help_)

    return parser, add


def run(
    parser: argparse.ArgumentParser,
    commands: Mapping[str, Command],
    arguments: list[str] | None = None,
    refused: tuple[type[Exception], ...] = (),
) -> int:
    """Run one command, print its rows as JSON Lines, each as it is ready; return the exit status.

    ``parser`` stores the command as ``command``; ``refused`` are errors whose text a person can act
    on, beside :class:`RefusedError` and ``OSError``.
    """
    options = parser.parse_args(arguments)
    if getattr(options, "command", None) is None:
        *most, last = commands
        parser.error(f"name a command: {', '.join(most)} or {last}")
    try:
        for row in commands[options.command](options):
            print(_printed(row), flush=True)  # noqa: T201
    except (RefusedError, *refused) as error:
        return _failed(parser.prog, str(error))
    except BrokenPipeError:  # nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _failed(parser.prog, "interrupted")
    except MemoryError:
        return _failed(parser.prog, "there is not enough memory for this")
    except ModuleNotFoundError as error:
        told = f'{error.name} is not installed: pip install "pytest-mlgates[systems]"'
        return _failed(parser.prog, told)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failed(parser.prog, f"{where}{error.strerror or error}")
    return 0


def _printed(row: Row) -> str:
    r"""Return a row as JSON; one that JSON can't hold (an infinite id is given back) is an error row.

    >>> _printed({"id": 7, "score": float("nan")})
    '{"id": 7, "error": "the answer can\'t be written as JSON: a number in it is infinite or none"}'
    """
    with contextlib.suppress(ValueError, RecursionError):
        return json.dumps(row, allow_nan=False)
    told = "the answer can't be written as JSON: a number in it is infinite or none"
    error = {"id": row.get("id"), "error": told}
    with contextlib.suppress(ValueError, RecursionError):
        return json.dumps(error, allow_nan=False)
    return json.dumps({**error, "id": None})


def _failed(prog: str, text: str) -> int:
    say(prog, text)
    return 1


def say(prog: str, text: str) -> None:
    """Print one line of words on standard error, whatever the terminal can show."""
    line = f"{prog}: {' '.join(text.split())}"
    print(line.encode("utf-8", "backslashreplace").decode(), file=sys.stderr, flush=True)  # noqa: T201


@contextlib.contextmanager
def opened(file: str) -> Iterator[BinaryIO]:
    """Open a file to read, or give standard input for ``-``; raise RefusedError where there is none."""
    if file == "-":
        yield sys.stdin.buffer
        return
    path = Path(file)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is no file" if path.exists() else "is not there"
        raise RefusedError(f"{file}: {what}")
    with path.open("rb") as stream:
        yield stream


def lines(stream: BinaryIO, longest: int = LONGEST) -> Iterator[bytes | BadLine]:
    r"""Yield each line as it comes, once, without its end; of one without end only that it is so.

    >>> import io
    >>> list(lines(io.BytesIO(b"a\nbcde\nf"), longest=3))
    [b'a', BadLine('is longer than 3 bytes'), b'f']
    """
    while line := stream.readline(longest + 1):
        if len(line.rstrip(b"\r\n")) <= longest:
            yield line.rstrip(b"\r\n")
            continue
        while not line.endswith(b"\n") and (line := stream.readline(longest)):
            pass
        yield BadLine(f"is longer than {longest:,} bytes")


def record(line: bytes, example: str, *, constants: bool = False) -> dict[str, object]:
    """Return the JSON object of a line; raise BadLine with the way out where it is none.

    NaN and Infinity are no JSON; with ``constants`` they are read, for who says better what is wrong.

    >>> record(b'{"id": 3}', '{"id": 1}')
    {'id': 3}
    >>> record(b'[3]', '{"id": 1}')
    Traceback (most recent call last):
        ...
    reference_systems.parts.commands.BadLine: is a list: give an object such as {"id": 1}
    """
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadLine(f"is not UTF-8 from byte {error.start + 1} on") from None
    if not text.strip():
        raise BadLine(f"is blank: give an object such as {example}")
    try:
        found = json.loads(text, parse_constant=None if constants else _no_constant)
    except RecursionError:
        raise BadLine("is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise BadLine(f"is not JSON: {error.msg} at column {error.colno}") from None
    except ValueError:  # a whole number of thousands of digits
        raise BadLine("holds a number with too many digits") from None
    if _HALF.search(text) and not _whole_characters(found):
        raise BadLine("holds half of a character (a surrogate such as \\ud83d without its other)")
    if not isinstance(found, dict):
        kinds = {
            list: "a list",
            str: "a text",
            bool: "true or false",
            int: "a number",
            float: "a number",
        }
        raise BadLine(f"is {kinds.get(type(found), 'null')}: give an object such as {example}")
    return found


def _whole_characters(found: object) -> bool:
    """Tell whether every text can be written as UTF-8: native code ends at one that can't."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    except RecursionError:
        raise BadLine("is nested too deeply") from None
    return True


def _no_constant(name: str) -> float:
    raise json.JSONDecodeError(f"{name} is not JSON", name, 0)


def answers(
    stream: BinaryIO, answer: Callable[[dict[str, object]], Row], example: str
) -> Iterator[Row]:
    """Yield one answer for each line, in order, with its ``id`` given back.

    A line that can't be read or answered (``answer`` raises BadLine) gets ``{"id", "error"}``.
    """
    for number, line in enumerate(lines(stream), 1):
        id_: object = None
        try:
            if isinstance(line, BadLine):
                raise line
            asked = record(line, example)
            id_ = asked.get("id")
            yield {"id": id_, **answer(asked)}
        except BadLine as error:
            known = id_ if error.id is None else error.id
            yield {"id": known, "error": f"line {number}: {' '.join(str(error).split())}"}


def count(text: str) -> int:
    """Read a whole number from 1 to 999,999,999, as the type of an argument."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def seed(text: str) -> int:
    """Read a seed, as the type of an argument."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 999999999")
    return int(text)
