"""The last act of a run: the report folder is signed, and kept in a store."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from pytest_mlgates.core.canonical import canonical, parse
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.files import put
from pytest_mlgates.core.instants import kernel_now
from pytest_mlgates.core.plain import FileFault
from pytest_mlgates.report.read import evidence_in
from pytest_mlgates.signing.envelope import sign
from pytest_mlgates.signing.folder import Folder, scan
from pytest_mlgates.signing.keys import SigningKey, signing_key
from pytest_mlgates.signing.statement import Sealing, check, statements
from pytest_mlgates.signing.store import Link, Run, Store, StoreFault
from pytest_mlgates.writers import ATTESTATION

__all__ = ["Seal", "SealFault"]


class SealFault(UsageError):
    """A report can't be signed or kept; the text says why."""


class Seal:
    """Signs what a folder holds, whatever the verdict: a failed run is evidence too."""

    def __init__(self, key: SigningKey | None, store: Store | None) -> None:
        self.key = key
        self.store = store

    @classmethod
    def open(cls, key: Path | None, store: Path | None, folder: Path) -> Seal:
        """Check, before anything runs, that the folder can be signed and kept at its end.

        Raises :class:`~pytest_mlgates.signing.keys.KeyFault`, :class:`StoreFault` or
        :class:`SealFault`.
        """
        opened = signing_key(key) if key is not None else None
        inside = folder.resolve()
        for path, what in ((key, "the key"), (store, "the store")):
            if path is not None and path.resolve().is_relative_to(inside):
                raise SealFault(f"{path}: {what} lies in the report folder: keep it elsewhere")
        if store is None:
            return cls(opened, None)
        kept = Store(store)
        try:
            with kept.locked():
                kept.next()
        except OSError as error:
            raise StoreFault(f"{store}: can't be written: {error.strerror}") from None
        return cls(opened, kept)

    def close(self, folder: Path) -> tuple[str, list[str]]:
        """Sign and keep the folder; return a line that tells of it, and a line for each fault."""
        now = kernel_now().isoformat(timespec="seconds")
        done = []
        try:
            with self.store.locked() if self.store else contextlib.nullcontext():
                link = self.store.next() if self.store else None
                report = parse((folder / "report.json").read_bytes())
                if self.key is not None:
                    self._sign(self.key, folder, report, link, now)
                    done.append(f"signed by the key {self.key.public.key.keyid[:16]}")
                if self.store is not None and link is not None:
                    self._keep(self.store, folder, report, link, now)
                    done.append(f"kept as run {link.sequence} of {self.store.folder}")
        except OSError as error:
            return "", [f"{error.filename or folder}: {error.strerror or error}"]
        except (ValueError, UsageError) as fault:
            return "", [str(fault)]
        return ", ".join(done), []

    def _sign(
        self, key: SigningKey, folder: Path, report: dict[str, Any], link: Link | None, now: str
    ) -> None:
        (folder / ATTESTATION).unlink(missing_ok=True)
        sealing = Sealing(
            signed=now,
            keyid=key.public.key.keyid,
            public_pem=key.public.pem,
            chain=link.to_dict() if link else None,
        )
        both = statements(report, _plain_reason(folder).files, sealing)
        check(both)
        put(folder / ATTESTATION, sign(both, key).decode("ascii"))

    def _keep(
        self, store: Store, folder: Path, report: dict[str, Any], link: Link, now: str
    ) -> None:
        files = {}
        for name, stored in _plain_reason(folder).files.items():
            files[name] = store.put((folder / name).read_bytes())
            if files[name] != stored.sha256:
                raise FileFault(f"{folder / name}: changed while it was kept")
        for piece in report["evidence"]:
            store.put(canonical(evidence_in(piece).to_dict()))
        store.append(Run(link, now, report["outcome"], files))


def _plain_reason(folder: Path) -> Folder:
    found = scan(folder)
    if found.faults:
        raise FileFault(f"{folder}: {found.faults[0]}")
    return found
