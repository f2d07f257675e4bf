"""The feature store from the command line: JSON Lines in and out, words on standard error.

Exit status 0 done, 1 refused or failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from reference_systems.bank_feature_store.errors import BankError
from reference_systems.bank_feature_store.lines import answers
from reference_systems.bank_feature_store.questions import Question, question
from reference_systems.bank_feature_store.repo import Repo, moment
from reference_systems.parts.commands import BadLine, Command, Parser, opened, run, say, seed

__all__ = ["EXAMPLE", "main"]

PROG = "bank_feature_store"

#: the ten lines of a definition
EXAMPLE = """\
from datetime import timedelta
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, Int64
customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
customers = FileSource(path="customers.parquet", timestamp_field="event_timestamp")
customer_view = FeatureView(
    name="customer", entities=[customer], ttl=timedelta(days=3650), source=customers,
    schema=[Field(name="age", dtype=Int64), Field(name="tenure", dtype=Float32)],
)
"""
_EPILOG = f"""\
a definition is a Python file of Feast objects; paths in it are relative to it, Parquet or CSV:

{EXAMPLE}
a window over events is a field with tags: Field(name="spend_30d", dtype=Float64,
tags={{"sum": "amount", "days": "30"}}); times without an offset are UTC, or of the time zone that
FileSource(..., tags={{"timezone": "Europe/Zurich"}}) names.

  {PROG} onboard customer.py
  echo '{{"id": 1, "customer_id": 123}}' | {PROG} get
  echo '{{"id": 1, "customer_id": 123, "event_timestamp": "2026-01-31T09:00:00Z"}}' | {PROG} history
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    return run(_parser(), _COMMANDS, arguments)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument(
        "--repo", metavar="DIR", type=Path, help="the folder of the store (default: feature_repo)"
    )
    common.add_argument("--build", choices=("fixed", "incident"), help="default: fixed")
    shape: dict[str, Any] = {"formatter_class": argparse.RawDescriptionHelpFormatter}
    parser = Parser(
        prog=PROG,
        description=__doc__.partition("\n")[0],
        epilog=_EPILOG,
        parents=[common],
        **shape,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)

    def add(name: str, told: str) -> argparse.ArgumentParser:
        more: dict[str, Any] = {"parents": [common], "epilog": _EPILOG, **shape}
        return commands.add_parser(name, help=told, description=told, **more)

    onboard = add("onboard", "from a definition to features that are served; a line a step")
    onboard.add_argument("definition", metavar="DEFINITION", type=Path)
    onboard.add_argument(
        "--as-of", metavar="TIME", type=_time, help="serve what was known then (default: now)"
    )
    onboard.add_argument(
        "--online", metavar="HOST:PORT", help="a Redis or Valkey server in place of SQLite"
    )
    told = "values as they are served now; a line in: entity keys, and perhaps id and features"
    _takes_lines(add("get", told))
    _takes_lines(add("history", "values as they were known at event_timestamp, a field more"))
    add("compare", "incident and fix side by side, on data made by seed").add_argument(
        "--seed", type=seed, default=1
    )
    return parser


def _takes_lines(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", nargs="?", default="-", help="default: standard input"
    )


def _time(text: str) -> datetime:
    try:
        return moment(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(f"{text!r} {fault}") from None


def _repo(options: argparse.Namespace) -> Repo:
    return Repo(getattr(options, "repo", Path("feature_repo")))


def _incident(options: argparse.Namespace) -> bool:
    return getattr(options, "build", "fixed") == "incident"


def _onboard(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    from reference_systems.bank_feature_store import handoffs
    from reference_systems.bank_feature_store.definition import read_definition
    from reference_systems.bank_feature_store.feast_store import import_feast
    from reference_systems.bank_feature_store.onboarding import onboard

    def told(text: str) -> None:
        say(PROG, text)

    if not _incident(options):
        yield from onboard(_repo(options), options.definition, options.as_of, options.online, told)
        return
    import_feast()
    views = read_definition(options.definition)
    for step in handoffs.log([f"{view.name}:{f.name}" for view in views for f in view.fields]):
        yield {**step, "recorded": True}
    raise BankError(
        "the incident build serves nothing by itself: these are the three weeks of its log, and the"
        " next feature takes a Scala engineer (leave out --build incident to onboard it now)"
    )


def _get(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    yield from _ask(options, timed=False)


def _history(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    yield from _ask(options, timed=True)


def _ask(options: argparse.Namespace, *, timed: bool) -> Iterator[Mapping[str, Any]]:
    repo = _repo(options)
    views = repo.views()
    build = _build(repo, timed=timed, incident=_incident(options))

    def answer(lines: list[dict[str, Any]]) -> list[dict[str, Any] | BadLine]:
        read: list[Question | BadLine] = []
        for line in lines:
            try:
                read.append(question(line, views, timed=timed))
            except BadLine as fault:
                read.append(fault)
        good = [one for one in read if isinstance(one, Question)]
        found = iter(build(good, views) if good else ())
        return [_line(one, next(found)) if isinstance(one, Question) else one for one in read]

    with opened(options.file) as stream:
        yield from answers(stream, answer)


def _build(repo: Repo, *, timed: bool, incident: bool) -> Callable[..., list[Any]]:
    if not incident:
        from reference_systems.bank_feature_store.feast_store import FeastStore

        store = FeastStore(repo)
        return store.history if timed else store.get
    from reference_systems.bank_feature_store import serving, training

    if timed:
        return lambda asked, views: training.history(repo, asked, views)
    return lambda asked, views: serving.get(repo, asked, views)


def _line(one: Question, answer: Mapping[str, tuple[Any, str, str | None]]) -> dict[str, Any]:
    found: dict[str, Any] = dict(one.keys)
    if one.when is not None:
        found["event_timestamp"] = one.when.isoformat()
    order = [f"{view}:{name}" for view, name in one.features]
    found["values"] = {name: answer[name][0] for name in order}
    found["status"] = {name: answer[name][1] for name in order}
    found["known_at"] = {name: answer[name][2] for name in order}
    return found


def _compare(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    from reference_systems.bank_feature_store.compare import rows

    yield from rows(options.seed)


_COMMANDS: dict[str, Command] = {
    "onboard": _onboard,
    "get": _get,
    "history": _history,
    "compare": _compare,
}
