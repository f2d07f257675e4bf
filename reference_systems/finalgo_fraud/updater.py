"""From labels to a new model: each label counts once, whatever is killed in between.

The ledger holds, in one transaction each time: which labels came and where the stream goes on;
then which labels a round used, what was learned, and which model came of it. ``current`` follows
the ledger, so a kill between the two is made good at the next start.
"""

from __future__ import annotations

import contextlib
import time
import zlib
from typing import TYPE_CHECKING

import numpy as np

from reference_systems.finalgo_fraud import decisions
from reference_systems.finalgo_fraud.learning import Learner, absorb
from reference_systems.finalgo_fraud.outbox import Label, database
from reference_systems.finalgo_fraud.profile import COLUMNS, PLACES
from reference_systems.finalgo_fraud.promotion import Labelled, Ruling, rule

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from reference_systems.finalgo_fraud.state import State

__all__ = ["MOST_ROUND", "Updater"]

#: labels that are learned and judged together at most
MOST_ROUND = 512
#: one label in so many is held out of learning, to judge later models
_HELD_OUT = 5
#: earlier labels that are replayed and judged on at most
_MOST_EARLIER = 20_000
_TABLES = """
create table if not exists learned (
    place integer primary key,
    key blob not null,
    version integer not null,
    fraud integer not null,
    places blob not null,
    held_out integer not null,
    round integer,
    unique (key, version)
);
create index if not exists by_round on learned (round);
create table if not exists next (source text, part integer, at integer, primary key (source, part));
create table if not exists round (
    number integer primary key,
    labels integer not null,
    promoted integer not null,
    digest text not null,
    reason text not null,
    at real not null
);
create table if not exists learner (only integer primary key check (only = 1), state blob not null);
"""


class Updater:
    """Takes labels, learns them in rounds, and promotes what is not worse."""

    def __init__(self, state: State, connection: sqlite3.Connection) -> None:
        self.state, self._ledger = state, connection
        self._reference = state.reference()
        self._reconcile()

    @classmethod
    @contextlib.contextmanager
    def opened(cls, state: State, *, wait: bool = True) -> Iterator[Updater]:
        """Open the ledger; one updater at a time. BlockingIOError where another is at work."""
        with state.lock("updater", wait=wait), database(state.ledger, _TABLES) as found:
            yield cls(state, found)

    def start(self, source: str) -> dict[int, int]:
        """Return for each partition of a stream which offset comes next."""
        rows = self._ledger.execute("select part, at from next where source = ?", (source,))
        return {int(part): int(at) for part, at in rows}

    def take(self, source: str, batch: Sequence[tuple[int, int, Label | None]]) -> int:
        """Enter labels and where the stream goes on, both or neither; return how many are new."""
        new = 0
        with self._transaction():
            for part, offset, label in batch:
                if label is not None:
                    held = zlib.crc32(label.key) % _HELD_OUT == 0
                    values = (label.key, label.version, label.fraud, label.places.tobytes(), held)
                    new += self._ledger.execute(
                        "insert or ignore into learned (key, version, fraud, places, held_out) "
                        "values (?, ?, ?, ?, ?)", values,
                    ).rowcount  # fmt: skip
                self._ledger.execute(
                    "insert into next values (?, ?, ?) on conflict do update set at = "
                    "max(at, excluded.at)", (source, part, offset + 1),
                )  # fmt: skip
        return new

    def pending(self) -> int:
        """Return how many labels wait for a round."""
        return self._one("select count(*) from learned where round is null")

    def round(self) -> Ruling | None:
        """Learn and judge the oldest labels that wait; None where there are none."""
        rows = self._rows("where round is null order by place limit ?", MOST_ROUND)
        if not len(rows[0]):
            return None
        fresh, held, places = Labelled(rows[1], rows[2]), rows[3], rows[0]
        rng = np.random.default_rng(int(places[-1]))
        learner = self._learner()
        taught = Labelled(fresh.places[~held], fresh.fraud[~held])
        earlier = self._earlier(held_out=False)
        absorb(
            learner, taught.places, taught.fraud, presumed=self._presumed(), rng=rng,
            replay=(np.concatenate([self._reference.learn_places, earlier.places]),
                    np.concatenate([self._reference.learn_fraud, earlier.fraud])),
        )  # fmt: skip
        _, old = self.state.model()
        new = learner.model(old.threshold)
        reference = Labelled(self._reference.judge_places, self._reference.judge_fraud)
        ruling = rule(old, new, fresh, reference, self._earlier(held_out=True))
        digest = self.state.models.put(new) if ruling.promoted else ""
        with self._transaction():
            self._ledger.execute(
                "insert into round (labels, promoted, digest, reason, at) values (?, ?, ?, ?, ?)",
                (len(fresh), ruling.promoted, digest, ruling.reason, time.time()),
            )
            number = self._one("select max(number) from round")
            self._ledger.executemany(
                "update learned set round = ? where place = ?",
                [(number, int(place)) for place in places],
            )
            if ruling.promoted:
                self._ledger.execute(
                    "insert or replace into learner values (1, ?)", (learner.state.tobytes(),)
                )
        if ruling.promoted:
            self.state.models.promote(digest)
        return ruling

    def counts(self) -> dict[str, int]:
        """Return how many labels came, were learned from, and were refused, and how many rounds."""
        learned, refused = (
            self._one(
                "select count(*) from learned where round in "
                "(select number from round where promoted = ?)", promoted,
            )
            for promoted in (1, 0)
        )  # fmt: skip
        return {
            "labels": self._one("select count(*) from learned"),
            "learned": learned,
            "refused": refused,
            "counted": self._one("select coalesce(sum(labels), 0) from round"),
            "rounds": self._one("select count(*) from round"),
        }

    def keys(self) -> list[bytes]:
        """Return the ids of all labels that came, as JSON, a corrected one once for each label."""
        return [key for (key,) in self._ledger.execute("select key from learned order by place")]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._ledger.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._ledger.execute("rollback")
            raise
        self._ledger.execute("commit")

    def _one(self, query: str, *values: int) -> int:
        ((found,),) = self._ledger.execute(query, values)
        return int(found)

    def _rows(
        self, where: str, *values: int
    ) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.bool_], NDArray[np.bool_]]:
        found = self._ledger.execute(
            f"select place, places, fraud, held_out from learned {where}",  # noqa: S608 (ours)
            values,
        ).fetchall()
        joined = b"".join(places for _, places, _, _ in found)
        return (
            np.array([row[0] for row in found], np.int64),
            np.frombuffer(joined, np.uint16).reshape(-1, COLUMNS),
            np.array([row[2] for row in found], bool),
            np.array([row[3] for row in found], bool),
        )

    def _earlier(self, *, held_out: bool) -> Labelled:
        """Return labels of promoted rounds that no later one corrects, the latest first."""
        _, places, fraud, _ = self._rows(
            "as one where held_out = ? and round in (select number from round where promoted) "
            "and not exists (select 1 from learned where key = one.key and version > one.version) "
            "order by place desc limit ?", held_out, _MOST_EARLIER,
        )  # fmt: skip
        return Labelled(places, fraud)

    def _presumed(self) -> NDArray[np.uint16]:
        """Return recent payments without a label: presumed genuine."""
        keys, places = decisions.recent(self.state.decisions, 20_000)
        labelled = {
            decisions.short(key)
            for (key,) in self._ledger.execute(
                "select key from learned order by place desc limit ?", (_MOST_EARLIER * 10,)
            )
        }
        free = np.array([key not in labelled for key in keys], bool)
        return places[free] if len(places) else places

    def _learner(self) -> Learner:
        for (state,) in self._ledger.execute("select state from learner"):
            return Learner(np.frombuffer(state).reshape(2, PLACES + 1))
        return Learner(self._reference.learner)

    def _reconcile(self) -> None:
        """Serve the model of the last promoted round, where a kill kept ``current`` behind."""
        for (digest,) in self._ledger.execute(
            "select digest from round where promoted order by number desc limit 1"
        ):
            if self.state.models.current() != digest:
                self.state.models.promote(digest)
