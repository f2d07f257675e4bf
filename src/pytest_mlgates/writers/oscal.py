"""``oscal-assessment-results.json`` (NIST OSCAL): a finding for each configured gate.

OSCAL knows ``satisfied`` and ``not-satisfied``, with the reason ``pass``, ``fail`` or ``other``.
So PASS is satisfied; FAIL and WAIVED are not (the waiver is a risk with an approved deviation);
INCONCLUSIVE, ERROR, missing and incomplete are not satisfied for another reason, and the property
``state`` holds our own word. No finding says that a control is met.
"""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from pytest_mlgates import __version__
from pytest_mlgates.config.controls import filed
from pytest_mlgates.config.waivers import ends
from pytest_mlgates.core import Evidence
from pytest_mlgates.core.canonical import sha256
from pytest_mlgates.core.files import put
from pytest_mlgates.core.words import one_line
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.rows import GRAVEST_FIRST, rows, states

__all__ = ["MAX_OBSERVATIONS", "oscal", "write"]

OSCAL = "1.2.3"
#: pieces of evidence that become observations; the gravest come first
MAX_OBSERVATIONS = 10_000
#: whose words our properties are
_NS = "urn:pytest-mlgates:oscal"
_REASONS = {"pass": "pass", "fail": "fail", "waived": "fail"}


def write(report: Report, folder: Path) -> None:
    """Write ``oscal-assessment-results.json``; not before the run has ended."""
    name = "oscal-assessment-results.json"
    if "finished" not in report.environment and not report.evidence:
        (folder / name).unlink(missing_ok=True)  # of an earlier run: there is no result yet
        return
    put(folder / name, json.dumps(oscal(report), indent=1, ensure_ascii=False) + "\n")


def oscal(report: Report) -> dict[str, object]:
    """Return the report as an OSCAL assessment-results document; the same report, the same ids."""
    digests = [piece.digest for piece in report.evidence]
    configs = [dataclasses.asdict(config) for config in report.configs]
    seed = sha256([report.environment, digests, configs])
    at = str(report.environment.get("finished") or report.environment.get("started"))
    plan = _uuid(seed, "plan")
    return {
        "assessment-results": {
            "uuid": _uuid(seed, "document"),
            "metadata": _metadata(report, at),
            "import-ap": {"href": f"#{plan}", "remarks": "The gate configs are the plan."},
            "results": [_oscal_result(report, seed, at)],
            "back-matter": {"resources": [_plan(report, plan)]},
        }
    }


def _oscal_result(report: Report, seed: str, at: str) -> dict[str, object]:
    state_of = states(report)
    gravest = sorted(report.evidence, key=lambda e: GRAVEST_FIRST.index(state_of[e.identity]))
    shown = gravest[:MAX_OBSERVATIONS]
    left = len(gravest) - len(shown)
    observations = [_observation(piece, state_of[piece.identity], at) for piece in shown]
    components = {_subject(piece): _component(piece) for piece in shown}
    if shown:
        components[_TOOL] = _tool()
    findings = list(_oscal_findings(report, seed, {piece.digest for piece in shown}))
    risks = list(_risks(report, seed))
    note = f"{left:,} more observations are in report.json only. " if left else ""
    return {
        "uuid": _uuid(seed, "result"),
        "title": f"ML gates: {report.outcome.upper()}",
        "description": note + "; ".join(map(one_line, report.problems[:20]))
        or "No problem was found.",
        "start": str(report.environment.get("started") or at),
        "end": at,
        "props": [_prop("outcome", report.outcome)],
        **_some(
            "local-definitions",
            _some("components", list(components.values())) if components else {},
        ),
        "reviewed-controls": {"control-selections": [_selection(report)]},
        **_some("observations", observations),
        **_some("risks", risks),
        **_some("findings", findings),
    }


def _metadata(report: Report, at: str) -> dict[str, object]:
    return {
        "title": f"ML gates: {report.outcome.upper()}",
        "last-modified": at,
        "version": __version__,
        "oscal-version": OSCAL,
        "roles": [{"id": "system-owner", "title": "Owner of a gated system"}],
        **_parties(report),
        "remarks": "Lists evidence. Does not claim that a law, a standard or a contract is met.",
    }


def _parties(report: Report) -> Mapping[str, object]:
    """Return who answers for what was gated, as the configs name them."""
    owners = sorted({system.owner for system in report.systems if system.owner.strip()})
    parties = [
        {"uuid": _uuid(owner, "party"), "type": "organization", "name": one_line(owner)}
        for owner in owners
    ]
    uuids = [party["uuid"] for party in parties]
    if not parties:
        return {}
    return {
        "parties": parties,
        "responsible-parties": [{"role-id": "system-owner", "party-uuids": uuids}],
    }


def _selection(report: Report) -> dict[str, object]:
    if not report.controls:
        return {"description": "The configs name no control.", "include-all": {}}
    ids = [{"control-id": token(control.id)} for control in report.controls]
    return {"description": "The controls that the configs name.", "include-controls": ids}


def _observation(piece: Evidence, state: str, at: str) -> dict[str, object]:
    measurement = piece.measurement
    numbers: dict[str, object] = {}
    if measurement is not None:
        numbers = {"value": measurement.value, "unit": measurement.unit, "n": measurement.n}
        if measurement.interval is not None:
            numbers["interval"] = f"{measurement.interval[0]:.6g} to {measurement.interval[1]:.6g}"
    numbers |= {name: piece.policy.get(name) for name in ("alpha", "beta") if name in piece.policy}
    if piece.limits:
        numbers["limit"] = f"{piece.limit} {piece.policy[piece.limit]}"
    known = {
        "state": state, "gate": piece.gate, "role": piece.role.value, "test": piece.test,
        "policy-source": piece.source, "seed": piece.seed, **numbers,
    }  # fmt: skip
    return {
        "uuid": _uuid(piece.digest, "observation"),
        "title": one_line(f"{piece.system}: {piece.entry}"),
        "description": one_line("; ".join((piece.verdict.reason, *piece.findings[:5]))),
        "props": [_prop(name, value) for name, value in known.items() if str(value).strip()],
        "methods": ["TEST"],
        "subjects": [{"subject-uuid": _subject(piece), "type": "component"}],
        "relevant-evidence": [
            {
                "href": "report.json",
                "description": "The evidence, by its digest; `mlgates replay` decides it again.",
                "props": [_prop("evidence-digest", piece.digest)],
            }
        ],
        "origins": [{"actors": [{"type": "tool", "actor-uuid": _TOOL}]}],
        "collected": at,
        **({"remarks": one_line(piece.claim)} if piece.claim else {}),
    }


def _subject(piece: Evidence) -> str:
    return _uuid(piece.subject_digest or piece.digest, f"subject {piece.subject}")


def _component(piece: Evidence) -> dict[str, object]:
    digest = piece.subject_digest or "could not be told"
    return {
        "uuid": _subject(piece),
        "type": "software",
        "title": one_line(piece.subject or piece.gate) or "a subject",
        "description": "What was gated.",
        "props": [_prop("subject-digest", digest)],
        "status": {"state": "under-development"},
    }


def _tool() -> dict[str, object]:
    return {
        "uuid": _TOOL,
        "type": "software",
        "title": "pytest-mlgates",
        "description": "What measured and decided.",
        "props": [_prop("version", __version__)],
        "status": {"state": "operational"},
    }


def _oscal_findings(report: Report, seed: str, shown: set[str]) -> Iterator[dict[str, object]]:
    for row in rows(report):
        gate, state = row.gate, row.gate.status
        served = filed(report.controls, row.system.controls, gate.gate)
        related = [
            {"observation-uuid": _uuid(digest, "observation")}
            for digest in dict.fromkeys((*gate.evidence, *gate.proof))
            if digest in shown
        ]
        risks = [
            {"risk-uuid": _uuid(seed, f"risk {waiver.about} {waiver.source}")}
            for waiver in report.waivers_of(row.system.system, gate.entry)
        ]
        yield {
            "uuid": _uuid(seed, f"finding {row.name}"),
            "title": one_line(row.name),
            "description": f"{state.upper()}; incident {gate.incident}.",
            "props": [
                _prop("state", state),
                _prop("incident", gate.incident),
                *(_prop("control", control.id) for control in served),
            ],
            "target": {
                "type": "objective-id",
                "target-id": token(f"{row.system.system}.{gate.entry}"),
                "status": {
                    "state": "satisfied" if state == "pass" else "not-satisfied",
                    "reason": _REASONS.get(state, "other"),
                },
            },
            **_some("related-observations", related),
            **_some("related-risks", risks),
        }


def _risks(report: Report, seed: str) -> Iterator[dict[str, object]]:
    for waiver in report.waived:
        yield {
            "uuid": _uuid(seed, f"risk {waiver.about} {waiver.source}"),
            "title": one_line(f"Waiver of {waiver.about}"),
            "description": one_line(waiver.reason),
            "statement": one_line(
                f"Accepted by {waiver.approved_by}; owner {waiver.owner}; {waiver.state}."
            ),
            "status": "open" if waiver.state == "expired" else "deviation-approved",
            "deadline": ends(waiver.expires).isoformat(),
        }


def _plan(report: Report, plan: str) -> dict[str, object]:
    links = [
        {
            "href": quote(config.path),
            "hashes": [{"algorithm": "SHA-256", "value": config.sha256}],
        }
        for config in report.configs
    ]
    return {
        "uuid": plan,
        "title": "Gate configs",
        "description": "What was to be gated, and held to which limits.",
        **_some("rlinks", links),
    }


def token(text: str) -> str:
    """Return a text as an OSCAL token.

    >>> token("HIPAA:164.312(b)"), token("7 days")
    ('HIPAA.164.312-b', '_7-days')
    """
    safe = "".join(c if c.isalnum() or c in "._-" else "." if c == ":" else "-" for c in text)
    safe = safe.strip("-.") or "_"
    return safe if safe[0].isalpha() or safe[0] == "_" else f"_{safe}"


def _prop(name: str, value: object) -> dict[str, str]:
    return {"name": name, "ns": _NS, "value": one_line(str(value)).strip() or "-"}


def _some(name: str, value: object) -> Mapping[str, object]:
    """Return a member, or nothing where it is empty: OSCAL has no empty lists."""
    return {name: value} if value else {}


def _uuid(digest: str, what: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{_NS}#{digest} {what}"))


#: this package, as an actor
_TOOL = _uuid(__version__, "tool")
