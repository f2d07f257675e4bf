"""How many bad boards the edge misses, bounded at 95 %, and how many it inspects a second and core.

``python benchmarks/factory_missed.py [--boards 400] [--seed 7]``: boards of designs that no
training saw, photographed by the camera, beside their template and alone; a board is one unit. With
``MLGATES_DATA`` the real pairs too, trained on one half of them and asked about the other, in turn:
their photographs as they are, and mended as good boards. Bounds are Clopper and Pearson's, one-sided.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.stats import beta

from reference_systems.factory_edge_qc import feed, inputs
from reference_systems.factory_edge_qc.feed import SCALE
from reference_systems.factory_edge_qc.fixed import RIM, Inspection, inspector_of_the_line
from reference_systems.factory_edge_qc.folder import labelled
from reference_systems.factory_edge_qc.frames import read_picture
from reference_systems.factory_edge_qc.inspector import Inspector
from reference_systems.factory_edge_qc.locate import found
from reference_systems.factory_edge_qc.pretrained import pretrained
from reference_systems.factory_edge_qc.samples import mended
from reference_systems.factory_edge_qc.training import Recipe, fitted, pairs_of


def most(wrong: int, n: int) -> float:
    """Return the 95 % upper bound of a rate."""
    return 1.0 if wrong >= n else float(beta.ppf(0.95, wrong + 1, n - wrong))


def overlap(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    shared = max(width, 0) * max(height, 0)
    return shared / (sum(areas) - shared)


def generated(count: int, seed: int) -> Iterator[tuple[str, bool, bool]]:
    """Yield (mode, bad, stopped) for boards of the generator."""
    inspector = inspector_of_the_line()
    for bad in (True, False):
        for asked in inputs.boards(count, seed, bad=bad):
            photo = found(asked.frame(), SCALE, RIM)
            for mode, template in (("beside", asked.shot().template), ("alone", None)):
                yield mode, bad, inspector.inspect(photo, template).status != "ok"


def real(folder: Path) -> Iterator[tuple[str, bool, bool, list[float]]]:
    """Yield (mode, bad, stopped, best overlap of each labelled box) for real pairs."""
    boards = [one for one in labelled(folder, print) if one.template is not None]
    pairs, templates = pairs_of(boards, print)
    for half in (0, 1):
        rows = [i for i in range(len(pairs)) if i % 2 != half]
        done = fitted(
            [pairs[i] for i in rows], [templates[i] for i in rows], Recipe(), pretrained()
        )
        inspector = Inspector(done.model)
        for i in range(half, len(pairs), 2):
            for mode, template in (("beside", read_picture(boards[i].template)), ("alone", None)):
                told = inspector.inspect(pairs[i].photo, template)
                wanted = [(b.x1, b.y1, b.x2, b.y2) for b in pairs[i].boxes]
                best = [max((overlap(w, f) for f in told.boxes), default=0.0) for w in wanted]
                yield mode, True, told.status != "ok", best
                good = inspector.inspect(mended(pairs[i]), template)
                yield mode, False, good.status != "ok", []


def speed(seed: int, count: int) -> tuple[float, float]:
    """Return inspections a second and the P99 of one in ms, both of CPU time, frame to answer."""
    inspect = Inspection(inspector_of_the_line())
    frames = [(one.frame(), one.shot().template) for one in inputs.boards(8, seed, bad=False)]
    inspect(frames[0])
    taken = []
    for index in range(count):
        began = time.process_time()
        inspect(frames[index % len(frames)])
        taken.append(time.process_time() - began)
    return count / sum(taken), float(np.quantile(taken, 0.99)) * 1e3


def table(title: str, rows: list[tuple[str, bool, bool]]) -> None:
    print(f"\n| {title} | boards | wrong | at most (95 %) |\n|---|---|---|---|")
    for mode in ("beside", "alone"):
        for bad, name in ((True, "bad boards missed"), (False, "good boards stopped")):
            said = [stopped for m, b, stopped in rows if m == mode and b == bad]
            wrong = sum(stopped != bad for stopped in said)
            how = "beside the template" if mode == "beside" else "no template"
            print(f"| {name}, {how} | {len(said)} | {wrong} | {most(wrong, len(said)):.2%} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--boards", type=int, default=400, help="bad ones, and as many good ones")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows = list(generated(40 if options.quick else options.boards, options.seed))
    table("generated boards", rows)
    rate, p99 = speed(options.seed, 100 if options.quick else 5000)
    print(f"\n{rate:.1f} inspections a second and core, P99 {p99:.0f} ms (CPU time)")
    raw: dict[str, object] = {"generated": rows, "inspections_a_second_and_core": rate}
    folder = feed.real_boards()
    if folder is not None:
        pairs = list(real(folder))
        table("real pairs (DeepPCB)", [row[:3] for row in pairs])
        for mode in ("beside", "alone"):
            best = np.array([b for m, _, _, each in pairs if m == mode for b in each])
            print(f"{mode}: {(best > 0.5).sum()} of {best.size} boxes found at IoU over 0.5")
        raw["real"] = pairs
    if options.out:
        options.out.write_text(json.dumps(raw) + "\n", "utf-8")


if __name__ == "__main__":
    main()
