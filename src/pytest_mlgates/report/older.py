"""Reports of older schema versions, as the present one has them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_mlgates.report.build import false_alarm
from pytest_mlgates.report.model import SCHEMA

__all__ = ["upgraded"]

_NAME, _, _VERSION = SCHEMA.rpartition("/")


def upgraded(data: Any) -> Any:
    """Return a report as of the present schema; ValueError where a newer mlgates wrote it.

    Every value that a later version added is what an older one implied, so that what follows from
    the evidence can still be made again. What is not a report comes back as it is.
    """
    schema = data.get("schema") if isinstance(data, dict) else None
    found = re.fullmatch(rf"{_NAME}/([0-9]{{1,9}})", schema) if isinstance(schema, str) else None
    if found and int(found[1]) > int(_VERSION):
        raise ValueError(f"was written by a newer mlgates (schema {schema}; this reads {SCHEMA})")
    if schema == f"{_NAME}/1":
        data = _from_1(data)
    elif schema == f"{_NAME}/2":
        data = {**data, "schema": SCHEMA}  # what is new stands in evidence, and may be absent
    return data


def _from_1(old: dict[str, Any]) -> dict[str, Any]:
    """Add the chance of a false alarm (there was no budget for it) and the history (none)."""
    try:
        gated = [piece for piece in old["evidence"] if piece["role"] == "gate"]
        systems = [
            {
                **system,
                "rules": {**system["rules"], "suite_alpha": None},
                "false_alarm": {
                    **_chance_of_older(p for p in gated if p["system"] == system["system"]),
                    "budget": None,
                },
            }
            for system in old["systems"]
        ]
        more = {
            "false_alarm": _chance_of_older(gated),
            "history": [],
            "controls": [],
        }
    except (KeyError, TypeError, AttributeError):
        return old  # the schema says where
    return {**old, "schema": SCHEMA, "systems": systems, **more}


def _chance_of_older(pieces: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return dataclasses.asdict(false_alarm(piece["policy"] for piece in pieces))
