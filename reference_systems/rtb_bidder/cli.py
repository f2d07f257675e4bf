"""The bidder from the command line: OpenRTB requests in, bids out, JSON Lines both ways.

Exit status 0 done, 1 refused or failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator, Mapping

from reference_systems.parts.commands import (
    BadLine,
    Command,
    answers,
    count,
    opened,
    run,
    seed,
    with_builds,
)
from reference_systems.parts.side_by_side import rows_of

__all__ = ["main"]

_EXAMPLE = '{"id": "1", "imp": [{"id": "1", "banner": {"w": 300, "h": 250}}]}'

Row = Mapping[str, object]


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    return run(_parser(), _COMMANDS, arguments)


def _parser() -> argparse.ArgumentParser:
    parser, add = with_builds("rtb_bidder", __doc__)
    bid = add("bid", "answer BidRequests, one a line")
    bid.add_argument("files", metavar="FILE", nargs="*", help="default: standard input")
    serve = add("serve", "answer over HTTP, until stopped")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=8080, help="0 takes a free one and says which")
    compare = add("compare", "incident and fix side by side")
    compare.add_argument("--calls", type=count, default=1_500)
    compare.add_argument("--seed", type=seed, default=1)
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: give 0 to 65535")
    return int(text)


def _bid(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.rtb_bidder.openrtb import InvalidRequest

    build = importlib.import_module(f"reference_systems.rtb_bidder.{_build(options)}")
    bidder = build.bidder()

    def answer(request: dict[str, object]) -> Row:
        try:
            return bidder.bid(request)
        except InvalidRequest as error:
            raise BadLine(str(error)) from None

    for file in options.files or ["-"]:
        with opened(file) as stream:
            yield from answers(stream, answer, _EXAMPLE)


def _serve(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.rtb_bidder.server import AUCTION, frozen_bidder, make_server

    bidder = frozen_bidder(_build(options))
    with make_server(bidder.bid, options.host, options.port) as server:
        yield {"url": f"http://{options.host}:{server.server_port}{AUCTION}"}
        server.serve_forever()


def _compare(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.rtb_bidder import compare

    yield from rows_of(compare.main, ["--calls", str(options.calls), "--seed", str(options.seed)])


def _build(options: argparse.Namespace) -> str:
    return getattr(options, "build", "fixed")


_COMMANDS: dict[str, Command] = {"bid": _bid, "serve": _serve, "compare": _compare}
