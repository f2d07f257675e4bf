"""Incident and fix side by side, and the table of a bias audit: the command ``compare``."""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from typing import TYPE_CHECKING

from scipy.stats import mannwhitneyu

from pytest_mlgates.documents.bias_audit import published
from pytest_mlgates.gates.impact_ratio import ImpactRatio
from pytest_mlgates.gates.impact_ratio.details import Seen
from reference_systems.resume_screener import fixed, incident, nameless
from reference_systems.resume_screener.inputs import PLACEHOLDER, Applicant, applicants, templates
from reference_systems.resume_screener.people import GROUPS, data_folder, draw, seeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reference_systems.resume_screener.training import Screener

__all__ = ["auc", "audit", "by_group", "four_names", "main", "names_of", "top_share"]

FOUR = ("John", "Juan", "Wei", "Aisha")
_INVITED = 1 / 3


def names_of(n: int, seed: int) -> dict[str, list[str]]:
    """Return ``n`` names for each group, drawn as the history draws them."""
    random = seeded("compare", seed)
    names: dict[str, list[str]] = {group: [] for group in GROUPS}
    while any(len(known) < n for known in names.values()):
        person = draw(random)
        if len(names[person.group]) < n:
            names[person.group].append(person.name)
    return names


def mean_score(screener: Screener, texts: Sequence[str], name: str) -> float:
    """Return the mean score of the same résumés under one name."""
    return statistics.fmean(screener.score(text.replace(PLACEHOLDER, name)) for text in texts)


def by_group(
    screener: Screener, texts: Sequence[str], names: dict[str, list[str]]
) -> dict[str, float]:
    """Return the mean score of the same résumés under the names of each group."""
    return {
        group: statistics.fmean(mean_score(screener, texts, name) for name in known)
        for group, known in names.items()
    }


def four_names(screener: Screener, texts: Sequence[str]) -> list[float]:
    """Return max - min over John, Juan, Wei and Aisha for each résumé (the rule of the case)."""
    gaps = []
    for text in texts:
        scores = [screener.score(text.replace(PLACEHOLDER, name)) for name in FOUR]
        gaps.append(max(scores) - min(scores))
    return gaps


def auc(screener: Screener, held_out: Sequence[Applicant]) -> float:
    """Return the chance that a qualified applicant scores above one who is not."""
    good = [screener.score(each.text) for each in held_out if each.qualified]
    rest = [screener.score(each.text) for each in held_out if not each.qualified]
    if not good or not rest:
        return math.nan
    return float(mannwhitneyu(good, rest).statistic) / (len(good) * len(rest))


def top_share(screener: Screener, held_out: Sequence[Applicant]) -> dict[str, float]:
    """Return the share of each group that is invited when the best third is invited."""
    ranked = sorted(held_out, key=lambda each: screener.score(each.text), reverse=True)
    invited = {id(each) for each in ranked[: round(len(ranked) * _INVITED)]}
    of = {
        group: [id(e) in invited for e in held_out if e.person.group == group] for group in GROUPS
    }
    return {group: statistics.fmean(own) if own else math.nan for group, own in of.items()}


def _lowest_of_highest(shares: dict[str, float]) -> float:
    known = [share for share in shares.values() if not math.isnan(share)]
    return min(known) / max(known) if any(known) else math.nan


def _cell(value: float) -> str:
    """Return a figure, or a dash where nobody is there to have one."""
    return "-" if math.isnan(value) else f"{value:.3f}"


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables of the README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the history and the held-out set")
    parser.add_argument("--names", type=int, default=50, help="names per group")
    parser.add_argument("--resumes", type=int, default=50, help="résumés under each name")
    parser.add_argument("--held-out", type=int, default=30_000, help="applicants under own names")
    chosen = parser.parse_args(argv)
    seed = chosen.seed
    builds = {
        "incident": incident.screener(seed),
        "only the name removed": nameless.screener(seed),
        "fixed": fixed.screener(seed),
    }
    texts, names = templates(chosen.resumes, seed), names_of(chosen.names, seed)
    held_out = applicants(chosen.held_out, seed, purpose="held out")
    groups = {label: by_group(build, texts, names) for label, build in builds.items()}
    gaps = {label: four_names(build, texts) for label, build in builds.items()}
    shares = {label: top_share(build, held_out) for label, build in builds.items()}
    source = "the real name tables" if data_folder() else "the name table that the gate ships"
    rows = [
        (f"mean score, same résumés, {group} names", [groups[each][group] for each in builds])
        for group in GROUPS
    ]
    rows += [
        ("four-name rule: largest max - min", [max(gaps[each]) for each in builds]),
        ("four-name rule: mean max - min", [statistics.fmean(gaps[each]) for each in builds]),
        ("AUC against true qualification", [auc(each, held_out) for each in builds.values()]),
    ]
    rows += [
        (f"invited, own résumés, {group}", [shares[each][group] for each in builds])
        for group in GROUPS
    ]
    rows.append(
        (
            "lowest / highest invited share",
            [_lowest_of_highest(shares[each]) for each in builds],
        )
    )
    lines = [
        (
            f"seed {seed}, {source}: {chosen.resumes} résumés x {chosen.names} names per group; "
            f"{len(held_out):,} held-out applicants, the best third is invited"
        ),
        "",
        "| | " + " | ".join(builds) + " |",
        "|---|" + "---|" * len(builds),
    ]
    lines += [f"| {label} | {' | '.join(map(_cell, values))} |" for label, values in rows]
    for label, build in builds.items():
        lines += ["", f"Local Law 144, {label}: scores above the median", *audit(build, held_out)]
    sys.stdout.write("\n".join(lines) + "\n")


def audit(screener: Screener, held_out: Sequence[Applicant]) -> list[str]:
    """Return the table that NYC Local Law 144 asks to publish: by sex, by race, by both.

    Its figures are those of the evidence of ``impact_ratio``.
    """
    people = [{"sex": each.person.gender, "race": each.person.group} for each in held_out]
    evidence = ImpactRatio().run([screener.score(each.text) for each in held_out], people)
    if evidence.measurement is None:  # nobody above the median, or one person
        return ["", f"impact_ratio: {evidence.outcome.value.upper()}: {evidence.verdict.reason}"]
    lines: list[str] = []
    for table in published(evidence.measurement.read(Seen)):
        lines += ["", *(f"| {' | '.join(row)} |" for row in (table.heading, *table.rows))]
        lines.insert(-len(table.rows), f"|{'---|' * len(table.heading)}")
    return [
        *lines,
        "",
        f"impact_ratio: {evidence.outcome.value.upper()}: {evidence.verdict.reason}",
    ]


if __name__ == "__main__":
    main()
