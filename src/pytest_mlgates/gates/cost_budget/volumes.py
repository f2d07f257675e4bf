"""Volumes: attached, or to nothing and since when; several listings of one volume are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.cells import cell_text, cell_time
from pytest_mlgates.gates.cost_budget.ids import spellings
from pytest_mlgates.gates.cost_budget.periods import iso
from pytest_mlgates.gates.cost_budget.shown import shown
from pytest_mlgates.gates.cost_budget.windows import (
    GAP,
    OPEN,
    UNATTACHED,
    Inventory,
    Window,
    without,
)
from pytest_mlgates.reading.tables import missing

__all__ = ["read_volumes"]


@dataclass(slots=True)
class _Volume:
    name: str
    ids: tuple[str, ...]
    told: bool = False
    since: list[int] = field(default_factory=list)
    idle: list[tuple[int, int, str]] = field(default_factory=list)
    attached: list[tuple[int, int]] = field(default_factory=list)
    unknown: bool = False

    def windows(self) -> Iterator[tuple[int, int]]:
        """Yield the times in which it was attached to nothing, those that follow as one."""
        idle = [*self.idle, *([(max(self.since), OPEN, "")] if self.since else [])]
        merged: list[tuple[int, int]] = []
        for start, end, _ in sorted(without(idle, self.attached)):
            if merged and start <= merged[-1][1] + GAP:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((start, end))
        yield from merged


def read_volumes(records: Iterable[tuple[str, Mapping[str, object]]], found: Inventory) -> None:
    """Find the times in which volumes were attached to nothing.

    What one listing calls attached is so, whatever another says; what is unattached is so since
    the last time that any of them tells.
    """
    volumes: dict[str, _Volume] = {}
    every: list[_Volume] = []
    for place, record in records:
        resource, plain = cell_text(record, "resource"), cell_text(record, "name")
        namespace = cell_text(record, "namespace")
        if not (resource or plain):
            raise Unmeasurable(f"{place} has no name and no resource_id")
        name = f"{namespace}/{plain}" if namespace and plain else plain or resource
        strong = [n for i in (resource, cell_text(record, "also")) if i for n in spellings(i)]
        strong = strong or [name]  # a name alone may be another's in another namespace
        ids = tuple(dict.fromkeys((*strong, *(spellings(plain) if plain else ()))))
        found.known.update(ids)
        found.example = found.example or resource
        if namespace:
            found.namespaces |= dict.fromkeys(ids, namespace)
        volume = next((volumes[i] for i in strong if i in volumes), None)
        if volume is None:
            volume = _Volume(name, ids)
            every.append(volume)
        volume.ids = tuple(dict.fromkeys((*volume.ids, *ids)))
        volume.name = name if namespace else volume.name
        volumes |= dict.fromkeys(strong, volume)
        _observe(volume, record, place)
    if every:
        found.kinds["volumes"] = len(every)
    for volume in every:
        _judge(volume, found)


def _observe(volume: _Volume, record: Mapping[str, object], place: str) -> None:
    if "attached_to" not in record and "detached_at" not in record:
        return
    volume.told = True
    start, end = cell_time(record, "start", place), cell_time(record, "end", place)
    if not missing(record.get("attached_to")):
        ended = end is not None and start is not None
        volume.attached.append(
            (
                start if ended and start is not None else -OPEN,
                end if ended and end is not None else OPEN,
            )
        )
        return
    since = cell_time(record, "detached_at", place)
    since = start if since is None else since
    if since is None:
        volume.unknown = True
    elif end is None:
        volume.since.append(since)
    elif end > since:
        volume.idle.append((since, end, ""))


def _judge(volume: _Volume, found: Inventory) -> None:
    windows = list(volume.windows())
    for start, end in windows:
        why = f"unattached since {iso(start)}"
        found.windows.append(Window(UNATTACHED, volume.name, volume.ids, start, end, why))
    if not volume.told:
        found.unjudged.append(f"volume {shown(volume.name)}: whether it is attached is not known")
    elif volume.unknown and not windows and not volume.attached:
        found.unjudged.append(
            f"volume {shown(volume.name)}: it is unattached, and since when is not known (the"
            " status of its PersistentVolume tells: kubectl get pv,pvc,pods -A -o json)"
        )
