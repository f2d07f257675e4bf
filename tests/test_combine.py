"""`mlgates report`: shards into one, refused where they are none; earlier runs as a trend."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest

from pytest_mlgates.cli import main
from pytest_mlgates.core import Evidence
from pytest_mlgates.report.read import read_report
from pytest_mlgates.report.replay import replay
from pytest_mlgates.session.journal import read_journals

CONFIG = """
version: 1
system: demo
owner: team-a
gates:
  answer_length: {max_chars: 10}
  short: {gate: answer_length, max_chars: 5}
profiles:
  default: {complete: true}
  loose: {complete: false}
"""
TEST = """
def test_{name}(answer_length):
    answer_length(lambda prompt: "{said}", ["a"])
"""


@pytest.fixture
def shards(project):
    """Return two folders: each run gated one of two entries."""
    project.config(CONFIG)
    project.tests(TEST.format(name="one", said="ok"), "test_one")
    project.tests(
        '@pytest.mark.answer_length("short")' + TEST.format(name="two", said="ok"), "test_two"
    )
    made = []
    for name in ("one", "two"):
        assert project.run(f"test_{name}.py").ret == 1  # the other entry is missing
        folder = project.path / f"bérîcht {name}"
        shutil.move(project.report_folder, folder)
        made.append(folder)
    return made


def changed(folder, change):
    file = folder / "report.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    change(data)
    file.write_text(json.dumps(data), encoding="utf-8")


@pytest.fixture
def report(capsys, tmp_path):
    """Return a function that runs the command and gives status, report and error lines."""

    def run(*words, out=tmp_path / "merged"):
        status = main(["report", *map(str, words), "--out", str(out)])
        said = capsys.readouterr()
        return status, read_report(out) if (out / "report.json").exists() else None, said.err

    return run


def test_what_one_shard_misses_another_has(shards, report):
    assert all(read_report(folder)["missing"] for folder in shards)
    status, data, err = report(*shards)
    assert (status, err) == (0, "")
    assert data["outcome"] == "pass"
    assert data["missing"] == []
    assert [r.fault for r in replay(data) if r.fault] == []
    assert len(data["evidence"]) == len(data["environment"]["shards"]) == 2
    assert data["environment"]["finished"]
    assert data["environment"]["packages"]


def test_the_order_and_repeats_change_nothing(shards, report, tmp_path):
    one = report(*shards)[1]
    two = report(*reversed(shards), shards[0], out=tmp_path / "b")[1]
    for part in one:
        if part != "environment":
            assert one[part] == two[part]


def test_measured_twice_the_worse_stands(shards, project, report):
    project.tests(TEST.format(name="one", said="x" * 50), "test_one")
    assert project.run("test_one.py").ret == 1
    status, data, err = report(*shards, project.report_folder)
    assert status == 1
    assert data["outcome"] == "fail"
    assert "1 of 3 pieces were measured in two shards: the worse stands" in err


def _commit(data):
    data["environment"]["commit"] = {"id": "f" * 40, "dirty": False}


def _dirty(data):
    data["environment"]["commit"] = {"id": "f" * 40, "dirty": True}


def _piece(data):
    data["evidence"][0]["measurement"]["value"] = 1


def _newer(data):
    data["schema"] = "pytest-mlgates/report/99"


def _other_file(data):
    data["configs"][0]["path"] = "elsewhere/demo.yaml"


def _other_config(data):
    data["configs"][0]["sha256"] = "1" * 64


def _profile(data):
    data["systems"][0]["profile"] = "loose"


def _waiver(data):
    data["waived"].append(
        {"system": "demo", "gate": "short", "reason": "r", "owner": "a", "approved_by": "b",
         "expires": "2099-01-01", "up_to": None, "source": "x:1", "state": "idle"}
    )  # fmt: skip


def _timeless(data):
    data["environment"]["finished"] = "soon"


REFUSED = {
    "another commit": (_commit, "is of commit ffffffffffff, and .* of no known commit"),
    "changes that were not committed": (_dirty, "is of commit ffffffffffff with changes"),
    "changed evidence": (_piece, "was changed: its digest is not the recorded one"),
    "a newer schema": (_newer, "was written by a newer mlgates"),
    "two systems of one name": (_other_file, "the system 'demo' is of elsewhere/demo.yaml, and of"),
    "another config": (_other_config, "gate_configs/demo.yaml is not what it is in"),
    "another profile": (_profile, "was run under the profile 'loose', and in .* under 'default'"),
    "another waiver": (_waiver, "demo has other gates or waivers in"),
    "no time": (_timeless, "does not say when it ended"),
    "half a file": (None, "is not JSON"),
    "no file": ("gone", "can't be read: No such file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_no_shards_of_one_run(shards, report, case):
    change, words = REFUSED[case]
    if callable(change):
        changed(shards[1], change)
    elif change == "gone":
        (shards[1] / "report.json").unlink()
    else:
        file = shards[1] / "report.json"
        file.write_bytes(file.read_bytes()[:200])
    status, data, err = report(*shards)
    assert status == 4
    assert data is None
    assert len(err.splitlines()) == 1
    assert re.search(words, err), err


def test_a_shard_that_did_not_end_makes_it_incomplete(shards, report):
    def cut(data):
        data.update(
            systems=[], configs=[], missing=[], waived=[], incomplete=["the run has not ended"]
        )
        del data["environment"]["finished"], data["environment"]["commit"]

    changed(shards[1], cut)
    status, data, _ = report(*shards)
    assert status == 1
    assert data["outcome"] == "incomplete"
    assert data["incomplete"] == [f"{shards[1]}: the run has not ended"]
    assert data["missing"] == []  # what it had recorded before counts
    assert [r.fault for r in replay(data) if r.fault] == []


def test_a_clock_in_the_future_is_told(shards, report, tmp_path):
    changed(
        shards[1], lambda data: data["environment"].update(finished="2199-01-01T00:00:00+00:00")
    )
    status, data, err = report(shards[1])
    assert status == 1
    assert "a clock is wrong" in err
    status, data, _ = report(*shards, out=tmp_path / "both")
    assert status == 1
    assert "a clock is wrong" in data["incomplete"][0]
    assert [r.fault for r in replay(data) if r.fault] == []


def test_nothing_is_written_over_a_run_that_ended(shards, report, tmp_path):
    """Nor over one by another name, nor over what was signed and is broken by now."""
    before = (shards[0] / "report.json").read_bytes()
    (tmp_path / "link").symlink_to(shards[0])
    for out in (shards[0], tmp_path / "link", shards[0] / ".." / shards[0].name):
        status, _, err = report(shards[1], out=out)
        assert (status, "holds the report of a run that ended" in err) == (4, True)
        status, _, err = report(*shards, out=out)
        assert (status, "is one of the reports" in err) == (4, True)
    signed = tmp_path / "signed"
    signed.mkdir()
    (signed / "attestation.intoto.jsonl").write_text("")
    status, _, err = report(*shards, out=signed)
    assert (status, "holds a signed report" in err) == (4, True)
    assert (shards[0] / "report.json").read_bytes() == before


def test_several_reports_need_a_place(shards, capsys):
    for words in ([*shards], [shards[0], "--history", shards[1]]):
        assert main(["report", *map(str, words)]) == 4
        assert "say where with --out" in capsys.readouterr().err
    assert main(["report", *map(str, shards), "--out", str(shards[0])]) == 4


def test_a_finished_report_is_shown_and_left_as_it_is(shards, capsys):
    before = {file.name: file.read_bytes() for file in shards[0].iterdir()}
    main(["report", str(shards[0])])
    assert "ML gates" in capsys.readouterr().out
    assert {file.name: file.read_bytes() for file in shards[0].iterdir()} == before


def test_earlier_runs_are_quoted_and_drawn(shards, report, project, tmp_path):
    runs = tmp_path / "runs"
    for day, value in ((1, "ok"), (2, "okay"), (3, "o")):
        project.tests(TEST.format(name="one", said=value), "test_one")
        project.run("test_one.py")
        folder = runs / f"day {day}"
        shutil.copytree(project.report_folder, folder)
        ended = f"2026-01-0{day}T10:00:00+00:00"
        changed(folder, lambda data, e=ended: data["environment"].update(finished=e))
    shutil.copytree(runs / "day 1", runs / "the same again")
    shutil.copytree(runs / "day 1", runs / "later")
    changed(runs / "later", lambda d: d["environment"].update(finished="2199-01-01T00:00:00+00:00"))
    (runs / "broken").mkdir()
    (runs / "broken" / "report.json").write_text("{")
    status, data, err = report(*shards, "--history", runs)
    assert status == 0
    assert [run["finished"][:10] for run in data["history"]] == [
        "2026-01-01",
        "2026-01-02",
        "2026-01-03",
    ]
    values = [g["value"] for run in data["history"] for g in run["gates"] if g["entry"] != "short"]
    assert values == [2, 4, 1]
    assert "it is not an earlier run" in err
    assert "is not JSON" in err
    assert [r.fault for r in replay(data) if r.fault] == []
    page = (tmp_path / "merged" / "report.html").read_text(encoding="utf-8")
    assert 'aria-label="4 runs, from 2 to 2"' in page
    assert "answer_length, the last 4 runs" in page


def test_a_journal_beside_a_finished_report_changes_nothing(shards, capsys):
    """Whoever reads a report writes nothing where a run ended."""
    (folder, _) = shards
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    (folder / "journal").mkdir()
    (folder / "journal/main.jsonl").write_text('{"started": ["t", "e", 1, 1]}\n')
    main(["report", str(folder)])
    assert {f.name: f.read_bytes() for f in folder.iterdir() if f.is_file()} == before


def test_two_systems_may_have_tests_of_one_name(shards, report, tmp_path):
    """Two services of one repository, each run in its own root."""
    two = tmp_path / "other"
    shutil.copytree(shards[0], two)
    text = (two / "report.json").read_text(encoding="utf-8")
    (two / "report.json").write_text(
        text.replace('"demo"', '"other"').replace("gate_configs/demo", "gate_configs/other")
    )
    data = json.loads((two / "report.json").read_text())
    for piece in data["evidence"]:
        was = piece.pop("digest")
        piece["digest"] = Evidence.from_dict(piece).digest
        text = json.dumps(data).replace(was, piece["digest"])
        data = json.loads(text)
    (two / "report.json").write_text(json.dumps(data))
    _, merged, err = report(shards[0], two)
    assert sorted(p["system"] for p in merged["evidence"]) == ["demo", "other"]
    assert "were measured in two shards" not in err


def test_no_folder_of_somebodys_machine_is_told(shards, report):
    _, merged, _ = report(*shards)
    assert [shard["folder"] for shard in merged["environment"]["shards"]] == [
        f.name for f in shards
    ]
    assert str(shards[0].parent) not in json.dumps(merged)


def test_a_signed_shard_that_was_changed_is_refused(shards, report, tmp_path):
    pytest.importorskip("securesystemslib")
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    assert main(["sign", str(shards[0]), "--key", str(key)]) == 0
    assert report(*shards)[0] == 0
    with (shards[0] / "summary.md").open("a") as file:
        file.write("all is well\n")
    status, _, err = report(*shards, out=tmp_path / "again")
    assert status == 4
    assert "this shard was changed after it was signed" in err


def test_a_run_that_was_killed_tells_what_is_missing(project, capsys):
    """Its first report lists the configs; what its journal holds is no longer missing."""
    project.config(CONFIG)
    project.tests(
        TEST.format(name="one", said="ok") + "\ndef test_two():\n    import os\n    os._exit(9)\n"
    )
    project.run(process=True)
    assert main(["report", str(project.report_folder)]) == 1
    made = read_report(project.report_folder)
    assert [gap["entry"] for gap in made["missing"]] == ["short"]
    assert [system["system"] for system in made["systems"]] == ["demo"]
    assert made["outcome"] != "pass"
    issues = json.loads((project.report_folder / "gl-code-quality-report.json").read_text())
    assert "blocker" in {issue["severity"] for issue in issues}


@pytest.mark.parametrize("kind", ["pipe", "link", "huge"])
def test_a_journal_that_is_no_plain_file_is_told(tmp_path, kind, monkeypatch):
    file = tmp_path / "main.jsonl"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "link":
        (tmp_path / "else").write_text("{}")
        file.symlink_to(tmp_path / "else")
    else:
        file.touch()
        os.truncate(file, 1 << 40)
    found, faults = read_journals(tmp_path)
    assert found == []
    assert len(faults) == 1
    assert faults[0].startswith("journal/main.jsonl: ")


@pytest.mark.parametrize("command", ["replay", "report"])
def test_a_pipe_is_not_waited_for(tmp_path, command, capsys):
    os.mkfifo(tmp_path / "report.json")
    assert main([command, str(tmp_path)]) in (1, 4)
    assert "is not a plain file" in capsys.readouterr().err
