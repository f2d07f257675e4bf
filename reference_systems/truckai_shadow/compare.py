"""Print V1, V2 and V3 side by side, and what the query and the network do.

``python -m reference_systems.truckai_shadow.compare [--clips 500] [--seed 1]``
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import numpy as np

from reference_systems.truckai_shadow.builds import Versions, versions
from reference_systems.truckai_shadow.drives import Clips, Pilot, drive
from reference_systems.truckai_shadow.fleet import RAW_BYTES_PER_S, Day, day
from reference_systems.truckai_shadow.inputs import highways
from reference_systems.truckai_shadow.roads import MANOEUVRES, TRAFFIC
from reference_systems.truckai_shadow.rollout_day import engine_update
from reference_systems.truckai_shadow.shadow_mode import (
    TOLERANCE,
    DriveLog,
    divergence,
    rates_by_frame,
)
from reference_systems.truckai_shadow.turning import hits, left_turns

__all__ = ["main", "network", "on_the_road", "over_the_air"]


def on_the_road(clips: Clips, pilot: Pilot) -> dict[str, dict[str, float]]:
    """Return by manoeuvre the mean error against a careful driver, and the divergence from V1.

    The row "all traffic" weighs the manoeuvres as they occur in the fleet's traffic.
    """
    frames = clips.frames.reshape(-1, *clips.frames.shape[2:])
    said = pilot(frames, clips.speed.ravel()).reshape(clips.speed.shape)
    error = np.abs(said - clips.expert).mean(axis=1)
    apart = divergence(clips.driven, said) > TOLERANCE
    found = {}
    for index, name in enumerate(MANOEUVRES):
        rows = clips.scenes.manoeuvre == index
        found[name] = {"error": float(error[rows].mean()), "apart": float(apart[rows].mean())}
    found["all traffic"] = {
        what: sum(TRAFFIC[name] * found[name][what] for name in MANOEUVRES)
        for what in ("error", "apart")
    }
    return found


def network(one: Day) -> dict[str, float]:
    """Return what a day on the network came to."""
    waits = one.waits_s()
    out = waits[np.isfinite(waits)]
    return {
        "GB a truck, mean": float(one.sent.sum(axis=0).mean() / 1e9),
        "GB a truck, most": float(one.sent.sum(axis=0).max() / 1e9),
        "of raw bytes": float(one.sent.sum() / (one.sent.size * 10 * RAW_BYTES_PER_S)),
        "time without network": float(1 - one.up.mean()),
        "clips sent": len(out),
        "clips that wait for the next day": len(waits) - len(out),
        "minutes a clip waits, median": float(np.median(out) / 60) if len(out) else 0.0,
        "minutes a clip waits, P99": float(np.quantile(out, 0.99) / 60) if len(out) else 0.0,
    }


def over_the_air(policy: Literal["staged", "at once"], seed: int) -> dict[str, float]:
    """Return what an update of the whole fleet came to."""
    with tempfile.TemporaryDirectory() as folder:
        one = engine_update(Path(folder), seed, policy)
    each = one.received.sum(axis=0) / 1e6
    peaks = [record["sent_bytes"] * 8 / record["seconds"] / 1e6 for record in one.transfers(60)]
    reached = np.flatnonzero(one.at_work >= 475)
    return {
        "MB a truck, mean": float(each.mean()),
        "MB a truck, most": float(each.max()),
        "busiest minute of a truck, Mbit/s": max(peaks),
        "trucks with it after nine hours": float(one.at_work[-1]),
        "hours until 95 % have it": float(reached[0] / 360) if len(reached) else float("inf"),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure all of it and print Markdown tables."""
    parser = argparse.ArgumentParser(prog="compare", description=__doc__.partition("\n")[0])
    parser.add_argument("--clips", type=int, default=500, help="of each manoeuvre")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the figures as JSON too")
    options = parser.parse_args(arguments)
    if options.clips < 1:
        parser.error("--clips must be above zero")
    found = _measure(versions(), options.clips, options.seed)
    _print(found)
    if options.out:
        options.out.write_text(json.dumps(found, indent=2) + "\n", "utf-8")


def _measure(v: Versions, clips: int, seed: int) -> dict[str, Any]:
    balanced = dict.fromkeys(MANOEUVRES, 1.0)
    scenes = highways(clips * len(MANOEUVRES), (seed, 6), balanced)
    road = drive(scenes, v.v1)
    pilots = {"V1": v.v1, "V2": v.v2, "V3": v.v3}
    data = {"V1": v.data_v1, "V2": v.data_v2, "V3": v.data_v3, "fleet": v.fleet, "query": v.found}
    models = {name: on_the_road(road, pilot) for name, pilot in pilots.items()}
    rates = {name: row["apart"] for name, row in models["V2"].items()}
    log = DriveLog(highways(70_000, (seed, 5)), v.v1)
    v2_frames = rates_by_frame(log, v.v2, most=200)
    return {
        "data": {name: dict(Counter(part.names)) for name, part in data.items()},
        "models": models,
        "left turns": {
            name: hits(left_turns(pilot, clips, seed))
            for name, pilot in {**pilots, "driver": None}.items()
        },
        "network": {
            "clips": network(day(rates, seed)),
            "every difference": network(day(v2_frames, seed, policy="every")),
            "video": network(day(rates, seed, policy="video")),
        },
        "update": {policy: over_the_air(policy, seed) for policy in ("staged", "at once")},
    }


def _print(found: dict[str, Any]) -> None:
    data, models = found["data"], found["models"]
    lines = [_row("clips", list(data)), "|---" * (len(data) + 1) + "|"]
    lines += [_row(name, [str(part.get(name, 0)) for part in data.values()]) for name in MANOEUVRES]
    lines += ["", "| | V1 error | V2 error | V3 error | V2 leaves V1 | V3 leaves V1 |"]
    lines.append("|---" * 6 + "|")
    for name in (*MANOEUVRES, "all traffic"):
        errors = [f"{models[m][name]['error']:.3f} m" for m in models]
        apart = [f"{100 * models[m][name]['apart']:.2f} %" for m in ("V2", "V3")]
        lines.append(_row(name, errors + apart))
    turns = found["left turns"]
    hits = [f"{100 * row['hit']:.0f} % ({name})" for name, row in turns.items()]
    count = turns["V1"]["turns"]
    lines += ["", f"{count} left turns with a vehicle coming, driven: {', '.join(hits)} hit it", ""]
    days = found["network"]
    lines += [_row("a day of 500 trucks", list(days)), "|---" * (len(days) + 1) + "|"]
    for what in days["clips"]:
        lines.append(_row(what, [f"{one[what]:.4g}" for one in days.values()]))
    lines += [
        "",
        "| an engine of 40 MiB for 500 trucks | in stages | all at once |",
        "|---|---|---|",
    ]
    for what in found["update"]["staged"]:
        lines.append(_row(what, [f"{one[what]:.4g}" for one in found["update"].values()]))
    print("\n".join(lines))  # noqa: T201


def _row(name: str, cells: list[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
