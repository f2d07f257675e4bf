"""The attestation of a folder, read: what it says, and whether its signatures hold."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.core.plain import FileFault, read_plain
from pytest_mlgates.signing.envelope import EnvelopeFault, read_envelopes
from pytest_mlgates.signing.folder import Stored
from pytest_mlgates.signing.keys import KeyFault, PublicKey, public_from_pem
from pytest_mlgates.signing.statement import GATES, TEST_RESULT, Sealing, sealing_of
from pytest_mlgates.writers import ATTESTATION

__all__ = ["Attested", "read_attested"]

MAX_BYTES = 512 << 20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What an attestation says; ``fault`` is why its signatures do not hold, empty where they do.

    The signer's public key stands in the statement, so that a signature can be checked even where
    nobody accepts its key: whether the key is to be trusted is another question.
    """

    fault: str
    sha256: str = ""
    sealing: Sealing | None = None
    signer: PublicKey | None = None
    payloads: tuple[dict[str, Any], ...] = ()
    files: Mapping[str, Stored] = dataclasses.field(default_factory=dict)

    @property
    def predicate(self) -> Mapping[str, Any]:
        """The second statement's predicate; empty where there is none."""
        predicate: Mapping[str, Any] = self.payloads[1]["predicate"] if self.payloads else {}
        return predicate


def read_attested(path: Path) -> Attested:
    """Read a folder's attestation; never raises for what it holds."""
    try:
        data = read_plain(path, MAX_BYTES)
        envelopes = read_envelopes(data)
        if len(envelopes) != 2:
            raise EnvelopeFault(f"holds {len(envelopes)} envelopes, not two")
        payloads = tuple(envelope.statement for envelope in envelopes)
        if [payload.get("predicateType") for payload in payloads] != [TEST_RESULT, GATES]:
            raise EnvelopeFault("holds statements that a report does not have")
        sealing, files = sealing_of(payloads[1]), _attested_files(payloads[1])
        signer = public_from_pem(sealing.public_pem.encode(), "the signer's key")
    except (FileFault, EnvelopeFault, KeyFault) as error:
        return Attested(fault=f"{ATTESTATION} {error}")
    except (KeyError, TypeError, ValueError, AttributeError):
        return Attested(fault=f"{ATTESTATION} holds no statement about a report")
    fault = ""
    for number, envelope in enumerate(envelopes, 1):
        if not envelope.keyid == sealing.keyid == signer.key.keyid:
            fault = f"{ATTESTATION} line {number} names another key than the one that signed"
        elif not envelope.is_signed_by(signer):
            fault = f"{ATTESTATION} line {number}: the signature does not fit the bytes"
        if fault:
            break
    return Attested(
        fault=fault,
        sha256=hashlib.sha256(data).hexdigest(),
        sealing=sealing,
        signer=signer,
        payloads=payloads,
        files=files,
    )


def _attested_files(statement: Mapping[str, Any]) -> dict[str, Stored]:
    files = {}
    for entry in statement["predicate"]["files"]:
        name, size, digest = entry["name"], entry["size"], entry["sha256"]
        if not (isinstance(name, str) and isinstance(size, int) and isinstance(digest, str)):
            raise TypeError("a file without name, size or digest")
        files[name] = Stored(size, digest)
    return files
