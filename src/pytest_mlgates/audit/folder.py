"""The output folder of a scan: its plan, what is done, and the key of its digests.

A partition is done when its findings file is there, and that is written in one step. So a scan that
was ended at any moment goes on from what is there, with the partitions that were planned at first.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_mlgates.audit.partitions import Partition
from pytest_mlgates.audit.settings import ScanSettings
from pytest_mlgates.audit.storage import Address
from pytest_mlgates.core.errors import UsageError

__all__ = ["OutFolder"]

_PLAN, _KEY, _SCAN = "plan.jsonl", "digest.key", "scan.json"


class OutFolder:
    """What a scan keeps below one address."""

    def __init__(self, address: str) -> None:
        self.address = Address.of(address)

    def key(self, file: Path | None) -> bytes:
        """Return the key of the digests: of the user's file, or one of this scan alone.

        The latter lies in the folder until the scan ends; digests then compare within it only.
        """
        if file is not None:
            data = file.read_bytes().strip()
            if len(data) < 16:
                raise UsageError(f"{file}: a key has 16 bytes or more")
            return data
        if not self.address.is_local:
            raise UsageError(
                "--key FILE is needed where --out is object storage: none is kept there"
            )
        place = Path(self.address.path) / _KEY
        if not place.exists():
            if self.planned():
                return b""  # it has ended: no digest is made any more
            place.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(secrets.token_hex(32).encode())
        return place.read_bytes()

    def planned(self) -> bool:
        """Tell whether a scan was begun here."""
        return self.address.joined(_PLAN).exists()

    def begin(self, settings: ScanSettings, partitions: Sequence[Partition]) -> None:
        """Write the plan; from here on the folder belongs to this scan."""
        head = {"options": settings.identity(), "secrets": settings.secrets()}
        lines = [
            json.dumps(head | {"partitions": len(partitions)}),
            *(partition.to_json() for partition in partitions),
        ]
        self.address.joined(_PLAN).write("\n".join(lines).encode())

    def plan(self) -> list[Partition]:
        """Return the partitions that were planned."""
        _, *lines = self._plan_lines()
        return [Partition.from_json(line) for line in lines]

    def check(self, settings: ScanSettings) -> None:
        """Raise :class:`UsageError` where the folder belongs to a scan with other settings."""
        head = json.loads(self._plan_lines()[0])
        now = settings.identity()
        other = [name for name, value in head["options"].items() if now.get(name) != value]
        if not other and self.summary() is None and head["secrets"] != settings.secrets():
            other = ["allow, or a key"]
        if other:
            raise UsageError(
                f"{self.address.text} holds a scan with another {other[0]}: give another --out, or "
                "the options that it was begun with"
            )

    def options(self) -> ScanSettings:
        """Return the settings that the scan was begun with, but for keys and allowed values."""
        found = json.loads(self._plan_lines()[0])["options"]
        return ScanSettings(
            entities=tuple(found["entities"]),
            regions=tuple(found["regions"]),
            columns=tuple(found["columns"]),
            names=found["names"],
            min_confidence=found["min_confidence"],
            sample=found["sample"],
            seed=found["seed"],
        )

    def plan_digest(self) -> str:
        """Return a digest of what was listed and how it is scanned."""
        head, *lines = self._plan_lines()
        text = json.dumps([json.loads(head)["options"], lines], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def left(self, partitions: Iterable[Partition]) -> list[Partition]:
        """Return the partitions that are not done."""
        done = self._done()
        return [one for one in partitions if one.file_name.rpartition("/")[2] not in done]

    def findings(self) -> Address:
        """Return the folder of the findings."""
        return self.address.joined("findings")

    def write(self, name: str, data: object) -> None:
        """Write a file of JSON."""
        text = json.dumps(data, indent=1, ensure_ascii=False)
        self.address.joined(name).write(text.encode("utf-8", "replace"))

    def end(self, summary: object) -> None:
        """Write what came out; the key of this scan alone is gone then."""
        self.write(_SCAN, summary)
        if self.address.is_local:
            (Path(self.address.path) / _KEY).unlink(missing_ok=True)

    def summary(self) -> dict[str, object] | None:
        """Return what came out, or None where the scan has not ended."""
        place = self.address.joined(_SCAN)
        if not place.exists():
            return None
        found: dict[str, object] = json.loads(place.read())
        return found

    def _plan_lines(self) -> list[str]:
        try:
            lines = self.address.joined(_PLAN).read().decode().split("\n")
            if len(lines) == json.loads(lines[0])["partitions"] + 1:
                return lines
        except (ValueError, KeyError, TypeError):
            pass
        raise UsageError(f"{self.address.text}: its plan is damaged: give another --out")

    def _done(self) -> set[str]:
        from pyarrow.fs import FileSelector

        folder = self.findings()
        selector = FileSelector(folder.path, allow_not_found=True)
        every = folder.filesystem.get_file_info(selector)
        return {info.base_name for info in every if info.is_file}
