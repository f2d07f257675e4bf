"""Whether a store still holds every run as it was recorded, and a report as one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pytest_mlgates.core.canonical import parse
from pytest_mlgates.core.plain import FileFault, read_plain
from pytest_mlgates.signing.attested import Attested, read_attested
from pytest_mlgates.signing.claim import same_thing
from pytest_mlgates.signing.folder import stored
from pytest_mlgates.signing.relevance import Earlier
from pytest_mlgates.signing.store import Run, Store, StoreFault, is_digest
from pytest_mlgates.writers import ATTESTATION

__all__ = ["KeptReport", "earlier_runs", "store_faults"]

MAX_BYTES = 4 << 30


class KeptReport:
    """The report that a store is asked for; it must be the run that it says it is."""

    def __init__(self, attested: Attested) -> None:
        self.files = _files(attested)
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


def earlier_runs(store: Store, data: Mapping[str, Any], number: int | None) -> Earlier:
    """Return the runs over the commit and the subjects of a report that the store has before it.

    ``number`` is the report's own place, None where it is in no store: all are before it then.
    """
    wanted, outcomes = same_thing(data), []
    for run in store.runs():
        if number is not None and run.link.sequence >= number:
            break
        try:
            other = parse(read_plain(store.object(run.files["report.json"]), MAX_BYTES))
            if same_thing(other) == wanted:
                outcomes.append(run.outcome)
        except (ValueError, TypeError, KeyError, RecursionError):
            continue  # the answer about the store tells what is broken
    return Earlier(tuple(outcomes))


def _objects(store: Store, run: Run, good: set[str]) -> Iterator[str]:
    """Yield which objects of a run are gone or changed; those known ``good`` are not read again."""
    for name, digest in run.files.items():
        if digest in good:
            continue
        if not _holds(store, digest):
            yield f"{name}: its object is gone or changed ({digest})"
            continue
        good.add(digest)
        if name == "report.json":
            yield from _evidence(store, digest, good)


def _evidence(store: Store, report: str, good: set[str]) -> Iterator[str]:
    try:
        data = parse(read_plain(store.object(report), MAX_BYTES))
        digests = [piece["digest"] for piece in data["evidence"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        yield "report.json: is not a report"
        return
    for digest in digests:
        if digest not in good:
            if not is_digest(digest) or not _holds(store, digest):
                yield f"evidence {digest}: its object is gone or changed"
            else:
                good.add(digest)


def _holds(store: Store, digest: str) -> bool:
    try:
        return stored(store.object(digest)).sha256 == digest
    except (OSError, FileFault):
        return False


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
        same = (sealing.chain, sealing.signed, attested.predicate.get("outcome"), _files(attested))
        if same != (run.link.to_dict(), run.time, run.outcome, run.files):
            yield "is not what was signed"


def _files(attested: Attested) -> dict[str, str]:
    """Return the digest of every file of a signed report, its attestation among them."""
    signed = {name: stored.sha256 for name, stored in attested.files.items()}
    return {**signed, ATTESTATION: attested.sha256}
