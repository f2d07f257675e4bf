"""What the shared suites ask of ``slice_coverage``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from pytest_mlgates.core import Evidence
from pytest_mlgates.gates.slice_coverage import SliceCoverage

SECRETS = ("ada.lovelace@example.org", "4111 1111 1111 1111")

GATE = SliceCoverage(min_share=0.05, min_count=40, slices=("left_turn", "city"))
SHARE = SliceCoverage(min_share=0.01)
NAMED = SliceCoverage(slices=("left_turn",))


def _drives(left: int) -> list[dict[str, Any]]:
    rows = [{"turn": "left_turn", "driver": SECRETS[0]}] * left
    rows += [{"turn": "highway", "driver": f"{SECRETS[1]} {n}"} for n in range(700)]
    return [*rows, *[{"turn": "city"}] * 300, *[{"turn": SECRETS[0]}] * 100]


def sound() -> Evidence:
    """Return the evidence on a set with enough left turns."""
    return GATE.run(_drives(100), "turn")


def flawed() -> Evidence:
    """Return the evidence on a set that is nearly all highway."""
    return GATE.run(_drives(7), "turn")


def _raises(row: Any) -> str:
    raise ValueError(str(row))


def _breaks() -> Iterator[Any]:
    yield {"turn": "city"}
    raise ValueError(SECRETS[0])


VACUOUS: dict[str, Callable[[], Evidence]] = {
    "no rows": lambda: SHARE.run([], "turn"),
    "no rows where a slice is wanted": lambda: NAMED.run([], "turn"),
    "an exhausted iterator": lambda: SHARE.run(iter(()), "turn"),
    "one slice only": lambda: SHARE.run([{"turn": "city"}] * 500, "turn"),
    "an unknown column": lambda: SHARE.run(_drives(100), "manoeuvre"),
    "a column that one row lacks": lambda: SHARE.run([*_drives(100), {"t": 1}], "turn"),
    "no row has a name": lambda: SHARE.run([{"turn": None}, {"turn": math.nan}] * 50, "turn"),
    "blank names": lambda: SHARE.run([{"turn": " "}] * 50, "turn"),
    "one row for a list": lambda: SHARE.run({"turn": "city"}, "turn"),
    "not an iterable": lambda: SHARE.run(7, "turn"),
    "rows of another kind": lambda: SHARE.run([1, 2], "turn"),
    "slice_of forgotten": lambda: SHARE.run(_drives(100)),
    "slice_of is a number": lambda: SHARE.run(_drives(100), 7),
    "slice_of names no column": lambda: SHARE.run(_drives(100), ()),
    "slice_of raises": lambda: SHARE.run(_drives(100), _raises),
    "slice_of gives objects": lambda: SHARE.run(_drives(100), lambda row: object()),
    "rows that break off": lambda: SHARE.run(_breaks(), "turn"),
    "a file of unknown kind": lambda: SHARE.run("drives.xlsx", "turn"),
    "a file that is not there": lambda: SHARE.run("no-such-folder/drives.csv", "turn"),
}
