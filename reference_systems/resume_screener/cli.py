"""The screener from the command line: JSON Lines on standard output, words on standard error.

Exit status 0 done, 1 refused or failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reference_systems.parts.commands import Command, Parser, count, run, seed
from reference_systems.parts.side_by_side import rows_of
from reference_systems.resume_screener.rendering import NotAResume

if TYPE_CHECKING:
    from reference_systems.resume_screener.lines import Asked

__all__ = ["main"]

PROG = "resume_screener"
_BUILDS = ("fixed", "nameless", "incident")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    return run(_parser(), _COMMANDS, arguments)


def _parser() -> argparse.ArgumentParser:
    from_build = argparse.ArgumentParser(add_help=False)
    from_build.add_argument(
        "--build", choices=_BUILDS, default=argparse.SUPPRESS,
        help="what it may read: nameless is all but the name (default: fixed)",
    )  # fmt: skip
    from_build.add_argument(
        "--seed", type=seed, default=argparse.SUPPRESS, help="of the history (default: 0)"
    )
    parser = Parser(prog=PROG, description=__doc__.partition("\n")[0], parents=[from_build])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    score = commands.add_parser(
        "score", parents=[from_build],
        help="score résumés: JSON Resume documents or texts (id, and text or resume), a line each",
    )  # fmt: skip
    score.add_argument(
        "files", metavar="FILE", nargs="*",
        help=".jsonl: a résumé a line; .json: a document; others: a text (default: standard input)",
    )  # fmt: skip
    compare = commands.add_parser(
        "compare", parents=[from_build],
        help="the builds side by side, and the table that NYC Local Law 144 asks to publish",
    )  # fmt: skip
    for name, default, told in (
        ("names", 50, "names per group"),
        ("resumes", 50, "résumés under each name"),
        ("held-out", 30_000, "applicants under their own names"),
    ):
        compare.add_argument(f"--{name}", type=count, default=default, help=f"{told} ({default})")
    return parser


def _asked(files: list[str]) -> Iterator[Asked]:
    from reference_systems.resume_screener.lines import asked_in_file, asked_in_stream

    if not files or files == ["-"]:
        if hasattr(sys.stdin, "reconfigure"):
            sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        yield from asked_in_stream(sys.stdin)
    for file in files:
        if file != "-":
            yield from asked_in_file(Path(file))


def _score(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from reference_systems.resume_screener.builds import BUILDS
    from reference_systems.resume_screener.lines import text_of

    for file in options.files:  # before a second of training, not after
        if file != "-" and not Path(file).is_file():
            raise FileNotFoundError(2, "is not a file", file)
    build = getattr(options, "build", "fixed")
    screener = BUILDS[build](getattr(options, "seed", 0))
    for asked in _asked(options.files):
        try:
            text, notes = text_of(asked.resume())
            line: dict[str, Any] = {"id": asked.id, "score": screener.score(text), "build": build}
        except NotAResume as error:
            yield {"id": asked.id, "error": str(error)}
            continue
        yield {**line, "notes": notes} if notes else line


def _compare(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from reference_systems.resume_screener import compare

    asked = [
        *("--seed", str(getattr(options, "seed", 0))),
        *("--names", str(options.names)),
        *("--resumes", str(options.resumes)),
        *("--held-out", str(options.held_out)),
    ]
    yield from rows_of(compare.main, asked)


_COMMANDS: dict[str, Command] = {"score": _score, "compare": _compare}
