"""What collectors give: records by kind, in the names that an inventory has for fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mlgates.reading.devices import gpu_name

__all__ = ["Record", "Records", "amount_of", "dig", "gpus_in", "mappings", "unfinished"]

Record = dict[str, Any]
#: pods, nodes, volumes -> records; a kind that was listed and is empty is there, too
Records = dict[str, list[Record]]

#: parts of an accelerator, which are no more of them
_PART = re.compile(
    r"memory|(?<!vcuda-)(?<!neuron)cores?$|percentage|vcore|vmem|[-.]mem$|gpumem", re.IGNORECASE
)


def dig(value: object, *keys: str) -> Any:
    """Return what stands under keys, one in the other, or None.

    >>> dig({"a": {"b": 1}}, "a", "b"), dig({"a": None}, "a", "b")
    (1, None)
    """
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the mappings of a list; nothing where it is none."""
    if isinstance(value, (list, tuple)):
        yield from (item for item in value if isinstance(item, Mapping))


def unfinished(document: object) -> str:
    """Return the field by which a listing says that there is more of it, "" where it is whole.

    >>> unfinished({"Volumes": [], "NextToken": "a"}), unfinished({"items": [], "metadata": {}})
    ('NextToken', '')
    """
    for keys in (("NextToken",), ("nextPageToken",), ("nextLink",), ("metadata", "continue")):
        if dig(document, *keys):
            return ".".join(keys)
    return "warnings" if dig(document, "data", "result") and dig(document, "warnings") else ""


def amount_of(value: object) -> float:
    """Return a count as Kubernetes writes it; 0 where there is none.

    >>> amount_of("8"), amount_of(None)
    (8.0, 0.0)
    """
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _is_gpu(name: str) -> bool:
    device = name.rpartition("/")[2]
    return "/" in name and not _PART.search(device) and gpu_name(name) == "yes"


def gpus_in(resources: object) -> float:
    """Return how many accelerators a mapping of resources names.

    >>> gpus_in({"cpu": "8", "nvidia.com/gpu": "2"}), gpus_in({"nvidia.com/mig-1g.5gb": 1})
    (2.0, 1.0)
    """
    if not isinstance(resources, Mapping):
        return 0.0
    return sum(amount_of(count) for name, count in resources.items() if _is_gpu(str(name)))
