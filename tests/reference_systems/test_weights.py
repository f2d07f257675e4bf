"""Trained weights are kept by what made them, and nothing broken is ever used."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("torch")

import torch

from reference_systems import weights


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MLGATES_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Trainer:
    """Counts how often it trains."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self):
        self.runs += 1
        return {"w": torch.full((3,), float(self.runs))}


def test_the_second_run_reads_what_the_first_trained(folder):
    train = Trainer()
    first = weights.cached("m", {"seed": 1}, train)
    second = weights.cached("m", {"seed": 1}, train)
    assert train.runs == 1
    assert torch.equal(first["w"], second["w"])
    assert [path.suffix for path in folder.iterdir()] == [".pt"]


def test_other_inputs_source_or_kind_are_trained_anew():
    train = Trainer()
    weights.cached("m", {"seed": 1}, train)
    weights.cached("m", {"seed": 2}, train)
    weights.cached("n", {"seed": 1}, train)
    weights.cached("m", {"seed": 1}, train, modules=[weights])
    assert train.runs == 4
    assert weights.key_of("m", {}, [weights]) != weights.key_of("m", {}, [sys.modules[__name__]])


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "folder", "foreign"])
def test_a_broken_file_is_trained_again(folder, harm):
    train = Trainer()
    weights.cached("m", {"seed": 1}, train)
    (path,) = folder.iterdir()
    data = bytearray(path.read_bytes())
    if harm == "cut":
        path.write_bytes(data[:-7])
    elif harm == "flip":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "folder":
        path.unlink()
        path.mkdir()
    else:
        torch.save({"w": torch.zeros(3)}, path)
    again = weights.cached("m", {"seed": 1}, train)
    assert train.runs == 2
    assert again["w"].tolist() == [2.0, 2.0, 2.0]
    assert not list(folder.glob("*.part"))


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLGATES_CACHE", str(tmp_path / "file" / "cache"))
    train = Trainer()
    assert weights.cached("m", {}, train)["w"].tolist() == [1.0] * 3
    assert weights.cached("m", {}, train)["w"].tolist() == [2.0] * 3
