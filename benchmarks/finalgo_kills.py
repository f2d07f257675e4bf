"""Scorer, updater and store of `finalgo_fraud` killed at random: labels lost, labels counted twice.

Needs a Kafka broker in MLGATES_KAFKA. `--quick` kills 6 times.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

from reference_systems.finalgo_fraud.drill import drill


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    kafka = os.environ.get("MLGATES_KAFKA")
    if not kafka:
        parser.error("MLGATES_KAFKA names no broker; the mock cluster keeps nothing over a kill")
    with tempfile.TemporaryDirectory() as folder:
        told = drill(
            Path(folder, "state"), kafka, 6 if options.quick else options.kills, options.seed
        )
    print("| | |\n|---|---|")
    for name, value in told.items():
        print(f"| {name.replace('_', ' ')} | {value} |")
    if options.out:
        options.out.write_text(json.dumps(told, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
