"""What the S3 server and the line to it may do, and what the registry makes of it."""

from __future__ import annotations

import io
import random
import threading
from datetime import UTC, datetime, timedelta

import pytest

pytest.importorskip("boto3")
from botocore.exceptions import ClientError

from reference_systems.model_registry.errors import (
    Damaged,
    NotThere,
    Refused,
    RegistryError,
    Unreachable,
)
from reference_systems.model_registry.faulty_line import FaultyLine, broken_line
from reference_systems.model_registry.registry import Registry
from reference_systems.model_registry.s3 import S3Backend, client_for
from reference_systems.model_registry.s3_address import Address
from reference_systems.model_registry.store import ContentStore
from tests.reference_systems.model_registry.conftest import put

GRACE = timedelta(minutes=5)


@pytest.fixture
def raw(bucket):
    """Return a plain client and the bucket, as anybody with the credentials has them."""
    return client_for(Address.parse(bucket)), "tests"


@pytest.fixture
def locked(bucket):
    """Return a registry whose versions are locked for some minutes."""
    return Registry.open(bucket, grace=GRACE)


def key_of(store, digest):
    """Return an object's key in the bucket."""
    return store.backend._prefix + store.key(digest)


def test_nobody_removes_or_shortens(locked, raw):
    """The lock is the server's: a version can't be removed, nor its time cut."""
    client, bucket = raw
    digest = put(locked, b"weights")
    key, version = key_of(locked.store, digest), locked.store.check(digest).version
    with pytest.raises(ClientError, match="Access"):
        client.delete_object(Bucket=bucket, Key=key, VersionId=version)
    with pytest.raises(ClientError, match="Access"):
        client.put_object_retention(
            Bucket=bucket,
            Key=key,
            VersionId=version,
            Retention={
                "Mode": "COMPLIANCE",
                "RetainUntilDate": datetime.now(UTC) + timedelta(seconds=3),
            },
        )
    with pytest.raises(ClientError):
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def test_an_overwrite_hides_nothing(locked, raw):
    """Someone writes over the key with a plain client: the digest still gives its own bytes."""
    client, bucket = raw
    digest = put(locked, b"weights")
    client.put_object(Bucket=bucket, Key=key_of(locked.store, digest), Body=b"others")
    assert locked.store.read(digest) == b"weights"
    assert locked.store.put(io.BytesIO(b"weights")).new  # mended
    answer = client.get_object(Bucket=bucket, Key=key_of(locked.store, digest))
    assert answer["Body"].read() == b"weights"


def test_put_delete_put(locked, raw):
    """After a plain delete the key counts as free: the second put stores, the version is another."""
    client, bucket = raw
    one = locked.store.put(io.BytesIO(b"weights"))
    client.delete_object(Bucket=bucket, Key=key_of(locked.store, one.digest))
    assert locked.store.read(one.digest) == b"weights"  # below the marker, by its version
    two = locked.store.put(io.BytesIO(b"weights"))
    assert two.new
    assert two.version != one.version
    assert locked.store.read(one.digest) == b"weights"


def test_everything_replaced_is_refused(bucket, raw):
    """Without a lock the good version can be removed and a bad one put: it is not served."""
    client, name = raw
    store = ContentStore(S3Backend(Address.parse(bucket), grace=timedelta(0)))
    stored = store.put(io.BytesIO(b"weights"))
    key = key_of(store, stored.digest)
    client.put_object(Bucket=name, Key=key, Body=b"weighty")
    client.delete_object(Bucket=name, Key=key, VersionId=stored.version)
    with pytest.raises(Damaged, match="not served"):
        store.read(stored.digest)
    store.put(io.BytesIO(b"weights"))
    assert store.read(stored.digest) == b"weights"


def test_a_bucket_that_would_lose_versions_is_refused(new_bucket):
    """Versioning is needed, and a lock, which only a new bucket can be given."""
    address = Address.parse(new_bucket)
    client, name = client_for(address), address.bucket
    client.create_bucket(Bucket=name)
    with pytest.raises(Unreachable, match="keeps no versions"):
        put(Registry.open(new_bucket), b"weights")
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    with pytest.raises(Unreachable, match="no object lock"):
        put(Registry.open(new_bucket), b"weights")


def test_a_bucket_that_is_not_there(new_bucket):
    registry = Registry.open(new_bucket)
    with pytest.raises(NotThere):
        registry.store.read(64 * "a")
    assert list(registry.collect()) == []
    with pytest.raises(NotThere):
        registry.resolve("model")


def test_wrong_credentials(bucket, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    with pytest.raises(Unreachable) as caught:
        put(Registry.open(bucket), b"weights")
    assert "wrong-secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nobody_answers():
    address = Address("models", "", "http://127.0.0.1:9")
    backend = S3Backend(address, grace=GRACE, client=client_for(address, attempts=2, timeout_s=1))
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9/models"):
        ContentStore(backend).put(io.BytesIO(b"weights"))


@pytest.mark.parametrize("text", ["s3://", "s3://B_C", "http://127.0.0.1:1", "s3://models/a b"])
def test_addresses_that_are_none(text):
    with pytest.raises(Refused, match="expected s3://"):
        Address.parse(text)


def test_credentials_do_not_belong_in_an_address():
    with pytest.raises(Refused, match="holds credentials") as caught:
        Address.parse("http://me:secret@127.0.0.1:1/models")
    assert "secret@" not in str(caught.value)


@pytest.fixture
def line(credentials):
    """Return a line to the server that can be broken."""
    with broken_line(credentials.endpoint) as line:
        line.silence_s = 3.5
        yield line


@pytest.fixture
def broken(line, bucket):
    """Return a store behind the line, whose client tries thrice."""
    address = Address("tests", Address.parse(bucket).prefix, line.endpoint)
    client = client_for(address, attempts=3, timeout_s=3)
    store = ContentStore(S3Backend(address, grace=GRACE, client=client))
    store.put(io.BytesIO(b"the first put makes the bucket"))
    return store


CONTENT = random.Random(9).randbytes(3 << 20)


@pytest.mark.parametrize("fault", ["slow_down", "server_error", "drop", "silence", "lost"])
@pytest.mark.parametrize("size", [100, 9 << 20])
def test_a_put_over_a_bad_line(broken, line, fault, size):
    """Throttled, failed, dropped, unanswered, or done with the answer lost: stored once, and whole."""
    content = random.Random(size).randbytes(size)
    line.plan("PUT", fault)
    line.plan("POST", "", fault)
    digest = broken.put(io.BytesIO(content)).digest
    assert line.seen[fault] >= 1
    assert broken.read(digest) == content
    assert sum(1 for found, _ in broken.objects() if found == digest) == 1


@pytest.mark.parametrize("fault", ["slow_down", "server_error", "drop", "silence", "cut", "flip"])
def test_a_read_over_a_bad_line(broken, line, fault, tmp_path):
    """What comes cut or changed is read again; the caller sees the bytes, or a refusal."""
    digest = broken.put(io.BytesIO(CONTENT)).digest
    line.plan("GET", fault)
    broken.get(digest, tmp_path / "out")
    assert line.seen[fault] == 1
    assert (tmp_path / "out").read_bytes() == CONTENT


@pytest.mark.parametrize("fault", ["slow_down", "cut", "flip"])
def test_a_line_that_stays_bad(broken, line, fault, tmp_path):
    """Retries end: one clear refusal, and nothing at the target."""
    digest = broken.put(io.BytesIO(CONTENT)).digest
    line.plan("GET", *(200 * [fault]))
    with pytest.raises(RegistryError):
        broken.get(digest, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    line.clear()
    assert broken.get(digest, tmp_path / "out") == len(CONTENT)


def test_a_put_that_stays_refused_leaves_no_parts(broken, line):
    line.plan("PUT", *(50 * ["slow_down"]))
    with pytest.raises(Unreachable, match="SlowDown"):
        broken.put(io.BytesIO(random.Random(2).randbytes(9 << 20)))
    line.clear()
    backend = broken.backend
    uploads = backend._client.list_multipart_uploads(Bucket=backend._bucket)
    assert uploads.get("Uploads", []) == []


def test_the_line_knows_its_faults():
    with pytest.raises(ValueError, match="no such fault: typo"):
        FaultyLine("http://127.0.0.1:1").plan("GET", "typo")


def test_writers_of_one_multipart_key(locked):
    """Eight writers of the same large file: all acknowledged, each names a version that holds it.

    The server lets more than one complete at times: ``If-None-Match`` holds for single puts only.
    """
    content = random.Random(4).randbytes(9 << 20)
    stored = []
    threads = [
        threading.Thread(target=lambda: stored.append(locked.store.put(io.BytesIO(content))))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stored) == 8
    key = locked.store.key(stored[0].digest)
    for version in {one.version for one in stored}:
        assert b"".join(locked.store.backend.blocks(key, version)) == content
    assert locked.store.read(stored[0].digest) == content
