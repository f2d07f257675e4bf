"""What goes over the factory's uplink: results from the edge, or a picture an inspection.

``python benchmarks/factory_uplink.py [--boards 6] [--seconds 20] [--seed 1]``: twenty cameras on
real sockets behind a token bucket of 50 Mbit/s; bytes an inspection, the busiest second, and the
incident's backlog second by second.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from reference_systems.factory_edge_qc.compare import rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--boards", type=int, default=6, help="at each of twenty cameras")
    parser.add_argument("--seconds", type=float, default=20.0, help="of whole pictures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.quick:
        options.boards, options.seconds = 2, 6.0
    fixed, incident, change = rows(options.seconds, options.seed, options.boards)
    print("| | incident | fixed |\n|---|---|---|")
    for name, text in (
        ("inspections", "inspections"),
        ("bytes_an_inspection", "bytes an inspection that went up"),
        ("busiest_second_mbps", "Mbit/s in the busiest second (the link: 50)"),
    ):
        print(f"| {text} | {incident[name]:,} | {fixed[name]:,} |")
    print(f"| Mbit/s offered | {incident['offered_mbps']} | |")
    print(
        f"\n{change['raw_bytes_an_inspection']:,} bytes a picture; {change['change_percent']} % of"
        " them with the fix"
    )
    waits = ", ".join(f"{waiting:g}" for waiting in incident["backlog_mb_by_second"])
    print(f"\nthe incident's backlog in MB, second by second: {waits}")
    if options.out:
        options.out.write_text(json.dumps([fixed, incident, change], indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
