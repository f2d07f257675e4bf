"""Collection removes what nothing reaches, says so, and nothing else."""

from __future__ import annotations

import io
import os
import random
import threading
import time
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_systems.model_registry.errors import NotThere, Refused
from reference_systems.model_registry.registry import Registry
from tests.reference_systems.model_registry.conftest import put

NOW = timedelta(0)


def point(registry, name, digest):
    """Let a name point, as a promotion does once its report is approved."""
    label = registry.manifests(digest)[0][0]
    version = registry.store.check(digest)
    return registry.pointers.append(
        name,
        digest=digest,
        version=version.version,
        manifest=label,
        when="2026-01-01T00:00:00+00:00",
        report=registry.store.put(io.BytesIO(b"report of " + digest.encode())).digest,
        signer="",
        gates=(),
    )


def test_what_is_reached_stays(registry):
    """Not only what a name points at now: every entry of its history can be gone back to."""
    old, new, loose = (put(registry, text) for text in (b"old", b"new", b"loose"))
    entries = [point(registry, "fraud", digest) for digest in (old, new)]
    if registry.store.backend.where.startswith("http"):
        time.sleep(3.2)  # the lock of what was put ends
    gone = {removed.what for removed in registry.collect(NOW)}
    assert loose in gone
    for entry in entries:
        for digest in (entry.digest, entry.manifest, entry.report):
            assert digest not in gone
            registry.store.read(digest)
    with pytest.raises(NotThere):
        registry.store.read(loose)
    assert not {removed.what for removed in registry.collect(NOW)} & {old, new}


def test_grace(registry):
    digest = put(registry, b"just put")
    assert list(registry.collect()) == []
    assert registry.store.read(digest) == b"just put"


def test_a_put_starts_the_grace_anew(tmp_path):
    """What is old and is put again was just acknowledged: it is not removed."""
    registry = Registry.open(str(tmp_path))
    digest = put(registry, b"weights")
    for version in [
        *registry.store.backend.under("objects/"),
        *registry.store.backend.under("manifests/"),
    ]:
        os.utime(tmp_path / version.key, (1, 1))
    put(registry, b"weights")
    assert list(registry.collect(timedelta(hours=1))) == []
    assert registry.manifests(digest)


def test_locked_on_s3(bucket):
    """The server refuses to remove what is locked, whatever the collection thinks."""
    registry = Registry.open(bucket, grace=timedelta(minutes=5))
    digest = put(registry, b"locked")
    time.sleep(1.1)
    assert list(registry.collect(NOW)) == []
    assert registry.store.read(digest) == b"locked"


def test_scratch_files_of_killed_puts(tmp_path):
    registry = Registry.open(str(tmp_path))
    put(registry, b"weights")
    left, foreign = tmp_path / "scratch" / "put-left", tmp_path / "scratch" / "notes"
    left.write_bytes(b"half")
    foreign.write_bytes(b"somebody else's")
    assert not [one for one in registry.collect(NOW) if one.kind == "broken-off put"]
    os.utime(left, (1, 1))
    os.utime(foreign, (1, 1))
    assert [one.what for one in registry.collect(NOW) if one.kind == "broken-off put"] == [
        "scratch/put-left"
    ]
    assert not left.exists()
    assert foreign.exists()


def test_strange_files_are_left_alone(tmp_path):
    registry = Registry.open(str(tmp_path))
    put(registry, b"weights")
    (tmp_path / "README").write_text("ours")
    list(registry.collect(NOW))
    assert (tmp_path / "README").read_text() == "ours"


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_graph(tmp_path_factory, seed):
    """Whatever is put and pointed at in whatever order: reached stays, the rest goes."""
    draw = random.Random(seed)
    registry = Registry.open(str(tmp_path_factory.mktemp("graph")))
    contents = [draw.randbytes(draw.randrange(30)) for _ in range(8)]
    digests = [put(registry, content) for content in contents]
    reached = set(draw.sample(digests, draw.randrange(len(digests))))
    for number, digest in enumerate(reached):
        point(registry, f"n{number % 3}", digest)
    list(registry.collect(NOW))
    left = {digest for digest, _ in registry.store.objects()}
    assert reached <= left
    assert not (set(digests) - reached) & left


def test_puts_and_collections_at_once(tmp_path):
    """While collections without any grace run, what is acknowledged and then reached is there.

    A put that is acknowledged after the sweep read its age, and before it removes, would be lost
    without the lock that they share; with it the put either sees the object gone or is seen.
    """
    registry = Registry.open(str(tmp_path))
    contents = [b"model %d" % n for n in range(40)]
    for content in contents:
        put(registry, content)
    for version in registry.store.backend.under("objects/"):
        os.utime(tmp_path / version.key, (1, 1))
    stop, lost = threading.Event(), []

    def sweep():
        while not stop.is_set():
            list(registry.collect(timedelta(hours=1)))

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for content in contents * 3:
            stored = registry.store.put(io.BytesIO(content))
            try:
                registry.store.read(stored.digest)
            except NotThere:
                lost.append(content)
    finally:
        stop.set()
        sweeper.join()
    assert lost == []


def test_two_stories_of_the_training_data(tmp_path):
    """Which data an artifact came from must be settled before it is promoted."""
    registry = Registry.open(str(tmp_path))
    digest = put(registry, b"weights", training_data=64 * "1")
    put(registry, b"weights", training_data=64 * "2")
    with pytest.raises(Refused, match="2 digests of training data"):
        registry._base(digest)
