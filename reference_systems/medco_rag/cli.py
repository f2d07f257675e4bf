"""``python -m reference_systems.medco_rag``: ask charts of one's own, see interactions, serve, compare."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reference_systems.medco_rag.jsonl import each_line
from reference_systems.parts.commands import Parser, say
from reference_systems.parts.side_by_side import table_rows

if TYPE_CHECKING:
    from reference_systems.medco_rag.builds import System

__all__ = ["main"]

_BUILDS = ("incident", "half", "fixed")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed with one line on standard error, 2 usage."""
    options = _parser().parse_args(argv)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        return int(options.run(options))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 1
    except (OSError, ValueError, ModuleNotFoundError) as error:
        _notice(str(error))
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="medco_rag", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=Parser)
    ask = commands.add_parser("ask", help="answer questions, one JSON object a line")
    _charts(ask)
    ask.set_defaults(run=_ask)
    pairs = commands.add_parser("interactions", help="list drug pairs of a patient, one a line")
    _charts(pairs)
    pairs.set_defaults(run=_interactions)
    page = commands.add_parser("serve", help="a web page on 127.0.0.1")
    page.add_argument(
        "charts",
        type=Path,
        nargs="?",
        help="folder with notes/ and fhir/; own generated charts without it",
    )
    page.add_argument("--port", type=int, default=8765)
    page.add_argument("--build", choices=_BUILDS, default="fixed")
    page.set_defaults(run=_serve)
    compare = commands.add_parser("compare", help="incident, half a fix and fix side by side")
    compare.add_argument("--seed", type=int, default=0)
    compare.add_argument("--questions", type=int, default=300)
    compare.set_defaults(run=_compare)
    return parser


def _charts(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("charts", type=Path, help="folder with notes/*.txt and fhir/*.json")
    parser.add_argument("input", type=Path, nargs="?", help="JSON Lines; standard input without it")
    parser.add_argument("--build", choices=_BUILDS, default="fixed")


def _lines(options: argparse.Namespace) -> Iterator[bytes]:
    if options.input is None:
        yield from iter(sys.stdin.buffer.readline, b"")
        return
    with options.input.open("rb") as file:
        yield from file


def _notice(text: str) -> None:
    say("medco_rag", text)


def _system(options: argparse.Namespace) -> System:
    from reference_systems.medco_rag.builds import build
    from reference_systems.medco_rag.folder import open_folder

    return build(options.build, open_folder(options.charts), _notice)


def _ask(options: argparse.Namespace) -> int:
    system = _system(options)
    system.warm_up()

    def answer(line: Mapping[str, object]) -> Iterator[dict[str, object]]:
        yield system.ask(line).to_json()

    each_line(_lines(options), answer)
    return 0


def _interactions(options: argparse.Namespace) -> int:
    from reference_systems.medco_rag.chart import load_chart
    from reference_systems.medco_rag.filters import Filter
    from reference_systems.medco_rag.folder import open_folder
    from reference_systems.medco_rag.interactions import pairs_of, table

    folder = open_folder(options.charts)
    for file, why in folder.skipped:
        _notice(f"skipped {file}: {why}")
    table()

    def answer(line: Mapping[str, object]) -> Iterator[dict[str, object]]:
        patient = Filter.of({"patient": line.get("patient")}).patient
        if patient not in folder.notes and patient not in folder.fhir:
            raise ValueError("there is no chart of this patient")
        chart = load_chart(folder, patient)
        for notice in chart.notices:
            _notice(notice)
        for pair in pairs_of(chart):
            yield {"patient": patient, **pair.to_json()}

    each_line(_lines(options), answer)
    return 0


def _serve(options: argparse.Namespace) -> int:
    from reference_systems.medco_rag.serve import serve

    return serve(options.charts, options.port, options.build, _notice)


def _compare(options: argparse.Namespace) -> int:
    from reference_systems.medco_rag.compare import table_of

    for row in table_rows(table_of(options.seed, options.questions)):
        sys.stdout.write(json.dumps(row) + "\n")
    return 0
