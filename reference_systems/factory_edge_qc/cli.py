"""Inspect boards from the command line: JSON Lines in and out, words on standard error.

Exit status 0 done, 1 refused or failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

if TYPE_CHECKING:
    from reference_systems.factory_edge_qc.inspector import Inspector

__all__ = ["main"]

PROG = "factory_edge_qc"
_LONGEST_LINE = 1_000_000
Row = Mapping[str, object]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.error("name a command: train, inspect or compare")
    try:
        for row in _COMMANDS[options.command](options):
            print(json.dumps(row), flush=True)  # noqa: T201
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads any more
        return 1
    except KeyboardInterrupt:
        return _failed("interrupted")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failed(f"{where}{error.strerror or error}")
    except ValueError as error:
        return _failed(str(error))
    return 0


def _say(text: str) -> None:
    print(f"{PROG}: {' '.join(text.split())}", file=sys.stderr, flush=True)  # noqa: T201


def _failed(text: str) -> int:
    _say(text)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROG, description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--build",
        choices=("fixed", "incident"),
        default="fixed",
        help="incident: the picture goes to the cloud whole, to be inspected there",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    train = commands.add_parser("train", help="train an inspector on labelled boards")
    train.add_argument("boards", metavar="BOARDS", type=Path)
    train.add_argument("--to", metavar="DIR", type=Path, required=True)
    train.add_argument("--seed", type=int, default=1)
    inspect = commands.add_parser(
        "inspect", help="inspect pictures: lines with id, image and, where there is one, template"
    )
    inspect.add_argument("dir", metavar="DIR", type=Path, help="what train wrote")
    inspect.add_argument("files", metavar="FILE", nargs="*", help="JSON Lines (default: stdin)")
    compare = commands.add_parser("compare", help="incident and fix side by side")
    compare.add_argument("--seconds", type=float, default=8.0)
    compare.add_argument("--seed", type=int, default=1)
    for command in (train, inspect, compare):  # may stand behind the command too
        command.add_argument("--build", choices=("fixed", "incident"), default=argparse.SUPPRESS)
    return parser


def _train(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.factory_edge_qc.onnx_file import digest_of
    from reference_systems.factory_edge_qc.training import Recipe, train

    if options.seed < 0:
        raise ValueError(f"--seed {options.seed}: is below 0")
    done = train(options.boards, options.to, _say, Recipe(seed=options.seed))
    yield {
        "to": str(options.to),
        "model": digest_of(done.model),
        "model_bytes": len(done.model),
        "boards": done.boards,
        "held_out": done.held_out,
    }


def _inspect(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.factory_edge_qc.inspector import Inspector

    inspector = Inspector.load(options.dir)
    for number, line in _lines(options.files):
        yield _answer(line, number, lambda asked: _inspected(inspector, asked, options.build))


def _lines(files: list[str]) -> Iterator[tuple[int, bytes]]:
    if not files:
        yield from _numbered(sys.stdin.buffer)
    for file in files:
        if file == "-":
            yield from _numbered(sys.stdin.buffer)
        else:
            with Path(file).open("rb") as stream:
                yield from _numbered(stream)


def _numbered(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number = 0
    while line := stream.readline(_LONGEST_LINE + 1):
        number += 1
        whole = line
        while len(line) > _LONGEST_LINE and not line.endswith(b"\n"):
            line = stream.readline(_LONGEST_LINE)  # the rest is skipped, and the line refused
        yield number, whole


def _answer(line: bytes, number: int, ask: object) -> Row:
    """Return the answer to a line; what can't be answered is an error with the line's id."""
    asked: object = None
    try:
        if len(line) > _LONGEST_LINE:
            raise ValueError(f"the line is longer than {_LONGEST_LINE:,} bytes")
        if not line.strip():
            raise ValueError("the line is blank")
        try:
            asked = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise ValueError("the line is not UTF-8") from None
        except (json.JSONDecodeError, RecursionError):
            raise ValueError("the line is not JSON") from None
        if not isinstance(asked, dict):
            raise ValueError('the line is not an object such as {"id": 1, "image": "a.jpg"}')
        assert callable(ask)
        return {"id": asked.get("id"), **ask(asked)}
    except (ValueError, OSError) as error:
        given = asked.get("id") if isinstance(asked, dict) else None
        return {"id": given, "error": f"line {number}: {' '.join(str(error).split())}"}
    except MemoryError:
        given = asked.get("id") if isinstance(asked, dict) else None
        return {"id": given, "error": f"line {number}: the picture does not fit into memory"}


def _path(asked: Mapping[str, object], field: str) -> Path | None:
    value = asked.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{field} is {json.dumps(value)[:60]}, not the path of a picture")
    return Path(value)


def _inspected(inspector: Inspector, asked: Mapping[str, object], build: str) -> Row:
    from reference_systems.factory_edge_qc.frames import Fault, read_picture
    from reference_systems.factory_edge_qc.inspector import Finding

    image, template = _path(asked, "image"), _path(asked, "template")
    if image is None:
        raise ValueError('image is missing: {"id": 1, "image": "a.jpg"}')
    try:
        photo = read_picture(image)
        beside = read_picture(template) if template is not None else None
    except Fault as fault:
        if not fault.alarm:
            raise
        found = Finding("alarm", reason=str(fault))
    else:
        found = inspector.inspect(photo, beside)
    row: dict[str, object] = {
        "status": found.status,
        "boxes": [list(box) for box in found.boxes],
        "confidence": found.confidence,
    }
    if found.boxes:
        row["scores"] = list(found.scores)
    if found.reason:
        row["reason"] = found.reason
    # what leaves the factory for it: the whole picture, or this answer
    row["sent_bytes"] = image.stat().st_size if build == "incident" else len(json.dumps(row))
    return row


def _compare(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.factory_edge_qc.compare import rows

    if not 1 <= options.seconds <= 3600:
        raise ValueError(f"--seconds {options.seconds:g}: is not from 1 to 3600")
    yield from rows(options.seconds, options.seed)


_COMMANDS = {"train": _train, "inspect": _inspect, "compare": _compare}
