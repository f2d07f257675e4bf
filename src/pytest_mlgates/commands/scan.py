"""``mlgates scan``: do these data sets hold personal data or secrets?"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from pytest_mlgates.core import Outcome
from pytest_mlgates.core.words import printable
from pytest_mlgates.gates.pii_leak import PiiLeak
from pytest_mlgates.pii import scrub

__all__ = ["scan_datasets"]


def scan_datasets(args: Namespace) -> int:
    """Print a verdict and the findings for each data set."""
    fields: dict[str, Any] = {"max_leak_rate": args.max_leak_rate, "allow": args.allow}
    if args.entity:
        fields["entities"] = args.entity
    if args.region:
        fields["regions"] = args.region
    gate = PiiLeak(**fields)
    status = 0
    for dataset in args.datasets:
        evidence = gate.run(dataset)
        reason = printable(evidence.verdict.reason)
        print(f"{scrub(dataset.name)}: {evidence.outcome.upper()}: {reason}")
        for finding in evidence.findings:
            print(f"  {printable(finding)}")
        status = max(status, int(evidence.outcome != Outcome.PASS))
    return status
