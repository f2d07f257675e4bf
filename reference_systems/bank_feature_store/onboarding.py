"""From a definition to a feature that is served, in one command and without another person.

Each step is recorded as it ends, by the clock of this machine: name, who ran it, start, end, seconds,
exit status. A hand-off would be a step by somebody else; there is none to record.
"""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from reference_systems.bank_feature_store.definition import View, read_definition
from reference_systems.bank_feature_store.errors import BankError
from reference_systems.bank_feature_store.feast_store import FeastStore, import_feast
from reference_systems.bank_feature_store.intake import AT, Taken, take
from reference_systems.bank_feature_store.questions import Question
from reference_systems.bank_feature_store.repo import Repo, Served, moment, plain

__all__ = ["Recorder", "onboard"]

T = TypeVar("T")


class Recorder:
    """Runs steps, times each, and appends it to a log."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.by = f"user:{_user()}"

    def run(self, name: str, step: Callable[[], T]) -> tuple[dict[str, Any], T]:
        """Run a step; its record is on disk when this returns, and also where it fails."""
        start, clock = datetime.now(UTC), time.perf_counter()
        status = 1
        try:
            result = step()
            status = 0
        finally:
            seconds = time.perf_counter() - clock
            record = {
                "name": name,
                "by": self.by,
                "start": start.isoformat(),
                "end": datetime.now(UTC).isoformat(),
                "seconds": round(seconds, 3),
                "exit_status": status,
            }
            if status:
                self.keep(record)
        return record, result

    def keep(self, record: dict[str, Any]) -> None:
        """Append a record."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def _user() -> str:
    """Return a name that tells persons apart and names nobody."""
    import hashlib

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def onboard(
    repo: Repo,
    definition: Path,
    as_of: datetime | None,
    online: str | None,
    note: Callable[[str], object],
) -> Iterator[dict[str, Any]]:
    """Yield the record of each step; the last says which features are served.

    All views are checked before the store is touched.
    """
    recorder = Recorder(repo.log())

    def ended(record: dict[str, Any], **more: Any) -> dict[str, Any]:
        record |= more
        recorder.keep(record)
        return record

    def check() -> list[tuple[View, Taken]]:
        import_feast()
        return [(view, take(view, note)) for view in read_definition(definition)]

    with repo.locked():
        record, views = recorder.run("check", check)
        rows = {view.name: len(taken.table) for view, taken in views}
        yield ended(record, views=[view.name for view, _ in views], rows=rows)
        store = FeastStore(repo)
        clock = as_of or datetime.now(UTC)
        # Feast fills the online store up to a whole second
        served = {v.name: _served(v, t, clock.replace(microsecond=0), as_of) for v, t in views}
        record, _ = recorder.run("apply", lambda: _apply(store, views, online))
        yield ended(record)
        record, _ = recorder.run("materialize", lambda: _fill(store, served))
        yield ended(record, as_of=clock.isoformat())
        known = repo.views() if (repo.root / "views.json").exists() else {}
        repo.keep({**known, **served})
        record, features = recorder.run("serve", lambda: _serve(store, views, served))
        yield ended(record, served=features)


def _served(view: View, taken: Taken, clock: datetime, as_of: datetime | None) -> Served:
    windows = {
        f.name: (f.window.operation, f.window.column, f.window.span.total_seconds())
        for f in view.fields
        if f.window is not None
    }
    return Served(
        name=view.name,
        keys=taken.keys,
        features={field.name: field.kind for field in view.fields},
        windows=windows,
        ttl_s=view.ttl.total_seconds() if view.ttl else None,
        as_of=clock.isoformat(),
        fixed_clock=as_of is not None,
    )


def _apply(store: FeastStore, views: list[tuple[View, Taken]], online: str | None) -> None:
    store.repo.configure(online)
    for view, taken in views:
        store.apply(view, taken)


def _fill(store: FeastStore, served: dict[str, Served]) -> None:
    for view in served.values():
        store.materialize(view.name, moment(view.as_of))


def _serve(
    store: FeastStore, views: list[tuple[View, Taken]], served: dict[str, Served]
) -> list[str]:
    """Ask for the features of the newest entity of each view; return those that have a value."""
    features = []
    for view, taken in views:
        known = taken.events[taken.events[AT] <= moment(served[view.name].as_of)]
        if known.empty:
            continue
        newest = known.loc[known[AT].idxmax()]
        keys = tuple(sorted((key, plain(newest[key])) for key in taken.keys))
        asked = tuple((view.name, field.name) for field in view.fields)
        (answer,) = store.get([Question(keys, asked)], {view.name: served[view.name]})
        features += [name for name, (_, status, _) in answer.items() if status != "not found"]
    if not features:
        raise BankError("nothing is served: every value came after --as-of, or there is none")
    return features
