"""Plans and states of Terraform in JSON: the resolved truth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mlgates.gates.infra_guardrails.check import AFTER_APPLY
from pytest_mlgates.reading.node import Node, Unknown, Unreadable, from_plain

__all__ = ["is_plan", "planned"]

_AFTER_APPLY = Unknown(AFTER_APPLY)
_INDEX = re.compile(r"\[[^\]]*\]")


def is_plan(value: object) -> bool:
    """Tell whether parsed JSON is a plan or a state of Terraform."""
    return isinstance(value, Mapping) and (_root(value) is not None or _is_raw(value))


def planned(value: Mapping[str, Any], file: str) -> Iterator[tuple[str, str, Node]]:
    """Yield type, address and values of each managed resource that the plan leaves in place."""
    if _is_raw(value):
        yield from _of_raw(value, file)
        return
    unknown = {}
    for change in value.get("resource_changes") or ():
        if isinstance(change, Mapping) and isinstance(change.get("change"), Mapping):
            unknown[change.get("address")] = change["change"].get("after_unknown")
    written = _written(value)
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
            set_there = written.get(_INDEX.sub("", address))
            later = _asked_for(unknown.get(address), set_there)
            values = _with_unknown(resource.get("values") or {}, later)
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


def _is_raw(value: Mapping[str, Any]) -> bool:
    """Tell what ``terraform state pull`` prints from what ``terraform show -json`` does."""
    return isinstance(value.get("version"), int) and {"lineage", "serial"} <= set(value)


def _of_raw(value: Mapping[str, Any], file: str) -> Iterator[tuple[str, str, Node]]:
    for resource in value.get("resources") or ():
        if not isinstance(resource, Mapping) or resource.get("mode") != "managed":
            continue
        kind = str(resource.get("type", ""))
        module = f"{resource['module']}." if resource.get("module") else ""
        for one in resource.get("instances") or ():
            key = one.get("index_key")
            index = "" if key is None else f'["{key}"]' if isinstance(key, str) else f"[{key}]"
            address = f"{module}{kind}.{resource.get('name', '?')}{index}"
            yield kind, address, from_plain(one.get("attributes") or {}, file)


def _written(value: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what the configuration sets, by address without indices."""
    found: dict[str, Mapping[str, Any]] = {}
    root = (value.get("configuration") or {}).get("root_module")
    left = [("", root)]
    while left:
        prefix, module = left.pop()
        if not isinstance(module, Mapping):
            continue
        for resource in module.get("resources") or ():
            if isinstance(resource, Mapping):
                found[f"{prefix}{resource.get('address')}"] = resource.get("expressions") or {}
        for name, call in (module.get("module_calls") or {}).items():
            if isinstance(call, Mapping):
                left.append((f"{prefix}module.{name}.", call.get("module")))
    return found


def _asked_for(unknown: object, written: object) -> object:
    """Leave out what is only known after apply since nobody has set it: its provider's default."""
    if not isinstance(written, Mapping) or not isinstance(unknown, Mapping):
        return unknown
    kept: dict[str, object] = {}
    for key, inner in unknown.items():
        if key not in written:
            continue
        below = written[key]
        if isinstance(inner, list) and isinstance(below, list):
            padded = [*below, *[None] * (len(inner) - len(below))]
            kept[key] = [_asked_for(u, w) for u, w in zip(inner, padded, strict=False)]
        else:
            kept[key] = inner
    return kept


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
