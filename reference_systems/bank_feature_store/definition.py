"""Read a definition: a Python file of Feast objects, as a data scientist writes it."""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import traceback
import warnings
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reference_systems.bank_feature_store.errors import BankError

if TYPE_CHECKING:
    from feast import Entity, FeatureView

__all__ = ["KNOWN_AT", "Field", "View", "Window", "meant", "read_definition"]

#: a feature that every view gets: when the values became known, in microseconds since 1970
KNOWN_AT = "known_at_us"
_OPERATIONS = ("sum", "count", "mean", "max", "min")


@dataclass(frozen=True, slots=True)
class Window:
    """An aggregate over the events of the last days: those in (t - days, t]."""

    operation: str
    column: str
    span: timedelta


@dataclass(frozen=True, slots=True)
class Field:
    """A feature: a column of the source, or a window over one."""

    name: str
    kind: str
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What a feature view says; ``keys`` maps join keys to types, empty where only the file can say."""

    name: str
    keys: dict[str, str]
    fields: tuple[Field, ...]
    path: Path
    timestamp: str
    created: str
    renamed: dict[str, str]
    zone: str
    ttl: timedelta | None

    @property
    def windowed(self) -> bool:
        """Whether the features are windows over events."""
        return self.fields[0].window is not None


def meant(name: str, known: list[str]) -> str:
    """Return a hint at what a wrong name may have meant, and what there is.

    >>> meant("tenur", ["age", "tenure"])
    " (did you mean 'tenure'?)"
    >>> meant("x", ["age", "tenure"])
    ' (it has age, tenure)'
    """
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (it has {', '.join(known[:8])}{' …' if len(known) > 8 else ''})"


def read_definition(path: Path) -> list[View]:
    """Run a definition and return its views; BankError with file and line where it is not one."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not a file" if path.exists() else "not there"
        raise BankError(f"{path}: {what}: give a Python file of Feast objects (see --help)")
    try:
        code = compile(path.read_bytes(), str(path), "exec")
    except SyntaxError as error:
        raise BankError(f"{path} line {error.lineno}: not Python: {error.msg}") from None
    except ValueError as error:
        raise BankError(f"{path}: not Python: {error}") from None
    from feast import Entity, FeatureView

    names: dict[str, Any] = {"__file__": str(path), "__name__": "definition"}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            exec(code, names)  # noqa: S102  (a definition is the user's own program, as with feast apply)
        except (Exception, SystemExit) as error:  # noqa: BLE001
            raise BankError(f"{_place(path, error)}: {type(error).__name__}: {error}") from None
    views = list({id(v): v for v in names.values() if isinstance(v, FeatureView)}.values())
    if not views:
        raise BankError(f"{path}: defines no FeatureView: see the example in --help")
    twice = {view.name for view in views if sum(v.name == view.name for v in views) > 1}
    if twice:
        raise BankError(f"{path}: the feature view {min(twice)!r} appears twice: rename one")
    _refuse_others(path, names)
    entities = {e.name: e for e in names.values() if isinstance(e, Entity)}
    return [_view(view, path, entities) for view in views]


def _place(path: Path, error: BaseException) -> str:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f"{path} line {lines[-1]}" if lines else str(path)


def _refuse_others(path: Path, names: dict[str, Any]) -> None:
    """Refuse what would be left out silently."""
    from feast import FeatureService, OnDemandFeatureView, StreamFeatureView

    for value in names.values():
        if isinstance(value, (FeatureService, OnDemandFeatureView, StreamFeatureView)):
            raise BankError(
                f"{path}: {type(value).__name__} {value.name!r} is not taken: define FeatureViews of"
                " files, with windows as tags of their fields"
            )


def _view(view: FeatureView, path: Path, entities: dict[str, Entity]) -> View:
    from feast import FileSource

    place = f"{path}: feature view {view.name!r}"
    source = view.batch_source
    if type(view).__name__ != "FeatureView" or not isinstance(source, FileSource):
        kind = (
            type(source).__name__ if type(view).__name__ == "FeatureView" else type(view).__name__
        )
        raise BankError(f"{place} is of a {kind}: only files are taken (FileSource)")
    keys = _keys(view, place, entities)
    found = [(f.name, str(f.dtype), f.tags or {}) for f in view.features]
    fields = tuple(
        Field(name, _known(kind, name, place), _window(tags, name, place))
        for name, kind, tags in found
        if name not in keys
    )
    if not fields:
        raise BankError(f"{place} has no schema: name its features, schema=[Field(...)]")
    if len({field.window is None for field in fields}) > 1:
        raise BankError(f"{place} mixes windows and plain columns: put them in two views")
    if clash := {f.name for f in fields} & {KNOWN_AT, source.timestamp_field}:
        raise BankError(f"{place}: the feature name {min(clash)!r} is taken: rename it")
    uri = os.fspath(source.path)
    if "://" in uri and not uri.startswith("file://"):
        raise BankError(f"{place}: {uri.partition('://')[0]} is not reached from here: give a file")
    return View(
        name=view.name,
        keys=keys,
        fields=fields,
        path=(path.parent / uri.removeprefix("file://")).resolve(),
        timestamp=source.timestamp_field or "event_timestamp",
        created=source.created_timestamp_column or "",
        renamed=dict(source.field_mapping or {}),
        zone=(source.tags or {}).get("timezone", "UTC"),
        ttl=view.ttl or None,
    )


def _keys(view: FeatureView, place: str, entities: dict[str, Entity]) -> dict[str, str]:
    """Return the join keys with their types; a type is empty where only the file can say it."""
    from feast import ValueType

    said = {ValueType.UNKNOWN: "", ValueType.STRING: "String"}
    said |= dict.fromkeys((ValueType.INT32, ValueType.INT64), "Int64")
    in_schema = {field.name: str(field.dtype) for field in view.entity_columns}
    keys: dict[str, str] = {}
    for name in view.entities:
        if name == "__dummy":
            continue
        if name not in entities:
            raise BankError(f"{place}: give the entity {name!r} a name of its own in the file")
        entity = entities[name]
        kind = in_schema.get(entity.join_key) or said.get(entity.value_type)
        kind = "Int64" if kind == "Int32" else kind
        if kind not in ("", "Int64", "String"):
            raise BankError(
                f"{place}: the key {entity.join_key!r} is neither INT64 nor STRING: make it one"
            )
        keys[entity.join_key] = kind
    if not keys:
        raise BankError(f"{place} has no entity: say whose features they are, entities=[...]")
    return keys


def _known(kind: str, name: str, place: str) -> str:
    from reference_systems.bank_feature_store.kinds import KINDS

    if kind not in KINDS:
        raise BankError(f"{place}: {name!r} is of type {kind}: one of {', '.join(KINDS)} is taken")
    return kind


def _window(tags: dict[str, str], name: str, place: str) -> Window | None:
    operations = [tag for tag in tags if tag in _OPERATIONS]
    if not operations and "days" not in tags:
        return None
    try:
        days = float(tags.get("days", ""))
    except ValueError:
        days = 0.0
    if len(operations) != 1 or not 0 < days <= 36_500:
        raise BankError(
            f"{place}: the window of {name!r} needs one of {', '.join(_OPERATIONS)} with its column,"
            ' and days: tags={"sum": "amount", "days": "30"}'
        )
    return Window(operations[0], tags[operations[0]], timedelta(days=days))
