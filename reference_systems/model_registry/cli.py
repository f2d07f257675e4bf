"""The registry from the command line: JSON Lines on standard output, words on standard error.

Exit status 0 done, 1 refused or failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from reference_systems.model_registry.digests import full_digest
from reference_systems.model_registry.errors import NotThere, Refused
from reference_systems.model_registry.incident import NamedFiles
from reference_systems.model_registry.pointers import Entry
from reference_systems.model_registry.promotion import Rules, public_keys
from reference_systems.model_registry.registry import GRACE, Registry
from reference_systems.model_registry.s3_address import Address
from reference_systems.model_registry.store import is_registry
from reference_systems.parts.commands import Command, Parser, opened, run, seed

__all__ = ["main"]

PROG = "model_registry"
_MOST_DAYS = 36_500.0


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command not in (None, "compare") and not options.store:
        parser.error(f"{options.command}: say where the store is with --store, before the command")
    return run(parser, _INCIDENT if options.build == "incident" else _FIXED, arguments)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog=PROG, description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--store",
        metavar="DIR",
        help="a folder, s3://BUCKET/PREFIX or http://HOST:PORT/BUCKET/PREFIX (credentials and "
        "endpoint as the AWS tools take them: AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL ...)",
    )
    parser.add_argument("--build", choices=("fixed", "incident"), default="fixed")
    parser.add_argument(
        "--allow-pickle",
        metavar="DIGEST",
        action="append",
        default=[],
        help="a pickle with this SHA-256 may be stored",
    )
    parser.add_argument(
        "--grace",
        metavar="DAYS",
        type=_days,
        default=GRACE,
        help="how long what no name reaches is kept, and locked on S3 (default: 7)",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    put = commands.add_parser("put", help="store a file under its digest; - is standard input")
    put.add_argument("file", metavar="FILE")
    put.add_argument("--training-data", metavar="DIGEST", default="", help="what it came from")
    get = commands.add_parser("get", help="write an artifact to a file, checked")
    get.add_argument("digest", metavar="DIGEST")
    get.add_argument("--to", metavar="FILE", type=Path, required=True)
    promote = commands.add_parser("promote", help="let a name point at an artifact, by evidence")
    promote.add_argument("name", metavar="NAME")
    promote.add_argument("digest", metavar="DIGEST")
    promote.add_argument("--report", metavar="DIR", type=Path, help="a signed report folder")
    promote.add_argument(
        "--key",
        metavar="K",
        type=Path,
        action="append",
        default=[],
        help="a public key that counts",
    )
    promote.add_argument(
        "--require", metavar="GATE", action="append", default=[], help="must have passed on it"
    )
    promote.add_argument(
        "--config", metavar="DIR", type=Path, help="gate configs to hold it against"
    )
    promote.add_argument("--profile", metavar="NAME", help="the profile it must have used")
    promote.add_argument(
        "--max-age", metavar="DAYS", type=_days, default=timedelta(days=30), help="default: 30"
    )
    for name, told in (("log", "the history of a name"), ("resolve", "what a name points at")):
        commands.add_parser(name, help=told).add_argument("name", metavar="NAME")
    commands.add_parser("collect", help="remove what no name reaches, and say what")
    compare = commands.add_parser("compare", help="incident and fix side by side")
    compare.add_argument("--seed", type=seed, default=1)
    return parser


def _days(text: str) -> timedelta:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 0 to 36500")
    return timedelta(days=days)


def _name(file: str) -> str:
    return "stdin" if file == "-" else Path(file).name


def _registry(options: argparse.Namespace, *, new: bool = False) -> Registry:
    """Open the registry; where a put makes none, a folder that holds none is a slip of the pen."""
    if not new and Address.parse(options.store) is None and not is_registry(Path(options.store)):
        raise NotThere(f"{options.store}: holds no registry: put something first")
    return Registry.open(options.store, pickles=options.allow_pickle, grace=options.grace)


def _put(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    with opened(options.file) as stream:
        put = _registry(options, new=True).put(stream, _name(options.file), options.training_data)
    yield {
        "digest": put.stored.digest,
        "size": put.stored.size,
        "format": put.format,
        "manifest": put.manifest,
        "new": put.stored.new,
    }


def _get(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    digest = full_digest(options.digest)
    size = _registry(options).get(digest, options.to)
    yield {"digest": digest, "size": size, "to": str(options.to)}


def _promote(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    if options.report is None:
        raise Refused(
            f"{options.name}: no evidence: name a signed report of this artifact with --report"
        )
    rules = Rules(
        max_age=options.max_age,
        gates=tuple(options.require),
        configs=options.config,
        profile=options.profile,
    )
    keys = public_keys(options.key)
    entry = _registry(options).promote(options.name, options.digest, options.report, keys, rules)
    yield _told(entry)


def _log(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    yield from map(_told, _registry(options).log(options.name))


def _resolve(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    yield _told(_registry(options).resolve(options.name))


def _told(entry: Entry) -> Mapping[str, Any]:
    return {
        "name": entry.name,
        "sequence": entry.sequence,
        "digest": entry.digest,
        "version": entry.version,
        "manifest": entry.manifest,
        "when": entry.when,
        "report": entry.report,
        "signer": entry.signer,
        "gates": list(entry.gates),
    }


def _collect(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    for gone in _registry(options).collect():
        yield {"removed": gone.what, "kind": gone.kind, "size": gone.size, "age_s": gone.age_s}


def _compare(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    from reference_systems.model_registry.compare import rows

    yield from rows(options.seed)


def _named_put(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    name = _name(options.file)
    with opened(options.file) as stream:
        files = NamedFiles(Path(options.store))
        digest = files.put(stream, name)
    yield {"digest": digest, "size": files.path_of(name).stat().st_size, "name": name}


def _named_get(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    size = NamedFiles(Path(options.store)).get(options.digest, options.to)
    yield {"digest": options.digest, "size": size, "to": str(options.to)}


def _named_promote(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    files = NamedFiles(Path(options.store))
    yield {"name": options.name, **files.promote(options.name, options.digest)}


def _named_resolve(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    yield {"name": options.name, **NamedFiles(Path(options.store)).resolve(options.name)}


def _named_collect(options: argparse.Namespace) -> Iterator[Mapping[str, Any]]:  # noqa: ARG001
    raise Refused("the incident build does not know what is still in use: it collects nothing")
    yield {}


_FIXED: dict[str, Command] = {
    "put": _put,
    "get": _get,
    "promote": _promote,
    "log": _log,
    "resolve": _resolve,
    "collect": _collect,
    "compare": _compare,
}
_INCIDENT: dict[str, Command] = {
    "put": _named_put,
    "get": _named_get,
    "promote": _named_promote,
    "log": _named_resolve,
    "resolve": _named_resolve,
    "collect": _named_collect,
    "compare": _compare,
}
