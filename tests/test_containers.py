"""Each gate x each container: the rows that were handed in are those that were seen, or an ERROR
says what to pass. Never a verdict about column names, batches or half of it.
"""

from __future__ import annotations

import collections
import csv
import gzip
import importlib
import importlib.util
import io
import itertools
import json
import pathlib
import re
from unittest import mock

import numpy as np
import pytest

from pytest_mlgates import registry
from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.bandwidth_budget import BandwidthBudget
from pytest_mlgates.gates.blocked_features import BlockedFeatures
from pytest_mlgates.gates.blocked_features import measure as blocked_measure
from pytest_mlgates.gates.canary_memorization import CanaryMemorization
from pytest_mlgates.gates.context_budget import ContextBudget
from pytest_mlgates.gates.cost_budget import CostBudget
from pytest_mlgates.gates.drift import Drift
from pytest_mlgates.gates.drift import columns as drift_columns
from pytest_mlgates.gates.egress import Egress
from pytest_mlgates.gates.egress import measure as egress_measure
from pytest_mlgates.gates.feature_parity import FeatureParity
from pytest_mlgates.gates.grounding import Grounding
from pytest_mlgates.gates.impact_ratio import ImpactRatio
from pytest_mlgates.gates.infra_guardrails import InfraGuardrails
from pytest_mlgates.gates.lead_time import LeadTime
from pytest_mlgates.gates.name_invariance import NameInvariance
from pytest_mlgates.gates.p99_latency import P99Latency
from pytest_mlgates.gates.pii_leak import PiiLeak
from pytest_mlgates.gates.quality_floor import QualityFloor
from pytest_mlgates.gates.recall_retention import RecallRetention
from pytest_mlgates.gates.shadow_divergence import ShadowDivergence
from pytest_mlgates.gates.slice_coverage import SliceCoverage
from pytest_mlgates.gates.throughput import Throughput
from pytest_mlgates.reading.records import records

# every value is a text, so that a CSV file gives the same rows as all others
ROWS = [{"turn": turn, "sent_bytes": str(2**n)} for n, turn in enumerate(["a", "b", "b", "c"])]
ASKED = [{"question": name, "path": f"p{name}"} for name in "abcd"]
CHARGES = [
    {
        "BilledCost": str(2**n),
        "BillingCurrency": "USD",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": "2026-11-07T00:00:00Z",
        "ChargePeriodEnd": "2026-11-08T00:00:00Z",
        "ResourceId": f"r{n}",
    }
    for n in range(4)
]
STEPS = [
    {
        "name": f"step {n}",
        "by": "one",
        "start": f"2026-03-02T08:{n}0Z",
        "end": f"2026-03-02T08:{n + 1}0Z",
        "exit_status": "0",
        "served": "age",
    }
    for n in range(4)
]
TEXTS = [f"{{NAME}} took road {word}" for word in ("one", "two", "three", "four")]
JOBS = [
    {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"job-{n}"},
        "spec": {"ttlSecondsAfterFinished": 10**n},
    }
    for n in range(1, 5)
]


library = importlib.import_module


# --- containers of records: how each is made from a list of dicts, in a folder for its files


def pandas(rows, _):
    return library("pandas").DataFrame(rows, index=range(7, 7 + len(rows)))


def polars(rows, _):
    return library("polars").DataFrame(rows)


def arrow(rows, _):
    return library("pyarrow").Table.from_pylist(rows)


def structured(rows, _):
    return np.array([tuple(row.values()) for row in rows], [(name, "U40") for name in rows[0]])


def torch_dataset(rows, _=None):
    class Rows(library("torch.utils.data").Dataset):
        def __len__(self):
            return len(rows)

        def __getitem__(self, index):
            return rows[index % len(rows)]  # it does not end when it is iterated

    return Rows()


def torch_stream(rows, _):
    class Stream(library("torch.utils.data").IterableDataset):
        def __iter__(self):
            return iter(rows)

        def __len__(self):
            return len(rows)

    return Stream()


def loader(rows, batch_size):
    return library("torch.utils.data").DataLoader(torch_dataset(rows), batch_size=batch_size)


def unbatched(rows, _):
    return loader(rows, None)


def written(name, write):
    def make(rows, folder):
        path = folder / name
        path.write_bytes(write(rows))
        return path

    return make


def as_csv(rows, delimiter=",", encoding="utf-8"):
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def as_jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(rows, folder):
    library("pyarrow.parquet").write_table(arrow(rows, folder), folder / "t.parquet")
    return folder / "t.parquet"


def folder_of_two(rows, folder):
    (folder / "a.csv").write_bytes(as_csv(rows[:1]))
    (folder / "b.csv").write_bytes(as_csv(rows[1:]))
    return folder


async def later(rows):
    for row in rows:
        yield row


def zipped(rows, folder):
    (folder / "t.csv.gz").write_bytes(gzip.compress(as_csv(rows), mtime=0))
    return folder / "t.csv.gz"


def twice(rows, _):
    frame = pandas(rows, _)
    return library("pandas").concat([frame, frame], axis=1)


FILES = {
    "csv": written("t.csv", as_csv),
    "semicolon": written("t.csv", lambda rows: as_csv(rows, ";")),
    "tab": written("t.tsv", lambda rows: as_csv(rows, "\t")),
    "bom": written("t.csv", lambda rows: as_csv(rows, ",", "utf-8-sig")),
    "utf16": written("t.csv", lambda rows: as_csv(rows, ",", "utf-16")),
    "gz": zipped,
    "jsonl": written("t.jsonl", as_jsonl),
    "json": written("t.json", lambda rows: json.dumps(rows).encode()),
    "text of a path": lambda rows, folder: str(FILES["csv"](rows, folder)),
    "folder": folder_of_two,
    "parquet file": parquet,
}
TABLES = {
    "pandas": pandas,
    "polars": polars,
    "pyarrow": arrow,
    "pyarrow batch": lambda rows, _: arrow(rows, _).to_batches()[0],
    "structured array": structured,
}
MANY = {
    "list": lambda rows, _: list(rows),
    "tuple": lambda rows, _: tuple(rows),
    "deque": lambda rows, _: collections.deque(rows),
    "iterator": lambda rows, _: iter(rows),
    "generator": lambda rows, _: (row for row in rows),
    "values of a dict": lambda rows, _: dict(enumerate(rows)).values(),
    "object array": lambda rows, _: np.array([*rows, None], object)[:-1],
    "torch stream": torch_stream,
}
BY_PLACE = {"torch dataset": torch_dataset, "torch loader without batches": unbatched}
#: of these nobody can tell what a row is, so each must say what to pass
UNCLEAR = {
    "dict of columns": lambda rows, _: {name: [row[name] for row in rows] for name in rows[0]},
    "one record": lambda rows, _: rows[0],
    "a text": lambda rows, _: "no such thing",
    "a path that is not there": lambda rows, _: pathlib.Path("no-such-table.csv"),
    "bytes": lambda rows, _: as_csv(rows),
    "bytearray": lambda rows, _: bytearray(as_csv(rows)),
    "open file": lambda rows, _: io.StringIO(as_csv(rows).decode()),
    "a number": lambda rows, _: 7,
    "None": lambda rows, _: None,
    "a class": lambda rows, _: list,
    "an array without an axis": lambda rows, _: np.array(3.0),
    "async generator": lambda rows, _: later(rows),
    "pandas columns twice": twice,
    "polars lazy frame": lambda rows, _: polars(rows, _).lazy(),
    "torch batches": lambda rows, _: loader(rows, batch_size=2),
}
VALUES = {
    "pandas series": lambda rows, _: library("pandas").Series(rows, index=range(3, 7)),
    "polars series": lambda rows, _: library("polars").Series(rows),
    "pyarrow array": lambda rows, _: library("pyarrow").array(rows),
    "pyarrow chunks": lambda rows, _: library("pyarrow").chunked_array([rows[:1], rows[1:]]),
    "array of texts": lambda rows, _: np.array(rows),
    "json list": FILES["json"],
    "json lines": FILES["jsonl"],
}


def containers(*groups):
    """Return containers as parameters, each skipped without the library that its name begins with."""
    for name, make in (item for group in groups for item in group.items()):
        module = name.split()[0].replace("parquet", "pyarrow")
        optional = module in ("pandas", "polars", "pyarrow", "torch")
        lacks = optional and importlib.util.find_spec(module) is None
        mark = pytest.mark.skipif(lacks, reason=f"needs {module}")
        yield pytest.param(make, id=name, marks=mark)


# --- gates: what each saw of what it was given


class Seen(list):
    """A subject that keeps what it is called with."""

    def __call__(self, item):
        self.append(plain(item))
        return 0.5


def plain(item):
    if isinstance(item, dict):
        return {str(key): plain(value) for key, value in item.items()}
    return item.item() if isinstance(item, np.generic) else item


def p99_latency(rows):
    seen = Seen()
    gate = P99Latency(max_ms=1000, quantile=0.5, max_calls=40, warmup=2, shared_machine=True)
    evidence = gate.run(seen, rows)
    assert all(item in seen[:4] for item in seen)
    return evidence, seen[:4]


def shadow(rows, **more):
    seen = Seen()
    control = Seen()
    gate = ShadowDivergence(oversample=False, **more.pop("policy", {}))
    evidence = gate.run(control, seen, rows, **more)
    assert seen == control
    return evidence, seen


def quality_floor(rows):
    seen = Seen()
    gate = QualityFloor(metric="accuracy", min_value=0.5)
    evidence = gate.run(lambda item: seen(item) > 0, rows, lambda item: True)
    return evidence, seen


def recall_retention(rows):
    seen = Seen()
    gate = RecallRetention(max_drop=0.5)
    return gate.run(lambda query, k: [str(seen(query))], lambda query, k: ["0.5"], rows), seen


def egress(rows):
    seen = Seen()

    def run(
        call, items, *_
    ):  # what is done with the items in a process of their own is not of here
        faults = [""] * sum(seen(item) is not None for item in items)
        return egress_measure._Told(confined=True, made=True, faults=faults)

    with mock.patch.object(egress_measure, "_in_warden", run):
        return Egress().run(repr, rows), seen


def context_budget(rows):
    """The subject is given the question alone; what must be kept is looked for."""
    seen = Seen()
    gate = ContextBudget(max_tokens=9, keep=("path",))
    evidence = gate.run(lambda question: seen(question) and f"p{question}", rows, len)
    kept = evidence.measurement and evidence.measurement.details["kept"][0]["found"]
    return evidence, ASKED if (seen, kept) == (list("abcd"), (1, 1, 1, 1)) else []


def grounding(rows):
    """The subject is given the question alone, never what stands beside it."""
    seen = Seen()
    told = {"answer": "I can't tell.", "refused": True, "claims": []}
    evidence = Grounding().run(lambda question: seen(question) and told, rows, {"n": "a note"})
    return evidence, ASKED if seen == list("abcd") else seen


def throughput(rows):
    seen = Seen()
    gate = Throughput(
        min_per_second=100, max_p99_ms=500, seconds=0.5, warmup_s=0.1, shared_machine=True
    )
    evidence = gate.run(seen, rows)
    first = list(itertools.islice(seen, 4))
    assert all(item in first for item in seen)
    return evidence, first


def slice_coverage(rows):
    evidence = SliceCoverage(min_count=1, slices=("a",)).run(rows, "turn")
    if evidence.measurement is None:
        return evidence, []
    assert evidence.measurement.n == 4
    kept = {row["slice"]: row["rows"] for row in evidence.measurement.details["slices"]}
    return evidence, ROWS if kept == {"a": 1, "b": 2, "c": 1} else kept


def impact_ratio(rows):
    """The rows are the groups; who is selected stands beside them."""
    evidence = ImpactRatio(intersections=False).run([True, False, True, False], rows)
    if evidence.measurement is None:
        return evidence, []
    assert evidence.measurement.n == 4
    turn, sent = evidence.measurement.details["tables"]
    counts = {row["category"]: (row["n"], row["selected"]) for row in turn["categories"]}
    assert [row["category"] for row in sent["categories"]] == [
        f"sent_bytes={n}" for n in (1, 2, 4, 8)
    ]
    right = counts == {"turn=a": (1, 1), "turn=b": (2, 1), "turn=c": (1, 0)}
    return evidence, ROWS if right else counts


def drifted(rows):
    """What is compared column by column is what was handed in."""
    seen = []

    def compared(name, _, other):
        seen.append((name, other))
        return iter(())

    reference = [{**row, "text": "", "value": 0} for row in ROWS]
    with mock.patch.object(drift_columns, "_compared", compared):
        evidence = Drift(max_distance=1).run(reference, rows)
    names = [name for name, _ in seen]
    plain_rows = [
        dict(zip(names, row, strict=True)) for row in zip(*(v for _, v in seen), strict=True)
    ]
    plain_rows = [row.get("text", row) if len(row) == 1 else row for row in plain_rows]
    return evidence, [{k: str(v) for k, v in r.items()} if isinstance(r, dict) else r
                      for r in plain_rows]  # fmt: skip


def blocked_features(rows):
    """What is looked for among the columns is what was handed in."""
    seen = []

    def hits(columns, _):
        seen.extend(
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        )
        return iter(())

    with mock.patch.object(blocked_measure, "_hits", hits):
        evidence = BlockedFeatures(blocked=("age",)).run(rows)
    plain_rows = [row.get("text", row) if len(row) == 1 else row for row in seen]
    return evidence, [{k: str(v) for k, v in r.items()} if isinstance(r, dict) else r
                      for r in plain_rows]  # fmt: skip


def sliced_by_a_call(rows):
    seen = Seen()
    evidence = SliceCoverage(slices=("0.5",)).run(rows, seen)
    return evidence, seen


def feature_parity(rows):
    """Each row is its own key, and its feature; so the other side says which were seen."""
    online = [{**row, "n": n} for n, row in enumerate(ROWS)]
    evidence = FeatureParity(max_mismatch_rate=0).run(lambda row: {"n": 1}, online, rows)
    seen = evidence.measurement
    rows_seen = bool(seen) and (seen.n, seen.details["features"][0]["kinds"]) == (4, {"value": 3})
    return evidence, ROWS if rows_seen else []


def parity_of_a_side(rows):
    """The side that is a container of any kind, against one that is asked."""
    entities = [{"sent_bytes": row["sent_bytes"]} for row in ROWS]
    turns = {row["sent_bytes"]: row["turn"] for row in ROWS}
    evidence = FeatureParity(max_mismatch_rate=0).run(
        rows, lambda row: {"turn": turns[row["sent_bytes"]]}, entities
    )
    seen = evidence.measurement
    return evidence, ROWS if seen and seen.n == 4 and not seen.value else []


def lead_time(rows):
    evidence = LeadTime(max_minutes=60).run(rows)
    seen = evidence.measurement
    return evidence, STEPS if seen and (seen.n, seen.value) == (4, 40) else []


def bandwidth_budget(rows):
    evidence = BandwidthBudget(max_bytes=10**6).run(rows)
    seen = evidence.measurement
    return evidence, ROWS if seen and (seen.n, seen.details["sent_bytes"]) == (4, 15.0) else []


def cost_budget(rows):
    evidence = CostBudget(currency="USD", max_cost=100, period="day").run(rows)
    seen = evidence.measurement
    return evidence, CHARGES if seen and (seen.n, seen.value) == (4, 15.0) else []


def prompts(rows):
    seen = Seen()
    gate = PiiLeak(max_leak_rate=0.4)
    evidence = gate.run(lambda prompt: seen(prompt) and "nothing to see here", rows)
    return evidence, sorted(seen, key=repr)


def texts(rows):
    """Each text holds a card number, so the findings say which of them were read."""
    evidence = PiiLeak(max_leak_rate=0.4).run(rows)
    seen = evidence.measurement
    # the header of a CSV file may be data, so it is read too
    found = (seen.n, seen.details["leaky"]) if seen else ()
    return evidence, LEAKY if found in ((4, 4), (5, 4), (6, 4)) else []


def name_invariance(rows):
    seen = Seen()
    names = {"a": ["Ann", "Al", "Abe"], "b": ["Bea", "Bo", "Ben"]}
    evidence = NameInvariance().run(seen, rows, names)
    ann = dict.fromkeys(text.replace("Ann", "{NAME}") for text in seen if text.startswith("Ann "))
    return evidence, sorted(ann, key=TEXTS.index)


def canary_memorization(rows):
    secrets = [f"secret number {word} of us" for word in ("one", "two", "three", "four")]
    evidence = CanaryMemorization().run(lambda prompt: " ".join(SECRETS), rows)
    seen = evidence.measurement
    found = seen and seen.details["attacks"]["own"]["found"]
    return evidence, secrets if seen and seen.n == 4 and len(found) == 4 else []


def infra_guardrails(rows):
    evidence = InfraGuardrails(rules=("job_ttl",)).run(rows)
    seen = evidence.measurement
    ttl = seen.details["rules"]["job_ttl"]["numbers"] if seen else ()
    return evidence, JOBS if [seconds for seconds, _, _ in ttl] == [10, 100, 1000, 10000] else []


SECRETS = [f"secret number {word} of us" for word in ("one", "two", "three", "four")]
LEAKY = [f"card {card} here" for card in ("4111 1111 1111 1111", "5500 0055 5555 5559",
                                          "3782 822463 10005", "6011 1111 1111 1117")]  # fmt: skip
#: gates whose rows are records
OF_RECORDS = {
    "p99_latency": (p99_latency, ROWS),
    "shadow_divergence": (shadow, ROWS),
    "quality_floor": (quality_floor, ROWS),
    "recall_retention": (recall_retention, ROWS),
    "egress": (egress, ROWS),
    "slice_coverage": (slice_coverage, ROWS),
    "impact_ratio": (impact_ratio, ROWS),
    "blocked_features": (blocked_features, ROWS),
    "slice_coverage by a call": (sliced_by_a_call, ROWS),
    "feature_parity": (feature_parity, ROWS),
    "feature_parity of a side": (parity_of_a_side, ROWS),
    "lead_time": (lead_time, STEPS),
    "drift": (drifted, ROWS),
    "bandwidth_budget": (bandwidth_budget, ROWS),
    "cost_budget": (cost_budget, CHARGES),
    "context_budget": (context_budget, ASKED),
    "grounding": (grounding, ASKED),
    "throughput": (throughput, ROWS),
}
#: gates whose rows are texts
OF_TEXTS = {
    "pii_leak of prompts": (prompts, sorted(TEXTS)),
    "pii_leak of texts": (texts, LEAKY),
    "name_invariance": (name_invariance, TEXTS),
    "canary_memorization": (canary_memorization, SECRETS),
    "p99_latency": (p99_latency, TEXTS),
    "shadow_divergence": (shadow, TEXTS),
    "quality_floor": (quality_floor, TEXTS),
    "recall_retention": (recall_retention, TEXTS),
    "egress": (egress, TEXTS),
    "throughput": (throughput, TEXTS),
    "blocked_features": (blocked_features, TEXTS),
    "drift": (drifted, TEXTS),
}
OF_MANIFESTS = {"infra_guardrails": (infra_guardrails, JOBS)}


#: a subject without prompts: a class is a callable, so it is no text
NOTHING_GIVEN = [
    ("pii_leak of prompts", UNCLEAR["None"]),
    ("pii_leak of texts", UNCLEAR["a class"]),
]


#: groups beside the applicants: as many values in each column as there are applicants is clear
COLUMNS_ARE_CLEAR = [
    ("impact_ratio", UNCLEAR["dict of columns"]),
    ("blocked_features", UNCLEAR["dict of columns"]),
    ("drift", UNCLEAR["dict of columns"]),
]

#: gates whose only argument is the subject
TAKES_NO_ROWS = {"artifact_immutability"}


def test_no_gate_is_left_out():
    known = {name.partition(" ")[0] for name in (*OF_RECORDS, *OF_TEXTS, *OF_MANIFESTS)}
    ours = {
        name
        for name in registry.names()
        if registry.load(name).__module__.startswith("pytest_mlgates.")
    }
    assert known == ours - TAKES_NO_ROWS


def assert_seen(evidence, seen, rows):
    assert evidence.outcome != Outcome.ERROR, evidence.verdict.reason
    assert seen == rows


def assert_refused(evidence):
    """One line, which names what was given and what to give."""
    assert evidence.outcome == Outcome.ERROR, evidence.verdict.reason
    reason = evidence.verdict.reason
    assert "could not measure" not in reason
    assert re.search(r"give |pass |must be |rename |convert |there is no such|is not there", reason)
    assert "\n" not in reason


@pytest.mark.parametrize("gate", OF_RECORDS)
@pytest.mark.parametrize("make", list(containers(MANY, TABLES, FILES, BY_PLACE)))
def test_records(gate, make, tmp_path):
    see, rows = OF_RECORDS[gate]
    evidence, seen = see(make(rows, tmp_path))
    assert_seen(evidence, seen, rows)


@pytest.mark.parametrize("gate", [*OF_RECORDS, *OF_TEXTS])
@pytest.mark.parametrize("make", list(containers(UNCLEAR)))
def test_what_has_no_clear_rows_is_refused(gate, make, tmp_path):
    see = (OF_RECORDS | OF_TEXTS)[gate][0]
    evidence, seen = see(make(ROWS, tmp_path))
    if (gate, make) in NOTHING_GIVEN:
        assert evidence.outcome == Outcome.INCONCLUSIVE
    elif (gate, make) in COLUMNS_ARE_CLEAR:
        assert_seen(evidence, seen, ROWS)
    else:
        assert_refused(evidence)


@pytest.mark.parametrize("gate", OF_TEXTS)
@pytest.mark.parametrize("make", list(containers(MANY, BY_PLACE, VALUES)))
def test_texts(gate, make, tmp_path):
    see, rows = OF_TEXTS[gate]
    evidence, seen = see(make(rows, tmp_path))
    assert_seen(evidence, seen, rows)


@pytest.mark.parametrize("gate", sorted(set(OF_TEXTS) - set(OF_RECORDS)))
@pytest.mark.parametrize("make", list(containers(TABLES, FILES)))
def test_a_table_of_one_column_is_its_texts(gate, make, tmp_path):
    see, rows = OF_TEXTS[gate]
    evidence, seen = see(make([{"text": text} for text in rows], tmp_path))
    assert_seen(evidence, seen, rows)


@pytest.mark.parametrize("make", list(containers(MANY, BY_PLACE)))
def test_manifests(make, tmp_path):
    evidence, seen = infra_guardrails(make(JOBS, tmp_path))
    assert_seen(evidence, seen, JOBS)


@pytest.mark.parametrize("make", list(containers(TABLES, UNCLEAR)))
def test_what_holds_no_manifests_is_refused(make, tmp_path):
    if isinstance(container := make(ROWS, tmp_path), dict):
        return  # a mapping is one manifest
    assert_refused(infra_guardrails(container)[0])


@pytest.mark.parametrize(
    "make",
    list(
        containers(
            MANY, VALUES, {"pandas column": lambda rows, _: pandas([{"a": r} for r in rows], _)}
        )
    ),
)
def test_labels_and_names_beside_the_inputs(make, tmp_path):
    """They are rows of their own, one for each input; names of slices have a length."""
    inputs, gold = [0.0, 1.0, 2.0, 3.0], ["no", "yes", "yes", "no"]
    policy = {"allow_improvement": True, "outputs": "label"}
    labels = make(gold, tmp_path)
    if isinstance(labels, pathlib.Path):
        labels = list(records(labels, "labels"))  # for labels a text or a path names a column
    gate = ShadowDivergence(**policy)
    right = dict(zip(inputs, gold, strict=True))
    evidence = gate.run(lambda x: "wrong", right.__getitem__, inputs, labels=labels)
    assert evidence.measurement.details["excused"] == 4
    names = make(gold, tmp_path)
    if hasattr(names, "__len__") and not isinstance(names, pathlib.Path):
        coverage = SliceCoverage(min_count=2).run(inputs, names)
        assert coverage.outcome == Outcome.PASS, coverage.verdict.reason
