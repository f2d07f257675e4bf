"""impact_ratio: its verdict on a gap between two groups, where the gap is known.

python benchmarks/fairness_errors.py [--quick]

Two groups, 15 % of the applicants in the smaller one, whose selection rate is a gap below that of
the larger (0.5). The limit is a gap of 0.10, or a ratio of 0.8; every error is 5 %, one-sided. Both
ways at the limit, PASS and FAIL are the errors that ``beta`` and ``alpha`` bound. Columns: share of
PASS and FAIL; of the Newcombe interval beside it, as a reference; of the plain figure, which is what
people write first; CPU milliseconds of one check.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
from scipy.special import ndtri

from pytest_mlgates.core import Measurement
from pytest_mlgates.core.details import plain
from pytest_mlgates.gates.impact_ratio import ImpactRatio
from pytest_mlgates.gates.impact_ratio.details import AttributeTable, CategoryRow, Seen, ratio_of

ERROR, LIMIT, RATIO = 0.05, 0.10, 0.8
MINORITY, RATE = 0.15, 0.5
#: a ratio that no gap in the table breaks: the first table is about the gap alone
_LOOSE = 0.05
GATES = {
    "gap": ImpactRatio(min_ratio=_LOOSE, max_parity_gap=LIMIT, alpha=2 * ERROR, beta=ERROR),
    "ratio": ImpactRatio(min_ratio=RATIO, alpha=ERROR, beta=ERROR),
}


def measured(counts: tuple[tuple[int, int], tuple[int, int]]) -> Measurement:
    """Return the measurement of (selected, number) of two groups."""
    best = max(yes / n for yes, n in counts)
    rows = tuple(
        CategoryRow(category=name, n=n, selected=yes, rate=yes / n, ratio=ratio_of(yes / n, best))
        for name, (yes, n) in zip(("group=a", "group=b"), counts, strict=True)
    )
    table = AttributeTable(attribute="group", unknown=0, categories=rows)
    seen = Seen(basis="selection", selected=sum(yes for yes, _ in counts), tables=(table,))
    n = sum(n for _, n in counts)
    return Measurement(value=seen.lowest, unit="ratio", n=n, details=plain(seen))


def newcombe(counts: tuple[tuple[int, int], tuple[int, int]]) -> str:
    """Return the verdict of two one-sided Newcombe bounds on the gap."""
    z = float(ndtri(1 - ERROR))
    ends = []
    for yes, n in counts:
        middle, width = (yes + z * z / 2) / (n + z * z), z * z / (4 * n * n)
        reach = z * np.sqrt(yes * (n - yes) / n**3 + width) / (1 + z * z / n)
        ends.append((yes / n, middle - reach, middle + reach))
    (p, p_low, p_high), (q, q_low, q_high) = ends
    low = p - q - np.hypot(p - p_low, q_high - q)
    high = p - q + np.hypot(p_high - p, q - q_low)
    if low > LIMIT or high < -LIMIT:
        return "fail"
    return "pass" if low > -LIMIT and high < LIMIT else "inconclusive"


def main() -> None:
    """Print a line for each size and gap."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    runs = 200 if parser.parse_args().quick else 1000
    print(f"{runs} draws a row, {MINORITY:.0%} minority, every error {ERROR:.0%} one-sided")
    heads = ("PASS", "FAIL", "N.PASS", "N.FAIL", "plain", "ms CPU")
    print(f"{'limit':12}{'n':>6}{'truth':>8}" + "".join(f"{head:>8}" for head in heads))
    cases = [("gap", n, gap) for n in (200, 1000, 5000) for gap in (0.0, LIMIT, 0.2)]
    cases += [("ratio", n, RATE * (1 - r)) for n in (1000, 5000) for r in (1.0, RATIO, 0.6)]
    for kind, n, gap in cases:
        print(line(kind, n, gap, runs), flush=True)


def line(kind: str, n: int, gap: float, runs: int) -> str:
    """Return the shares of verdicts over many draws."""
    rng = np.random.default_rng(n + round(1000 * gap))
    few = round(n * MINORITY)
    gate = GATES[kind]
    found: Counter[str] = Counter()
    reference: Counter[str] = Counter()
    plain_pass, spent = 0, 0.0
    for _ in range(runs):
        counts = (
            (int(rng.binomial(few, RATE - gap)), few),
            (int(rng.binomial(n - few, RATE)), n - few),
        )
        seen = measured(counts)
        begin = time.process_time()
        found[gate.decide(seen).outcome.value] += 1
        spent += time.process_time() - begin
        reference[newcombe(counts)] += kind == "gap"
        rates = [yes / many for yes, many in counts]
        close = abs(rates[0] - rates[1]) <= LIMIT
        plain_pass += close if kind == "gap" else seen.value >= RATIO
    shares = [
        *(found[word] / runs for word in ("pass", "fail")),
        *(reference[word] / runs for word in ("pass", "fail")),
        plain_pass / runs,
    ]
    name = f"gap {LIMIT}" if kind == "gap" else f"ratio {RATIO}"
    truth = gap if kind == "gap" else 1 - gap / RATE
    cells = "".join(f"{share:8.3f}" for share in shares)
    return f"{name:12}{n:6}{truth:8.2f}{cells}{1000 * spent / runs:8.2f}"


if __name__ == "__main__":
    main()
