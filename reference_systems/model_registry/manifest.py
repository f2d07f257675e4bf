"""What is known of an artifact, in a file that is itself stored under the digest of its content.

``signing`` has the form of an OpenSSF model-signing statement (predicate v1.0, method ``files``):
whoever signs it with that project's tools signs this artifact.

Source: https://github.com/sigstore/model-transparency/blob/main/docs/model_signing_format.md
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

from pytest_mlgates.core.canonical import canonical, parse
from reference_systems.model_registry.digests import full_digest
from reference_systems.model_registry.errors import Damaged, Refused

__all__ = ["Manifest", "signing_statement"]

_SCHEMA = "urn:pytest-mlgates:model-registry:manifest:v1"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Digest, size in bytes and format of an artifact, and what it came from.

    ``training_data`` is the SHA-256 of the training data, ``evidence`` that of the signed
    attestation it was promoted by; both are empty where there is none.

    >>> manifest = Manifest(digest=64 * "a", size=3, format="unknown", name="m.bin")
    >>> Manifest.read(manifest.to_bytes()) == manifest
    True
    """

    digest: str
    size: int
    format: str
    name: str
    training_data: str = ""
    evidence: str = ""

    def to_bytes(self) -> bytes:
        """Return the canonical JSON (RFC 8785); a name that is no UTF-8 is told with ``?``."""
        return canonical(
            {
                "schema": _SCHEMA,
                "artifact": {"sha256": self.digest, "size": self.size},
                "format": self.format,
                "name": _printable(self.name),
                "training_data": {"sha256": self.training_data} if self.training_data else None,
                "evidence": {"sha256": self.evidence} if self.evidence else None,
                "signing": signing_statement(_printable(self.name), self.digest),
            }
        )

    @classmethod
    def read(cls, data: bytes) -> Manifest:
        """Read what :meth:`to_bytes` wrote, or raise :class:`Damaged`."""
        try:
            plain: dict[str, Any] = parse(data)
            manifest = cls(
                digest=full_digest(plain["artifact"]["sha256"]),
                size=int(plain["artifact"]["size"]),
                format=str(plain["format"]),
                name=str(plain["name"]),
                training_data=(plain["training_data"] or {}).get("sha256", ""),
                evidence=(plain["evidence"] or {}).get("sha256", ""),
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, Refused):
            raise Damaged("a manifest can't be read") from None
        if manifest.to_bytes() != data:
            raise Damaged("a manifest is not in the form that is stored")
        return manifest


def _printable(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def signing_statement(name: str, digest: str) -> dict[str, Any]:
    """Return the in-toto statement that OpenSSF model signing makes of one file.

    Its subject is the model: the SHA-256 over the digests of its files, in the order of their
    names.
    """
    root = hashlib.sha256(bytes.fromhex(digest)).hexdigest()
    return {
        "_type": _STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": root}}],
        "predicateType": _PREDICATE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [],
            },
            "resources": [{"name": name, "algorithm": "sha256", "digest": digest}],
        },
    }
