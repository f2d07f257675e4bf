"""What group a charge belongs to: its service, its namespace, a tag of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.layouts import Layout
from pytest_mlgates.reading.tables import missing

__all__ = ["NAMESPACES", "grouper", "matcher"]

_LONGEST_CACHE = 200_000
#: tags that tell the namespace, without case and separators
NAMESPACES = {
    "namespace", "k8snamespace", "kubernetesnamespace", "kubenamespace", "kubernetesionamespace",
    "awseksnamespace", "eksnamespace", "k8snamespacename", "kubernetesionamespacename",
}  # fmt: skip


def grouper(by: str, seen: Layout, namespaces: Mapping[str, str]) -> Callable[[Sequence[Any]], str]:
    """Return what tells the group of a row; ``""`` where it has none.

    Raises :class:`Unmeasurable` where no column is about it. ``namespaces`` are those of the
    resources that an inventory knows.
    """
    if not by:
        return lambda _: ""
    key, _, tag = by.partition(":")
    if key == "tag":
        return _tag(seen, lambda name: name == _bare_key(tag), by)
    if key == "namespace":
        return _namespace(seen, namespaces)
    role = {"category": "service_category"}.get(key, key)
    if role not in seen.at:
        raise Unmeasurable(f"the charges have no column {seen.names[role]}, and {by!r} is about it")
    at = seen.at[role]
    return lambda row: "" if missing(row[at]) else str(row[at])


def matcher(
    rule: str, seen: Layout, namespaces: Mapping[str, str]
) -> Callable[[Sequence[Any]], bool]:
    """Return what tells whether a row fits a rule as in ``tag:team=ads``."""
    by, _, value = rule.partition("=")
    group = grouper(by, seen, namespaces)
    return lambda row: group(row) == value


def _namespace(seen: Layout, namespaces: Mapping[str, str]) -> Callable[[Sequence[Any]], str]:
    column, resource = seen.at.get("namespace"), seen.at.get("resource")
    has_tags = "tags" in seen.at or seen.tag_columns
    tag = _tag(seen, NAMESPACES.__contains__, "namespace") if has_tags else None
    if column is None and tag is None and not namespaces:
        raise Unmeasurable(
            "no charge says its namespace: give a column x_Namespace, a tag 'namespace', or an"
            " inventory that knows it"
        )

    def of(row: Sequence[object]) -> str:
        if column is not None and not missing(row[column]):
            return str(row[column])
        found = tag(row) if tag is not None else ""
        if found or resource is None or missing(row[resource]):
            return found
        return namespaces.get(str(row[resource]), "")

    return of


def _bare_key(name: str) -> str:
    """Return the name of a tag without case, separators and whose it is."""
    return re.sub(r"[\W_]", "", re.sub(r"^(user|aws)[:_]", "", name)).lower()


def _tag(seen: Layout, matches: Callable[[str], bool], by: str) -> Callable[[Sequence[Any]], str]:
    columns = [at for name, at in seen.tag_columns.items() if matches(_bare_key(name))]
    at = seen.at.get("tags")
    if at is None and not seen.tag_columns:
        raise Unmeasurable(
            f"the charges have no column {seen.names['tags']}, and {by!r} is about it"
        )
    cache: dict[str, str] = {}

    def of(row: Sequence[object]) -> str:
        for column in columns:
            if not missing(row[column]):
                return str(row[column])
        if at is None:
            return ""
        cell = row[at]
        if not isinstance(cell, str):
            return _find(cell, matches)
        known = cache.get(cell)
        if known is None:
            if len(cache) > _LONGEST_CACHE:
                cache.clear()
            known = cache[cell] = _find(_parsed_tags(cell), matches)
        return known

    return of


def _parsed_tags(cell: str) -> object:
    if not cell.strip():
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None


def _find(tags: object, matches: Callable[[str], bool]) -> str:
    """Return the value of the first tag that matches; tags are a mapping or pairs (Parquet)."""
    pairs: object = list(tags.items()) if isinstance(tags, Mapping) else tags
    if not isinstance(pairs, (list, tuple)):
        return ""
    for pair in pairs:
        if isinstance(pair, (list, tuple)) and len(pair) == 2 and matches(_bare_key(str(pair[0]))):
            return "" if missing(pair[1]) else str(pair[1])
    return ""
