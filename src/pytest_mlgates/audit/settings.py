"""What is looked for, and how: the whole of what a worker is told beside its partition."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Literal

from pytest_mlgates.pii.find import Detector

__all__ = ["OPERATORS", "Operator", "Redaction", "ScanSettings"]

Operator = Literal["replace", "mask", "hash", "encrypt"]
OPERATORS: tuple[Operator, ...] = ("replace", "mask", "hash", "encrypt")


@dataclass(frozen=True, slots=True)
class Redaction:
    """Where a redacted copy goes and by which of Presidio's operators."""

    to: str
    operator: Operator = "replace"
    key: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSettings:
    """How a data set is scanned; the same settings give the same findings everywhere.

    ``key`` makes the digests of the findings: whoever has it can try values. ``out`` is the
    address that findings go to. ``sample`` is the number of records drawn, 0 for all.
    """

    entities: tuple[str, ...]
    regions: tuple[str, ...] = ("US",)
    allow: tuple[str, ...] = ()
    names: bool = False
    min_confidence: float = 0.5
    columns: tuple[str, ...] = ()
    key: bytes = b""
    out: str = ""
    sample: int = 0
    seed: int = 0
    redaction: Redaction | None = None

    def detector(self) -> Detector:
        """Return what looks for the identifiers."""
        return Detector(self.entities, self.allow, names=self.names, regions=self.regions)

    def identity(self) -> dict[str, object]:
        """Return the options that tell one scan from another; no value that is allowed, no key."""
        copy = self.redaction
        return {
            "entities": sorted(self.entities),
            "regions": list(self.regions),
            "names": self.names,
            "min_confidence": self.min_confidence,
            "columns": list(self.columns),
            "sample": self.sample,
            "seed": self.seed,
            "redaction": [copy.to, copy.operator] if copy else None,
        }

    def secrets(self) -> str:
        """Return a digest of the rest, which takes the key to be made."""
        copy = self.redaction
        return self._mark(json.dumps([sorted(self.allow), copy.key.hex() if copy else ""]))

    def _mark(self, text: str) -> str:
        return hmac.new(self.key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]
