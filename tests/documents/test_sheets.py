"""``mlgates report --as``: what a sheet says is in the report, and what is not stays open."""

from __future__ import annotations

import base64
import json
import re
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pytest_mlgates.cli import main
from pytest_mlgates.documents.kinds import KINDS
from pytest_mlgates.documents.page import as_html
from pytest_mlgates.documents.sheet import DISCLAIMER, MAX_ROWS, Section, Sheet, Table, as_markdown
from tests.page.test_page import MARKUP

#: every gate of a version before this one, sound and flawed, signed
OLD = Path(__file__).parents[1] / "data" / "report-0.2.0"
#: words that would say more than evidence can
CLAIMS = re.compile(
    r"\b(complian|conform|certif|fulfil|satisf|meets? the (law|requirement))", re.IGNORECASE
)


def shown(capsys, *words):
    status = main(["report", str(OLD), *words])
    return status, capsys.readouterr().out


@pytest.mark.parametrize("kind", KINDS)
def test_a_sheet_holds_what_the_report_holds(kind, capsys):
    """And never more: a figure that is in no report is a claim of ours."""
    status, text = shown(capsys, "--as", kind)
    assert status == 1  # the run did not pass
    data = json.loads((OLD / "report.json").read_text("utf-8"))
    assert DISCLAIMER in text
    assert not CLAIMS.search(text)
    assert "- [ ] " in text
    known = (
        json.dumps(data) + signed_texts() + sha256((OLD / "report.json").read_bytes()).hexdigest()
    )
    assert [digest for digest in re.findall(r"\b[0-9a-f]{64}\b", text) if digest not in known] == []
    gates = {gate["entry"] for system in data["systems"] for gate in system["gates"]}
    if kind != "ll-144":
        flat = text.replace("\\", "")
        assert all(f"| {gate} |" in flat for gate in gates)


def signed_texts():
    lines = (OLD / "attestation.intoto.jsonl").read_text().splitlines()
    return "".join(base64.b64decode(json.loads(line)["payload"]).decode() for line in lines)


def test_the_figures_of_a_bias_audit_are_those_of_the_evidence(capsys):
    _, text = shown(capsys, "--as", "ll-144")
    data = json.loads((OLD / "report.json").read_text("utf-8"))
    piece = next(p for p in data["evidence"] if p["gate"] == "impact_ratio" and p["role"] == "gate")
    for table in piece["measurement"]["details"]["tables"]:
        for row in table["categories"]:
            ratio = "left out" if row["left_out"] else f"{row['ratio']:.3f}"
            cells = f"| {row['n']:,} | {row['selected']:,} | {row['rate']:.3f} | {ratio} |"
            assert cells in text
        assert f"| unknown | {table['unknown']:,} |" in text
    assert "independent auditor" in text


class Text(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not any(name.startswith("on") or name == "src" for name, _ in attrs)

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize("kind", KINDS)
def test_as_a_page(kind, tmp_path, capsys):
    file = tmp_path / "sheet.html"
    assert shown(capsys, "--as", kind, "--to", str(file)) == (1, "")
    page = Text(file.read_text("utf-8"))
    assert "script" not in page.tags
    assert DISCLAIMER in " ".join(page.words)


def test_no_text_becomes_markup():
    table = Table((MARKUP, "b"), ((MARKUP, "x|y"),) * (MAX_ROWS + 3), MARKUP)
    sheet = Sheet(MARKUP, (Section(MARKUP, MARKUP, (MARKUP,), (table,), (MARKUP,)),))
    plain = Sheet("t", (Section("t", "t", ("t",), (Table(("a", "b"), table.rows, "t"),), ("t",)),))
    assert set(Text(as_html([sheet])).tags) == set(Text(as_html([plain])).tags)
    text = as_markdown(sheet)
    assert "<img" not in re.sub(r"\\.", "", text)
    assert "and 3 more, in report.json" in text
    assert "x\\|y" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--as", "annex-4"], "--as annex-4: is no sheet: did you mean 'annex-iv'?"),
        (["--as", "annex-iv", "--system", "demos"], "did you mean 'demo'?"),
        (["--system", "demo"], "--system and --to: are about a sheet: add --as"),
        (["--as", "annex-iv", "--out", "x"], "--as and --out: ask for one of them at a time"),
    ],
)
def test_asked_wrongly(words, said, capsys):
    assert main(["report", str(OLD), *words]) == 4
    assert said in capsys.readouterr().err


def test_no_bias_audit_without_applicants(project, capsys):
    project.config("version: 1\nsystem: demo\nowner: a\ngates:\n  slice_coverage: {min_count: 2}\n")
    project.tests(
        'def test_it(slice_coverage):\n    slice_coverage([{"s": "a"}, {"s": "b"}] * 3, "s")\n'
    )
    project.run()
    assert main(["report", str(project.report_folder), "--as", "ll-144"]) == 4
    assert "demo has no evidence of impact_ratio" in capsys.readouterr().err


def test_a_forged_number_is_told_in_the_sheet(tmp_path, capsys):
    """The digest fits; the number does not follow from the details."""
    from pytest_mlgates.core import Evidence

    data = json.loads((OLD / "report.json").read_text("utf-8"))
    piece = next(p for p in data["evidence"] if p["gate"] == "cost_budget")
    piece["measurement"]["value"] = 1.0
    plain = {key: value for key, value in piece.items() if key != "digest"}
    old, new = piece["digest"], Evidence.from_dict(plain).digest
    text = json.dumps(data).replace(old, new)
    folder = tmp_path / "forged"
    folder.mkdir()
    (folder / "report.json").write_text(text)
    assert main(["report", str(folder), "--as", "model-card"]) == 1
    assert "DID NOT FOLLOW" in capsys.readouterr().out


def test_an_index_over_runs(tmp_path, project, capsys):
    runs = tmp_path / "runs"
    runs.mkdir()
    project.config("version: 1\nsystem: demo\nowner: a\ngates:\n  slice_coverage: {min_count: 2}\n")
    project.tests(
        'def test_it(slice_coverage):\n    slice_coverage([{"s": "a"}, {"s": "b"}] * 3, "s")\n'
    )
    for name in ("first", "second & <b>"):
        project.run()
        project.report_folder.rename(runs / name)
    (runs / "broken").mkdir()
    (runs / "broken" / "report.json").write_text("{")
    page = runs / "index.html"
    assert main(["report", str(runs), "--index", str(page)]) == 1
    assert "2 runs, 1 left out" in capsys.readouterr().out
    text = page.read_text("utf-8")
    assert 'href="second%20%26%20%3Cb%3E/report.html"' in text
    assert text.count('<span class="chip pass">PASS</span>') == 2
    assert "demo: 1 PASS" in text
    assert "is not JSON" in text
    assert "<b>/" not in text
