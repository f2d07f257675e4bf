"""The screener from the command line: JSON Lines on standard output, words on standard error.

Exit status 0 done, 1 refused or failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from reference_systems.resume_screener.rendering import NotAResume

if TYPE_CHECKING:
    from reference_systems.resume_screener.lines import Asked

__all__ = ["main"]

PROG = "resume_screener"
_BUILDS = ("fixed", "nameless", "incident")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (see --help)\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.error("name a command")
    try:
        if options.command == "compare":
            _compare(options)
        else:
            for line in _score(options):
                print(json.dumps(line), flush=True)  # noqa: T201
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads any more
        return 1
    except KeyboardInterrupt:
        return _failed("interrupted")
    except ModuleNotFoundError as error:
        return _failed(f'{error.name} is not installed: pip install "pytest-mlgates[systems]"')
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failed(f"{where}{error.strerror or error}")
    return 0


def _failed(text: str) -> int:
    line = f"{PROG}: {' '.join(text.split())}"
    print(line.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)  # noqa: T201
    return 1


def _parser() -> argparse.ArgumentParser:
    from_build = argparse.ArgumentParser(add_help=False)
    from_build.add_argument(
        "--build", choices=_BUILDS, default=argparse.SUPPRESS,
        help="what it may read: nameless is all but the name (default: fixed)",
    )  # fmt: skip
    from_build.add_argument(
        "--seed", type=_seed, default=argparse.SUPPRESS, help="of the history (default: 0)"
    )
    parser = _Parser(prog=PROG, description=__doc__.partition("\n")[0], parents=[from_build])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
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
        compare.add_argument(f"--{name}", type=_count, default=default, help=f"{told} ({default})")
    return parser


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 999999999")
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:7]) > 0 and len(text) < 7):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 999999")
    return int(text)


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


def _compare(options: argparse.Namespace) -> None:
    from reference_systems.resume_screener import compare

    compare.main(
        [
            *("--seed", str(getattr(options, "seed", 0))),
            *("--names", str(options.names)),
            *("--resumes", str(options.resumes)),
            *("--held-out", str(options.held_out)),
        ]
    )
