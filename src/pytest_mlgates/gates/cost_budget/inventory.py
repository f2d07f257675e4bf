"""What ran: pods, nodes and volumes, from tables of them or from the files that commands write."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.collect import COLLECTORS, collect
from pytest_mlgates.gates.cost_budget.pods import read_nodes, read_pods
from pytest_mlgates.gates.cost_budget.shown import shown
from pytest_mlgates.gates.cost_budget.volumes import read_volumes
from pytest_mlgates.gates.cost_budget.windows import Inventory
from pytest_mlgates.reading.tables import load_json, tables
from pytest_mlgates.reading.text import kind_of

__all__ = ["read_inventory"]

_KINDS = ("pods", "nodes", "volumes")
_HOW = (
    "the inventory must be a mapping of 'pods', 'nodes' and 'volumes' to records, DataFrames or"
    " files, a folder with pods.csv, nodes.csv and volumes.csv (or .json, .jsonl, .parquet), or the"
    f" files of {COLLECTORS}"
)
#: field -> names it goes by, the first that a record has
_FIELDS = {
    "name": ("name", "pod", "volume", "persistentvolume", "node"),
    "namespace": ("namespace",),
    "resource": ("resource_id", "provider_id", "volume_id", "csi_volume_handle", "id"),
    "also": ("also_id",),
    "node": ("node", "node_name"),
    "gpus": ("gpus", "gpu_count"),
    "start": ("start", "interval_start"),
    "end": ("end", "interval_end"),
    "driver": ("driver", "owner", "controller"),
    "driver_end": ("driver_end",),
    "utilization": ("gpu_utilization", "utilization"),
    "attached_to": ("attached_to", "attachment", "claim"),
    "detached_at": ("detached_at",),
    "claims": ("claims",),
}


def read_inventory(source: object, *, min_utilization: float | None) -> Inventory:
    """Read an inventory, or raise :class:`Unmeasurable` naming the record that does not fit.

    >>> pod = {"name": "worker-1", "namespace": "training", "resource_id": "p1", "gpus": 8}
    >>> pod |= {"start": "2026-11-07", "end": "2026-11-09", "driver": ""}
    >>> [window] = read_inventory({"pods": [pod]}, min_utilization=None).windows
    >>> window.name, window.why
    ('training/worker-1', 'no driver since 2026-11-07 00:00 UTC')
    """
    found = Inventory()
    parts = _parts(source, found)
    nodes = read_nodes(_stock_records(parts["nodes"], "nodes"), found)
    read_pods(_stock_records(parts["pods"], "pods"), nodes, found, min_utilization)
    read_volumes(_stock_records(parts["volumes"], "volumes"), found)
    return found


def _parts(source: Any, found: Inventory) -> dict[str, list[object]]:
    """Return the sources of each kind."""
    parts: dict[str, list[object]] = {kind: [] for kind in _KINDS}
    if isinstance(source, (str, os.PathLike)):
        files = _files(Path(source))
    elif isinstance(source, (list, tuple)) and all(
        isinstance(f, (str, os.PathLike)) for f in source
    ):
        files = [file for each in source for file in _files(Path(each))]
    else:
        _add_mapping(source, parts)
        return parts
    if not files:
        raise Unmeasurable(_HOW)
    collected, others, lacks = collect(files, _HOW)
    found.unjudged += lacks
    for each in collected:
        found.sources.append(each.command)
        for kind, rows in each.records.items():
            found.kinds.setdefault(kind, 0)  # it was listed, if only to say that there is none
            parts[kind].append((f"{each.file}: {each.command}", rows))
    names: set[str] = set()
    for file in others:
        kind = file.name.partition(".")[0].lower()
        if kind in names:
            raise Unmeasurable(f"the inventory has more than one file of {kind}")
        names.add(kind)
        _add_mapping(_whole(file) or {kind: file}, parts)
    return parts


def _whole(file: Path) -> Any:
    """Return what a file of JSON says of all kinds, or None where it is of one."""
    document = load_json(file) if kind_of(file) == ".json" else None
    return document if isinstance(document, Mapping) else None


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return [f for f in sorted(path.iterdir()) if f.is_file() and f.name[0] not in "._"]


def _add_mapping(source: Any, parts: dict[str, list[object]]) -> None:
    if not isinstance(source, Mapping) or not source:
        raise Unmeasurable(_HOW)
    if strange := [str(kind) for kind in source if kind not in _KINDS]:
        raise Unmeasurable(f"the inventory has a kind {shown(strange[0])!r}: {_HOW}")
    for kind, own in source.items():
        if isinstance(own, Mapping):
            raise Unmeasurable(_HOW)
        if own is not None:
            parts[kind].append(own)


def _stock_records(sources: list[object], kind: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield where each record stands and its fields; a field that it lacks is not there."""
    for source in sources:
        if isinstance(source, tuple):
            where, records = source
            for number, record in enumerate(records):
                yield f"{kind}: {where}, record {number}", _named(record)
            continue
        for table in tables(source, _HOW):
            at = {}
            for name, aliases in _FIELDS.items():
                index = next((table.header.index(a) for a in aliases if a in table.header), None)
                if index is not None:
                    at[name] = index
            for needed in {"pods": ("gpus",)}.get(kind, ()):
                if needed not in at:
                    raise Unmeasurable(f"the {kind} of the inventory do not say their {needed}")
            for number, row in table.rows:
                if len(row) != len(table.header):
                    raise Unmeasurable(
                        f"{kind}: {table.place(number)} has too many or too few columns"
                    )
                yield (
                    f"{kind}: {table.place(number)}",
                    {name: row[index] for name, index in at.items()},
                )


def _named(record: Mapping[str, object]) -> dict[str, object]:
    """Return a collector's record by the names of fields."""
    return {
        name: record[alias]
        for name, aliases in _FIELDS.items()
        if (alias := next((a for a in aliases if a in record), None)) is not None
    }
