"""The ``mlgates`` command; ``python -m pytest_mlgates`` is the same.

Exit status: 0 all is well, 1 a gate or a replay says no, 4 the command was used wrongly.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from pytest_mlgates import __version__
from pytest_mlgates.core.errors import UsageError

__all__ = ["main"]

USAGE = 4


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except UsageError as error:
        print(error, file=sys.stderr)
        return USAGE
    except OSError as error:
        print(f"{error.filename or 'mlgates'}: {error.strerror or error}", file=sys.stderr)
        return USAGE


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mlgates", description="Quality gates for machine-learning systems.")
    parser.add_argument("--version", action="version", version=f"mlgates {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    command = commands.add_parser("list", help="the gates there are")
    command.set_defaults(run=_list)

    command = commands.add_parser("schema", help="JSON Schema of gate configs, or of one gate")
    command.add_argument("gate", nargs="?")
    command.set_defaults(run=_schema)

    command = commands.add_parser("check", help="find every mistake in gate configs")
    command.add_argument("configs", nargs="+", metavar="CONFIG", type=Path)
    command.set_defaults(run=_check)

    command = commands.add_parser("init", help="write a first gate config and test")
    command.add_argument("system", nargs="?", help="by default the name of this folder")
    command.add_argument("gate", nargs="?", help="as in `mlgates list`; by default p99_latency")
    command.add_argument("fields", nargs="*", metavar="FIELD=VALUE", help="such as max_ms=12")
    command.set_defaults(run=_init)

    command = commands.add_parser(
        "doctor", help="can this machine measure? which extras are there?"
    )
    command.add_argument(
        "--calibrate", action="store_true", help="measure this quiet machine's speed and store it"
    )
    command.set_defaults(run=_doctor)

    command = commands.add_parser("plan", help="observations and time that a verdict needs")
    command.add_argument("configs", nargs="+", metavar="CONFIG", type=Path)
    command.add_argument("--profile", metavar="NAME")
    command.add_argument("--ms", type=float, help="milliseconds that one call takes")
    command.set_defaults(run=_plan)

    command = commands.add_parser(
        "prove", help="are incidents caught, and fixes passed, over seeds?"
    )
    command.add_argument("systems", nargs="+", metavar="SYSTEM|PATH")
    command.add_argument("--seeds", type=int, default=20, metavar="N")
    command.add_argument("--first-seed", type=int, default=0, metavar="N")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the figures as JSON")
    command.set_defaults(run=_prove)

    command = commands.add_parser("replay", help="decide again on recorded evidence")
    command.add_argument("reports", nargs="+", metavar="REPORT", type=Path)
    command.add_argument("--evidence", default="", metavar="DIGEST", help="only what starts so")
    command.set_defaults(run=_replay)

    command = commands.add_parser(
        "diff", help="what regressed, loosened or vanished since a report"
    )
    command.add_argument("old", type=Path, metavar="OLD")
    command.add_argument("new", type=Path, metavar="NEW")
    command.set_defaults(run=_diff)

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
    command.set_defaults(run=_report)

    _add_signing(commands)

    command = commands.add_parser("scan", help="do these data sets hold personal data or secrets?")
    command.add_argument("datasets", nargs="+", metavar="DATASET", type=Path)
    command.add_argument("--max-leak-rate", type=float, default=1e-3, metavar="SHARE")
    command.add_argument("--entity", action="append", metavar="KIND", help="only this; repeatable")
    command.add_argument(
        "--allow", action="append", default=[], metavar="VALUE", help="no leak; repeatable"
    )
    command.set_defaults(run=_scan)
    return parser


def _add_signing(commands: Any) -> None:
    command = commands.add_parser("sign", help="sign a report that was written before")
    command.add_argument("folder", metavar="DIR", type=Path)
    command.add_argument("--key", required=True, type=Path, help="private key (PEM)")
    command.add_argument("--store", metavar="DIR", type=Path, help="keep it in this store as well")
    command.set_defaults(run=_sign)

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
    command.add_argument("--json", action="store_true", help="answer as JSON")
    command.set_defaults(run=_verify)


def _list(_: argparse.Namespace) -> int:
    from pytest_mlgates.config.schema import summary
    from pytest_mlgates.registry import load, names

    for name in names():
        cls = load(name)
        extra = f"  [extra: {cls.extra}]" if cls.extra else ""
        print(f"{name:24}{summary(cls)}{extra}")
    return 0


def _schema(args: argparse.Namespace) -> int:
    from pytest_mlgates.config.schema import DIALECT, config_schema, gate_schema
    from pytest_mlgates.registry import load

    schema = config_schema() if args.gate is None else gate_schema(load(args.gate))
    print(json.dumps({"$schema": DIALECT, **schema}, indent=2))
    return 0


def _check(args: argparse.Namespace) -> int:
    from pytest_mlgates.config.config import load_configs

    for config in load_configs((file, file.as_posix()) for file in _configs(args.configs)):
        count = len(config.entries)
        print(f"{config.path}: {count} gate{'s' * (count != 1)}, no mistake")
    return 0


def _init(args: argparse.Namespace) -> int:
    from pytest_mlgates.commands.init import write_starter

    system = args.system or re.sub(r"\W", "_", Path.cwd().name.lower()) or "my_system"
    fields = args.fields if args.gate else ["max_ms=100"]
    for file in write_starter(Path.cwd(), system, args.gate or "p99_latency", fields):
        print(f"wrote {file}")
    return 0


def _doctor(args: argparse.Namespace) -> int:
    from pytest_mlgates.commands.doctor import examine

    for line in examine(calibrate_now=args.calibrate):
        print(line)
    return 0


def _plan(args: argparse.Namespace) -> int:
    from pytest_mlgates.config.config import load_config
    from pytest_mlgates.core.words import table

    if args.ms is not None and not args.ms > 0:
        raise UsageError(f"--ms {args.ms:g}: a call takes more than 0 ms")
    lines: list[tuple[str, ...]] = [("system", "gate", "to PASS", "to FAIL", "time to PASS")]
    for file in _configs(args.configs):
        config = load_config(file)
        profile = config.profile(args.profile)
        for entry in config.entries.values():
            needs = config.gate(entry, profile).needs()
            if needs is None:
                lines.append((config.system, entry.name, "not fixed", "not fixed", "-"))
                continue
            took = "-" if args.ms is None else _duration(needs.to_pass * args.ms / 1000)
            shown = (f"{needs.to_pass:,} {needs.unit}", f"{needs.to_fail:,} {needs.unit}")
            lines.append((config.system, entry.name, *shown, took))
    print("\n".join(table(lines)))
    if args.ms is None:
        print("the time: add --ms with the milliseconds that one call takes")
    return 0


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _prove(args: argparse.Namespace) -> int:
    from pytest_mlgates.commands.prove import prove, table_of

    if args.seeds < 1:
        raise UsageError(f"--seeds {args.seeds}: at least one seed")
    paths = []
    for system in args.systems:
        path = next(
            (p for p in (Path(system), Path("reference_systems", system)) if p.exists()), None
        )
        if path is None:
            raise UsageError(f"{system}: neither a path nor a folder of reference_systems")
        paths.append(path)
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    results = prove(paths, seeds, progress=sys.stderr.isatty())
    print(table_of(results))
    if args.out is not None:
        args.out.write_text(json.dumps([r.to_dict() for r in results], indent=1) + "\n", "utf-8")
    return 0 if results and all(result.proved for result in results) else 1


def _replay(args: argparse.Namespace) -> int:
    from pytest_mlgates.core.words import printable
    from pytest_mlgates.report.read import read_report
    from pytest_mlgates.report.replay import replay

    bad = total = 0
    for place in args.reports:
        try:
            report = read_report(place)
        except ValueError as error:
            print(error, file=sys.stderr)
            bad += 1
            continue
        for result in replay(report):
            if not result.digest.startswith(args.evidence):
                continue
            total += 1
            bad += bool(result.fault)
            agrees = f"{result.outcome.upper()} again"
            if result.note:
                agrees = f"{agrees} ({result.note})" if result.digest else result.note
            print(printable(f"{result.name}: {result.fault or agrees}"))
        if not report["evidence"]:
            print(f"{place}: holds no evidence", file=sys.stderr)
            bad += 1
    if not total and args.evidence:
        raise UsageError(
            f"--evidence {args.evidence}: no such piece in {' '.join(map(str, args.reports))}"
        )
    print(f"{total} replayed, {bad} with a fault")
    return 1 if bad else 0


def _diff(args: argparse.Namespace) -> int:
    from pytest_mlgates.core.words import printable
    from pytest_mlgates.report.diff import diff
    from pytest_mlgates.report.read import read_report, report_of

    old, new = (report_of(place, read_report(place)) for place in (args.old, args.new))
    changes = diff(old, new)
    for change in changes:
        print(printable(str(change)))
    bad = sum(change.bad for change in changes)
    print(f"{len(changes)} changes, {bad} for the worse")
    return 1 if bad else 0


def _report(args: argparse.Namespace) -> int:
    from pytest_mlgates.commands.combine import combine
    from pytest_mlgates.writers import write_all
    from pytest_mlgates.writers.summary import markdown

    folders = list(dict.fromkeys(args.folders))
    if args.out is None and (len(folders) > 1 or args.history):
        raise UsageError("several reports make one: say where with --out DIR")
    if len(folders) > 1 and args.out in folders:
        raise UsageError(f"--out {args.out}: is one of the reports")
    made = combine(folders, args.history)
    faults = [] if args.out is None else write_all(made.report, args.out)
    print(markdown(made.report))
    for line in [*made.notes, *faults]:
        print(line, file=sys.stderr)
    return 1 if made.report.problems or made.doubts or faults else 0


def _sign(args: argparse.Namespace) -> int:
    from pytest_mlgates.commands.sign import sign

    told, faults = sign(args.folder, args.key, args.store)
    print("\n".join(faults) if faults else told)
    return 1 if faults else 0


def _verify(args: argparse.Namespace) -> int:
    from pytest_mlgates.commands.sign import check
    from pytest_mlgates.core.words import printable

    found = check(args)
    if args.json:
        print(json.dumps(found.to_dict(), indent=1))
    else:
        for line in found.lines():
            print(printable(line))
    return 0 if found.good and (found.passed or not args.must_pass) else 1


def _scan(args: argparse.Namespace) -> int:
    from pytest_mlgates.core import Outcome
    from pytest_mlgates.core.words import printable
    from pytest_mlgates.gates.pii_leak import PiiLeak

    fields: dict[str, Any] = {"max_leak_rate": args.max_leak_rate, "allow": args.allow}
    if args.entity:
        fields["entities"] = args.entity
    gate = PiiLeak(**fields)
    status = 0
    for dataset in args.datasets:
        evidence = gate.run(dataset)
        reason = printable(evidence.verdict.reason)
        print(f"{dataset.name}: {evidence.outcome.upper()}: {reason}")
        for finding in evidence.findings:
            print(f"  {printable(finding)}")
        status = max(status, int(evidence.outcome != Outcome.PASS))
    return status


def _configs(places: Sequence[Path]) -> list[Path]:
    from pytest_mlgates.config.config import find_configs

    found = []
    for place in places:
        if not place.exists():
            raise UsageError(f"{place}: there is no such config file or folder")
        found += find_configs(place)
    if not found:
        raise UsageError(f"{', '.join(map(str, places))}: holds no gate config (*.yaml)")
    return found


if __name__ == "__main__":
    sys.exit(main())
