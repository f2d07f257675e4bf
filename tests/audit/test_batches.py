"""The function for a Spark job: Arrow batches in, findings out, with the columns it announces."""

import pyarrow as pa

from pytest_mlgates.audit.batches import SPARK_SCHEMA, findings_in
from pytest_mlgates.audit.findings import COLUMNS
from pytest_mlgates.audit.settings import ScanSettings

CARD = "4111 1111 1111 1111"


def test_findings_of_batches():
    texts = [["x", f"pay {CARD}"], ["y"], [f"{CARD} now"]]
    batches = [pa.RecordBatch.from_pydict({"t": some, "n": [1] * len(some)}) for some in texts]
    settings = ScanSettings(entities=("CREDIT_CARD",), key=b"k" * 16)
    found = list(findings_in(iter(batches), settings, "orders"))
    assert [batch.num_rows for batch in found] == [1, 0, 1]
    rows = [row for batch in found for row in batch.to_pylist()]
    assert [(r["file"], r["row"], r["column"], r["start"]) for r in rows] == [
        ("orders", 2, "t", 4),
        ("orders", 4, "t", 0),
    ]
    announced = [part.split()[0].strip("`") for part in SPARK_SCHEMA.split(",")]
    assert tuple(announced) == COLUMNS
