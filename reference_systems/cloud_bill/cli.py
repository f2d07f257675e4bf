"""The bill from the command line: what it comes to, for whom, and what was wasted. JSON Lines out.

Exit status 0 done, 1 refused or failed (one line says why), 2 wrong usage.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from reference_systems.parts.commands import Command, RefusedError, run, say, seed, with_builds
from reference_systems.parts.side_by_side import rows_of

if TYPE_CHECKING:
    from pytest_mlgates.gates.cost_budget.details import Seen

__all__ = ["main"]

PROG = "cloud_bill"
#: no bill is as high: the report is about what there is, not about a budget
_NO_BUDGET = 1e15

Row = Mapping[str, object]


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    return run(_parser(), _COMMANDS, arguments)


def _parser() -> argparse.ArgumentParser:
    parser, add = with_builds(
        PROG, __doc__, "the month to report where no BILL is given (default: fixed)"
    )
    report = add("report", "costs by period and namespace, and what was wasted")
    report.add_argument(
        "bill", metavar="BILL", nargs="?",
        help="a file or folder: FOCUS, AWS CUR, OpenCost; without it the month of --build",
    )  # fmt: skip
    report.add_argument(
        "inventory", metavar="INVENTORY", nargs="?",
        help="a file or folder of pods, nodes and volumes, as kubectl or the clouds list them",
    )  # fmt: skip
    report.add_argument("--currency", default="USD", help="of the bill (default: USD)")
    report.add_argument("--decimal", choices=(".", ","), default=".",
                        help="the mark in its amounts (default: .)")  # fmt: skip
    report.add_argument("--duplicates", choices=("refuse", "count"), default="refuse",
                        help="what equal lines are: an export joined to itself, or charges")  # fmt: skip
    report.add_argument(
        "--by",
        help="service, category, namespace, account, region or tag:KEY (default: namespace, or service where none is named)",
    )  # fmt: skip
    report.add_argument("--idle-hours", type=float, default=4.0, metavar="H",
                        help="a GPU pod that idles so long is waste (default: 4)")  # fmt: skip
    report.add_argument("--unattached-days", type=float, default=7.0, metavar="D",
                        help="a volume attached to nothing so long is waste (default: 7)")  # fmt: skip
    report.add_argument("--seed", type=seed, default=0, help="of the month of --build")
    compare = add("compare", "incident and fix side by side")
    compare.add_argument("--seed", type=seed, default=0)
    return parser


def _report(options: argparse.Namespace) -> Iterator[Row]:
    from pytest_mlgates.core.fields import FieldError
    from pytest_mlgates.gates.cost_budget import CostBudget
    from pytest_mlgates.gates.cost_budget.details import Seen
    from reference_systems.cloud_bill.build import make

    if options.bill is None:
        month = make(getattr(options, "build", "fixed"), options.seed)
        charges, inventory = month.charges, month.inventory
    else:
        charges, inventory = _there(options.bill), options.inventory and _there(options.inventory)
    # a bill that names no namespace is told by service, unless somebody asked for one
    for by in [options.by] if options.by else ["namespace", "service"]:
        try:
            gate = CostBudget(
                currency=options.currency, by=by, max_cost=_NO_BUDGET,
                max_waste=None if inventory is None else 0.0,
                idle_hours=options.idle_hours, unattached_days=options.unattached_days,
                decimal=options.decimal, duplicates=options.duplicates,
            )  # fmt: skip
        except FieldError as error:
            raise RefusedError(str(error)) from None
        evidence = gate.run(charges, inventory)
        if evidence.measurement is not None:
            break
    else:
        raise RefusedError(evidence.verdict.reason)
    seen = evidence.measurement.read(Seen)
    if not seen.totals:
        raise RefusedError(f"{options.bill}: holds no charge, so there is nothing to add up")
    yield from _rows(seen, options.currency.upper())
    for line in seen.findings or ():
        say(PROG, line)


def _there(name: str) -> Path:
    path = Path(name)
    if not path.exists():
        raise RefusedError(f"{name}: is not there")
    return path


def _rows(seen: Seen, currency: str) -> Iterator[Row]:
    """Yield the totals, the groups with the dearest first, the waste, what could not be read."""
    for total in seen.totals or ():
        yield {
            "what": "total", "period": total.period, "cost": total.billed, "currency": currency,
            "credits": total.credits, "complete": total.complete,
        }  # fmt: skip
    for entry in seen.entries or ():
        yield {
            "what": "group", "group": entry.group, "period": entry.period, "cost": entry.billed,
            "currency": currency,
        }  # fmt: skip
    if seen.waste is not None:
        for name, rule in seen.waste.rules.items():
            yield {
                "what": "waste", "rule": name, "period": seen.waste.period, "cost": rule.cost,
                "currency": currency, "resources": rule.resources, "unpriced": rule.unpriced,
            }  # fmt: skip
    for unread in seen.unread:
        yield {
            "what": "unread", "why": unread.why, "lines": unread.lines, "cost": unread.cost,
            "currency": currency,
        }  # fmt: skip


def _compare(options: argparse.Namespace) -> Iterator[Row]:
    from reference_systems.cloud_bill import compare

    yield from rows_of(compare.main, ["--seed", str(options.seed)])


_COMMANDS: dict[str, Command] = {"report": _report, "compare": _compare}
