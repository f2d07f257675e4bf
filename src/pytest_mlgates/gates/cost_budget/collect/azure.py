"""``az disk list``, ``az vm list`` and ``az vmss list-instances``, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_mlgates.gates.cost_budget.collect.records import Record, Records, dig, mappings

__all__ = ["collect"]


def collect(document: object) -> Records | None:
    """Return disks and virtual machines; also of an answer of the API, under ``value``."""
    items = dig(document, "value") if isinstance(document, Mapping) else document
    if not isinstance(items, list) or not items:
        return None
    found = list(mappings(items))
    if not all("/subscriptions/" in str(item.get("id", "")).lower() for item in found):
        return None
    records: Records = {}
    for item in found:
        identity = str(item["id"]).lower()
        if "/providers/microsoft.compute/disks/" in identity:
            records.setdefault("volumes", []).append(_disk(item))
        elif "/virtualmachines/" in identity:
            name = dig(item, "osProfile", "computerName") or item.get("name")
            node: Record = {"name": name, "provider_id": item["id"]}
            records.setdefault("nodes", []).append(node)
    return records or None


def _disk(disk: Mapping[str, Any]) -> Record:
    def field(name: str) -> Any:  # the API has some under `properties`, and writes LastOwnership…
        upper = name[0].upper() + name[1:]
        places = (disk.get(name), disk.get(upper), dig(disk, "properties", name))
        return next((p for p in (*places, dig(disk, "properties", upper)) if p is not None), None)

    state = str(field("diskState") or "")
    record: Record = {"name": disk.get("name"), "volume_id": disk["id"]}
    if field("managedBy") or field("managedByExtended") or state not in ("Unattached", ""):
        record["attached_to"] = str(field("managedBy") or state).rsplit("/", 1)[-1]
    elif state:
        record |= {"attached_to": "", "detached_at": field("lastOwnershipUpdateTime")}
    return record
