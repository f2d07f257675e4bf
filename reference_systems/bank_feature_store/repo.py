"""The folder of a feature store: its configuration, its tables, and what it knows of its views."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reference_systems.bank_feature_store.errors import BankError

__all__ = ["FIRST", "LAST", "OUTSIDE", "PROJECT", "Repo", "Served", "moment"]

PROJECT = "bank"
#: times that both of Feast's stores serve alike: nanoseconds since 1970 end in 2262
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)
OUTSIDE = f"is no time from {FIRST.year} to {LAST.year}"
_ADDRESS = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}")
_WAIT_S = 60


def moment(text: str) -> datetime:
    """Return an instant in UTC; one without an offset is UTC. ValueError says what is wrong with it.

    >>> moment("2026-11-30T10:00:00+01:00").isoformat()
    '2026-11-30T09:00:00+00:00'
    """
    try:
        when = datetime.fromisoformat(text)
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        when = when.astimezone(UTC)
    except OverflowError:
        raise ValueError(OUTSIDE) from None
    except ValueError:
        raise ValueError("is not ISO 8601, such as 2026-11-30T09:00:00Z") from None
    if not FIRST.year <= when.year <= LAST.year:
        raise ValueError(OUTSIDE)
    return when


@dataclass(frozen=True, slots=True)
class Served:
    """A view as it is served: the types of its keys and features, and how long a value holds."""

    name: str
    keys: dict[str, str]
    features: dict[str, str]
    windows: dict[str, tuple[str, str, float]]
    ttl_s: float | None
    as_of: str
    fixed_clock: bool

    def clock(self) -> datetime:
        """Return the time at which values are asked for online."""
        return moment(self.as_of) if self.fixed_clock else datetime.now(UTC)


class Repo:
    """Paths and state; nothing of Feast is imported here."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "feature_store.yaml"
        self._state = root / "views.json"

    def table(self, view: str) -> Path:
        """Return where the table of features of a view lies."""
        return self.root / "data" / f"{view}.parquet"

    def events(self, view: str) -> Path:
        """Return where the rows of a view's source lie, as they were read."""
        return self.root / "data" / f"{view}.events.parquet"

    def log(self) -> Path:
        """Return where onboardings are recorded."""
        return self.root / "onboarding.jsonl"

    def views(self) -> dict[str, Served]:
        """Return the views that are served, by name."""
        try:
            held = json.loads(self._state.read_text(encoding="utf-8"))
            return {name: Served(name=name, **view) for name, view in held.items()}
        except FileNotFoundError:
            raise BankError(
                f"{self.root}: no feature is served from here: onboard a definition first, or say"
                " where the store is with --repo"
            ) from None
        except (ValueError, TypeError, AttributeError):
            raise BankError(f"{self._state}: is damaged: onboard the definitions again") from None

    def keep(self, views: dict[str, Served]) -> None:
        """Write down what is served, in one piece."""
        fields = ("keys", "features", "windows", "ttl_s", "as_of", "fixed_clock")
        held = {name: {f: getattr(view, f) for f in fields} for name, view in views.items()}
        self.put(self._state, json.dumps(held, indent=1).encode())

    def configure(self, online: str | None) -> None:
        """Write feature_store.yaml where there is none; ``online`` is HOST:PORT of Redis or Valkey."""
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "data").mkdir(exist_ok=True)
        if online is None and self.config.exists():
            return
        if online is None:
            store = "{type: sqlite, path: data/online.db}"
        elif _ADDRESS.fullmatch(online):
            store = f"{{type: redis, connection_string: '{online}'}}"
        else:
            raise BankError(
                "--online takes HOST:PORT of a Redis or Valkey server; for more (a password, TLS) edit"
                f" online_store in {self.config}, where ${{NAME}} is read from the environment"
            )
        text = (
            f"project: {PROJECT}\nprovider: local\nregistry: data/registry.db\n"
            f"online_store: {store}\noffline_store: {{type: file}}\n"
            "entity_key_serialization_version: 3\n"
        )
        self.put(self.config, text.encode())

    def put(self, path: Path, content: bytes) -> None:
        """Write a file in one piece."""
        with self.replacing(path) as new:
            new.write_bytes(content)

    @contextlib.contextmanager
    def replacing(self, path: Path) -> Iterator[Path]:
        """Give a path to write to, and rename what was written onto ``path``."""
        new = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            yield new
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Let one onboarding at a time change the store."""
        import time

        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as file:
            deadline = time.monotonic() + _WAIT_S
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise BankError(
                            f"{self.root}: another onboarding has held it for {_WAIT_S} s: try later"
                        ) from None
                    time.sleep(0.05)
            yield


def plain(value: Any) -> Any:
    """Return a value of a table as JSON holds it; None of a null.

    >>> plain(float("nan")), plain(2.0), plain(datetime(2026, 1, 1, tzinfo=UTC))
    (None, 2.0, '2026-01-01T00:00:00+00:00')
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "item"):
        value = value.item()
    if value != value:  # noqa: PLR0124
        return None
    if isinstance(value, datetime):
        value = value if value.tzinfo else value.replace(tzinfo=UTC)
        return value.astimezone(UTC).isoformat()
    return value
