"""The registry: put and get by digest, promotion by evidence, names with a history."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from reference_systems.model_registry.collect import Removed, collect
from reference_systems.model_registry.digests import full_digest, short
from reference_systems.model_registry.errors import NotThere, Refused
from reference_systems.model_registry.folder import FolderBackend
from reference_systems.model_registry.formats import format_of
from reference_systems.model_registry.manifest import Manifest
from reference_systems.model_registry.pointers import Entry, Pointers, pointer_name
from reference_systems.model_registry.promotion import Rules, approve
from reference_systems.model_registry.s3 import S3Backend
from reference_systems.model_registry.s3_address import Address
from reference_systems.model_registry.store import ContentStore, Stored

if TYPE_CHECKING:
    from pytest_mlgates.signing.keys import PublicKey

__all__ = ["GRACE", "Put", "Registry"]

#: how long something that no name reaches is kept
GRACE = timedelta(days=7)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """What a put acknowledged: the artifact and the manifest that tells of it."""

    stored: Stored
    manifest: str
    format: str


class Registry:
    """Artifacts in a :class:`ContentStore`, and the names that point at them.

    ``pickles`` are the digests of pickles that may be stored all the same; any other is refused,
    since loading a pickle runs whatever is in it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     registry = Registry.open(folder)
    ...     put = registry.put(io.BytesIO(b"weights"), "model.bin")
    ...     registry.store.read(put.stored.digest)
    b'weights'
    """

    def __init__(
        self, store: ContentStore, *, pickles: Sequence[str] = (), grace: timedelta = GRACE
    ) -> None:
        self.store = store
        self.pointers = Pointers(store)
        self.grace = grace
        self._pickles = {full_digest(digest) for digest in pickles}

    @classmethod
    def open(cls, place: str, *, pickles: Sequence[str] = (), grace: timedelta = GRACE) -> Registry:
        """Open the registry in a folder, or in the bucket of an S3 address."""
        address = Address.parse(place)
        if address is None:
            return cls(ContentStore(FolderBackend(Path(place))), pickles=pickles, grace=grace)
        backend = S3Backend(address, grace=grace)
        return cls(ContentStore(backend), pickles=pickles, grace=grace)

    def put(self, stream: BinaryIO, name: str, training_data: str = "") -> Put:
        """Store an artifact; ``name`` and ``training_data`` (a SHA-256) go into its manifest."""
        formats: list[str] = []

        def look(file: BinaryIO, digest: str) -> None:
            formats.append(format_of(file))
            if formats[0] == "pickle" and digest not in self._pickles:
                raise Refused(
                    f"{name}: is a pickle, or holds one: loading it runs what is in it. Store "
                    f"safetensors, ONNX or skops, or allow this very file with "
                    f"--allow-pickle {digest}"
                )

        stored = self.store.put(stream, look)
        manifest = Manifest(
            digest=stored.digest,
            size=stored.size,
            format=formats[0],
            name=name,
            training_data=full_digest(training_data) if training_data else "",
        )
        return Put(stored=stored, manifest=self._label(manifest), format=formats[0])

    def get(self, digest: str, target: Path) -> int:
        """Write an artifact to ``target``, checked; return its size in bytes."""
        return self.store.get(full_digest(digest), target)

    def manifests(self, digest: str) -> list[tuple[str, Manifest]]:
        """Return the manifests of an artifact with their digests, the oldest first."""
        found = [v for v in self.store.backend.under(f"manifests/{digest}/") if not v.deleted]
        found.sort(key=lambda version: (version.modified, version.key))
        keys = dict.fromkeys(version.key.rpartition("/")[2] for version in found)
        return [(key, Manifest.read(self.store.read(key))) for key in keys]

    def promote(
        self,
        name: str,
        digest: str,
        report: Path,
        keys: Sequence[PublicKey],
        rules: Rules | None = None,
        now: datetime | None = None,
    ) -> Entry:
        """Let a name point at an artifact, by a signed report that passed on that very artifact.

        Raises :class:`Refused` with the reason, and nothing has changed.
        """
        pointer_name(name)
        digest = full_digest(digest)
        version = self.store.check(digest)
        approval = approve(digest, report, keys, rules or Rules(), now)
        evidence = self.store.put(io.BytesIO(approval.attestation)).digest
        base = self._base(digest)
        manifest = self._label(dataclasses.replace(base, evidence=evidence))
        if not self.store.backend.renew(version):  # so that no collection under way removes it
            raise NotThere(f"{self.store.backend.where}: {digest} was removed meanwhile")
        return self.pointers.append(
            name,
            digest=digest,
            version=version.version,
            manifest=manifest,
            when=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
            report=evidence,
            signer=approval.signer,
            gates=approval.gates,
        )

    def log(self, name: str) -> list[Entry]:
        """Return the history of a name, the oldest entry first."""
        return self.pointers.history(name)

    def resolve(self, name: str) -> Entry:
        """Return what a name points at now."""
        return self.pointers.history(name)[-1]

    def collect(self, grace: timedelta | None = None) -> Iterator[Removed]:
        """Remove what no name reaches and is older than the grace period."""
        return collect(self.store, self.grace if grace is None else grace)

    def _base(self, digest: str) -> Manifest:
        """Return the manifest that a promotion adds its evidence to."""
        known = self.manifests(digest)
        bare = {dataclasses.replace(manifest, evidence="") for _, manifest in known}
        data = {manifest.training_data for manifest in bare if manifest.training_data}
        if len(data) > 1:
            raise Refused(
                f"{short(digest)}... was put with {len(data)} digests of training data: which one "
                "it came from must be settled first"
            )
        if not bare:
            raise NotThere(
                f"{self.store.backend.where}: {digest} has no manifest: put the file again"
            )
        whole = [manifest for manifest in bare if manifest.training_data] or list(bare)
        return min(whole, key=lambda manifest: manifest.to_bytes())

    def _label(self, manifest: Manifest) -> str:
        """Store a manifest and file it under its artifact."""
        digest = self.store.put(io.BytesIO(manifest.to_bytes())).digest
        key = f"manifests/{manifest.digest}/{digest}"
        if self.store.put_under(key, b"") is None:
            for version in self.store.backend.versions(key)[:1]:
                self.store.backend.renew(version)
        return digest
