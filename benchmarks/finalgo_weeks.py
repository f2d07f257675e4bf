"""AUPRC of `finalgo_fraud` week by week: learning from each label beside training every Monday.

Each payment is scored once, by the models of its moment, which had seen only labels that had
arrived. `--quick`: two worlds instead of eight.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np

from reference_systems.finalgo_fraud.weeks import week_by_week


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = [week_by_week(seed) for seed in range(1, 3 if options.quick else 9)]
    print("| week | fraud | AUPRC weekly | AUPRC online | online - weekly: mean, lowest, highest |")
    print("|---|---|---|---|---|")
    for weeks in zip(*found, strict=True):
        gains = np.array([week.online - week.weekly for week in weeks])
        weekly, online = (np.mean([getattr(w, k) for w in weeks]) for k in ("weekly", "online"))
        change = "changed its ways" if weeks[0].shifted else "as before"
        print(
            f"| {weeks[0].number} | {change} | {weekly:.3f} | {online:.3f} | "
            f"{gains.mean():+.3f}, {gains.min():+.3f}, {gains.max():+.3f} |"
        )
    if options.out:
        rows = [[dataclasses.asdict(week) for week in weeks] for weeks in found]
        options.out.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
