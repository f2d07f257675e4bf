"""Trained weights are kept by what made them, and nothing broken or stale is ever used."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from reference_systems import weights
from reference_systems.weights import shipped
from reference_systems.weights.files import packed, unpacked


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MLGATES_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MLGATES_RETRAIN", raising=False)
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
    assert [path.suffix for path in folder.iterdir()] == [".weights"]


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


# --- what the repository ships ------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """Return a folder of shipped weights with one file in it, and the file."""
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "shipped")
    name = shipped.file_name("m", weights.key_of("m", {"seed": 1}))
    shipped.ship({name: {"w": torch.full((3,), 7.0)}})
    return shipped.FOLDER / name


def test_what_is_shipped_is_not_trained(shop, folder):
    train = Trainer()
    assert weights.cached("m", {"seed": 1}, train)["w"].tolist() == [7.0] * 3
    assert train.runs == 0
    assert not folder.exists()


def test_shipped_weights_of_another_recipe_are_trained_anew(shop):
    train = Trainer()
    weights.cached("m", {"seed": 2}, train)
    weights.cached("n", {"seed": 1}, train)
    weights.cached("m", {"seed": 1}, train, modules=[weights])
    assert train.runs == 3


def test_shipped_weights_hold_for_other_versions_of_the_libraries(shop, monkeypatch):
    monkeypatch.setattr("reference_systems.weights.keep.version", lambda library: "99")
    train = Trainer()
    weights.cached("m", {"seed": 1}, train)
    weights.cached("n", {}, train)
    monkeypatch.setattr("reference_systems.weights.keep.version", lambda library: "100")
    weights.cached("n", {}, train)
    assert train.runs == 2  # the cache keeps versions apart


@pytest.mark.parametrize("harm", ["flip", "cut", "gone", "other"])
def test_a_damaged_shipped_file_is_an_error(shop, harm, monkeypatch):
    data = bytearray(shop.read_bytes())
    if harm == "flip":
        data[len(data) // 2] ^= 1
    elif harm == "other":
        data = bytearray(packed({"w": torch.zeros(3)}))
    shop.write_bytes(data[:-7] if harm == "cut" else data)
    if harm == "gone":
        shop.unlink()
    train = Trainer()
    with pytest.raises(shipped.DamagedWeightsError, match=f"{shop.name}: .*MLGATES_RETRAIN=1"):
        weights.cached("m", {"seed": 1}, train)
    monkeypatch.setenv("MLGATES_RETRAIN", "1")
    assert weights.cached("m", {"seed": 1}, train)["w"].tolist() == [1.0] * 3


def test_shipping_replaces_what_was_shipped_before(shop):
    shipped.ship({"other-1.npz": {"w": torch.zeros(1)}})
    assert sorted(path.name for path in shop.parent.iterdir()) == ["SHA256SUMS", "other-1.npz"]
    assert list(shipped.sums()) == ["other-1.npz"]


def test_a_state_comes_back_as_it_was():
    state = {"a.weight": torch.randn(2, 3), "n": torch.tensor(5), "raw": torch.arange(3).byte()}
    again = unpacked(packed(state))
    assert list(again) == list(state)
    for name, weight in state.items():
        assert again[name].dtype == weight.dtype
        assert torch.equal(again[name], weight)
    assert packed(state) == packed(again)
    assert weights.digest_of_state(state) == weights.digest_of_state(again)
    assert weights.digest_of_state(state) != weights.digest_of_state({"a": torch.zeros(6)})


def test_the_repository_holds_the_files_that_it_lists():
    listed = shipped.sums()
    assert listed
    assert {path.name for path in shipped.FOLDER.glob("*.npz")} == set(listed)
    for name, digest in listed.items():
        data = (shipped.FOLDER / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
        assert len(data) < 1_000_000


def test_git_and_the_sdist_carry_them():
    """An ignore rule would leave them out of a clone and, with hatchling, out of the sdist."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        pytest.skip("no git checkout")
    paths = [str(shipped.FOLDER / name) for name in ("SHA256SUMS", *shipped.sums())]
    words = ["git", "check-ignore", *paths]
    assert subprocess.run(words, check=False, cwd=root, capture_output=True).returncode == 1


# --- they are those of the code as it stands ----------------------------------------------------


@pytest.fixture
def only_shipped(monkeypatch):
    """Let whatever would train fail: what is asked for must be shipped."""

    def trains(*_args, **_kwargs):
        pytest.fail("stale: run tox run -e retrain -- --ship")

    pytest.importorskip("onnxruntime", reason="extra 'systems'")
    pytest.importorskip("opacus", reason="extra 'systems'")
    from reference_systems.support_bot import training
    from reference_systems.truckai_shadow import export, model, query

    monkeypatch.delenv("MLGATES_DATA", raising=False)
    for module in (training, model):
        monkeypatch.setattr(module, "train", trains)
    monkeypatch.setattr(export, "export", trains)
    monkeypatch.setattr(query, "best", trains)


def test_the_trucks_models_are_shipped(only_shipped):
    from reference_systems.truckai_shadow import inputs
    from reference_systems.truckai_shadow.builds import Versions

    inputs._recorded.cache_clear()
    made = Versions()
    assert len({pilot.mlgates_digest for pilot in (made.v1, made.v2, made.v3)}) == 3
    assert len(made.found_rows) == made.sizes.keep
    inputs._recorded.cache_clear()


def test_the_bot_of_the_incident_is_shipped(only_shipped):
    """Its fixes too, but which they are is known only after Presidio read thousands of chats."""
    from reference_systems.support_bot import chats, incident

    chats._real_topics.cache_clear()
    assert incident.bot.__wrapped__(0).mlgates_digest
