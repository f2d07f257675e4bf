"""What ran: pods, nodes and volumes, and when each of them was of use to nobody."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.money import Fault
from pytest_mlgates.gates.cost_budget.periods import instant, iso
from pytest_mlgates.gates.cost_budget.shown import shown
from pytest_mlgates.reading.tables import load_json, missing, tables

__all__ = ["IDLE", "UNATTACHED", "Inventory", "Window", "read_inventory"]

IDLE, UNATTACHED = "idle_gpu_pods", "unattached_volumes"

_HOW = (
    "the inventory must be a mapping of 'pods', 'nodes' and 'volumes' to records, DataFrames or"
    " files, or a folder with pods.csv, nodes.csv and volumes.csv (or .json, .jsonl, .parquet)"
)
_KINDS = ("pods", "nodes", "volumes")
#: field -> names it goes by, the first that a record has
_FIELDS = {
    "name": ("name", "pod", "volume", "persistentvolume", "node"),
    "namespace": ("namespace",),
    "resource": ("resource_id", "provider_id", "volume_id", "csi_volume_handle", "id"),
    "node": ("node", "node_name"),
    "gpus": ("gpus", "gpu_count"),
    "start": ("start", "interval_start"),
    "end": ("end", "interval_end"),
    "driver": ("driver", "owner", "controller"),
    "driver_end": ("driver_end",),
    "utilization": ("gpu_utilization", "utilization"),
    "attached_to": ("attached_to", "attachment", "claim"),
    "detached_at": ("detached_at",),
}
#: observations that are this close follow each other, in seconds
_GAP = 60
#: the end of what has not ended
_OPEN = 1 << 40


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which a resource was of no use.

    Its cost is that of the first of ``resources`` that the charges know; else ``share`` of what
    ``node`` costs. ``share`` is None where a node's cost can't be split.
    """

    rule: str
    name: str
    resources: tuple[str, ...]
    start: int
    end: int
    why: str
    gpus: float = 0
    node: str = ""
    share: Fraction | None = None

    def until(self, through: int) -> int:
        """Return the end, or ``through`` where it has not ended."""
        return min(self.end, through)


@dataclass(slots=True)
class Inventory:
    """What is known of the resources in a bill."""

    kinds: dict[str, int] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    namespaces: dict[str, str] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    gpu_pods: int = 0

    def priced(self) -> set[str]:
        """Return the ids whose charges are needed."""
        ids = {name for window in self.windows for name in window.resources}
        return ids | {window.node for window in self.windows if window.node}


def read_inventory(source: object, *, min_utilization: float | None) -> Inventory:
    """Read an inventory, or raise :class:`Unmeasurable` naming the record that does not fit.

    >>> pod = {"name": "worker-1", "namespace": "training", "resource_id": "p1", "gpus": 8}
    >>> pod |= {"start": "2026-11-07", "end": "2026-11-09", "driver": ""}
    >>> [window] = read_inventory({"pods": [pod]}, min_utilization=None).windows
    >>> window.name, window.why
    ('training/worker-1', 'no driver since 2026-11-07 00:00 UTC')
    """
    parts = _parts(source)
    found = Inventory()
    nodes = {}
    for place, record in _stock_records(parts.get("nodes"), "nodes"):
        name = _cell_text(record, "name") or _cell_text(record, "resource")
        resource = _cell_text(record, "resource") or name
        if not name:
            raise Unmeasurable(f"{place} has no name")
        nodes[name] = (resource, _whole_count(record, "gpus", place))
        found.known |= {name, resource}
        found.kinds["nodes"] = found.kinds.get("nodes", 0) + 1
    _read_pods(_stock_records(parts.get("pods"), "pods"), nodes, found, min_utilization)
    _volumes(_stock_records(parts.get("volumes"), "volumes"), found)
    return found


def _parts(source: Any) -> Mapping[str, Any]:
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if path.is_dir():
            files = [f for f in sorted(path.iterdir()) if f.is_file() and f.name[0] not in "._"]
            source = {}
            for file in files:
                kind = file.name.partition(".")[0].lower()
                if kind in source:
                    raise Unmeasurable(f"the inventory has more than one file of {kind}")
                source[kind] = file
        elif path.suffix.lower() == ".json":
            source = load_json(path)
    if not isinstance(source, Mapping) or not source:
        raise Unmeasurable(_HOW)
    if strange := [str(kind) for kind in source if kind not in _KINDS]:
        raise Unmeasurable(f"the inventory has a kind {shown(strange[0])!r}: {_HOW}")
    return source


def _stock_records(source: object, kind: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield where each record stands and its fields; a field that it lacks is not there."""
    if source is None:
        return
    if isinstance(source, Mapping):
        raise Unmeasurable(_HOW)
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
                raise Unmeasurable(f"{kind}: {table.place(number)} has too many or too few columns")
            yield (
                f"{kind}: {table.place(number)}",
                {name: row[index] for name, index in at.items()},
            )


def _read_pods(
    records: Iterable[tuple[str, dict[str, object]]],
    nodes: Mapping[str, tuple[str, float]],
    found: Inventory,
    min_utilization: float | None,
) -> None:
    seen: dict[str, _Pod] = {}
    on_node: dict[str, set[str]] = {}
    owners: dict[str, set[str]] = {}
    for place, record in records:
        found.kinds["pods"] = found.kinds.get("pods", 0) + 1
        namespace, plain = _cell_text(record, "namespace"), _cell_text(record, "name")
        resource = _cell_text(record, "resource")
        if not (plain or resource):
            raise Unmeasurable(f"{place} has no name and no resource_id")
        name = f"{namespace}/{plain}" if namespace and plain else plain or resource
        ids = tuple(dict.fromkeys(i for i in (resource, name) if i))
        node = _cell_text(record, "node")
        found.known.update(ids)
        for identity in ids:
            owners.setdefault(identity, set()).add(name)
        if node:
            on_node.setdefault(node, set()).add(name)
            found.known.add(node)
        for identity in ids if namespace else ():
            found.namespaces[identity] = namespace
        gpus = _whole_count(record, "gpus", place)
        if gpus:
            pod = seen.setdefault(name, _Pod(name, ids, node))
            pod.observe(record, gpus, place, min_utilization)
    found.gpu_pods = len(seen)
    for name, pod in seen.items():
        if pod.unknown:
            found.unjudged.append(f"pod {shown(name)}: {pod.unknown}")
        # an id that pods share is that of what they run on
        shared = next((i for i in pod.ids if len(owners[i]) > 1), "")
        ids = tuple(i for i in pod.ids if i != shared)
        node = pod.node or shared
        node_id, node_gpus = nodes.get(node, (shared or node, 0.0))
        share = None
        if node_gpus:
            share = Fraction(pod.gpus) / Fraction(node_gpus)
        elif node and len(on_node.get(node, ())) == 1:
            share = Fraction(1)
        found.windows += [
            Window(IDLE, name, ids, start, end, why, pod.gpus, node_id, share)
            for start, end, why in pod.idle()
        ]
    _check_shares(found.windows)


def _check_shares(windows: list[Window]) -> None:
    """Refuse pods that together have more GPUs than the node they run on, at any time."""
    edges: dict[str, list[tuple[int, Fraction]]] = {}
    for window in windows:
        if window.node and window.share is not None:
            edges.setdefault(window.node, []).append((window.start, window.share))
            edges[window.node].append((window.end, -window.share))
    for node, changes in edges.items():
        used = Fraction(0)
        for _, change in sorted(changes):  # what ends comes before what begins at that time
            used += change
            if used > 1:
                raise Unmeasurable(f"the pods on {shown(node)} have more GPUs than it has")


class _Pod:
    """The observations of one pod."""

    def __init__(self, name: str, ids: tuple[str, ...], node: str) -> None:
        self.name, self.ids, self.node, self.gpus = name, ids, node, 0.0
        self.unknown = ""
        self._idle: list[tuple[int, int, str]] = []
        self._busy: list[tuple[int, int]] = []

    def observe(
        self, record: Mapping[str, object], gpus: float, place: str, min_utilization: float | None
    ) -> None:
        """Add a record: an idle time, a busy one, or both with the driver's end between them."""
        self.gpus = max(self.gpus, gpus)
        start, end = _cell_time(record, "start", place), _cell_time(record, "end", place)
        gone = _cell_time(record, "driver_end", place)
        utilization = _share(record, "utilization", place)
        begin = -_OPEN if start is None else start
        finish = _OPEN if end is None else end
        if finish < begin:
            raise Unmeasurable(f"{place} ends before it starts")
        if "driver" in record and missing(record["driver"]) and gone is None:
            gone = begin
        low = (
            None
            if utilization is None or min_utilization is None
            else utilization < min_utilization
        )
        if gone is None and low is None and "driver" not in record:
            self.unknown = "neither a driver nor a utilization is known"
            return
        idle_from = begin if low else finish if gone is None else max(begin, gone)
        if idle_from < finish and idle_from == -_OPEN:
            self.unknown = "it idles, and since when is not known"
            return
        if begin < idle_from:
            self._busy.append((begin, min(idle_from, finish)))
        if idle_from < finish:
            no_driver = gone is not None and gone <= idle_from
            why = "no driver" if no_driver else f"{utilization:.1%} of its GPUs in use"
            self._idle.append((idle_from, finish, why))

    def idle(self) -> Iterator[tuple[int, int, str]]:
        """Yield the idle times, those that follow each other as one, without the busy ones."""
        merged: list[tuple[int, int, str]] = []
        for start, end, why in sorted(_without(self._idle, self._busy)):
            if merged and start <= merged[-1][1] + _GAP:
                first = merged.pop()
                merged.append((first[0], max(first[1], end), first[2]))
            else:
                merged.append((start, end, why))
        for start, end, why in merged:
            yield start, end, f"{why} since {iso(start)}"


def _without(
    idle: Iterable[tuple[int, int, str]], busy: list[tuple[int, int]]
) -> Iterator[tuple[int, int, str]]:
    cuts = sorted(busy)
    for start, end, why in idle:
        left = start
        for begin, finish in cuts:
            if finish <= left or begin >= end:
                continue
            if left < begin:
                yield left, begin, why
            left = max(left, finish)
        if left < end:
            yield left, end, why


def _volumes(records: Iterable[tuple[str, dict[str, object]]], found: Inventory) -> None:
    for place, record in records:
        found.kinds["volumes"] = found.kinds.get("volumes", 0) + 1
        resource, plain = _cell_text(record, "resource"), _cell_text(record, "name")
        if not (resource or plain):
            raise Unmeasurable(f"{place} has no name and no resource_id")
        ids = tuple(dict.fromkeys(i for i in (resource, plain) if i))
        found.known.update(ids)
        namespace = _cell_text(record, "namespace")
        for identity in ids if namespace else ():
            found.namespaces[identity] = namespace
        if "attached_to" not in record and "detached_at" not in record:
            found.unjudged.append(f"volume {shown(ids[0])}: whether it is attached is not known")
            continue
        if not missing(record.get("attached_to")):
            continue
        name = f"{namespace}/{plain}" if namespace and plain else plain or resource
        since = _cell_time(record, "detached_at", place)
        since = _cell_time(record, "start", place) if since is None else since
        end = _cell_time(record, "end", place)
        if since is None:
            found.unjudged.append(
                f"volume {shown(name)}: it is unattached, and since when is not known"
            )
            continue
        finish = _OPEN if end is None else end
        if finish > since:
            why = f"unattached since {iso(since)}"
            found.windows.append(Window(UNATTACHED, name, ids, since, finish, why))


def _cell_text(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    return "" if missing(value) else str(value).strip()


def _cell_time(record: Mapping[str, object], name: str, place: str) -> int | None:
    value = record.get(name)
    if missing(value):
        return None
    try:
        return instant(value)
    except Fault as fault:
        raise Unmeasurable(f"{place} has a {name} that {fault}") from None


def _whole_count(record: Mapping[str, object], name: str, place: str) -> float:
    value = _inventory_number(record, name, place)
    if value is not None and value < 0:
        raise Unmeasurable(f"{place}: {name} is negative")
    return value or 0.0


def _share(record: Mapping[str, object], name: str, place: str) -> float | None:
    value = _inventory_number(record, name, place)
    if value is not None and not 0 <= value <= 1:
        raise Unmeasurable(f"{place} has a {name} that is not a share between 0 and 1")
    return value


def _inventory_number(record: Mapping[str, object], name: str, place: str) -> float | None:
    value: Any = record.get(name)
    if missing(value):
        return None
    try:
        if isinstance(value, bool):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise Unmeasurable(f"{place} has a {name} that is not a number") from None
    if not math.isfinite(number):
        raise Unmeasurable(f"{place} has a {name} that is not finite")
    return number
