"""What is signed of a report: two in-toto statements about the same subjects. Pure.

They are made of ``report.json`` as it was written, whatever its schema, so that a report of an older
version can still be compared with what was signed.

The first holds the field's *test-result* predicate, which any in-toto verifier reads and which
knows PASSED, WARNED and FAILED only. The second holds a predicate of ours with what the first
can't say. Both follow from ``report.json``, the digests of the files and the few facts in
:class:`Sealing`, so that a verifier makes them again and compares.

| in the report                               | in test-result |
|---------------------------------------------|----------------|
| pass                                        | passed         |
| fail, error; a known-bad subject not caught | failed         |
| waived                                      | warned         |
| inconclusive, missing                       | failed where the profile says so, else warned |

``result`` is FAILED where the run exits with 1 or nothing was gated, else WARNED where a test is
warned, else PASSED.

Source: https://github.com/in-toto/attestation (Statement v1, test-result v0.1).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from pytest_mlgates.core.canonical import Json
from pytest_mlgates.signing.folder import Stored

__all__ = ["GATES", "TEST_RESULT", "Sealing", "check", "sealing_of", "statements"]

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
#: a later version that says more has another number; this one is made again by verifiers
GATES = "urn:pytest-mlgates:gates:v1"

_STATEMENT = "https://in-toto.io/Statement/v1"
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """What a signature adds to a report: when, by which key, and its place in a chain of runs."""

    signed: str
    keyid: str
    public_pem: str
    chain: Mapping[str, Json] | None = None


def statements(
    report: Mapping[str, object], files: Mapping[str, Stored], sealing: Sealing
) -> tuple[dict[str, object], dict[str, object]]:
    """Return both statements about a report (as ``report.json`` holds it) and its files."""
    subjects = _subjects(report, files)
    head = {"_type": _STATEMENT, "subject": subjects}
    return (
        {**head, "predicateType": TEST_RESULT, "predicate": _test_result(report)},
        {**head, "predicateType": GATES, "predicate": _gate_rows(report, files, sealing)},
    )


def check(both: tuple[dict[str, object], dict[str, object]]) -> None:
    """Hold statements against in-toto's own definitions; an error here is a mistake of ours."""
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult
    from in_toto_attestation.v1.statement import Statement
    from in_toto_attestation.v1.statement_pb2 import Statement as Message

    for statement in both:
        Statement.copy_from_pb(ParseDict(statement, Message())).validate()
    ParseDict(both[0]["predicate"], TestResult())


def sealing_of(statement: Mapping[str, Any]) -> Sealing:
    """Return what the second statement says of its signing; KeyError or TypeError if it can't be."""
    predicate = statement["predicate"]
    signer, signed, chain = predicate["signer"], predicate["signed"], predicate["chain"]
    texts = (signed, signer["keyid"], signer["publicKey"])
    if not all(isinstance(text, str) for text in texts) or not isinstance(chain, dict | None):
        raise TypeError("chain is neither an object nor null, or a text is missing")
    return Sealing(signed=signed, keyid=texts[1], public_pem=texts[2], chain=chain)


def _subjects(report: Mapping[str, Any], files: Mapping[str, Stored]) -> list[dict[str, Any]]:
    """The files of the folder, the configs, and what was gated."""
    found = {f"report:{name}": {"sha256": files[name].sha256} for name in sorted(files)}
    for config in report["configs"]:
        found[f"config:{config['path']}"] = {"sha256": config["sha256"]}
    gated = {
        (piece["subject"], piece["subject_digest"])
        for piece in report["evidence"]
        if piece["role"] == "gate" and piece["subject_digest"]
    }
    for number, (name, digest) in enumerate(sorted(gated), 1):
        found[f"gated:{number}:{name}"] = _digest_set(digest)
    return [{"name": name, "digest": digest} for name, digest in found.items()]


def _digest_set(digest: str) -> dict[str, str]:
    """Name the algorithm: what a subject declares as SHA-256 of its bytes, or our walk over it."""
    plain = _SHA256.fullmatch(digest)
    return {"sha256": plain[1]} if plain else {"mlgatesSubject": digest}


def _test_result(report: Mapping[str, Any]) -> dict[str, Any]:
    tests: dict[str, list[str]] = {"passed": [], "warned": [], "failed": []}
    for system in report["systems"]:
        for gate in system["gates"]:
            kind = _predicate_kind(gate["status"], system["rules"])
            tests[kind].append(f"{system['system']}/{gate['entry']}")
    if report["problems"] or tests["failed"] or not report["evidence"]:
        result = "FAILED"
    else:
        result = "WARNED" if tests["warned"] else "PASSED"
    return {
        "result": result,
        "configuration": [
            {"name": config["path"], "digest": {"sha256": config["sha256"]}}
            for config in report["configs"]
        ],
        **{f"{kind}Tests": names for kind, names in tests.items()},
    }


def _predicate_kind(status: str, rules: Mapping[str, object]) -> str:
    if status == "inconclusive":
        return "failed" if rules["inconclusive"] == "fail" else "warned"
    if status == "missing":
        return "failed" if rules["complete"] else "warned"
    return {"pass": "passed", "waived": "warned"}.get(status, "failed")


def _gate_rows(
    report: Mapping[str, Any], files: Mapping[str, Stored], sealing: Sealing
) -> dict[str, Any]:
    facts = report["environment"]
    return {
        "tool": {"name": "pytest-mlgates", "version": facts.get("pytest_mlgates")},
        "signer": {"keyid": sealing.keyid, "publicKey": sealing.public_pem},
        "signed": sealing.signed,
        "chain": sealing.chain,
        "outcome": report["outcome"],
        "passed": not report["problems"],
        **{name: facts.get(name) for name in ("started", "finished", "commit", "profile", "seed")},
        "files": [
            {"name": name, "size": files[name].size, "sha256": files[name].sha256}
            for name in sorted(files)
        ],
        **{
            name: report[name] for name in ("configs", "systems", "missing", "incomplete", "waived")
        },
        "evidence": [_subject_row(piece) for piece in report["evidence"]],
    }


def _subject_row(piece: Mapping[str, Any]) -> dict[str, Any]:
    """Return names and numbers of a piece of evidence; no text that a subject may have written."""
    policy, measured = piece["policy"], piece["measurement"] or {}
    return {
        **{name: piece[name] for name in ("digest", "system", "entry", "gate", "role")},
        "outcome": piece["verdict"]["outcome"],
        **{name: measured.get(name) for name in ("value", "unit", "n", "interval")},
        "limit": {"field": piece["limit"], "value": policy.get(piece["limit"])},
        **{name: policy.get(name) for name in ("alpha", "beta")},
        "subject": piece["subject"],
        "subject_digest": piece["subject_digest"],
    }
