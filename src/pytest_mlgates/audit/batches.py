"""The batched function for a job of one's own: Arrow batches in, findings out, as in Spark.

settings = ScanSettings(entities=("CREDIT_CARD",), key=key)
scan = functools.partial(findings_in, settings=settings)
frame.mapInArrow(scan, SPARK_SCHEMA).write.parquet("s3://audit/findings")
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pytest_mlgates.audit.findings import FindingRows
from pytest_mlgates.audit.look import Look
from pytest_mlgates.audit.parquet import batch_chunk
from pytest_mlgates.audit.report import StretchReport
from pytest_mlgates.audit.settings import ScanSettings

if TYPE_CHECKING:
    from pyarrow import RecordBatch

__all__ = ["SPARK_SCHEMA", "findings_in"]

#: the columns of the findings as Spark writes types
SPARK_SCHEMA = (
    "file string, row long, column string, in_name boolean, start long, `end` long, entity string,"
    " score double, confirmed boolean, digest string, masked string"
)


def findings_in(
    batches: Iterable[RecordBatch], settings: ScanSettings, file: str = ""
) -> Iterator[RecordBatch]:
    """Yield the findings of each batch; ``row`` counts from 1 through all batches of the task.

    Names of columns are not looked at: they are the schema's.
    """
    rows = FindingRows(settings.key, settings.min_confidence)
    look = Look(settings.detector(), StretchReport(file, 0), rows, None)
    done = 0
    for batch in batches:
        look.at(batch_chunk(batch, range(done + 1, done + batch.num_rows + 1), settings.columns))
        done += batch.num_rows
        yield rows.taken()
