"""``mlgates scan``: do these data sets hold personal data or secrets?"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from pytest_mlgates.audit.storage import is_remote
from pytest_mlgates.core import Outcome
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import printable
from pytest_mlgates.gates.pii_leak import PiiLeak
from pytest_mlgates.pii import scrub
from pytest_mlgates.pii.datasets import Chosen

__all__ = ["scan_datasets"]


def scan_datasets(args: Namespace) -> int:
    """Print a verdict and the findings for each data set."""
    fields: dict[str, Any] = {"max_leak_rate": args.max_leak_rate, "allow": args.allow}
    if args.entity:
        fields["entities"] = args.entity
    if args.region:
        fields["regions"] = args.region
    gate = PiiLeak(**fields)
    if is_audit(args):
        if args.as_text:
            raise UsageError("--as-text takes a scan without --out, --plan, --sample and the like")
        from pytest_mlgates.commands.audit import audit_datasets

        return audit_datasets(args, gate)
    for dataset in args.datasets:
        if is_remote(dataset):
            raise UsageError("object storage takes --out FOLDER: the findings go there")
    status = 0
    for dataset in map(Path, args.datasets):
        chosen = Chosen(dataset, tuple(args.skip), tuple(args.as_text))
        evidence = gate.run(chosen if args.skip or args.as_text else dataset)
        reason = printable(evidence.verdict.reason)
        print(f"{scrub(dataset.name)}: {evidence.outcome.upper()}: {reason}")
        for finding in evidence.findings:
            print(f"  {printable(finding)}")
        status = max(status, int(evidence.outcome != Outcome.PASS))
    return status


def is_audit(args: Namespace) -> bool:
    """Tell whether the options ask for more than a look through local files in one process."""
    wanted = ("out", "plan", "sample", "redact_to", "cluster", "column", "names", "key")
    return any(getattr(args, name) for name in wanted)
