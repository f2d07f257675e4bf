"""The shop from the command line: JSON Lines on standard output, words on standard error.

Exit status 0 done, 1 refused or failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reference_systems.parts.commands import Command, Parser, count, lines, opened, run, say, seed
from reference_systems.shopfast_two_tower.errors import ShopError

__all__ = ["main"]

PROG = "shopfast_two_tower"


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    return run(_parser(), _COMMANDS, arguments)


def _parser() -> argparse.ArgumentParser:
    from_build = argparse.ArgumentParser(add_help=False)
    builds = ("fixed", "incident", "int8", "pruned")
    from_build.add_argument(
        "--build", choices=builds, default=argparse.SUPPRESS,
        help="how items are stored (default: fixed; search and size take that of the folder)",
    )  # fmt: skip
    parser = Parser(prog=PROG, description=__doc__.partition("\n")[0], parents=[from_build])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
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
        "--min-views", metavar="N", type=count, default=5,
        help="an item with fewer is pruned (default: 5)",
    )  # fmt: skip
    train.add_argument("--seed", type=seed, default=0)
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
    compare.add_argument("--seed", type=seed, default=0)
    return parser


def _train(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    from reference_systems.shopfast_two_tower import builds, store
    from reference_systems.shopfast_two_tower.views import read_views

    name = getattr(options, "build", "fixed")
    store.refuse_strange(options.to)  # before minutes of work, not after
    views = read_views(options.views, (options.user, options.item, options.time))
    for note in views.notes:
        say(PROG, note)
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
    from reference_systems.shopfast_two_tower.requests import MAX_LINE, Unreadable, read_request

    _same_build(options)
    shop = store.read(options.folder)
    with opened(options.requests) as stream:
        for number, line in enumerate(lines(stream, MAX_LINE), 1):
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


_COMMANDS: dict[str, Command] = {
    "train": _train,
    "search": _search,
    "size": _size,
    "compare": _compare,
}
