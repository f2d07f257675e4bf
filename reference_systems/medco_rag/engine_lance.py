"""LanceDB, embedded: BM25 and vectors, fused by reciprocal rank, the filter applied before ranking.

``prefilter=False`` gives no rows at all where a patient's passages rank low among everybody's, so
it is never used. The table lies in a folder of its own that goes with the process.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reference_systems.medco_rag.embed import WIDTH, embedder
from reference_systems.medco_rag.engine import Mode, admitted, row_of
from reference_systems.medco_rag.filters import Filter, for_lance

if TYPE_CHECKING:
    from reference_systems.medco_rag.model import Chunk

__all__ = ["LanceEngine"]

_WORDS = re.compile(r"\w+")
#: what a scan reads: the id, and what the filter is about
_SCANNED = ["id", "patient", "document_type", "doctor_specialty", "encounter_date"]
_TAGS = ("id", "patient", "text", "file", "document_type", "encounter", "encounter_date",
         "doctor_specialty", "specialty_key")  # fmt: skip
#: rows that wait for an index before one is made
_FRESH = 2_000


class LanceEngine:
    """Passages of many charts in one table; every question is filtered to one of them."""

    def __init__(self) -> None:
        """Make an empty table in a folder that is removed with this object."""
        import lancedb
        import pyarrow as pa

        folder = tempfile.mkdtemp(prefix="medco-")
        self._end = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        fields = [pa.field(name, pa.string()) for name in _TAGS]
        fields += [pa.field("start", pa.int64()), pa.field("end", pa.int64())]
        fields.append(pa.field("vector", pa.list_(pa.float32(), WIDTH)))
        self._table = lancedb.connect(folder).create_table("chunks", schema=pa.schema(fields))
        self._seen: set[str] = set()
        self._fresh = 0
        self._indexed = False

    def close(self) -> None:
        """Remove the table from the disk."""
        self._end()

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Take in passages; those of an id that is there are not taken twice."""
        new = {chunk.id: chunk for chunk in chunks if chunk.id not in self._seen}
        if not new:
            return
        vectors = embedder().many([chunk.text for chunk in new.values()])
        rows = [
            row_of(chunk) | {"vector": vector}
            for chunk, vector in zip(new.values(), vectors, strict=True)
        ]
        self._table.add(rows)
        self._seen.update(new)
        self._fresh += len(rows)
        if not self._indexed:
            from lancedb.index import FTS

            self._table.create_index("text", config=FTS())
            self._indexed, self._fresh = True, 0
        elif self._fresh >= _FRESH:
            self._table.optimize()
            self._fresh = 0

    def search(
        self, question: str, wanted: Filter | None, k: int = 10, mode: Mode = Mode.HYBRID
    ) -> list[Chunk]:
        """Return the best passages within the filter, best first; no word asked, none found."""
        words = " ".join(_WORDS.findall(question))[:2_000]
        if not words or not self._seen:
            return []
        if mode is Mode.TEXT:
            query = self._table.search(words, query_type="fts", fts_columns="text")
        elif mode is Mode.VECTOR:
            query = self._table.search(embedder().one(words), query_type="vector")
        else:
            from lancedb.rerankers import RRFReranker

            hybrid = self._table.search(query_type="hybrid", fts_columns="text")
            query = hybrid.vector(embedder().one(words)).text(words).rerank(RRFReranker())
        if wanted is not None:
            query = query.where(for_lance(wanted), prefilter=True)
        return admitted(query.limit(k).to_list(), wanted)

    def scan(self, wanted: Filter) -> list[str]:
        """Return the ids of all passages within the filter."""
        if not self._seen:
            return []
        query = self._table.search().where(for_lance(wanted), prefilter=True)
        table = query.select(_SCANNED).limit(len(self._seen)).to_arrow()
        columns = [table.column(name).to_pylist() for name in _SCANNED]
        return [name for name, *tags in zip(*columns, strict=True) if wanted.admits(*tags)]
