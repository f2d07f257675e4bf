"""The command line: index a tree, list its edges, fit a chain into a budget, answer questions."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from reference_systems.codebuddy_graph import fixed, incident
from reference_systems.codebuddy_graph.answers import NotUnderstood
from reference_systems.codebuddy_graph.builds import Assistant
from reference_systems.codebuddy_graph.chain import NotFound
from reference_systems.codebuddy_graph.graph import Graph
from reference_systems.codebuddy_graph.indexer import update
from reference_systems.codebuddy_graph.store import NotAnIndex, Store
from reference_systems.codebuddy_graph.symbols import Ambiguous
from reference_systems.parts.commands import Parser, say
from reference_systems.parts.side_by_side import table_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["main"]

BUILDS = {"fixed": fixed.build_context, "incident": incident.build_context}
BUDGET = 4000
LONGEST_LINE = 4_000_000
EXPECTED = (NotFound, Ambiguous, NotUnderstood, fixed.TooSmall, ValueError)


class Refused(Exception):
    """What ends a command with one line."""


def _say(record: dict) -> None:
    sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="codebuddy_graph",
        description="A code assistant for Java that runs where the code is: a graph of calls, "
        "contexts that fit, answers with file and line. JSON Lines in and out.",
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=Parser
    )
    index = commands.add_parser("index", help="read a tree of Java files, or what changed in it")
    index.add_argument("tree", type=Path, metavar="TREE")
    index.add_argument("--to", type=Path, required=True, metavar="DB")
    edges = commands.add_parser("edges", help="print every call: caller, callee, file, line, kind")
    edges.add_argument("db", type=Path, metavar="DB")
    edges.add_argument(
        "--unresolved", action="store_true", help="print the calls whose target is not known"
    )
    context = commands.add_parser("context", help="lines of method, question, max_tokens")
    ask = commands.add_parser("ask", help="lines of question")
    for command in (context, ask):
        command.add_argument("db", type=Path, metavar="DB")
        command.add_argument("files", type=Path, nargs="*", metavar="FILE", help="else stdin")
        command.add_argument("--build", choices=sorted(BUILDS), default="fixed")
    compare = commands.add_parser("compare", help="incident and fix side by side")
    compare.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command; give the exit status."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        return COMMANDS[options.command](options)
    except (Refused, NotAnIndex, ModuleNotFoundError) as error:
        say("codebuddy_graph", str(error))
        return 1
    except BrokenPipeError:
        # whoever read has gone; nothing is left to say it to
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115, PTH123
        return 1
    except KeyboardInterrupt:
        return 1


def _index(options: argparse.Namespace) -> int:
    if not options.tree.is_dir():
        raise Refused(f"{options.tree} is not a folder")
    if options.to.is_dir() or not options.to.absolute().parent.is_dir():
        raise Refused(f"{options.to} can't be written: name a file in a folder that exists")
    try:
        store = Store(options.to, create=True)
        done = update(store, options.tree)
    except OSError as error:
        raise Refused(f"{error.filename or options.to}: {error.strerror}") from None
    for path, note in done.skipped:
        print(f"{path}: {note}", file=sys.stderr)  # noqa: T201
    counts = {
        table: next(store.rows(f"select count(*) from {table}"))[0]  # noqa: S608
        for table in ("method", "call", "unresolved")
    }
    _say({
        "files": done.files,
        "read": done.read,
        "resolved": done.resolved,
        "methods": counts["method"],
        "calls": counts["call"],
        "unresolved": counts["unresolved"],
        "skipped": [{"file": path, "why": note} for path, note in done.skipped],
    })  # fmt: skip
    store.close()
    return 0


def _edges(options: argparse.Namespace) -> int:
    store = Store(options.db)
    write = sys.stdout.write
    if options.unresolved:
        query = (
            "select method, name, path, line from unresolved join file on file.id ="
            " unresolved.file order by path, line"
        )
        for caller, name, path, line in store.rows(query):
            record = {"caller": caller, "callee": name, "file": path, "line": line}
            write(json.dumps({**record, "kind": "unresolved"}, ensure_ascii=False) + "\n")
    else:
        for edge in Graph(store).edges():
            write(json.dumps(edge._asdict(), ensure_ascii=False) + "\n")
    sys.stdout.flush()
    return 0


def _context(options: argparse.Namespace) -> int:
    graph = Graph(Store(options.db))
    build = BUILDS[options.build]

    def one(record: dict) -> dict:
        method, question = _text(record, "method"), _text(record, "question", "")
        room = record.get("max_tokens", BUDGET)
        if isinstance(room, bool) or not isinstance(room, int) or room < 1:
            raise ValueError(f"max_tokens is {room!r:.100}, not a whole number above 0")
        made = build(graph, method, question, room)
        methods = [shown._asdict() for shown in made.methods]
        told = {"text": made.text, "tokens": made.tokens, "methods": methods}
        # never a silent cut: who reads the line can tell that more tokens are needed
        return {**told, "path_not_in_full": made.short} if made.short else told

    return _answer_lines(options.files, one)


def _ask(options: argparse.Namespace) -> int:
    assistant = Assistant(Graph(Store(options.db)), options.build)

    def one(record: dict) -> dict:
        found = assistant.ask(_text(record, "question"))
        return {"answer": found.text, "names": found.names, "sources": found.sources}

    return _answer_lines(options.files, one)


def _text(record: dict, field: str, default: str | None = None) -> str:
    value = record.get(field, default)
    if not isinstance(value, str):
        what = "is missing" if value is None else f"is {type(value).__name__}, not a text"
        raise ValueError(f"{field} {what}")
    return value


def _answer_lines(files: list[Path], one: Callable[[dict], dict]) -> int:
    """Answer each line with one line; a line that can't be read is told, and the rest goes on."""
    for where, line in _lines(files):
        if not line.strip():
            continue
        given: object = None
        try:
            record = _record(line)
            given = record.get("id")
            _say({"id": given, **one(record)})
        except RecursionError:
            _say({"id": given, "error": f"{where}: is nested too deeply"})
        except EXPECTED as error:
            _say({"id": given, "error": f"{where}: {' '.join(str(error).split())}"})
    return 0


def _record(line: str) -> dict:
    if len(line) > LONGEST_LINE:
        raise ValueError(f"has {len(line):,} characters, at most {LONGEST_LINE:,} are read")
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON: {error.msg} at column {error.colno}") from None
    if not isinstance(record, dict):
        raise ValueError("is not a JSON object")
    return record


def _lines(files: list[Path]) -> Iterator[tuple[str, str]]:
    for path in files:
        try:
            with path.open(encoding="utf-8", errors="replace") as opened:
                yield from _numbered(opened, str(path))
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}") from None
    if not files:
        yield from _numbered(sys.stdin, "line")


def _numbered(opened: TextIO, name: str) -> Iterator[tuple[str, str]]:
    # readline, so that an answer can go out before the next question comes in
    for number, line in enumerate(iter(opened.readline, ""), 1):
        yield (f"line {number}" if name == "line" else f"{name}:{number}"), line


def _compare(options: argparse.Namespace) -> int:
    from reference_systems.codebuddy_graph import compare

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = compare.main(options.arguments)
    if status:
        raise Refused(printed.getvalue().strip().rpartition("compare: ")[2])
    for row in table_rows(printed.getvalue()):
        _say(row)
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "index": _index,
    "edges": _edges,
    "context": _context,
    "ask": _ask,
    "compare": _compare,
}
