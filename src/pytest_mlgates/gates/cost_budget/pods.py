"""GPU pods: what each was seen to do, and when it was of no use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.cells import cell_count, cell_share, cell_text, cell_time
from pytest_mlgates.gates.cost_budget.ids import spellings
from pytest_mlgates.gates.cost_budget.periods import iso
from pytest_mlgates.gates.cost_budget.shown import shown
from pytest_mlgates.gates.cost_budget.windows import GAP, IDLE, OPEN, Inventory, Window, without
from pytest_mlgates.reading.tables import missing

__all__ = ["Node", "read_nodes", "read_pods"]

_CLAIMS = "what devices its claims hold is not known (kubectl get resourceclaims -A -o json tells)"
_NO_USE = "neither a driver nor a utilization is known"


@dataclass(frozen=True, slots=True)
class Node:
    """What a node is billed as, what it may be billed with, and its GPUs (0: not known)."""

    resource: str
    pool: str
    gpus: float


def read_nodes(
    records: Iterable[tuple[str, Mapping[str, object]]], found: Inventory
) -> dict[str, Node]:
    """Return nodes by each of their names."""
    nodes: dict[str, Node] = {}
    seen: set[str] = set()
    for place, record in records:
        name = cell_text(record, "name") or cell_text(record, "resource")
        if not name:
            raise Unmeasurable(f"{place} has no name")
        own = spellings(cell_text(record, "resource") or name)
        also = spellings(cell_text(record, "also"))
        gpus = cell_count(record, "gpus", place)
        known = nodes.get(name) or nodes.get(own[0])
        if known is not None:  # two listings of one node: each may say what the other does not
            gpus = max(gpus, known.gpus)
            own = own if cell_text(record, "resource") else (known.resource, known.pool)
        node = Node(own[0], own[1] if len(own) > 1 else "", gpus)
        names = {name, own[0], *((known.resource,) if known else ()), *filter(None, also)}
        nodes |= dict.fromkeys(names, node)
        found.known |= {*names, *filter(None, own)}
        found.example = found.example or cell_text(record, "resource")
        if not names & seen:
            found.kinds["nodes"] = found.kinds.get("nodes", 0) + 1
        seen |= names
    return nodes


def read_pods(
    records: Iterable[tuple[str, Mapping[str, object]]],
    nodes: Mapping[str, Node],
    found: Inventory,
    min_utilization: float | None,
) -> None:
    """Find the times in which GPU pods were of no use."""
    seen: dict[str, _Pod] = {}
    on_node: dict[str, set[str]] = {}
    owners: dict[str, set[str]] = {}
    names: set[str] = set()
    claimed: set[str] = set()
    for place, record in records:
        namespace, plain = cell_text(record, "namespace"), cell_text(record, "name")
        resource = cell_text(record, "resource")
        if not (plain or resource):
            raise Unmeasurable(f"{place} has no name and no resource_id")
        name = f"{namespace}/{plain}" if namespace and plain else plain or resource
        names.add(name)
        ids = tuple(dict.fromkeys(n for i in (resource, name) if i for n in spellings(i)))
        node = cell_text(record, "node")
        found.known.update(ids)
        found.example = found.example or resource
        for identity in ids:
            owners.setdefault(identity, set()).add(name)
            if namespace:
                found.namespaces[identity] = namespace
        if node:
            on_node.setdefault(node, set()).add(name)
            found.known.update(spellings(node))
        gpus = cell_count(record, "gpus", place)
        if not gpus and record.get("claims"):
            claimed.add(name)
        if gpus:
            pod = seen.setdefault(name, _Pod(name))
            pod.ids = tuple(dict.fromkeys((*pod.ids, *ids)))
            pod.node = node or pod.node
            pod.observe(record, gpus, place, min_utilization)
    if names:
        found.kinds["pods"] = len(names)
    found.gpu_pods = len(seen)
    for name in sorted(claimed - set(seen)):
        found.unjudged.append(f"pod {shown(name)}: {_CLAIMS}")
    pools = _pools(nodes)
    for name, pod in seen.items():
        if why := pod.unknown():
            found.unjudged.append(f"pod {shown(name)}: {why}")
        # an id that pods share is that of what they run on
        shared = next((i for i in pod.ids if len(owners[i]) > 1), "")
        on = nodes.get(pod.node) or nodes.get(shared)
        on = on or Node(shared or "".join(spellings(pod.node)[:1]), "", 0.0)
        alone = bool(pod.node) and len(on_node[pod.node]) == 1
        found.windows += _windows(pod, on, shared, pools.get(on.pool), alone=alone)
    _check_shares(found.windows)


def _pools(nodes: Mapping[str, Node]) -> dict[str, Fraction]:
    """Return how many GPUs there are in what nodes are billed with together."""
    pools: dict[str, Fraction] = {}
    for node in {node.resource: node for node in nodes.values()}.values():
        if node.pool:
            pools[node.pool] = pools.get(node.pool, Fraction(0)) + Fraction(node.gpus)
    return pools


def _windows(
    pod: _Pod, on: Node, shared: str, pool: Fraction | None, *, alone: bool
) -> Iterator[Window]:
    """Yield the times in which a pod was of no use, with its share of what it runs on."""
    share = Fraction(1) if alone else None
    if on.gpus:
        share = Fraction(pod.gpus) / Fraction(on.gpus)
    for start, end, why in pod.idle():
        yield Window(
            IDLE,
            pod.name,
            tuple(i for i in pod.ids if i != shared),
            start,
            end,
            why,
            pod.gpus,
            on.resource,
            share,
            on.pool,
            Fraction(pod.gpus) / pool if pool else None,
        )


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

    def __init__(self, name: str) -> None:
        self.name, self.node, self.gpus = name, "", 0.0
        self.ids: tuple[str, ...] = ()
        self._why = ""
        self._idle: list[tuple[int, int, str]] = []
        self._orphaned: list[tuple[int, int, str]] = []
        self._driven: list[tuple[int, int]] = []
        self._busy: list[tuple[int, int]] = []
        self._unseen: list[tuple[int, int]] = []

    def observe(
        self, record: Mapping[str, object], gpus: float, place: str, min_utilization: float | None
    ) -> None:
        """Add a record: an idle time, a busy one, or both with the driver's end between them."""
        self.gpus = max(self.gpus, gpus)
        start, end = cell_time(record, "start", place), cell_time(record, "end", place)
        gone = cell_time(record, "driver_end", place)
        utilization = cell_share(record, "utilization", place)
        begin = -OPEN if start is None else start
        finish = OPEN if end is None else end
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
            self._unseen.append((begin, finish))
            return
        idle_from = begin if low else finish if gone is None else max(begin, gone)
        if idle_from < finish and idle_from == -OPEN:
            self._why = "it idles, and since when is not known"
            return
        if begin < idle_from:
            # that a driver is there tells less than what was measured
            known = self._driven if low is None else self._busy
            known.append((begin, min(idle_from, finish)))
        if idle_from < finish:
            no_driver = gone is not None and gone <= idle_from
            why = "no driver" if no_driver else f"{utilization:.1%} of its GPUs in use"
            (self._idle if low else self._orphaned).append((idle_from, finish, why))

    def unknown(self) -> str:
        """Return what is not known of the pod, "" where all that matters is.

        A time of which only one record says that it ran is judged by the others that cover it.
        """
        if self._why or not self._unseen:
            return self._why
        idle = (*self._idle, *self._orphaned)
        seen = [*self._busy, *self._driven, *((start, end) for start, end, _ in idle)]
        if not seen:
            return _NO_USE
        last = max(end for _, end in seen)
        times = ((max(a, min(s for s, _ in seen)) if a == -OPEN else a, b) for a, b in self._unseen)
        spans = [(a, last if b == OPEN else b, "") for a, b in times]
        whole = sum(b - a for a, b, _ in spans if b > a)
        left = sum(b - a for a, b, _ in without(spans, seen))
        if left > max(GAP, whole // 2):
            return f"its use is known of {1 - left / whole:.0%} of the time that it ran"
        return ""

    def idle(self) -> Iterator[tuple[int, int, str]]:
        """Yield the idle times, those that follow each other as one, without the busy ones."""
        merged: list[tuple[int, int, str]] = []
        orphaned = without(self._orphaned, [*self._busy, *self._driven])
        for start, end, why in sorted([*without(self._idle, self._busy), *orphaned]):
            if merged and start <= merged[-1][1] + GAP:
                first = merged.pop()
                merged.append((first[0], max(first[1], end), first[2]))
            else:
                merged.append((start, end, why))
        for start, end, why in merged:
            yield start, end, f"{why} since {iso(start)}"
