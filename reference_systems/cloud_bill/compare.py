"""Print incident and fix side by side: ``python -m reference_systems.cloud_bill.compare``.

``--plot FOLDER`` draws costs by namespace and by day as PNG and SVG; ``--csv FOLDER`` writes the
two bills, and their inventories as kubectl and Prometheus gave them.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pytest_mlgates.gates.cost_budget import CostBudget
from reference_systems.cloud_bill import fixed, incident
from reference_systems.cloud_bill.build import Build
from reference_systems.cloud_bill.inputs import data_file
from reference_systems.cloud_bill.month import END, START

__all__ = ["by_namespace", "findings", "main", "plot", "total", "wasted"]

_RULES = {
    "idle_gpu_pods": "zombie GPU pods (50 pods, no driver)",
    "cross_zone_transfer": "all-reduce across zones (25 runs of 10 TB)",
    "unattached_volumes": "orphaned volumes (125 of 4 TB)",
}


def total(charges: Iterable[Mapping[str, str]]) -> Decimal:
    """Return what a bill comes to."""
    return sum((Decimal(charge["BilledCost"]) for charge in charges), Decimal(0))


def by_namespace(charges: Iterable[Mapping[str, str]]) -> dict[str, Decimal]:
    """Return the cost of each namespace, the dearest first; what carries no namespace is last."""
    costs: dict[str, Decimal] = {}
    for charge in charges:
        name = _namespace(charge)
        costs[name] = costs.get(name, Decimal(0)) + Decimal(charge["BilledCost"])
    return dict(sorted(costs.items(), key=lambda item: (not item[0], -item[1])))


def _namespace(charge: Mapping[str, str]) -> str:
    tags = json.loads(charge.get("Tags") or "{}")
    return str(tags.get("kubernetes_namespace", ""))


def findings(build: Build) -> dict[str, Decimal]:
    """Return what the gate ``cost_budget`` finds wasted, by rule, down to the first hour."""
    gate = CostBudget(currency="USD", max_waste=0, idle_hours=1, unattached_days=1 / 24)
    seen: Any = gate.run(build.charges, build.inventory).measurement
    rules = seen.details["waste"]["rules"]
    return {rule: Decimal(rules[rule]["cost"]) if rule in rules else Decimal(0) for rule in _RULES}


def wasted(build: Build) -> Decimal:
    """Return what was wasted in all."""
    return sum(findings(build).values(), Decimal(0))


def _by_day(charges: Iterable[Mapping[str, str]]) -> list[float]:
    """Return the cost of usage on each day of the month, in thousands."""
    days = [0.0] * (END - START).days
    for charge in charges:
        start, end = (datetime.fromisoformat(charge[f"ChargePeriod{e}"]) for e in ("Start", "End"))
        if charge["ChargeCategory"] == "Usage" and end - start <= timedelta(days=1):
            days[(start - START).days] += float(charge["BilledCost"]) / 1000
    return days


def plot(builds: Mapping[str, Build], folder: Path) -> list[Path]:
    """Draw costs by namespace and by day; return the files written."""
    from matplotlib.figure import Figure

    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(10, 7), layout="constrained")
    left, right = figure.subplots(2, 1)
    costs = {name: by_namespace(build.charges) for name, build in builds.items()}
    names = list(next(iter(costs.values())))[::-1]
    for offset, (name, colour) in zip(
        (0.2, -0.2), (("incident", "#b3261e"), ("fixed", "#1f6f54")), strict=True
    ):
        values = [float(costs[name].get(each, 0)) / 1000 for each in names]
        rows = [index + offset for index in range(len(names))]
        left.barh(rows, values, height=0.38, color=colour, label=name)
        right.step(
            range(1, (END - START).days + 1),
            _by_day(builds[name].charges),
            where="mid",
            color=colour,
            label=name,
        )
    left.set_yticks(range(len(names)), [each or "(no namespace)" for each in names])
    left.set_xlabel("thousand USD in May 2026")
    left.set_title("Cost by namespace")
    right.set_xlabel("day of May 2026")
    right.set_ylabel("thousand USD")
    right.set_ylim(bottom=0)
    right.set_title("Cost of usage by day")
    left.legend()
    written = [folder / f"cloud_bill.{kind}" for kind in ("png", "svg")]
    for path in written:
        figure.savefig(path)
    return written


def _write(build: Build, folder: Path) -> None:
    own = folder / build.name
    shutil.copytree(build.inventory, own / "inventory", dirs_exist_ok=True)
    columns = list(dict.fromkeys(column for row in build.charges for column in row))
    with (own / "charges.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(build.charges)


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables of the README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the normal month around it")
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="draw the costs as PNG and SVG")
    parser.add_argument("--csv", type=Path, metavar="FOLDER", help="write bills and inventories")
    chosen = parser.parse_args(argv)
    builds = {"incident": incident.build(chosen.seed), "fixed": fixed.build(chosen.seed)}
    file = data_file()
    lines = [f"Seed {chosen.seed}, background: {file.name if file else 'drawn by seed'}:", ""]
    lines += ["| what was wasted, USD | incident | fixed |", "|---|---:|---:|"]
    found = {name: findings(build) for name, build in builds.items()}
    lines += [_row(words, [found[name][rule] for name in builds]) for rule, words in _RULES.items()]
    lines.append(_row("**together**", [wasted(build) for build in builds.values()]))
    lines.append(_row("the month", [total(build.charges) for build in builds.values()]))
    lines += ["", "| namespace, USD | incident | fixed |", "|---|---:|---:|"]
    costs = {name: by_namespace(build.charges) for name, build in builds.items()}
    for each in costs["incident"]:
        amounts = [costs[name].get(each, Decimal(0)) for name in builds]
        lines.append(_row(each or "(none: credits, tax, other accounts)", amounts))
    if chosen.plot:
        lines += ["", *(f"written: {path}" for path in plot(builds, chosen.plot))]
    if chosen.csv:
        for build in builds.values():
            _write(build, chosen.csv)
    sys.stdout.write("\n".join(lines) + "\n")


def _row(label: str, amounts: Iterable[Decimal]) -> str:
    return f"| {label} | {' | '.join(f'{amount:,.2f}' for amount in amounts)} |"


if __name__ == "__main__":
    main()
