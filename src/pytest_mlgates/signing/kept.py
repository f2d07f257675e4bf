"""Whether a store still holds every run as it was recorded, and a report as one of them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.canonical import parse
from pytest_mlgates.signing.attested import Attested, read_attested
from pytest_mlgates.store import Run, Store, StoreFault
from pytest_mlgates.writers import ATTESTATION

__all__ = ["KeptReport", "store_faults"]


class KeptReport:
    """The report that a store is asked for; it must be the run that it says it is."""

    def __init__(self, folder: Path, attested: Attested) -> None:
        self.files = {name: stored.sha256 for name, stored in attested.files.items()}
        if (folder / ATTESTATION).is_file():
            data = (folder / ATTESTATION).read_bytes()
            self.files[ATTESTATION] = hashlib.sha256(data).hexdigest()
        self.chain = attested.sealing.chain if attested.sealing else None

    def faults(self, runs: Mapping[int, Run]) -> Iterator[str]:
        """Yield why it is not one of these runs."""
        number = self.chain.get("sequence") if self.chain else None
        if not isinstance(number, int):
            yield "the report does not say that it was kept in a store"
        elif number not in runs:
            yield f"the report is run {number}, the store ends at {len(runs)}: runs were removed"
        elif runs[number].files != self.files or runs[number].link.to_dict() != self.chain:
            yield f"the report is run {number}, and the store has another run there"


def store_faults(
    store: Store, accepted: Collection[str] | None, report: KeptReport | None = None
) -> list[str]:
    """Return a line for each thing that is not as it was recorded.

    ``accepted`` are the ids of the keys that every run must be signed by; with None only links and
    digests are looked at, which whoever can write the store can make anew.
    """
    runs: dict[int, Run] = {}
    faults: list[str] = []
    good: set[str] = set()
    try:
        for run in store.runs():
            runs[run.link.sequence] = run
            where = f"run {run.link.sequence}"
            faults += (f"{where}: {fault}" for fault in _objects(store, run, good))
            if accepted is not None:
                faults += (f"{where}: {fault}" for fault in _signed(store, run, accepted))
    except StoreFault as fault:
        faults.append(str(fault))
    if not runs:
        faults.append("holds no run")
    if report is not None:
        faults += report.faults(runs)
    return faults


def _objects(store: Store, run: Run, good: set[str]) -> Iterator[str]:
    """Yield which objects of a run are gone or changed; those known ``good`` are not read again."""
    for name, digest in run.files.items():
        if digest not in good:
            data = _object(store, digest)
            if data is None:
                yield f"{name}: its object is gone or changed ({digest})"
                continue
            good.add(digest)
            if name == "report.json":
                yield from _evidence(store, data, good)


def _evidence(store: Store, data: bytes, good: set[str]) -> Iterator[str]:
    try:
        digests = [str(piece["digest"]) for piece in parse(data)["evidence"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        yield "report.json: is no report"
        return
    for digest in digests:
        if digest not in good:
            if _object(store, digest) is None:
                yield f"evidence {digest}: its object is gone or changed"
            else:
                good.add(digest)


def _object(store: Store, digest: str) -> bytes | None:
    try:
        data = store.object(digest).read_bytes()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == digest else None


def _signed(store: Store, run: Run, accepted: Collection[str]) -> Iterator[str]:
    """Yield where a line says something else than the attestation that it names."""
    if ATTESTATION not in run.files:
        yield "is not signed"
        return
    attested = read_attested(store.object(run.files[ATTESTATION]))
    sealing: Any = attested.sealing
    if attested.fault:
        yield attested.fault
    elif sealing.keyid not in accepted:
        yield f"is signed by a key that is not accepted ({sealing.keyid[:16]})"
    else:
        told = {
            **{name: stored.sha256 for name, stored in attested.files.items()},
            ATTESTATION: run.files[ATTESTATION],
        }
        same = (sealing.chain, sealing.signed, attested.predicate.get("outcome"), told)
        if same != (run.link.to_dict(), run.time, run.outcome, run.files):
            yield "is not what was signed"
