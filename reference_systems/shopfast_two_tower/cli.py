"""The shop from the command line: JSON Lines on standard output, words on standard error.

Exit status 0 done, 1 refused or failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from reference_systems.shopfast_two_tower.errors import ShopError

__all__ = ["main"]

PROG = "shopfast_two_tower"
#: bytes of a line of which the rest is thrown away
_CUT = 1_000_001


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
        for line in _COMMANDS[options.command](options):
            print(json.dumps(line), flush=True)  # noqa: T201
    except ShopError as error:
        return _failed(str(error))
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads any more
        return 1
    except KeyboardInterrupt:
        return _failed("interrupted")
    except MemoryError:
        return _failed("there is not enough memory for this log")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failed(f"{where}{error.strerror or error}")
    return 0


def _failed(text: str) -> int:
    _say(text)
    return 1


def _say(text: str) -> None:
    line = f"{PROG}: {' '.join(text.split())}"
    print(line.encode("utf-8", "backslashreplace").decode(), file=sys.stderr)  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    from_build = argparse.ArgumentParser(add_help=False)
    builds = ("fixed", "incident", "int8", "pruned")
    from_build.add_argument(
        "--build", choices=builds, default=argparse.SUPPRESS,
        help="how items are stored (default: fixed; search and size take that of the folder)",
    )  # fmt: skip
    parser = _Parser(prog=PROG, description=__doc__.partition("\n")[0], parents=[from_build])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    train = commands.add_parser(
        "train", parents=[from_build], help="train on a view log and write a folder"
    )
    train.add_argument("views", metavar="VIEWS.csv", type=Path)
    train.add_argument("--to", metavar="DIR", type=Path, required=True)
    for column in ("user", "item", "time"):
        train.add_argument(
            f"--{column}", metavar="COLUMN", default=column, help=f"its name (default: {column})"
        )
    train.add_argument(
        "--min-views", metavar="N", type=_at_least_one, default=5,
        help="an item with fewer is pruned (default: 5)",
    )  # fmt: skip
    train.add_argument("--seed", type=_seed, default=0)
    search = commands.add_parser(
        "search", parents=[from_build], help="answer lines of user and k: items and scores"
    )
    search.add_argument("folder", metavar="DIR", type=Path)
    search.add_argument(
        "requests", metavar="FILE", nargs="?", default="-", help="default: standard input"
    )
    size = commands.add_parser(
        "size", parents=[from_build], help="how many items the index holds, in how many bytes"
    )
    size.add_argument("folder", metavar="DIR", type=Path)
    compare = commands.add_parser(
        "compare", parents=[from_build], help="incident and fix side by side"
    )
    compare.add_argument("--seed", type=_seed, default=0)
    return parser


def _at_least_one(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1 and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 999999999")
    return int(text)


def _train(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    from reference_systems.shopfast_two_tower import builds, store
    from reference_systems.shopfast_two_tower.views import read_views

    name = getattr(options, "build", "fixed")
    store.refuse_strange(options.to)  # before minutes of work, not after
    views = read_views(options.views, (options.user, options.item, options.time))
    for note in views.notes:
        _say(note)
    shop = builds.Shop.train(views, options.seed, options.min_views)
    counts = views.counts
    told = {
        "build": name,
        "seed": options.seed,
        "min_views": options.min_views,
        "catalogue": len(views.items),
        "views_of_pruned": round(float(counts[shop.kept :].sum() / counts.sum()), 6),
    }
    written = store.write(builds.build(shop, name), options.to, told)
    yield {"views": len(views), "users": len(views.users), **written, "to": str(options.to)}


def _search(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    from reference_systems.shopfast_two_tower import store
    from reference_systems.shopfast_two_tower.requests import Unreadable, read_request

    _same_build(options)
    shop = store.read(options.folder)
    with _opened(options.requests) as stream:
        for number, line in enumerate(_lines(stream), 1):
            try:
                request = read_request(line, number)
            except Unreadable as error:
                yield {"id": error.id, "error": str(error)}
                continue
            answer = shop.recommend(request.user, request.k)
            yield {
                "id": request.id,
                "items": answer.items,
                "scores": answer.scores,
                "basis": answer.basis,
            }


@contextlib.contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    if not Path(file).is_file():
        raise ShopError(f"{file}: {'is not a file' if Path(file).exists() else 'is not there'}")
    with Path(file).open("rb") as stream:
        yield stream


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield lines as they come, each once; of one without end only its beginning is kept."""
    while line := stream.readline(_CUT):
        whole = line.endswith(b"\n")
        while not whole and len(rest := stream.readline(_CUT)):
            whole = rest.endswith(b"\n")
        yield line.rstrip(b"\r\n")


def _size(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    from reference_systems.shopfast_two_tower import store

    _same_build(options)
    yield store.sizes(options.folder)


def _same_build(options: argparse.Namespace) -> None:
    """Refuse a --build that is not the folder's: it would be answered by another one."""
    from reference_systems.shopfast_two_tower import store

    wanted, is_of = getattr(options, "build", None), store.sizes(options.folder)["build"]
    if wanted and wanted != is_of:
        raise ShopError(
            f"{options.folder}: holds the {is_of} build: train with --build {wanted} for that one"
        )


def _compare(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    from reference_systems.shopfast_two_tower.compare import rows

    yield from rows(options.seed)


_COMMANDS: dict[str, Callable[[argparse.Namespace], Iterator[Mapping[str, Any]]]] = {
    "train": _train,
    "search": _search,
    "size": _size,
    "compare": _compare,
}
