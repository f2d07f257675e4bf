"""``aws ec2 describe-volumes`` and ``aws ec2 describe-instances``."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_mlgates.gates.cost_budget.collect.records import Records, dig, mappings

__all__ = ["collect"]


def collect(document: object) -> Records | None:
    """Return volumes and instances. Since when a volume is available EC2 does not say."""
    if not isinstance(document, Mapping):
        return None
    records: Records = {}
    if "Volumes" in document:
        records["volumes"] = [
            {
                "volume_id": volume.get("VolumeId"),
                "attached_to": _attached(volume),
            }
            for volume in mappings(document["Volumes"])
        ]
    if "Reservations" in document:
        records["nodes"] = [
            {"name": instance.get("PrivateDnsName"), "provider_id": instance.get("InstanceId")}
            for reservation in mappings(document["Reservations"])
            for instance in mappings(reservation.get("Instances"))
        ]
    return records or None


def _attached(volume: Mapping[str, object]) -> str:
    attachments = (
        str(dig(each, "InstanceId") or "attached")
        for each in mappings(volume.get("Attachments"))
        if each.get("State") != "detached"
    )
    return next(attachments, "" if volume.get("State") == "available" else "in use")
