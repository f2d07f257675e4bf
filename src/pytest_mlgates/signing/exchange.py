"""An attestation in forms that other tools take: a Sigstore bundle for each envelope, a summary.

A bundle holds one DSSE envelope and the hint of its key (cosign's blob verifier reads no file with
two). A verification summary (SLSA VSA) tells a deployment who verified what, by which policy, and
that is all it has to believe.

Sources: sigstore/protobuf-specs (bundle v0.3), https://slsa.dev/spec/v1.1/verification_summary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pytest_mlgates import __version__
from pytest_mlgates.core.canonical import canonical, parse
from pytest_mlgates.report.model import Report
from pytest_mlgates.signing.attested import Attested
from pytest_mlgates.signing.envelope import sign
from pytest_mlgates.signing.keys import SigningKey

__all__ = ["BUNDLES", "VSA", "bundles", "verification_summary"]

VSA = "https://slsa.dev/verification_summary/v1"
#: the file of each envelope, in their order
BUNDLES = ("test-result.sigstore.json", "gates.sigstore.json")
_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def bundles(attestation: bytes) -> dict[str, bytes]:
    """Return each envelope of an attestation as a Sigstore bundle, by its file's name."""
    lines = attestation.splitlines()
    return {
        name: canonical(_bundle(parse(line))) for name, line in zip(BUNDLES, lines, strict=True)
    }


def _bundle(envelope: Mapping[str, Any]) -> dict[str, object]:
    (signature,) = envelope["signatures"]
    return {
        "mediaType": _MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": signature["keyid"]}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": envelope["payload"],
            "payloadType": envelope["payloadType"],
            "signatures": [{"sig": signature["sig"], "keyid": signature["keyid"]}],
        },
    }


def verification_summary(
    report: Report,
    attested: Attested,
    key: SigningKey,
    *,
    verifier: str,
    good: bool,
    policy: Sequence[tuple[str, str]],
) -> bytes:
    """Return the signed summary of a verification, as one line with a DSSE envelope.

    ``policy`` are the gate configs it was held against, (path, SHA-256). Its subjects are what was
    gated; of what has no digest it says nothing.
    """
    subjects = [
        subject
        for subject in (attested.payloads[0]["subject"] if attested.payloads else ())
        if str(subject["name"]).startswith("gated:")
    ]
    digest = hashlib.sha256(canonical([list(pair) for pair in policy])).hexdigest()
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects or [{"name": "report", "digest": {"sha256": attested.sha256}}],
        "predicateType": VSA,
        "predicate": {
            "verifier": {"id": verifier, "version": {"pytest-mlgates": __version__}},
            "timeVerified": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "resourceUri": f"urn:pytest-mlgates:systems:{'+'.join(s.system for s in report.systems)}",
            "policy": {"uri": "urn:pytest-mlgates:gate-configs", "digest": {"sha256": digest}},
            "inputAttestations": [
                {"uri": "attestation.intoto.jsonl", "digest": {"sha256": attested.sha256}}
            ],
            "verificationResult": "PASSED" if good else "FAILED",
            "verifiedLevels": ["MLGATES_PASSED"] if good else [],
            "slsaVersion": "1.1",
        },
    }
    return sign([statement], key)
