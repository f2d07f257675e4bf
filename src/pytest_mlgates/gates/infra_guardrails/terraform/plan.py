"""``terraform show -json`` (a plan or a state: the resolved truth), and Terraform's JSON syntax."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mlgates.reading.node import Node, Unknown, Unreadable, from_plain

__all__ = ["is_plan", "planned"]

_AFTER_APPLY = Unknown("known after apply")


def is_plan(value: object) -> bool:
    """Tell whether parsed JSON is a plan or a state of Terraform."""
    return isinstance(value, Mapping) and _root(value) is not None


def planned(value: Mapping[str, Any], file: str) -> Iterator[tuple[str, str, Node]]:
    """Yield type, address and values of each managed resource that the plan leaves in place."""
    unknown = {}
    for change in value.get("resource_changes") or ():
        if isinstance(change, Mapping) and isinstance(change.get("change"), Mapping):
            unknown[change.get("address")] = change["change"].get("after_unknown")
    modules = [_root(value)]
    while modules:
        module = modules.pop()
        if not isinstance(module, Mapping):
            raise Unreadable(
                f"{file}: holds a module that is not a mapping: this is not a plan of Terraform"
            )
        for resource in module.get("resources") or ():
            if not isinstance(resource, Mapping):
                raise Unreadable(f"{file}: holds a resource that is not a mapping")
            if resource.get("mode", "managed") != "managed":
                continue
            address = str(resource.get("address", "?"))
            values = _with_unknown(resource.get("values") or {}, unknown.get(address))
            yield str(resource.get("type", "")), address, from_plain(values, file)
        modules += reversed(list(module.get("child_modules") or ()))


def _root(value: Mapping[str, Any]) -> Any:
    for key in ("planned_values", "values"):
        found = value.get(key)
        if isinstance(found, Mapping) and isinstance(found.get("root_module"), Mapping):
            return found["root_module"]
    if "planned_values" in value and "format_version" in value:
        return value["planned_values"].get("root_module", {}) if value["planned_values"] else {}
    return None


def _with_unknown(value: object, unknown: object) -> object:
    """Put :class:`Unknown` where the plan says that a value is known after apply."""
    if unknown is True:
        return _AFTER_APPLY
    if isinstance(unknown, Mapping):
        known = dict(value) if isinstance(value, Mapping) else {}
        for key, inner in unknown.items():
            if inner not in (False, {}, []):
                known[key] = _with_unknown(known.get(key), inner)
        return known
    if isinstance(unknown, list) and isinstance(value, list):
        padded = [*unknown, *[False] * (len(value) - len(unknown))]
        return [_with_unknown(v, u) for v, u in zip(value, padded, strict=False)]
    return value
