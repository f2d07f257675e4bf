"""The fixed build: Feast with one table a view, behind training and serving alike.

What Feast alone would get wrong is mended here, and said where: a row asked for at a time before its
first value is dropped by Feast's file store, and with it the features of every other view; so is
one of two equal rows; and the online store serves values of any age, whatever the time to live.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reference_systems.bank_feature_store.definition import KNOWN_AT, View
from reference_systems.bank_feature_store.errors import BankError
from reference_systems.bank_feature_store.intake import AT, Taken
from reference_systems.bank_feature_store.questions import Question
from reference_systems.bank_feature_store.repo import FIRST, Repo, Served, plain

if TYPE_CHECKING:
    from feast import FeatureStore

__all__ = ["Answer", "FeastStore"]

#: feature reference -> value, status, and the instant at which the value became known
Answer = dict[str, tuple[Any, str, str | None]]
_ROW = "__row"


class FeastStore:
    """Applies views, fills the online store, and answers from it or from the offline tables."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self._feast: FeatureStore | None = None

    @property
    def feast(self) -> FeatureStore:
        """The feature store of the folder, opened when it is first asked."""
        if self._feast is None:
            with _quiet():
                import_feast()
                from feast import FeatureStore

                self._feast = FeatureStore(repo_path=str(self.repo.root))
        return self._feast

    def apply(self, view: View, taken: Taken) -> None:
        """Write the tables of a view and register it, in place of one of the same name."""
        with _quiet():
            for path, table in (
                (self.repo.events(view.name), taken.events),
                (self.repo.table(view.name), taken.table),
            ):
                with self.repo.replacing(path) as new:
                    table.to_parquet(new, index=False)
            entities, feature_view = _feast_objects(view, taken, f"data/{view.name}.parquet")
            if view.name in {old.name for old in self.feast.list_feature_views()}:
                # entities that are gone would be served for ever
                old = self.feast.get_feature_view(view.name)
                self.feast.apply([], objects_to_delete=[old], partial=False)
            self.feast.apply([*entities, feature_view])

    def materialize(self, name: str, as_of: datetime) -> None:
        """Fill the online store with the last values of a view at ``as_of``."""
        with _quiet():
            self.feast.materialize(FIRST, as_of, feature_views=[name])

    def get(self, questions: Sequence[Question], views: dict[str, Served]) -> list[Answer]:
        """Return what is served now."""
        answers: list[Answer] = [{} for _ in questions]
        for view, names, asked in _by_view(questions, views):
            references = [f"{view.name}:{name}" for name in (*names, KNOWN_AT)]
            rows = [questions[at].of(view) for at in asked]
            with _quiet():
                found = self.feast.get_online_features(references, rows).to_dict()
            oldest = _oldest(view)
            for n, at in enumerate(asked):
                known = found[KNOWN_AT][n]
                for view_name, name in questions[at].features:
                    if view_name == view.name:
                        told = _told(found[name][n], known, oldest)
                        answers[at][f"{view.name}:{name}"] = told
        return answers

    def history(self, questions: Sequence[Question], views: dict[str, Served]) -> list[Answer]:
        """Return the values as they were known at the time of each question."""
        import pandas as pd

        answers: list[Answer] = [{} for _ in questions]
        for view, names, asked in _by_view(questions, views):
            # equal questions are asked once: Feast would drop all but one of them
            places: dict[tuple[Any, ...], int] = {}
            for at in asked:
                key = (*questions[at].of(view).values(), questions[at].when)
                places.setdefault(key, len(places))
            columns = list(zip(*places, strict=True))
            frame = pd.DataFrame(
                {key: list(columns[n]) for n, key in enumerate(view.keys)}
                | {AT: pd.to_datetime(list(columns[-1]), utc=True), _ROW: range(len(places))}
            )
            references = [f"{view.name}:{name}" for name in (*names, KNOWN_AT)]
            with _quiet():
                found = self.feast.get_historical_features(frame, references).to_df()
            rows = found.drop_duplicates(_ROW).set_index(_ROW)
            values = {c: rows[c].reindex(range(len(places))).tolist() for c in (*names, KNOWN_AT)}
            for at in asked:
                n = places[(*questions[at].of(view).values(), questions[at].when)]
                for view_name, name in questions[at].features:
                    if view_name == view.name:
                        told = _told(values[name][n], plain(values[KNOWN_AT][n]), FIRST)
                        answers[at][f"{view.name}:{name}"] = told
        return answers


def import_feast() -> None:
    """Import Feast, which takes seconds, with everything that reports usage switched off."""
    for name in ("DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY"):
        os.environ.setdefault(name, "true")
    os.environ.setdefault("FEAST_USAGE", "False")
    try:
        import feast  # noqa: F401
    except ImportError as error:
        raise BankError(
            f"Feast can't be imported ({error}): install the extra systems-bank"
        ) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Feast's progress and warnings from standard output; answers go there."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            yield
        except BankError:
            raise
        except Exception as error:
            told = (str(error).strip() or "no more is said").splitlines()[-1][:300]
            raise BankError(f"Feast: {type(error).__name__}: {told}") from error


def _oldest(view: Served) -> datetime:
    """Return the instant before which a value has expired."""
    clock = view.clock()
    held = view.ttl_s is None or view.ttl_s >= (clock - FIRST).total_seconds()
    return FIRST if held else clock - timedelta(seconds=view.ttl_s or 0)


def _told(value: Any, known: int | None, oldest: datetime) -> tuple[Any, str, str | None]:
    if known is None:
        return None, "not found", None
    when = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(known))
    if when < oldest:
        return None, "expired", when.isoformat()
    value = plain(value)
    return value, "null" if value is None else "present", when.isoformat()


def _by_view(
    questions: Sequence[Question], views: dict[str, Served]
) -> Iterator[tuple[Served, list[str], list[int]]]:
    """Yield each view that is asked for, its features asked for, and the places of who asks."""
    names: dict[str, dict[str, None]] = defaultdict(dict)
    asked: dict[str, dict[int, None]] = defaultdict(dict)
    for at, one in enumerate(questions):
        for view, name in one.features:
            names[view][name] = None
            asked[view][at] = None
    for view, found in names.items():
        yield views[view], list(found), list(asked[view])


def _feast_objects(view: View, taken: Taken, path: str) -> tuple[list[Any], Any]:
    """Return the entities and the feature view over the table that was taken in."""
    import feast
    from feast import types

    kinds = {"Int64": feast.ValueType.INT64, "String": feast.ValueType.STRING}
    entities = [
        feast.Entity(name=key, join_keys=[key], value_type=kinds[kind])
        for key, kind in taken.keys.items()
    ]
    schema = [feast.Field(name=f.name, dtype=getattr(types, f.kind)) for f in view.fields]
    schema.append(feast.Field(name=KNOWN_AT, dtype=types.Int64))
    schema += [
        feast.Field(name=key, dtype=getattr(types, kind)) for key, kind in taken.keys.items()
    ]
    source = feast.FileSource(name=f"{view.name}_source", path=path, timestamp_field=AT)
    feature_view = feast.FeatureView(
        name=view.name, entities=entities, ttl=view.ttl, schema=schema, source=source
    )
    return entities, feature_view
