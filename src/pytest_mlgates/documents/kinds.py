"""The sheets there are: each is filled from the evidence of one system.

What is asked of each section is told in our words, short; the text that counts is the framework's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.words import did_you_mean
from pytest_mlgates.documents.bias_audit import bias_audit
from pytest_mlgates.documents.facts import Facts
from pytest_mlgates.documents.sheet import Section, Sheet, Table
from pytest_mlgates.report.rows import rows

__all__ = ["KINDS", "sheet_of"]


def sheet_of(kind: str, facts: Facts) -> Sheet:
    """Return the sheet of a kind, or raise :class:`UsageError` where there is none."""
    if kind not in KINDS:
        raise UsageError(f"--as {kind}: is no sheet{did_you_mean(kind, tuple(KINDS))}")
    return KINDS[kind](facts)


def annex_iv(facts: Facts) -> Sheet:
    """Test report for the technical documentation of Annex IV, Regulation (EU) 2024/1689."""
    name = facts.system.system
    return Sheet(
        f"Test report of {name}, for Annex IV of Regulation (EU) 2024/1689",
        (
            facts.about(asked="Annex IV(1): the system, its version, and who provides it"),
            Section(
                "Validation and testing data",
                "Annex IV(2)(g): the data used for testing, and their main characteristics",
                tables=(facts.inputs(),),
                by_hand=(
                    "where the data are from, how they were chosen and labelled, and when",
                    "their main characteristics with regard to the persons the system is used on",
                ),
            ),
            Section(
                "Validation and testing procedures",
                "Annex IV(2)(g) and (4): the procedures, and why the metrics fit this system",
                (facts.errors(),),
                (facts.procedures(), facts.proofs()),
                ("why these metrics and limits are right for what the system is for",),
            ),
            Section(
                "Metrics",
                "Annex IV(2)(g): accuracy, robustness and other requirements, and impacts that may discriminate",
                tables=(facts.results(),),
            ),
            Section(
                "By group and slice",
                "Annex IV(3): accuracy for the persons or groups on which the system is to be used",
                () if (tables := tuple(facts.breakdowns())) else ("No gate of this system shows numbers by group or slice.",),
                tables,
            ),
            Section(
                "Limitations",
                "Annex IV(3): limits of performance, and outcomes that can be foreseen though nobody wants them",
                tables=(facts.limitations(), facts.open_ends()),
                by_hand=("foreseeable unintended outcomes, and risks to health, safety and rights", "measures of human oversight"),
            ),
            Section(
                "Test log",
                "Annex IV(2)(g): test logs and all test reports, dated and signed by the responsible persons",
                ("A signature of the report is that of a key; whose key it is, is for its owner to show.",),
                (facts.log(),),
                ("name, role, date and signature of the person responsible for the tests",),
            ),
            Section(
                "Not in the evidence",
                by_hand=(
                    "intended purpose, provider, versions and how they relate (1)",
                    "development, architecture, training data and their governance (2)(a) to (f)",
                    "changes determined in advance (2)(f), cybersecurity measures (2)(h)",
                    "risk management (5), changes over the lifecycle (6), standards applied (7), EU declaration (8), plan after placing on the market (9)",
                ),
            ),
        ),
    )  # fmt: skip


def sr_11_7(facts: Facts) -> Sheet:
    """Validation sheet as Federal Reserve SR 11-7 (OCC 2011-12) has its parts."""
    return Sheet(
        f"Model validation sheet of {facts.system.system}, by the parts of SR 11-7",
        (
            facts.about(asked="The model, and who answers for it"),
            Section(
                "Evaluation of conceptual soundness",
                "Quality of design and construction, and the evidence behind it",
                ("Gates look at outcomes. How each measures is listed; the model's own theory is not in the evidence.",),
                (facts.procedures(),),
                ("theory, assumptions and data behind the model, and alternatives that were considered", "sensitivity to inputs and assumptions"),
            ),
            Section(
                "Outcomes analysis",
                "Outputs against what came of it, with thresholds set beforehand",
                (facts.errors(),),
                (facts.results(), *facts.breakdowns(), facts.proofs()),
            ),
            Section(
                "Ongoing monitoring",
                "That the model goes on to do what it is for, as products, clients and markets change",
                ("Earlier runs that this report quotes; of what they do not hold nothing is known.",)
                if facts.report.history
                else ("This report quotes no earlier run: `mlgates report DIR --history DIR` adds them.",),
                (_trend(facts),) if facts.report.history else (),
                ("how often it is run again, and what a breach leads to",),
            ),
            Section("Limitations and assumptions", tables=(facts.limitations(), facts.inputs())),
            Section(
                "Findings and exceptions",
                "What was found, and what was accepted, by whom and until when",
                tables=(facts.open_ends(),),
                by_hand=("severity, owner and due date of each finding", "compensating controls"),
            ),
            Section("Evidence", tables=(facts.log(),)),
            Section(
                "Not in the evidence",
                by_hand=(
                    "number in the model inventory, tier, use and its limits",
                    "who validated, and their independence from who developed and who uses it",
                    "effective challenge: what was asked, and what changed because of it",
                    "approval, conditions, and the date of the next validation",
                ),
            ),
        ),
    )  # fmt: skip


def model_card(facts: Facts) -> Sheet:
    """Evaluation sections of a model card (Mitchell et al. 2019)."""
    return Sheet(
        f"Model card of {facts.system.system}: evaluation",
        (
            facts.about(asked="Model details"),
            Section("Metrics", "What was measured, and why", (facts.errors(),), (facts.procedures(),),
                    ("why these metrics and limits",)),
            Section("Evaluation data", tables=(facts.inputs(),),
                    by_hand=("datasets, why they were chosen, how they were prepared",)),
            Section("Quantitative analyses", "All together, then by factor and by their intersections",
                    tables=(facts.results(), *facts.breakdowns())),
            Section("Caveats and recommendations", tables=(facts.limitations(), facts.open_ends(), facts.proofs())),
            Section("Not in the evidence", by_hand=("intended use, and uses it is not made for", "factors that matter, and why",
                    "training data", "ethical considerations")),
        ),
    )  # fmt: skip


def _trend(facts: Facts) -> Table:
    told = [
        (run.finished, run.commit[:12] or "-", gate.entry, gate.status.upper(),
         f"{gate.value:.4g} {gate.unit}".strip() if gate.value is not None else "-")
        for run in facts.report.history
        for gate in run.gates
        if gate.system == facts.system.system
    ]  # fmt: skip
    now = str(facts.report.environment.get("finished") or "now")
    told += [
        (now, "this run", row.gate.entry, row.verdict, row.measured)
        for row in rows(facts.report)
        if row.system is facts.system
    ]
    return Table(("run", "commit", "gate", "verdict", "measured"), tuple(told), "Run by run")


KINDS: Mapping[str, Callable[[Facts], Sheet]] = {
    "annex-iv": annex_iv,
    "ll-144": bias_audit,
    "sr-11-7": sr_11_7,
    "model-card": model_card,
}
