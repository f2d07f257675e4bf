"""``results.sarif`` (SARIF 2.1.0, OASIS): gates as rules, evidence as results at the config's line.

Only what needs a person is a result: code scanners make an alert of each, whatever its kind. FAIL,
ERROR and a missed incident are of the kind ``fail``; INCONCLUSIVE and missing evidence are ``open``
(the standard's word for too little to decide on), of rules of their own whose level is a warning;
a waiver is a suppression. What passed is counted in the run's properties.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from pytest_mlgates import __version__
from pytest_mlgates.config.controls import Control, filed
from pytest_mlgates.config.schema import summary
from pytest_mlgates.core import Evidence, Outcome
from pytest_mlgates.core.errors import UnknownGate
from pytest_mlgates.core.files import put
from pytest_mlgates.core.words import one_line, place
from pytest_mlgates.registry import class_name, load
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.rows import GRAVEST_FIRST, states

__all__ = ["sarif", "write"]

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
#: GitHub shows 5,000 results of a run, refuses more than 25,000, and files over 10 MB (gzip)
MAX_RESULTS = 5_000
#: of these, for rules and what else is in a file
MAX_PACKED = 9_000_000

_WEB = re.compile("https?://", re.IGNORECASE)
#: what nobody has to look at
_QUIET = ("pass", "caught")


def write(report: Report, folder: Path) -> None:
    """Write ``results.sarif``."""
    put(folder / "results.sarif", json.dumps(sarif(report), indent=1, ensure_ascii=False) + "\n")


def sarif(report: Report) -> dict[str, object]:
    """Return the report as a SARIF log with one run."""
    found = [*_missing_results(report), *_results(report)]
    results = _within_limits(found)
    messages = [*map(one_line, report.incomplete)]
    if len(results) < len(found):
        more = len(found) - len(results)
        messages.append(f"{more:,} results of lesser weight are in report.json only")
    run: dict[str, object] = {
        "tool": {
            "driver": {
                "name": "pytest-mlgates",
                "semanticVersion": __version__,
                "rules": [*_sarif_rules(report)],
            }
        },
        "automationDetails": {"id": "mlgates/"},
        "invocations": [
            {
                "executionSuccessful": not report.incomplete,
                **({"endTimeUtc": at} if (at := _utc_instant(report)) else {}),
                **_notes(messages),
            }
        ],
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "the root of the repository"}}},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "outcome": report.outcome,
            "passed": sum(state in _QUIET for state in states(report).values()),
            "problems": [one_line(problem) for problem in report.problems[:100]],
        },
    }
    if taxonomies := list(_taxonomies(report)):
        run["taxonomies"] = taxonomies
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _within_limits(results: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return the first results, as many as GitHub takes: by their number and compressed size."""
    kept = results[:MAX_RESULTS]
    while len(text := json.dumps(kept, ensure_ascii=False).encode()) > MAX_PACKED:
        if len(gzip.compress(text, 6)) <= MAX_PACKED:
            break
        kept = kept[: len(kept) * 2 // 3]
    return kept


def _sarif_rules(report: Report) -> Iterator[dict[str, object]]:
    undecided = {p.gate for p in report.evidence if p.outcome == Outcome.INCONCLUSIVE}
    missing = {gap.gate for gap in report.missing}
    for name in sorted({piece.gate for piece in report.evidence} | missing):
        try:
            kind = load(name)
            question = summary(kind)
        except UnknownGate:
            question = "a gate that is not installed here"
        yield _rule(name, class_name(name), question, "error")
        if name in undecided:
            text = f"Too little to decide on: {question}"
            yield _rule(f"{name}/undecided", f"{class_name(name)}Undecided", text, "warning")
        if name in missing:
            text = f"Configured, and no evidence: {question}"
            yield _rule(f"{name}/missing", f"{class_name(name)}Missing", text, "warning")


def _rule(id_: str, name: str, question: str, level: str) -> dict[str, object]:
    gate = id_.partition("/")[0]
    return {
        "id": id_,
        "name": name,
        "shortDescription": {"text": one_line(question)},
        "fullDescription": {"text": one_line(question)},
        "help": {"text": f"`mlgates schema {gate}` prints its fields with their meaning."},
        "defaultConfiguration": {"level": level},
    }


def _results(report: Report) -> Iterator[dict[str, object]]:
    state_of = states(report)
    named = {system.system: system.controls for system in report.systems}
    for piece in sorted(report.evidence, key=lambda e: GRAVEST_FIRST.index(state_of[e.identity])):
        state = state_of[piece.identity]
        if state in _QUIET:
            continue
        undecided = state == "inconclusive"
        taxa = filed(report.controls, named.get(piece.system, ()), piece.gate)
        yield {
            "ruleId": f"{piece.gate}/undecided" if undecided else piece.gate,
            # a level beside `open` must be none, and hide it: the rule's own holds
            **({"kind": "open"} if undecided else {"kind": "fail", "level": "error"}),
            "message": {"text": _message(piece, state)},
            "locations": [_location(piece.source, piece.test)],
            "partialFingerprints": _fingerprints(_identity(piece)),
            **({"suppressions": _suppressions(report, piece)} if state == "waived" else {}),
            **({"taxa": [_taxon(control) for control in taxa]} if taxa else {}),
            "properties": {
                "system": one_line(piece.system),
                "entry": one_line(piece.entry),
                "state": state,
                "test": one_line(piece.test),
                "digest": piece.digest,
                "subjectDigest": piece.subject_digest or "",
                **_numbers(piece),
            },
        }


def _missing_results(report: Report) -> Iterator[dict[str, object]]:
    for gap in report.missing:
        text = f"{gap.system}: {gap.entry} is configured and left no evidence"
        key = f"missing {gap.system} {gap.entry}"
        yield {
            "ruleId": f"{gap.gate}/missing",
            "kind": "open",
            "message": {"text": _unlinked(one_line(text))},
            "locations": [_location(gap.source, "")],
            "partialFingerprints": _fingerprints(_sha(key)),
        }


def _message(piece: Evidence, state: str) -> str:
    heads = {
        "caught": "the incident was caught: ",
        "missed": "the known-bad subject was NOT caught: ",
        "inconclusive": "INCONCLUSIVE: ",
        "waived": "FAIL, waived: ",
    }
    lines = [heads.get(state, "") + piece.verdict.reason, *piece.findings[:5]]
    return _unlinked(one_line("; ".join(lines)))


def _unlinked(text: str) -> str:
    """Keep text from being read as a link or a placeholder (3.11.5 and 3.11.6)."""
    return re.sub(r"\{(\d+)\}", r"{{\1}}", text.replace("](", "] ("))


def _location(source: str, test: str) -> dict[str, object]:
    file, line = place(source)
    names = [{"fullyQualifiedName": one_line(test), "kind": "function"}] if test else []
    if not file:
        return {"logicalLocations": names or [{"name": "no config", "kind": "resource"}]}
    where = {
        "artifactLocation": {"uri": quote(file), "uriBaseId": "SRCROOT"},
        "region": {"startLine": line},
    }
    return {"physicalLocation": where, **({"logicalLocations": names} if names else {})}


def _numbers(piece: Evidence) -> dict[str, object]:
    measurement = piece.measurement
    if measurement is None:
        return {}
    known = {"value": measurement.value, "unit": one_line(measurement.unit), "n": measurement.n}
    if measurement.interval is not None:
        known["interval"] = list(measurement.interval)
    return known | ({"limit": piece.policy[piece.limit]} if piece.limits else {})


def _suppressions(report: Report, piece: Evidence) -> list[dict[str, object]]:
    waivers = report.waivers_of(piece.system, piece.entry)
    texts = (
        f"{w.reason} (until {w.expires}, approved by {w.approved_by})"
        for w in waivers
        if w.state == "in force"
    )
    return [
        {"kind": "external", "status": "accepted", "justification": one_line(text)}
        for text in texts
    ]


def _taxonomies(report: Report) -> Iterator[dict[str, object]]:
    frameworks: dict[str, list[Control]] = {}
    for control in report.controls:
        frameworks.setdefault(control.framework, []).append(control)
    for name, controls in frameworks.items():
        url = next((control.url for control in controls if _WEB.match(control.url)), "")
        yield {
            "name": name,
            **({"informationUri": url} if url else {}),
            "taxa": [
                {"id": control.id, "shortDescription": {"text": one_line(control.title)}}
                for control in controls
            ],
        }


def _taxon(control: Control) -> dict[str, object]:
    return {"id": control.id, "toolComponent": {"name": control.framework}}


def _notes(lines: Iterable[str]) -> dict[str, object]:
    notes = [{"level": "error", "message": {"text": _unlinked(line)}} for line in lines]
    return {"toolExecutionNotifications": notes} if notes else {}


def _utc_instant(report: Report) -> str:
    at = report.environment.get("finished")
    return at.replace("+00:00", "Z") if isinstance(at, str) else ""


def _fingerprints(identity: str) -> dict[str, str]:
    """Return ours, and the one by which GitHub tells results on one line apart."""
    return {"mlgatesEvidence/v1": identity, "primaryLocationLineHash": f"{identity[:16]}:1"}


def _identity(piece: Evidence) -> str:
    return _sha("\n".join((piece.system, piece.entry, piece.test, str(piece.call))))


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
