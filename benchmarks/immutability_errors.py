"""How surely ``artifact_immutability`` finds known flaws of stores, and what it says of sound ones.

``python benchmarks/immutability_errors.py [--seeds 50] [--sequences 1000] [--quick] [--out FILE]``:
each store of ``tests/gates/stores.py`` with other seeds, beside what people write first: a hundred
artifacts put and read back, and one put twice under one name.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import statistics
from pathlib import Path

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.artifact_immutability import ArtifactImmutability
from pytest_mlgates.gates.artifact_immutability.details import Seen
from tests.gate_cases.artifact_immutability import Named, Sound
from tests.gates import stores

SOUND = (Sound, stores.Versioned, stores.WriteOnce, stores.Line)
FLAWED = (
    *(Named, stores.Prefix, stores.Md5, stores.Sizes, stores.Unverified, stores.NotMended),
    *(stores.Loses, stores.Evicts, stores.Lazy, stores.Half, stores.Swallows, stores.Folds),
    *(stores.Reuses, stores.Renames, stores.Races, stores.ListLags, stores.CutLine, stores.Healed),
)


def round_trip(store) -> bool:
    """A hundred artifacts, each put and read back at once, and all again at the end."""
    kept = {}
    for number in range(100):
        content = os.urandom(200)
        reference = store.put(io.BytesIO(content), f"model_{number}.bin")
        kept[reference] = content
        if store.get(reference) != content:
            return False
    return all(store.get(reference) == content for reference, content in kept.items())


def twice(store) -> bool:
    """One name, two contents: the first is there afterwards."""
    reference = store.put(io.BytesIO(b"first"), "model.bin")
    with contextlib.suppress(OSError):
        store.put(io.BytesIO(b"second"), "model.bin")
    return store.get(reference) == b"first"


def caught_by(check, kind) -> bool:
    try:
        return not check(kind())
    except (OSError, LookupError, ValueError):
        return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--sequences", type=int, default=1000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    seeds = 5 if options.quick else options.seeds
    gate = ArtifactImmutability(sequences=options.sequences)
    rows = []
    print(
        "| store | gate: FAIL | PASS | sequences until FAIL, median (most) | round trip | twice |"
    )
    print("|---|---|---|---|---|---|")
    for kind in (*SOUND, *FLAWED):
        until, outcomes = [], []
        for seed in range(seeds):
            stores.Line.cut = None
            evidence = gate.run(kind(), seed=seed)
            outcomes.append(evidence.outcome)
            if evidence.outcome == Outcome.FAIL:
                seen = evidence.measurement.read(Seen)
                until.append(seen.clean + seen.idle + 1)
        stores.Line.cut = None
        row = {
            "store": kind.__name__,
            "sound": kind in SOUND,
            "fail": outcomes.count(Outcome.FAIL),
            "pass": outcomes.count(Outcome.PASS),
            "seeds": seeds,
            "until": until,
            "round_trip": caught_by(round_trip, kind),
            "twice": caught_by(twice, kind),
        }
        rows.append(row)
        took = f"{statistics.median(until):.0f} ({max(until)})" if until else ""
        naive = ["caught" if row[name] else "" for name in ("round_trip", "twice")]
        print(
            f"| {row['store']}{' (sound)' if row['sound'] else ''} | {row['fail']} of {seeds} "
            f"| {row['pass']} | {took} | {naive[0]} | {naive[1]} |",
            flush=True,
        )
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
