"""The table of a bias audit (NYC Local Law 144), from what ``impact_ratio`` counted.

Source: Rules of the City of New York, title 6, sections 5-301 to 5-303.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_mlgates.core import Evidence, Role
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.documents.facts import Facts
from pytest_mlgates.documents.sheet import Section, Sheet, Table
from pytest_mlgates.gates.impact_ratio.details import AttributeTable, Seen

__all__ = ["bias_audit", "published"]

_GATE = "impact_ratio"


def published(seen: Seen) -> Iterator[Table]:
    """Yield a table for each attribute and intersection, with the columns that are published."""
    scoring = seen.basis == "scoring"
    heading = (
        "applicants", "above the median" if scoring else "selected",
        "scoring rate" if scoring else "selection rate", "impact ratio",
    )  # fmt: skip
    for table in seen.tables:
        yield Table((table.attribute, *heading), tuple(_categories(table)))


def _categories(table: AttributeTable) -> Iterator[tuple[str, ...]]:
    for row in table.categories:
        name = row.category
        for attribute in table.attribute.split(" & "):
            name = name.replace(f"{attribute}=", "")
        ratio = "left out" if row.left_out else "-" if row.ratio is None else f"{row.ratio:.3f}"
        yield name, f"{row.n:,}", f"{row.selected:,}", f"{row.rate:.3f}", ratio
    yield "unknown", f"{table.unknown:,}", "", "", ""


def bias_audit(facts: Facts) -> Sheet:
    """Tables for a bias audit under NYC Local Law 144, or UsageError where nothing counted them."""
    pieces = [p for p in facts.pieces(Role.GATE) if p.gate == _GATE and p.measurement is not None]
    name = facts.system.system
    if not pieces:
        raise UsageError(
            f"--as ll-144: {name} has no evidence of {_GATE}, which counts applicants by sex and race"
        )
    return Sheet(
        f"Tables for a bias audit of {name} (NYC Local Law 144)",
        (
            facts.about(asked="The tool, and the build of it that was looked at"),
            *(_audited(piece, facts) for piece in pieces),
            Section("Limitations", tables=(facts.limitations(),)),
            Section(
                "Not in the evidence",
                "6 RCNY 5-301 and 5-303: an independent auditor, and what a summary has besides the tables",
                by_hand=(
                    "the independent auditor, who neither used, developed nor distributed the tool",
                    "date of the audit, and of the tool's distribution",
                    "source and explanation of the data: historical or test data, and why",
                    "that sex, race and ethnicity have the categories of EEO-1, with their intersections",
                ),
            ),
        ),
    )


def _audited(piece: Evidence, facts: Facts) -> Section:
    assert piece.measurement is not None  # asked before
    seen = piece.measurement.read(Seen)
    run = str(facts.report.environment.get("finished") or "not recorded")[:10]
    kind = "scores, held against their median" if seen.basis == "scoring" else "decisions"
    says = [
        f"{piece.entry}, run of {run}: {seen.tables[0].n:,} applicants by {kind}. Test set: "
        + ("; ".join(f"{k} {v}" for k, v in piece.inputs.items()) or "no digest was recorded")
        + ".",
        f"{piece.outcome.upper()} of the gate: {piece.verdict.reason}",
    ]
    if seen.reason_left_out:
        says.append(f"Categories left out: {seen.reason_left_out}")
    title = "Selection rates" if seen.basis != "scoring" else "Scoring rates"
    return Section(
        f"{title} and impact ratios",
        "6 RCNY 5-301(b) to (d): by sex, by race or ethnicity, and by both; the number of unknown",
        tuple(says),
        tuple(published(seen)),
    )
