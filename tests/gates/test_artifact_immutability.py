"""The gate on stores of every flaw that is known: each is caught, each sound one is not."""

from __future__ import annotations

import hashlib
import os
import random
import re
import threading

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.gates.artifact_immutability import ArtifactImmutability, Store
from pytest_mlgates.gates.artifact_immutability.sequences import (
    KINDS,
    Material,
    draw_sequence,
    tell,
)
from pytest_mlgates.gates.artifact_immutability.shrink import shrink
from tests.gate_cases.artifact_immutability import ALL_FAULTS, SECRETS, Named, Sound
from tests.gates.stores import (
    CutLine,
    Evicts,
    Folds,
    Half,
    Healed,
    Lazy,
    Line,
    ListLags,
    Loses,
    Md5,
    NotMended,
    Prefix,
    Races,
    Renames,
    Reuses,
    Sizes,
    Swallows,
    Unverified,
    Versioned,
    WriteOnce,
)

GATE = ArtifactImmutability(sequences=300)


@pytest.mark.parametrize("kind", [Sound, Versioned, WriteOnce, Line])
@pytest.mark.parametrize("seed", range(3))
def test_sound_stores(kind, seed):
    evidence = GATE.run(kind(), seed=seed)
    assert evidence.outcome == Outcome.PASS, evidence.verdict
    assert "fewer than 2.28 % of such sequences" in evidence.verdict.reason


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        (Named, "for one artifact, then for another|has changed|not verified"),
        (Prefix, "has changed|then for another"),
        (Md5, "has changed|then for another"),
        (Sizes, "has changed|then for another"),
        (Unverified, "reads are not verified"),
        (NotMended, "is lost|has changed"),
        (Loses, "is lost"),
        (Evicts, "is lost"),
        (Lazy, "is lost"),
        (Half, "part of an artifact"),
        (Swallows, "has changed|then for another"),
        (Folds, "then for another"),
        (Reuses, "deleted, and acknowledged for another"),
        (Renames, "for another|has changed"),
        (Races, "then for another|has changed"),
        (ListLags, "the store's list lacks it"),
        (CutLine, "served after cut read"),
        (Healed, "reads are not verified"),
    ],
)
def test_flawed_stores(kind, how):
    Line.cut = None
    evidence = GATE.run(kind(), seed=7)
    assert evidence.outcome == Outcome.FAIL, evidence.verdict
    assert re.search(how, evidence.verdict.reason), evidence.verdict.reason
    assert evidence.findings[-1].startswith("then: ")


def test_a_counter_example_is_short():
    """Two operations overwrite, whatever the sequence was."""
    for seed in range(10):
        evidence = GATE.run(Reuses(), seed=seed)
        assert evidence.outcome == Outcome.FAIL
        assert len(evidence.findings) <= 5
        evidence = GATE.run(Unverified(), seed=seed)
        assert len(evidence.findings) <= 3, evidence.findings


def test_an_incident_fails_within_a_hundred_sequences():
    for seed in range(30):
        seen = GATE.run(Named(), seed=seed).measurement
        assert seen.details["clean"] + seen.details["idle"] < 20


def test_the_same_seed_the_same_evidence():
    one, two = (GATE.run(Sound(), seed=5) for _ in range(2))
    assert one.measurement == two.measurement
    assert GATE.run(Sound(), seed=6).measurement != one.measurement


def test_what_a_store_lacks_is_named():
    class Bare:
        def __init__(self, disk=None):
            self.inner = Sound(disk)
            self.put, self.get = self.inner.put, self.inner.get

        def reopen(self):
            return Bare(self.inner.disk)

    evidence = GATE.run(Bare())
    assert evidence.outcome == Outcome.PASS
    for words in ("bits that flip", "deletion", "renaming", "the system kills", "cut off"):
        assert words in evidence.verdict.reason


def test_required_faults():
    assert ALL_FAULTS.run(Sound()).outcome == Outcome.INCONCLUSIVE
    Line.cut = None
    assert ALL_FAULTS.run(Line()).outcome == Outcome.PASS


def test_a_store_that_is_used_already_and_twice():
    """Whatever lies in it: what the gate puts is its own."""
    store = Sound()
    assert GATE.run(store).outcome == Outcome.PASS
    assert GATE.run(store).outcome == Outcome.PASS


def test_a_put_that_hangs():
    class Hangs(Sound):
        def put(self, stream, name):
            threading.Event().wait(60)

    gate = ArtifactImmutability(sequences=100, timeout_s=0.05)
    evidence = gate.run(Hangs())
    assert evidence.outcome == Outcome.ERROR
    assert "was stopped" in evidence.verdict.reason


def test_nothing_of_the_store_is_told():
    """Neither the references nor the texts of exceptions: they may hold anything."""
    for store in (Named(), Sound()):
        text = GATE.run(store).to_json()
        assert not any(secret in text for secret in SECRETS)


def test_protocol():
    assert isinstance(Sound(), Store)
    assert not isinstance(object(), Store)


def test_pairs_collide():
    material = Material("m", random.Random(1))
    (one, two), (three, four) = material.pairs
    assert hashlib.sha256(one).hexdigest()[:12] == hashlib.sha256(two).hexdigest()[:12]
    assert hashlib.md5(three).digest() == hashlib.md5(four).digest()
    assert len({one, two, three, four}) == 4


def test_drawing():
    """Every kind occurs, only what the store offers is asked, and all can be told."""
    seen = set()
    for seed in range(300):
        operations = draw_sequence(random.Random(seed), ("reopen", "damage"), 12)
        assert operations[0].kind == "put"
        assert 2 <= len(operations) <= 12
        seen |= {operation.kind for operation in operations}
        assert all(map(tell, operations))
    assert seen == {
        kind for kind, (_, needs) in KINDS.items() if needs in ("put", "reopen", "damage")
    }


def test_shrinking_ends():
    flaky = random.Random(1)
    found, _ = shrink(range(100), lambda rest: flaky.random() < 0.5, most=50)
    assert len(found) <= 100
    assert shrink([1], lambda rest: True) == ((1,), True)


def test_a_random_flaw_in_a_folder(tmp_path):
    """Bytes on a disk, flipped by another process's hand in one of forty files."""

    class Rots(Sound):
        def put(self, stream, name):
            reference = super().put(stream, name)
            (tmp_path / reference).write_bytes(self.disk[reference])
            if int.from_bytes(os.urandom(1), "big") < 6:
                (tmp_path / reference).write_bytes(self.disk[reference] + b"!")
            return reference

        def get(self, reference):
            return (tmp_path / reference).read_bytes()

        def damage(self, *_):
            raise NotImplementedError

        def delete(self, reference):
            (tmp_path / reference).unlink()

    assert GATE.run(Rots()).outcome == Outcome.FAIL
