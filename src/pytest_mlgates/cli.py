"""The ``mlgates`` command; ``python -m pytest_mlgates`` is the same.

Exit status: 0 all is well, 1 a gate or a replay says no, 4 the command was used wrongly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

from pytest_mlgates import __version__
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import printable

__all__ = ["main"]

USAGE = 4


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        # a terminal without a letter shows its escape, as pytest does
        if isinstance(stream, TextIOWrapper) and stream.errors != "backslashreplace":
            stream.reconfigure(errors="backslashreplace")
    args = _parser().parse_args(argv)
    try:
        module, _, name = args.run.partition(".")
        # imported when it is asked for: `mlgates list` needs no cryptography
        run = getattr(import_module(f"pytest_mlgates.commands.{module}"), name)
        return int(run(args))
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except UsageError as error:
        _tell(str(error))
        return USAGE
    except OSError as error:
        _tell(f"{error.filename or 'mlgates'}: {error.strerror or error}")
        return USAGE


def _tell(text: str) -> None:
    """Write lines that a CI system takes for no command of its own, whatever a file holds."""
    sys.stderr.write("".join(f"{printable(line)}\n" for line in text.split("\n")))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mlgates", description="Quality gates for machine-learning systems.")
    parser.add_argument("--version", action="version", version=f"mlgates {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    _add_gates(commands)
    command = commands.add_parser(
        "doctor", help="can this machine measure? which extras are there?"
    )
    command.add_argument(
        "--calibrate", action="store_true", help="measure this quiet machine's speed and store it"
    )
    command.set_defaults(run="doctor.doctor")

    command = commands.add_parser("plan", help="observations and time that a verdict needs")
    command.add_argument("configs", nargs="+", metavar="CONFIG", type=Path)
    command.add_argument("--profile", metavar="NAME")
    command.add_argument("--ms", type=float, help="milliseconds that one call takes")
    command.set_defaults(run="plan.plan")

    command = commands.add_parser(
        "prove", help="are incidents caught, and fixes passed, over seeds?"
    )
    command.add_argument("systems", nargs="+", metavar="SYSTEM|PATH")
    command.add_argument("--seeds", type=int, default=20, metavar="N")
    command.add_argument("--first-seed", type=int, default=0, metavar="N")
    command.add_argument(
        "--minutes",
        type=float,
        metavar="M",
        help="begin no seed of a system that would end later; each has one at least, quick ones more",
    )
    command.add_argument("--out", type=Path, metavar="FILE", help="write the figures as JSON")
    command.set_defaults(run="prove.prove_systems")

    command = commands.add_parser("replay", help="decide again on recorded evidence")
    command.add_argument("reports", nargs="+", metavar="REPORT", type=Path)
    command.add_argument(
        "--evidence",
        default="",
        metavar="DIGEST",
        help="only evidence whose digest starts with this",
    )
    command.set_defaults(run="replay.replay_reports")

    command = commands.add_parser(
        "diff", help="what regressed, loosened or vanished since a report"
    )
    command.add_argument("old", type=Path, metavar="OLD")
    command.add_argument("new", type=Path, metavar="NEW")
    command.set_defaults(run="replay.print_diff")

    command = commands.add_parser(
        "report", help="show a report; recover one that was cut off; merge shards; show trends"
    )
    command.add_argument("folders", nargs="+", metavar="DIR", type=Path)
    command.add_argument("--out", type=Path, metavar="DIR", help="write one report of all of them")
    command.add_argument(
        "--history",
        nargs="+",
        default=[],
        type=Path,
        metavar="DIR",
        help="earlier reports, or a folder of them, for the trend",
    )
    command.add_argument(
        "--as",
        dest="sheet",
        metavar="KIND",
        help="a sheet for auditors: annex-iv, ll-144, sr-11-7, model-card",
    )
    command.add_argument("--system", default="", metavar="NAME", help="the sheet of this system")
    command.add_argument("--to", type=Path, metavar="FILE", help="of the sheet: .md or .html")
    command.add_argument(
        "--index", type=Path, metavar="FILE.html", help="a page over the runs in these folders"
    )
    command.set_defaults(run="sheets.report")

    _add_signing(commands)

    _add_scan(commands)
    return parser


def _add_scan(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = commands.add_parser("scan", help="do these data sets hold personal data or secrets?")
    command.add_argument("datasets", nargs="+", metavar="DATASET")
    command.add_argument("--max-leak-rate", type=float, default=1e-3, metavar="SHARE")
    command.add_argument("--entity", action="append", metavar="KIND", help="only this; repeatable")
    command.add_argument(
        "--allow", action="append", default=[], metavar="VALUE", help="no leak; repeatable"
    )
    command.add_argument(
        "--region",
        action="append",
        metavar="CODE",
        help="its identifiers and phones too; repeatable",
    )
    command.add_argument(
        "--skip", action="append", default=[], metavar="GLOB", help="not these files; repeatable"
    )
    command.add_argument(
        "--as-text", action="append", default=[], metavar="GLOB", help="read as text; repeatable"
    )
    more = command.add_argument_group("large data sets, object storage, columns (extra scan)")
    more.add_argument("--out", default="", metavar="DIR|URL", help="findings; a scan goes on there")
    more.add_argument("--plan", action="store_true", help="files, bytes, hours, dollars; no scan")
    more.add_argument("--sample", type=int, default=0, metavar="N", help="N records, of every file")
    more.add_argument("--seed", type=int, default=0, metavar="N", help="of what is drawn")
    more.add_argument("--error", type=float, default=0.05, help="of the bound that a sample gives")
    more.add_argument(
        "--column", action="append", default=[], metavar="NAME", help="only this; repeatable"
    )
    more.add_argument("--names", action="store_true", help="names of people and places, too")
    more.add_argument("--key", type=Path, metavar="FILE", help="key of the digests in findings")
    more.add_argument("--processes", type=int, default=0, metavar="N", help="default: all cores")
    more.add_argument("--cluster", default="", metavar="ray://HOST:PORT", help="run on Ray")
    more.add_argument("--core-hour-usd", type=float, default=0.05, metavar="USD")
    more.add_argument("--redact-to", default="", metavar="DIR|URL", help="write a redacted copy")
    more.add_argument(
        "--redact-with", choices=["replace", "mask", "hash", "encrypt"], default="replace"
    )
    more.add_argument("--redact-key", type=Path, metavar="FILE", help="of hash and encrypt")
    command.set_defaults(run="scan.scan_datasets")


def _add_gates(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = commands.add_parser("list", help="the gates there are")
    command.set_defaults(run="gates.list_gates")

    command = commands.add_parser(
        "schema", help="the fields of a gate; JSON Schema of gate configs"
    )
    command.add_argument("gate", nargs="?")
    command.add_argument("--json", action="store_true", help="the JSON Schema of the gate")
    command.set_defaults(run="gates.print_schema")

    command = commands.add_parser("check", help="find every mistake in gate configs")
    command.add_argument("configs", nargs="+", metavar="CONFIG", type=Path)
    command.set_defaults(run="gates.check_configs")

    command = commands.add_parser("init", help="write a first gate config and test, or add a gate")
    command.add_argument("system", nargs="?", help="by default the name of this folder")
    command.add_argument("gate", nargs="?", help="as in `mlgates list`; by default p99_latency")
    command.add_argument("fields", nargs="*", metavar="FIELD=VALUE", help="such as max_ms=12")
    command.set_defaults(run="init.init")


def _add_signing(commands: argparse._SubParsersAction[_Parser]) -> None:
    command = commands.add_parser("sign", help="sign a report that was written before")
    command.add_argument("folder", metavar="DIR", type=Path)
    command.add_argument("--key", required=True, type=Path, help="private key (PEM)")
    command.add_argument("--store", metavar="DIR", type=Path, help="keep it in this store as well")
    command.set_defaults(run="sign.sign_report")

    command = commands.add_parser(
        "verify", help="is a report signed, trusted, complete, consistent and fresh?"
    )
    command.add_argument("folder", nargs="?", metavar="DIR", type=Path)
    command.add_argument(
        "--key",
        action="append",
        default=[],
        type=Path,
        help="accepted public key (PEM); repeatable",
    )
    command.add_argument("--config", metavar="DIR|FILE", type=Path, help="gate configs at hand")
    command.add_argument("--profile", metavar="NAME", help="the run has to have used this profile")
    command.add_argument("--max-age", type=float, metavar="DAYS", help="since the run ended")
    command.add_argument("--now", metavar="INSTANT", help="check as of then (ISO 8601)")
    command.add_argument("--store", metavar="DIR", type=Path, help="the store that keeps the runs")
    command.add_argument(
        "--must-pass", action="store_true", help="say no to the true report of a failed run as well"
    )
    command.add_argument("--commit", default="", metavar="SHA", help="this commit was gated")
    command.add_argument(
        "--clean", action="store_true", help="no file was changed since that commit"
    )
    command.add_argument(
        "--subject",
        action="append",
        default=[],
        metavar="DIGEST",
        help="this was gated; repeatable",
    )
    command.add_argument(
        "--artifact",
        action="append",
        default=[],
        type=Path,
        metavar="FILE|DIR",
        help="this was gated, by its digest; repeatable",
    )
    command.add_argument(
        "--first-run", action="store_true", help="no attempt and no run in the store came before"
    )
    command.add_argument(
        "--timestamp", type=Path, metavar="FILE", help="a time-stamp on the attestation (RFC 3161)"
    )
    command.add_argument(
        "--tsa",
        action="append",
        default=[],
        type=Path,
        metavar="PEM",
        help="certificates of an authority that may tell the time; repeatable",
    )
    command.add_argument(
        "--vsa", type=Path, metavar="FILE", help="write a verification summary (SLSA VSA)"
    )
    command.add_argument("--vsa-key", type=Path, metavar="KEY", help="sign it with this key (PEM)")
    command.add_argument(
        "--verifier", default="urn:pytest-mlgates:verify", metavar="URI", help="who verifies"
    )
    command.add_argument("--json", action="store_true", help="answer as JSON")
    command.set_defaults(run="sign.verify_report")

    command = commands.add_parser("bundle", help="a signed report's envelopes as Sigstore bundles")
    command.add_argument("folder", metavar="DIR", type=Path)
    command.add_argument(
        "--to", required=True, type=Path, metavar="DIR", help="not the report's own"
    )
    command.set_defaults(run="sign.write_bundles")

    command = commands.add_parser(
        "digest", help="digest of files and folders, as models are signed"
    )
    command.add_argument("paths", nargs="+", metavar="FILE|DIR", type=Path)
    command.set_defaults(run="sign.print_digests")


if __name__ == "__main__":
    sys.exit(main())
