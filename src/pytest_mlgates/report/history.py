"""What earlier reports said of each gate, quoted in a later one so that it can show a trend."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_mlgates.report.merge import ended_at
from pytest_mlgates.report.replay import read_report

__all__ = ["earlier"]

#: runs that a report quotes; of more, the latest
MOST = 60
_ORDER = ("fail", "error", "inconclusive", "pass")


def earlier(places: Sequence[Path], before: datetime) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what the reports in some folders say, the oldest first, and a line for each left out.

    A folder is a report's own or holds report folders. What did not end before ``before`` is no
    earlier run.
    """
    found: dict[str, tuple[datetime, dict[str, Any]]] = {}
    faults = []
    for place in dict.fromkeys(inner for outer in places for inner in _reports(outer)):
        try:
            data = read_report(place)
            ended = ended_at(place, data)
        except ValueError as error:
            faults.append(str(error))
            continue
        if "finished" not in data["environment"]:
            faults.append(f"{place}: did not end, so it shows no trend")
            continue
        if ended >= before:
            said = f"ended at {ended.isoformat()}, not before {before.isoformat()}"
            faults.append(f"{place}: {said}: it is no earlier run")
            continue
        run = _quoted(place, data)
        found[run["sha256"]] = (ended, run)
    runs = [run for _, run in sorted(found.values(), key=lambda pair: pair[0])]
    return runs[-MOST:], faults


def _reports(place: Path) -> Iterator[Path]:
    inner = sorted(place.glob("*/report.json")) if place.is_dir() else []
    if (place / "report.json").exists() or not inner:
        yield place
    for file in inner:
        yield file.parent


def _quoted(place: Path, data: Mapping[str, Any]) -> dict[str, Any]:
    file = place / "report.json" if place.is_dir() else place
    facts = data["environment"]
    commit = facts.get("commit")
    pieces = {piece["digest"]: piece for piece in data["evidence"]}
    return {
        "finished": str(facts["finished"]),
        "commit": str(commit.get("id") or "") if isinstance(commit, Mapping) else "",
        "outcome": data["outcome"],
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "gates": [
            {"system": system["system"], **_gate(gate, pieces)}
            for system in data["systems"]
            for gate in system["gates"]
        ],
    }


def _gate(gate: Mapping[str, Any], pieces: Mapping[str, Any]) -> dict[str, Any]:
    """Return the number that speaks for a gate: that of its worst piece of evidence."""
    mine = [pieces[digest] for digest in gate["evidence"] if digest in pieces]
    mine.sort(key=lambda piece: _ORDER.index(piece["verdict"]["outcome"]))
    shown = next(iter(mine), None)
    seen = shown["measurement"] if shown else None
    limit = shown["policy"].get(shown["limit"]) if shown else None
    plain = isinstance(limit, (int, float)) and not isinstance(limit, bool)
    low, high = (seen["interval"] or (None, None)) if seen else (None, None)
    return {
        "entry": gate["entry"],
        "status": gate["status"],
        "value": seen["value"] if seen else None,
        "low": low,
        "high": high,
        "limit": limit if plain else None,
        "unit": seen["unit"] if seen else "",
    }
