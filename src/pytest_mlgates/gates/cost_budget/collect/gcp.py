"""``gcloud compute disks list`` and ``instances list``, with ``--format json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_mlgates.gates.cost_budget.collect.records import Record, Records, amount_of, mappings

__all__ = ["collect"]


def collect(document: object) -> Records | None:
    """Return disks and instances, each by its path and by its number."""
    if not isinstance(document, list) or not document:
        return None
    links = [str(item.get("selfLink") or item.get("kind") or "") for item in mappings(document)]
    if len(links) < len(document) or not all("compute" in link for link in links):
        return None
    records: Records = {}
    for item in mappings(document):
        kind = str(item.get("kind") or item.get("selfLink"))
        if "disk" in kind.lower():
            records.setdefault("volumes", []).append(_disk(item))
        elif "instance" in kind.lower():
            records.setdefault("nodes", []).append(_instance(item))
    return records or None


def _disk(disk: Mapping[str, Any]) -> Record:
    users = disk.get("users") or []
    record: Record = {
        "name": disk.get("name"),
        "volume_id": disk.get("selfLink"),
        "also_id": _number("disks", disk),
        "attached_to": str(users[0]).rsplit("/", 1)[-1] if users else "",
    }
    if not users:
        never = disk.get("lastAttachTimestamp") is None
        made = disk.get("creationTimestamp") if never else None
        record["detached_at"] = disk.get("lastDetachTimestamp") or made
    return record


def _instance(instance: Mapping[str, Any]) -> Record:
    gpus = mappings(instance.get("guestAccelerators"))
    return {
        "name": instance.get("name"),
        "provider_id": instance.get("selfLink"),
        "also_id": _number("instances", instance),
        "gpus": sum(amount_of(each.get("acceleratorCount")) for each in gpus),
    }


def _number(kind: str, item: Mapping[str, Any]) -> str | None:
    return f"projects/-/zones/-/{kind}/{item['id']}" if item.get("id") else None
