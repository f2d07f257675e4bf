"""Garbage collection: mark from the pointers, sweep what none reaches and nobody has just put.

Every entry of every history reaches its artifact, its manifest and its evidence, not only the last:
going back must stay possible. A history that can't be read stops the collection before anything
is removed.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from reference_systems.model_registry.pointers import Pointers

if TYPE_CHECKING:
    from reference_systems.model_registry.backend import Version
    from reference_systems.model_registry.store import ContentStore

__all__ = ["Removed", "collect"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """Something that a collection removed: its digest or name, its bytes, its age in seconds."""

    what: str
    kind: str
    size: int
    age_s: float


def collect(store: ContentStore, grace: timedelta) -> Iterator[Removed]:
    """Remove what no pointer reaches and is older than ``grace``; yield each as it is gone.

    Candidates are listed before the pointers are read, so whatever is promoted meanwhile is either
    marked, or has been renewed by its promotion and is too young to go. What is reached is renewed,
    so that its lock on S3 does not run out.
    """
    pointers = Pointers(store)
    candidates = [(digest, version) for digest, version in store.objects()]
    labels = list(store.backend.under("manifests/"))
    reached = _mark(pointers)
    now, least = time.time(), grace.total_seconds()
    for digest, version in candidates:
        if digest in reached:
            if version.latest and not version.deleted:
                store.backend.renew(version)
        elif now - version.modified >= least:
            yield from _sweep(store, digest, "object", version, least)
    for version in labels:
        _, artifact, manifest = version.key.split("/")
        old = now - version.modified >= least
        if artifact not in reached and manifest not in reached and old:
            yield from _sweep(store, f"{artifact}/{manifest}", "label", version, least)
    for name in store.backend.tidy(least):
        yield Removed(what=name, kind="broken-off put", size=0, age_s=least)


def _mark(pointers: Pointers) -> set[str]:
    """Return every digest that some entry of some history names."""
    reached: set[str] = set()
    for name in pointers.names():
        for entry in pointers.history(name):
            reached |= {entry.digest, entry.manifest, entry.report}
    return reached


def _sweep(
    store: ContentStore, what: str, kind: str, version: Version, least: float
) -> Iterator[Removed]:
    if store.backend.remove(version, least):
        age = round(time.time() - version.modified, 1)
        yield Removed(what=what, kind=kind, size=version.size, age_s=age)
