"""An S3 bucket with versioning and object lock that keeps bytes.

``If-None-Match: *`` refuses to write over a key, the lock (COMPLIANCE) refuses to remove a version
before its time, and both are the server's word, not this process's. A version is locked for the
grace period when it is stored, and anew when it is renewed: a removal that races with a put is
refused by the server.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

from reference_systems.model_registry.backend import Version
from reference_systems.model_registry.digests import BLOCK
from reference_systems.model_registry.errors import NotThere, Unreachable
from reference_systems.model_registry.s3_address import Address
from reference_systems.model_registry.s3_errors import code_of, gone, is_taken, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_s3 import S3Client

__all__ = ["S3Backend", "client_for"]

_PART = 8 << 20
#: S3 takes at most 10,000 parts
_MOST_PARTS = 9_000
#: how often a read that breaks off is taken up again where it stopped
_READS = 5
_SPOOL_IN_MEMORY = 1 << 20


def client_for(address: Address, *, attempts: int = 5, timeout_s: float = 20.0) -> S3Client:
    """Return a client whose requests are tried ``attempts`` times, each for ``timeout_s``.

    Throttling (503 SlowDown, 429), 5xx and dropped connections are tried again with growing
    pauses, as botocore's *standard* mode does. Credentials come from where the AWS tools take them.
    """
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise Unreachable(
            'S3 needs the extra systems-registry: pip install "pytest-mlgates[systems-registry]" '
            f"({error.name})"
        ) from None
    settings = Config(
        connect_timeout=timeout_s,
        read_timeout=timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
        s3={"addressing_style": "path" if address.endpoint else "auto"},
        proxies={} if address.is_local else None,
        # each block is checked against the digest; a sum beside it would be worked out twice
        response_checksum_validation="when_required",
    )
    try:
        session = boto3.session.Session()
        region = session.region_name or "us-east-1"
        return session.client(
            "s3", endpoint_url=address.endpoint, region_name=region, config=settings
        )
    except (BotoCoreError, ValueError) as error:
        raise Unreachable(f"{address}: {error}") from None


class S3Backend:
    """Keeps each key as an object of a bucket; versions are the bucket's own.

    ``grace`` is for how long a stored version is locked. A bucket that is not there is made by
    the first put, with versioning and object lock; one without them is refused.
    """

    def __init__(
        self, address: Address, *, grace: timedelta, client: S3Client | None = None
    ) -> None:
        self.where = str(address)
        self.grace = grace
        self._bucket, self._prefix = address.bucket, address.prefix
        self._client = client or client_for(address)
        self._fit = False

    @contextlib.contextmanager
    def spool(self) -> Iterator[BinaryIO]:
        """Give a scratch file, in memory while it is small."""
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL_IN_MEMORY) as file:
            yield file  # type: ignore[misc]

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Make sure that the bucket is there and keeps versions; locks are the server's."""
        if not self._fit:
            with self._told():
                self._make_fit()
            self._fit = True
        yield

    def create(self, key: str, source: BinaryIO, size: int) -> str | None:
        """Put an object under a free key; the server says 412 where it is taken."""
        try:
            with self._told(taken=True):
                return self._put(key, source, size, {"IfNoneMatch": "*"})
        except _TakenError:
            return None

    def replace(self, key: str, source: BinaryIO, size: int) -> str:
        """Put a new version over a damaged one, which stays as it is below it."""
        with self._told():
            return self._put(key, source, size, {})

    def renew(self, version: Version) -> bool:
        """Lock a version for the grace period from now."""
        if not self.grace:
            return bool(self._live(version))
        try:
            with self._told():
                self._client.put_object_retention(
                    Bucket=self._bucket,
                    Key=self._prefix + version.key,
                    VersionId=version.version,
                    Retention={"Mode": "COMPLIANCE", "RetainUntilDate": self._until()},
                )
        except NotThere:
            return False
        except Unreachable:
            # a lock that already ends later can't be shortened, and need not be
            return self._locked_long_enough(version)
        return True

    def versions(self, key: str) -> list[Version]:
        """Return versions and delete markers of a key, the newest first."""
        return [found for found in self.under(key) if found.key == key]

    def under(self, prefix: str) -> Iterator[Version]:
        """Yield versions and delete markers, key by key, the newest first."""
        pages = self._client.get_paginator("list_object_versions")
        with self._told(empty=True):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                found = [
                    *(self._version(row) for row in page.get("Versions", ())),
                    *(self._version(row, deleted=True) for row in page.get("DeleteMarkers", ())),
                ]
                # the server gives each kind newest first; within one key the latest leads
                found.sort(key=lambda v: (v.key, not v.latest, -v.modified))
                yield from found

    def blocks(self, key: str, version: str | None = None) -> Iterator[bytes]:
        """Read an object; a read that breaks off goes on where it stopped, some times."""
        done, left = 0, _READS
        while True:
            start = done
            try:
                with self._told():
                    answer = self._get(key, version, done)
                    version = answer.get("VersionId", version)
                    size = done + answer["ContentLength"]
                    for block in answer["Body"].iter_chunks(BLOCK):
                        done += len(block)
                        yield block
            except Unreachable:
                left -= 1
                if not left:
                    raise
                continue
            if done >= size:
                return
            left = left - 1 if done == start else left
            if not left:  # shorter than promised, again and again: what came is hashed, and fails
                return

    def remove(self, version: Version, older_than: float) -> bool:
        """Delete a version by its id; the server refuses while it is locked."""
        if datetime.now(UTC).timestamp() - version.modified < older_than:
            return False
        try:
            with self._told():
                self._client.delete_object(
                    Bucket=self._bucket,
                    Key=self._prefix + version.key,
                    VersionId=version.version,
                )
        except (NotThere, Unreachable):
            return False
        return not self._live(version)

    def tidy(self, older_than: float) -> Iterator[str]:
        """Abort multipart uploads that were begun and never ended."""
        with self._told(empty=True):
            pages = self._client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for row in page.get("Uploads", ()):
                    begun = row["Initiated"].timestamp()
                    if datetime.now(UTC).timestamp() - begun >= max(older_than, 3600.0):
                        self._client.abort_multipart_upload(
                            Bucket=self._bucket, Key=row["Key"], UploadId=row["UploadId"]
                        )
                        yield f"upload of {row['Key']}"

    def _make_fit(self) -> None:
        """Make the bucket, or refuse one that would let a version be lost."""
        from botocore.exceptions import ClientError

        try:
            self._client.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            if not gone(error):
                raise
            self._make_bucket()
        status = self._client.get_bucket_versioning(Bucket=self._bucket).get("Status")
        if status != "Enabled":
            raise Unreachable(f"{self.where}: keeps no versions: an overwrite would destroy one")
        try:
            lock = self._client.get_object_lock_configuration(Bucket=self._bucket)
        except ClientError:
            lock = {}
        if lock.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            raise Unreachable(
                f"{self.where}: has no object lock, which can only be given to a new bucket: "
                "name one that is not there yet"
            )

    def _make_bucket(self) -> None:
        from botocore.exceptions import ClientError

        region = self._client.meta.region_name
        place: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            self._client.create_bucket(
                Bucket=self._bucket,
                ObjectLockEnabledForBucket=True,
                **({} if region == "us-east-1" else place),
            )
        except ClientError as error:  # another writer was first
            if code_of(error) not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise

    def _put(self, key: str, source: BinaryIO, size: int, condition: Mapping[str, str]) -> str:
        extra: dict[str, Any] = {"Bucket": self._bucket, "Key": self._prefix + key}
        lock: dict[str, Any] = {}
        if self.grace:
            lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": self._until()}
        source.seek(0)
        if size <= _PART:
            body = source.read(size + 1)
            answer = self._client.put_object(Body=body, **extra, **lock, **condition)
            return str(answer["VersionId"])
        upload = self._client.create_multipart_upload(**extra, **lock)["UploadId"]
        try:
            parts = list(self._parts(extra, upload, source, size))
            done = self._client.complete_multipart_upload(
                **extra, UploadId=upload, MultipartUpload={"Parts": parts}, **condition
            )
        except BaseException:
            with contextlib.suppress(Exception):
                self._client.abort_multipart_upload(**extra, UploadId=upload)
            raise
        return str(done["VersionId"])

    def _parts(
        self, extra: Mapping[str, Any], upload: str, source: BinaryIO, size: int
    ) -> Iterator[dict[str, Any]]:
        from s3transfer.utils import ReadFileChunk

        length = max(_PART, -(-size // _MOST_PARTS))
        for number, start in enumerate(range(0, size, length), 1):
            source.seek(start)
            body = ReadFileChunk(source, length, size)  # read as it is sent, never held whole
            answer = self._client.upload_part(
                **extra, UploadId=upload, PartNumber=number, Body=body
            )
            yield {"PartNumber": number, "ETag": answer["ETag"]}

    def _get(self, key: str, version: str | None, start: int) -> Any:
        which: dict[str, Any] = {"VersionId": version} if version else {}
        if start:
            which["Range"] = f"bytes={start}-"
        return self._client.get_object(Bucket=self._bucket, Key=self._prefix + key, **which)

    def _version(self, row: Mapping[str, Any], *, deleted: bool = False) -> Version:
        return Version(
            key=row["Key"].removeprefix(self._prefix),
            version=row["VersionId"],
            size=row.get("Size", 0),
            modified=row["LastModified"].timestamp(),
            latest=row["IsLatest"],
            deleted=deleted,
        )

    def _live(self, version: Version) -> bool:
        return any(v.version == version.version for v in self.versions(version.key))

    def _locked_long_enough(self, version: Version) -> bool:
        with self._told():
            retention = self._client.get_object_retention(
                Bucket=self._bucket, Key=self._prefix + version.key, VersionId=version.version
            )["Retention"]
        return retention["RetainUntilDate"] >= datetime.now(UTC) + self.grace / 2

    def _until(self) -> datetime:
        return datetime.now(UTC) + max(self.grace, timedelta(seconds=2))

    @contextlib.contextmanager
    def _told(self, *, taken: bool = False, empty: bool = False) -> Iterator[None]:
        """Turn what botocore raises into one line that names the bucket.

        ``empty``: a bucket that is not there holds nothing. ``taken``: 412 is an answer.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ClientError as error:
            if taken and is_taken(error):
                raise _TakenError from None
            if gone(error):
                if empty:
                    return
                raise NotThere(f"{self.where}: {told(error)}") from None
            raise Unreachable(f"{self.where}: {told(error)}") from None
        except (BotoCoreError, HTTPError, OSError) as error:
            raise Unreachable(f"{self.where}: {told(error)}") from None


class _TakenError(Exception):
    """The key is taken."""
