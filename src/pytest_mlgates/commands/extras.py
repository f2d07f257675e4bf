"""What each extra of this package adds, and to which gates; every gate works without one."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from pytest_mlgates.core.words import install

__all__ = ["extra_lines", "extras_of"]

#: a module that comes with an extra, what the extra adds, and the gates it adds that to
_EXTRAS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "search": ("hypothesis", "shrinks counter-examples", ("name_invariance",)),
    "pii": ("phonenumbers", "phone numbers of any country, speed", ("pii_leak",)),
    "infra": ("hcl2", "reads Terraform files", ("infra_guardrails",)),
    "load": ("aiohttp", "sends requests over HTTP", ("throughput",)),
    "scale": (
        "pyarrow", "reads Parquet files and large tables", ("bandwidth_budget", "cost_budget", "slice_coverage")
    ),
    "sign": ("securesystemslib", "signed reports", ()),
    "torch": ("torch", "models in torch", ()),
    "systems": ("tokenizers", "the reference systems", ()),
}  # fmt: skip


def extras_of(gate: str) -> str:
    """Return what extras add to a gate, or nothing.

    >>> extras_of("infra_guardrails"), extras_of("p99_latency")
    ('extra infra: reads Terraform files', '')
    """
    found = (f"extra {name}: {adds}" for name, (_, adds, to) in _EXTRAS.items() if gate in to)
    return "; ".join(found)


def extra_lines() -> Iterator[str]:
    """Yield a line for each extra: what it adds, and whether it is there."""
    for name, (module, adds, gates) in _EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        to = f" for {', '.join(gates)}" if gates else ""
        yield f"extra {name} ({adds}{to}): {'installed' if there else install(name)}"
