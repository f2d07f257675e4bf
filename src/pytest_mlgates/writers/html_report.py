"""``report.html``: one file, no script, no request; works from disk and prints."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path

from pytest_mlgates.core import Evidence
from pytest_mlgates.report import Report
from pytest_mlgates.table import HEADINGS, number, rows
from pytest_mlgates.writers import put

__all__ = ["page", "write"]

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --pass: #14713a; --bad: #b3261e; --open: #8a5a00 }
@media (prefers-color-scheme: dark) { :root { --pass: #6fd195; --bad: #ff8a80; --open: #ffc966 } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line) }
.pass, .caught { color: var(--pass) } .fail, .error, .missed, .incomplete { color: var(--bad) }
.missing, .inconclusive, .waived { color: var(--open) }
.verdict { font-weight: 700 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line); padding: .6rem }
details { margin: .5rem 0 } summary { cursor: pointer }
@media print { details > pre { display: block } }
"""


def write(report: Report, folder: Path) -> None:
    """Write ``report.html``."""
    put(folder / "report.html", page(report))


def page(report: Report) -> str:
    """Return the report as one HTML page; every text in it is escaped."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    title = f"ML gates: {report.outcome.upper()}"
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield f"<title>{_text(title)}</title><style>{_STYLE}</style></head><body><main>"
    yield f'<h1>ML gates: <span class="{report.outcome}">{_text(report.outcome.upper())}</span></h1>'
    facts = report.environment
    known = [str(facts[key]) for key in ("finished", "python", "cpu") if facts.get(key)]
    yield f"<p>{_text(' · '.join(known))}</p>"
    yield from _list("Why it does not pass", list(report.problems))
    yield "<h2>Gates</h2><table><thead><tr>"
    yield "".join(f'<th scope="col">{_text(heading)}</th>' for heading in HEADINGS)
    yield "</tr></thead><tbody>"
    for row in rows(report):
        cells = row.cells()
        marked = {2: row.verdict.lower(), 6: row.incident}
        yield "<tr>" + "".join(
            f'<td class="{_text(marked.get(i, ""))}">{_text(cell)}</td>' if i in marked
            else f"<td>{_text(cell)}</td>"
            for i, cell in enumerate(cells)
        ) + "</tr>"  # fmt: skip
    yield "</tbody></table>"
    yield from _list(
        "Missing",
        [f"{g['system']}: {g['entry']} left no evidence ({g['source']})" for g in report.missing],
    )
    yield from _list(
        "Waivers",
        [
            f"{w['system']}: {w['gate']} ({w['state']}) until {w['expires']}, approved by "
            f"{w['approved_by']}, owner {w['owner']}: {w['reason']}"
            for w in report.waived
        ],
    )
    yield "<h2>Evidence</h2>"
    for piece in report.evidence:
        yield from _evidence(piece)
    yield "<h2>Environment</h2>"
    yield from _folded("Machine, commit and packages", dict(facts))
    configs = [f"{c['path']} sha256:{c['sha256']}" for c in report.configs]
    yield from _list("Configs", configs)
    yield "</main></body></html>\n"


def _evidence(piece: Evidence) -> Iterator[str]:
    digest = piece.digest
    outcome = piece.outcome.value
    role = "proof that the gate bites (known bad)" if piece.role == "known_bad" else "gate"
    yield f'<section id="{digest[:16]}"><h3>{_text(piece.system)}: {_text(piece.entry)} '
    yield f'<span class="{outcome}">{outcome.upper()}</span></h3>'
    yield f'<p class="verdict">{_text(piece.verdict.reason)}</p>'
    yield from _list("", list(piece.findings))
    rows_ = {
        "claim": piece.claim, "role": role, "test": piece.test, "subject": piece.subject,
        "subject digest": piece.subject_digest or "could not be told",
        "policy": f"{piece.source} {json.dumps(piece.policy, sort_keys=True)}", "seed": piece.seed,
        "evidence digest": digest,
    }  # fmt: skip
    if piece.measurement and piece.measurement.interval:
        low, high = piece.measurement.interval
        rows_["interval"] = f"{number(low)} to {number(high)} {piece.measurement.unit}"
    yield "<table>"
    for name, value in rows_.items():
        if value:
            yield f'<tr><th scope="row">{_text(name)}</th><td>{_text(value)}</td></tr>'
    yield "</table>"
    if piece.measurement:
        yield from _folded("Measurement", piece.measurement.to_dict())
    yield "</section>"


def _list(title: str, entries: list[str]) -> Iterator[str]:
    if entries:
        if title:
            yield f"<h2>{_text(title)}</h2>"
        yield "<ul>" + "".join(f"<li>{_text(entry)}</li>" for entry in entries) + "</ul>"


def _folded(title: str, value: object) -> Iterator[str]:
    text = json.dumps(value, indent=1, ensure_ascii=False, default=dict)
    yield f"<details><summary>{_text(title)}</summary><pre>{_text(text)}</pre></details>"


def _text(value: object) -> str:
    """Escape a text, and show what can't be seen (control and direction characters)."""
    text = "".join(c if c.isprintable() or c in "\n " else f"\\u{ord(c):04x}" for c in str(value))
    return html.escape(text)
