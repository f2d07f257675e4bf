"""Key files: Ed25519 or ECDSA P-256 in PEM. A key of any other kind is refused by name."""

from __future__ import annotations

import dataclasses
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, Key

from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.instants import instant
from pytest_mlgates.core.words import install

__all__ = [
    "PASSPHRASE",
    "KeyFault",
    "PublicKey",
    "SigningKey",
    "public_from_pem",
    "public_key",
    "signing_key",
]

#: the environment variable that opens an encrypted key
PASSPHRASE = "MLGATES_SIGN_PASSPHRASE"  # noqa: S105  (a name)

MAX_BYTES = 64 * 1024
_WANTED = "an Ed25519 or ECDSA P-256 key is needed"


class KeyFault(UsageError):
    """A key file can't be used; the text names the file, what is wrong and the way out."""


@dataclasses.dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that a signature is checked with; ``key.keyid`` is its name in an envelope.

    Its file may say from when and until when it signs, in lines above the PEM: ``not-before:
    2026-01-01T00:00Z``, ``not-after: ...``.
    """

    key: Key
    pem: str
    source: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None

    def why_invalid(self, signed: str, stamped: datetime | None = None) -> str:
        """Say that a signature was made when the key was not valid, or nothing.

        ``stamped`` is when an authority saw it: it was made by then, whatever the signer says.
        """
        try:
            when = instant(signed)
        except ValueError:
            return "it does not say when it was signed"
        if self.not_before is not None and when < self.not_before:
            return f"signed at {signed}; {self.source} is valid from {self.not_before.isoformat()}"
        if self.not_after is not None and (stamped or when) > self.not_after:
            how = f"stamped at {stamped.isoformat()}" if stamped else f"signed at {signed}"
            return f"{how}; {self.source} is valid until {self.not_after.isoformat()}"
        return ""


@dataclasses.dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs. Its ``repr`` tells nothing of the private half."""

    signer: CryptoSigner = dataclasses.field(repr=False)
    public: PublicKey


def signing_key(path: Path) -> SigningKey:
    """Read a private key; an encrypted one is opened with :data:`PASSPHRASE`."""
    crypto = _library()
    data = _read_key(path)
    for head, words in (
        (b"BEGIN PUBLIC KEY", "holds a public key: sign with the private one"),
        (b"BEGIN CERTIFICATE", "holds a certificate: sign with its private key"),
        (b"BEGIN OPENSSH", "holds an SSH key: make one with openssl genpkey -algorithm ed25519"),
    ):
        if head in data:
            raise KeyFault(f"{path}: {words}")
    passphrase = os.environ.get(PASSPHRASE, "").encode() or None
    locked = b"ENCRYPTED" in data
    if locked and passphrase is None:
        raise KeyFault(f"{path}: the key is encrypted: put its passphrase into {PASSPHRASE}")
    try:
        private = crypto.load_pem_private_key(data, passphrase if locked else None)
    except (ValueError, TypeError, crypto.UnsupportedAlgorithm):
        words = f"or {PASSPHRASE} holds a wrong passphrase" if locked else "in PEM"
        raise KeyFault(f"{path}: holds no private key {words}; {_WANTED}") from None
    _check_kind(private, path)
    return SigningKey(crypto.CryptoSigner(private), _public(private.public_key(), str(path)))


def public_key(path: Path) -> PublicKey:
    """Read a public key."""
    data = _read_key(path)
    if b"PRIVATE KEY" in data:
        way = "openssl pkey -in KEY -pubout gives the public one"
        raise KeyFault(f"{path}: holds a private key, which belongs to the signer alone: {way}")
    if b"BEGIN CERTIFICATE" in data:
        way = "openssl x509 -in FILE -pubkey -noout gives its key"
        raise KeyFault(f"{path}: holds a certificate: {way}")
    head = data.partition(b"-----BEGIN")[0]
    return _valid(public_from_pem(data, str(path)), head, path)


def _valid(key: PublicKey, head: bytes, path: Path) -> PublicKey:
    """Return a key with what the lines above its PEM say of when it signs."""
    found: dict[str, datetime | None] = {"not_before": None, "not_after": None}
    for line in head.decode("utf-8", "replace").splitlines():
        name, colon, value = line.strip().lstrip("# ").partition(":")
        field = name.strip().lower().replace("-", "_")
        if colon and field in found:
            try:
                found[field] = instant(value.strip())
            except ValueError as error:
                raise KeyFault(f"{path}: {name.strip()}: {error}") from None
    return PublicKey(key.key, key.pem, key.source, found["not_before"], found["not_after"])


def public_from_pem(data: bytes, source: str) -> PublicKey:
    """Return the public key in a PEM text, or raise :class:`KeyFault` that names ``source``."""
    crypto = _library()
    try:
        public = crypto.load_pem_public_key(data)
    except (ValueError, TypeError, crypto.UnsupportedAlgorithm):
        raise KeyFault(f"{source}: holds no public key in PEM; {_WANTED}") from None
    _check_kind(public, source)
    return _public(public, source)


def _public(public: Any, source: str) -> PublicKey:
    crypto = _library()
    pem: bytes = public.public_bytes(crypto.Encoding.PEM, crypto.PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(crypto.SSlibKey.from_crypto(public), pem.decode("ascii"), source)


def _check_kind(key: object, source: object) -> None:
    kind = type(key).__name__
    for suffix in ("PrivateKey", "PublicKey"):
        kind = kind.removesuffix(suffix)
    curve = getattr(getattr(key, "curve", None), "name", "")
    if kind != "Ed25519" and curve != "secp256r1":
        named = f"{kind} key on {curve}" if curve else f"{kind} key"
        raise KeyFault(f"{source}: holds an {named}; {_WANTED}")


def _read_key(path: Path) -> bytes:
    try:
        if not path.is_file():  # also a pipe, which would wait for ever
            raise KeyFault(f"{path}: there is no such key file")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise KeyFault(f"{path}: the key can't be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise KeyFault(f"{path}: is too large for a key; {_WANTED}")
    return data


def _library() -> Any:
    """Return what of the libraries is used; they are imported where a key is named, not before."""
    try:
        import in_toto_attestation.v1.statement  # noqa: F401  (missed here, before anything runs)
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            PublicFormat,
            load_pem_private_key,
            load_pem_public_key,
        )
        from securesystemslib.signer import CryptoSigner, SSlibKey
    except ImportError as error:
        way = install("sign")
        raise KeyFault(f"a signature needs the extra sign: {way} ({error.name})") from None
    from types import SimpleNamespace

    return SimpleNamespace(
        UnsupportedAlgorithm=UnsupportedAlgorithm,
        Encoding=Encoding,
        PublicFormat=PublicFormat,
        load_pem_private_key=load_pem_private_key,
        load_pem_public_key=load_pem_public_key,
        CryptoSigner=CryptoSigner,
        SSlibKey=SSlibKey,
    )
