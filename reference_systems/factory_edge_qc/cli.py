"""Inspect boards from the command line: JSON Lines in and out, words on standard error.

Exit status 0 done, 1 refused or failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reference_systems.parts.commands import BadLine, Parser, answers, opened, run, say, seed

if TYPE_CHECKING:
    from reference_systems.factory_edge_qc.inspector import Inspector

__all__ = ["main"]

PROG = "factory_edge_qc"
Row = Mapping[str, object]


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    return run(_parser(), _COMMANDS, arguments, refused=(ValueError,))


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROG, description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--build",
        choices=("fixed", "incident"),
        default="fixed",
        help="incident: the picture goes to the cloud whole, to be inspected there",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    train = commands.add_parser("train", help="train an inspector on labelled boards")
    train.add_argument("boards", metavar="BOARDS", type=Path)
    train.add_argument("--to", metavar="DIR", type=Path, required=True)
    train.add_argument("--seed", type=seed, default=1)
    inspect = commands.add_parser(
        "inspect", help="inspect pictures: lines with id, image and, where there is one, template"
    )
    inspect.add_argument("dir", metavar="DIR", type=Path, help="what train wrote")
    inspect.add_argument("files", metavar="FILE", nargs="*", help="JSON Lines (default: stdin)")
    compare = commands.add_parser("compare", help="incident and fix side by side")
    compare.add_argument("--seconds", type=float, default=8.0)
    compare.add_argument("--seed", type=seed, default=1)
    for command in (train, inspect, compare):  # may stand behind the command too
        command.add_argument("--build", choices=("fixed", "incident"), default=argparse.SUPPRESS)
    return parser


def _train(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.factory_edge_qc.onnx_file import digest_of
    from reference_systems.factory_edge_qc.training import Recipe, train

    done = train(
        options.boards, options.to, functools.partial(say, PROG), Recipe(seed=options.seed)
    )
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

    def answer(asked: Row) -> Row:
        try:
            return _inspected(inspector, asked, options.build)
        except (ValueError, OSError) as error:
            raise BadLine(str(error)) from None
        except MemoryError:
            raise BadLine("the picture does not fit into memory") from None

    for file in options.files or ["-"]:
        with opened(file) as stream:
            yield from answers(stream, answer, '{"id": 1, "image": "a.jpg"}')


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
