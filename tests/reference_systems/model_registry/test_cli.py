"""The commands, as a person uses them: files in, JSON Lines out, one clear line on a refusal."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reference_systems.model_registry.cli import main
from tests.reference_systems.model_registry.conftest import WEIGHTS

HERE = Path(__file__).parents[3]


class Program:
    """The program with a store; ``ask`` returns its lines, ``refuse`` its one line of refusal."""

    def __init__(self, store, capsys):
        self.store, self.capsys = store, capsys

    def run(self, *words, store=None):
        self.capsys.readouterr()
        try:
            status = main(["--store", store or self.store, *map(str, words)])
        except SystemExit as stop:
            status = stop.code
        out, err = self.capsys.readouterr()
        return status, [json.loads(line) for line in out.splitlines()], err

    def ask(self, *words):
        status, lines, err = self.run(*words)
        assert (status, err) == (0, "")
        return lines

    def refuse(self, *words, status=1):
        found, lines, err = self.run(*words)
        assert (found, lines) == (status, [])
        assert err.count("\n") == 1
        assert err.startswith("model_registry")
        return err


@pytest.fixture
def program(place, capsys):
    return Program(place, capsys)


@pytest.fixture
def local(tmp_path, capsys):
    return Program(str(tmp_path / "store"), capsys)


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(WEIGHTS)
    return path


def test_from_put_to_resolve(program, weights, tmp_path, reports):
    (put,) = program.ask("put", weights)
    assert put["digest"] == hashlib.sha256(WEIGHTS).hexdigest()
    assert put["size"] == len(WEIGHTS)
    (got,) = program.ask("get", put["digest"], "--to", tmp_path / "out")
    assert got["size"] == len(WEIGHTS)
    assert (tmp_path / "out").read_bytes() == WEIGHTS
    report = reports.about(f"sha256:{put['digest']}")
    words = ("promote", "fraud", put["digest"], "--report", report, "--key", reports.public())
    (entry,) = program.ask(*words)
    assert program.ask("resolve", "fraud") == [entry]
    log = program.ask("log", "fraud")
    assert [line["digest"] for line in log] == [put["digest"]]
    assert {"digest", "when", "report"} <= log[0].keys()
    program.ask("collect")
    program.ask("get", put["digest"], "--to", tmp_path / "out")


def test_refusals(local, weights, tmp_path, reports):
    (put,) = local.ask("put", weights)
    digest = put["digest"]
    assert "holds nothing under" in local.refuse("get", 64 * "a", "--to", tmp_path / "out")
    assert "is not a digest" in local.refuse("get", digest[:12], "--to", tmp_path / "out")
    assert "can't be written" in local.refuse("get", digest, "--to", tmp_path / "no" / "out")
    assert "is a folder" in local.refuse("get", digest, "--to", tmp_path)
    assert "is not there" in local.refuse("put", tmp_path / "nothing")
    assert "is a folder" in local.refuse("put", tmp_path)
    assert "points at nothing" in local.refuse("resolve", "fraud")
    assert "points at nothing" in local.refuse("log", "fraud")
    assert "no evidence" in local.refuse("promote", "fraud", digest)
    key = ("--key", reports.public())
    assert "no such report folder" in local.refuse("promote", "f", digest, "--report", "x", *key)
    key = ("--key", tmp_path / "key.pub")
    report = ("--report", tmp_path)
    assert "there is no such key file" in local.refuse("promote", "f", digest, *report, *key)
    assert not (tmp_path / "out").exists()


def test_damage(local, weights, tmp_path):
    (put,) = local.ask("put", weights)
    digest = put["digest"]
    path = Path(local.store, "objects", "sha256", digest[:2], digest)
    path.chmod(0o644)
    path.write_bytes(b"weightz")
    assert "is not served" in local.refuse("get", digest, "--to", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert local.ask("put", weights)[0]["new"] is True
    local.ask("get", digest, "--to", tmp_path / "out")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("put",),
        ("get", "x"),
        ("fetch", "x"),
        ("--build", "best", "collect"),
        ("--grace", "soon", "collect"),
        ("--grace", "-1", "collect"),
        ("--grace", "nan", "collect"),
    ],
)
def test_wrong_usage(local, words):
    local.refuse(*words, status=2)


def test_a_file_name_that_is_no_utf8(local, tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.bin"))
    path.write_bytes(b"weights")
    local.ask("put", path)


def test_no_store_named(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["collect"])
    assert stop.value.code == 2
    assert "say where the store is with --store" in capsys.readouterr().err


def test_pickles(local, tmp_path):
    import pickle

    path = tmp_path / "model_v1.pkl"
    path.write_bytes(pickle.dumps({"w": [1.0]}))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert f"--allow-pickle {digest}" in local.refuse("put", path)
    assert "is not a digest" in local.refuse("--allow-pickle", digest[:12], "put", path)
    (put,) = local.ask("--allow-pickle", digest, "put", path)
    assert (put["digest"], put["format"]) == (digest, "pickle")


def test_a_get_writes_plain_files_only(local, weights, tmp_path):
    """Renamed over /dev/null, an artifact would be everybody's /dev/null."""
    digest = local.ask("put", weights)[0]["digest"]
    device = tmp_path / "device"
    os.mkfifo(device)
    assert "is no plain file" in local.refuse("get", digest, "--to", device)
    assert stat.S_ISFIFO(device.stat().st_mode)
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(file)
    for _ in range(2):  # dangling, and of a file that is there
        local.ask("get", digest, "--to", link)
        assert link.is_symlink()
        assert file.read_bytes() == weights.read_bytes()
    (answer,) = local.ask("get", digest.upper(), "--to", tmp_path / (250 * "n"))
    assert answer["digest"] == digest


@pytest.mark.parametrize("words", [["collect"], ["log", "fraud"], ["get", "0" * 64, "--to", "x"]])
def test_a_folder_that_holds_no_registry(local, tmp_path, words):
    (tmp_path / "scratch").mkdir()
    for store in (tmp_path, tmp_path / "slip of the pen"):
        status, lines, err = local.run(*words, store=str(store))
        assert (status, lines) == (1, [])
        assert err.endswith(": holds no registry: put something first\n")
        assert not (tmp_path / "slip of the pen").exists()


@pytest.mark.parametrize(
    "store", ["gs://models/x", "S3://models", "file:///tmp/x", "http://[::1/models", "s3://x"]
)
def test_addresses_that_are_none_make_no_folder(local, weights, store, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    status, lines, err = local.run("put", weights, store=store)
    assert (status, lines, err.count("\n")) == (1, [], 1)
    assert not Path(store.partition("/")[0]).exists()


def test_what_nothing_reaches_is_removed_and_told(local, weights):
    (put,) = local.ask("put", weights)
    assert local.ask("collect") == []
    gone = local.ask("--grace", "0", "collect")
    assert {line["removed"]: line["size"] for line in gone}[put["digest"]] == len(WEIGHTS)


def test_incident(local, tmp_path):
    """The incident build overwrites, and gives by digest whatever lies there now."""
    path = tmp_path / "model_v1.pkl"
    path.write_bytes(b"monday")
    (monday,) = local.ask("--build", "incident", "put", path)
    local.ask("--build", "incident", "promote", "fraud", monday["digest"])
    path.write_bytes(b"tuesday")
    (tuesday,) = local.ask("--build", "incident", "put", path)
    assert monday["digest"] != tuesday["digest"]
    local.ask("--build", "incident", "get", monday["digest"], "--to", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"tuesday"
    (entry,) = local.ask("--build", "incident", "resolve", "fraud")
    assert entry["digest"] == monday["digest"]
    assert "collects nothing" in local.refuse("--build", "incident", "collect")


def test_standard_input_and_a_reader_that_leaves(tmp_path):
    """As a process: bytes on standard input, JSON on standard output, in bytes of any encoding."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE / "src")])}
    words = [sys.executable, "-m", "reference_systems.model_registry"]
    store = ["--store", str(tmp_path / "störe")]
    done = subprocess.run(
        [*words, *store, "put", "-"],
        input=b"\xff\x00",
        capture_output=True,
        check=True,
        env=environment,
    )
    assert json.loads(done.stdout)["size"] == 2
    helped = subprocess.run([*words, "--help"], capture_output=True, check=True, env=environment)
    for command in (b"put", b"get", b"promote", b"log", b"resolve", b"collect", b"compare"):
        assert command in helped.stdout
