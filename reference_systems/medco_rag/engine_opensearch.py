"""OpenSearch behind the same interface: BM25 and k-NN in one hybrid query, each with the filter.

The index keeps vectors for the engine ``lucene``, whose beam is ``k`` itself: asking for as many
neighbours as are wanted finds a third of them, so more are asked for and cut. Fusion is a search
pipeline of the server (reciprocal rank); what comes back is filtered once more.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from reference_systems.medco_rag.embed import WIDTH, embedder
from reference_systems.medco_rag.engine import Mode, admitted, row_of
from reference_systems.medco_rag.filters import Filter, for_opensearch

if TYPE_CHECKING:
    from reference_systems.medco_rag.model import Chunk

__all__ = ["MAPPING", "OpenSearchEngine", "client", "hybrid_query"]

MAPPING: dict[str, object] = {
    "settings": {"index": {"knn": True, "number_of_shards": 1, "number_of_replicas": 0}},
    "mappings": {
        "dynamic": "strict",
        "properties": {
            **{
                name: {"type": "keyword"}
                for name in ("id", "patient", "file", "document_type", "encounter", "specialty_key")
            },
            "doctor_specialty": {"type": "keyword", "index": False},
            "encounter_date": {"type": "keyword"},
            "text": {"type": "text"},
            "start": {"type": "long", "index": False},
            "end": {"type": "long", "index": False},
            "vector": {
                "type": "knn_vector",
                "dimension": WIDTH,
                "method": {
                    "name": "hnsw",
                    "engine": "lucene",
                    "space_type": "cosinesimil",
                    "parameters": {"m": 16, "ef_construction": 100},
                },
            },
        },
    },
}
_PIPELINE = {
    "description": "reciprocal rank fusion of BM25 and k-NN",
    "phase_results_processors": [{"score-ranker-processor": {"combination": {"technique": "rrf"}}}],
}
#: neighbours asked for at least: the beam of the engine
_BEAM = 200
#: rows of a page of a scan, and of a bulk
_PAGE = 1_000


def _ndjson(lines: Sequence[Mapping[str, object]]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


class Transport(Protocol):
    """What is used of a client of opensearch-py."""

    def perform_request(
        self, method: str, url: str, params: Mapping[str, object] | None = None, body: object = None
    ) -> object:
        """Send one request."""


def client(address: str) -> Transport:
    """Return the transport of a client for ``http://host:port``; no proxy, no sniffing."""
    from opensearchpy import OpenSearch

    return OpenSearch(address, timeout=30, max_retries=0, trust_env=False).transport


def hybrid_query(
    words: str, vector: Sequence[float], wanted: Filter | None, k: int, mode: Mode
) -> dict[str, object]:
    """Return the body of a search; the filter stands inside each part, before any ranking.

    >>> body = hybrid_query("latex", [0.0], Filter(patient="p1"), 5, Mode.TEXT)
    >>> body["query"]["bool"]["filter"]
    [{'bool': {'filter': [{'term': {'patient': 'p1'}}]}}]
    """
    inside = for_opensearch(wanted) if wanted is not None else {"match_all": {}}
    text = {"bool": {"must": [{"match": {"text": words}}], "filter": [inside]}}
    near = {"knn": {"vector": {"vector": list(vector), "k": max(k, _BEAM), "filter": inside}}}
    query: dict[str, object] = {
        Mode.TEXT: text,
        Mode.VECTOR: near,
        Mode.HYBRID: {"hybrid": {"queries": [text, near]}},
    }[mode]
    return {"size": k, "query": query, "_source": {"excludes": ["vector"]}}


class OpenSearchEngine:
    """Passages in one index of a server; the index goes with ``close``."""

    def __init__(self, transport: Transport, index: str = "") -> None:
        """Make an index, and the pipeline that fuses ranks."""
        self._send = transport.perform_request
        self.index = index or f"medco-{uuid.uuid4().hex}"
        self._pipeline = f"{self.index}-rrf"
        self._send("PUT", f"/{self.index}", body=MAPPING)
        self._send("PUT", f"/_search/pipeline/{self._pipeline}", body=_PIPELINE)
        self._seen: set[str] = set()

    def close(self) -> None:
        """Remove the index and its pipeline."""
        self._send("DELETE", f"/{self.index}")
        self._send("DELETE", f"/_search/pipeline/{self._pipeline}")

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Take in passages; those of an id that is there are not taken twice."""
        new = [c for c in {chunk.id: chunk for chunk in chunks}.values() if c.id not in self._seen]
        vectors = embedder().many([chunk.text for chunk in new])
        for at in range(0, len(new), _PAGE):
            lines: list[dict[str, object]] = []
            for chunk, vector in zip(new[at : at + _PAGE], vectors[at : at + _PAGE], strict=True):
                lines += [{"index": {}}, row_of(chunk) | {"vector": vector.tolist()}]
            told = self._send("POST", f"/{self.index}/_bulk", body=_ndjson(lines))
            if not isinstance(told, Mapping) or told.get("errors"):
                raise ValueError("OpenSearch did not take all passages")
        self._send("POST", f"/{self.index}/_refresh")
        self._seen.update(chunk.id for chunk in new)

    def search(
        self, question: str, wanted: Filter | None, k: int = 10, mode: Mode = Mode.HYBRID
    ) -> list[Chunk]:
        """Return the best passages within the filter, best first."""
        if not question.strip() or not self._seen:
            return []
        words = question[:2_000]
        vector = embedder().one(words)
        if not vector.any():
            return []
        body = hybrid_query(words, vector.tolist(), wanted, k, mode)
        params = {"search_pipeline": self._pipeline} if mode is Mode.HYBRID else None
        return admitted(self._hits("POST", f"/{self.index}/_search", params, body), wanted)

    def scan(self, wanted: Filter) -> list[str]:
        """Return the ids of all passages within the filter, page by page."""
        found: list[str] = []
        after: list[object] = []
        while True:
            body: dict[str, object] = {
                "size": _PAGE, "query": for_opensearch(wanted), "sort": [{"id": "asc"}],
                "_source": {"excludes": ["vector"]},
            }  # fmt: skip
            if after:
                body["search_after"] = after
            rows = self._hits("POST", f"/{self.index}/_search", None, body)
            found += [chunk.id for chunk in admitted(rows, wanted)]
            if len(rows) < _PAGE:
                return found
            after = [rows[-1]["id"]]

    def _hits(
        self, method: str, url: str, params: Mapping[str, object] | None, body: object
    ) -> list[dict[str, object]]:
        told = self._send(method, url, params=params, body=body)
        assert isinstance(told, dict)
        return [hit["_source"] for hit in told["hits"]["hits"]]
