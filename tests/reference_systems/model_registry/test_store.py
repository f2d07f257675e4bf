"""What any store owes: nothing overwritten, nothing unverified, nothing lost."""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_systems.model_registry.digests import full_digest
from reference_systems.model_registry.errors import Damaged, NotThere, Refused, RegistryError
from reference_systems.model_registry.folder import FolderBackend
from reference_systems.model_registry.store import ContentStore
from tests.reference_systems.model_registry.conftest import put

#: two texts whose SHA-256 begin with the same twelve digits
ALIKE = (b"artifact 30833785", b"artifact 33245150")


def file_of(store, digest):
    return store.backend.root / store.key(digest)


def damage(store, digest, data):
    """Change what lies under a digest behind the store's back."""
    path = file_of(store, digest)
    path.chmod(0o644)
    path.write_bytes(data)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (8 << 20) + 3])
def test_what_is_put_is_got(registry, tmp_path, size):
    data = random.Random(size).randbytes(size)
    digest = put(registry, data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert registry.get(digest, tmp_path / "out") == size
    assert (tmp_path / "out").read_bytes() == data


def test_put_again_is_the_same(registry):
    one = registry.store.put(io.BytesIO(b"weights"))
    two = registry.store.put(io.BytesIO(b"weights"))
    assert (one.digest, one.version) == (two.digest, two.version)
    assert (one.new, two.new) == (True, False)


def test_digests_that_begin_alike(registry):
    assert len({hashlib.sha256(text).hexdigest()[:12] for text in ALIKE}) == 1
    digests = [put(registry, text) for text in ALIKE]
    assert [registry.store.read(digest) for digest in digests] == list(ALIKE)


@pytest.mark.parametrize("text", ["", "abc", "7f66ec695d3d", 63 * "a", 65 * "a", 64 * "g", "a\nb"])
def test_a_prefix_is_for_people(text):
    with pytest.raises(Refused, match="is not a digest"):
        full_digest(text)


def test_a_get_of_nothing_leaves_nothing(registry, tmp_path):
    put(registry, b"something else")
    with pytest.raises(NotThere, match="holds nothing under aaaa"):
        registry.get(64 * "a", tmp_path / "out")
    assert list(tmp_path.glob("out*")) == list(tmp_path.glob(".out*")) == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_damage_is_never_served_and_is_mended(tmp_path_factory, data):
    """Flipped, cut, lengthened, emptied or swapped bytes are refused; putting the file mends."""
    folder = tmp_path_factory.mktemp("damage")
    store = ContentStore(FolderBackend(folder / "store"))
    content = data.draw(st.binary(max_size=200))
    digest = store.put(io.BytesIO(content)).digest
    other = data.draw(st.binary(max_size=200).filter(lambda found: found != content))
    damage(store, digest, other)
    (folder / "out").write_bytes(b"before")
    with pytest.raises(Damaged, match="it is not served"):
        store.get(digest, folder / "out")
    assert (folder / "out").read_bytes() == b"before"
    assert len(list(folder.iterdir())) == 2
    with pytest.raises(Damaged):
        store.read(digest)
    mended = store.put(io.BytesIO(content))
    assert mended.new
    assert store.read(digest) == content


def test_what_is_not_a_plain_file_is_not_followed(folder_store, tmp_path):
    digest = folder_store.put(io.BytesIO(b"weights")).digest
    path = file_of(folder_store, digest)
    (tmp_path / "elsewhere").write_bytes(b"weights")
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RegistryError):
        folder_store.read(digest)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(RegistryError, match="not a plain file"):
        folder_store.read(digest)


def test_a_stream_that_breaks_stores_nothing(folder_store):
    class Broken(io.RawIOBase):
        def read(self, size=-1):
            if not hasattr(self, "once"):
                self.once = True
                return b"half"
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        folder_store.put(Broken())
    assert list(folder_store.objects()) == []
    assert list((folder_store.backend.root / "scratch").iterdir()) == []


def test_without_hard_links(folder_store, monkeypatch):
    """A file system that has none: a rename that looks first, under a lock."""

    def link(*_, **__):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    one, two = (folder_store.put(io.BytesIO(b"weights")) for _ in range(2))
    assert (one.new, two.new) == (True, False)
    assert folder_store.read(one.digest) == b"weights"


def test_a_full_disk_is_told(folder_store, monkeypatch):
    def fsync(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(RegistryError, match="No space left on device"):
        folder_store.put(io.BytesIO(b"weights"))
    monkeypatch.undo()
    assert list(folder_store.objects()) == []


def test_a_hundred_writers(registry):
    """Of one content: one object, a hundred acknowledgements. Of different ones: all of them."""
    same = random.Random(1).randbytes(50_000)
    contents = [random.Random(n).randbytes(20_000) for n in range(50)] + 50 * [same]
    with ThreadPoolExecutor(25) as pool:
        stored = list(pool.map(lambda content: registry.store.put(io.BytesIO(content)), contents))
    for content, one in zip(contents, stored, strict=True):
        assert one.digest == hashlib.sha256(content).hexdigest()
        assert registry.store.read(one.digest) == content
    versions = [version for _, version in registry.store.objects()]
    assert len({version.key for version in versions}) == len(versions) == 51


KILLED = """
import sys
from pathlib import Path
from reference_systems.model_registry.folder import FolderBackend
from reference_systems.model_registry.store import ContentStore
store = ContentStore(FolderBackend(Path(sys.argv[1])))
print("ready", flush=True)
for n in range(10_000):
    import io, random
    content = random.Random(n).randbytes(300_000)
    print(store.put(io.BytesIO(content)).digest, flush=True)
"""


def test_killed_in_a_put(tmp_path):
    """After a SIGKILL all that was acknowledged is there, and nothing is half there."""
    draw = random.Random(3)
    acknowledged = set()
    for _ in range(5):
        words = [sys.executable, "-c", KILLED, str(tmp_path / "store")]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(draw.uniform(0.0, 0.2))
            process.send_signal(signal.SIGKILL)
            acknowledged |= {line.strip() for line in process.stdout if line.endswith("\n")}
        store = ContentStore(FolderBackend(tmp_path / "store"))
        for digest, _ in store.objects():
            store.read(digest)  # raises where half a file lies under a full name
        assert acknowledged <= {digest for digest, _ in store.objects()}
    assert acknowledged


def test_done_again_after_it_was_killed(folder_store):
    """A put that left half a file under the name, as other tools do, is mended before it counts."""
    content = random.Random(5).randbytes(100_000)
    digest = hashlib.sha256(content).hexdigest()
    half = file_of(folder_store, digest)
    half.parent.mkdir(parents=True)
    half.write_bytes(content[:50_000])
    assert folder_store.put(io.BytesIO(content)).digest == digest
    assert folder_store.read(digest) == content


STREAMED = """
import os, sys
from pathlib import Path
from reference_systems.model_registry.registry import Registry
registry = Registry.open(sys.argv[1])
with open(sys.argv[2], "rb") as file:
    digest = registry.put(file, "big").stored.digest
registry.get(digest, Path(sys.argv[2] + ".out"))
# not getrusage: its maximum is taken over from the process that started this one
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells the peak on Linux only")
def test_streamed_in_bounded_memory(place, tmp_path):
    """200 MB go through a put and a get, in a folder and on S3, in a process of at most 64 MB."""
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(200 << 20)
    done = subprocess.run(
        [sys.executable, "-c", STREAMED, place, str(big)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert int(done.stdout) < 64 << 10  # kilobytes
    assert (tmp_path / "big.out").stat().st_size == 200 << 20
