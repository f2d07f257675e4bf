"""``attestation.intoto.jsonl``: two statements in DSSE envelopes, one a line.

An envelope has one form only here: canonical JSON (RFC 8785), plain base64, one signature, and of
the two ECDSA signatures that anyone can make of one (s and n - s) the lower. So no byte of the
file can change without notice, not even one that a lenient reader would skip.

Source: DSSE v1.0 (secure-systems-lab/dsse).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pytest_mlgates.core.canonical import canonical, parse
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.signing.keys import PublicKey, SigningKey

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope

__all__ = ["EnvelopeFault", "Signed", "read_envelopes", "sign"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class EnvelopeFault(UsageError, ValueError):
    """What is wrong with an attestation, for a person to read."""


class Signed:
    """One envelope of a file: its statement, the id of its key, and the check of its signature."""

    def __init__(self, envelope: Envelope, statement: dict[str, Any]) -> None:
        self._envelope = envelope
        self.statement = statement
        (self.keyid,) = envelope.signatures

    def is_signed_by(self, public: PublicKey) -> bool:
        """Tell whether the signature is this key's, over these bytes."""
        from securesystemslib.exceptions import VerificationError

        signature = self._envelope.signatures[self.keyid].signature
        if not _low_s(public, signature):
            return False
        try:
            self._envelope.verify([public.key], 1)
        except (VerificationError, ValueError):
            return False
        return True


def sign(statements: Sequence[Mapping[str, object]], key: SigningKey) -> bytes:
    """Return the file with the statements, signed."""
    from securesystemslib.dsse import Envelope

    lines = []
    for statement in statements:
        envelope = Envelope(canonical(statement), PAYLOAD_TYPE, {})
        while not _low_s(key.public, envelope.sign(key.signer).signature):
            pass  # another random nonce; every second one will do
        lines.append(canonical(envelope.to_dict()) + b"\n")
    return b"".join(lines)


def read_envelopes(data: bytes) -> tuple[Signed, ...]:
    """Return the envelopes of a file, or raise :class:`EnvelopeFault`; no signature is checked."""
    if not data:
        raise EnvelopeFault("is empty")
    *lines, rest = data.split(b"\n")
    if rest:
        raise EnvelopeFault("is cut off: its last line has no end")
    return tuple(_read_envelope(line, number) for number, line in enumerate(lines, 1))


def _read_envelope(line: bytes, number: int) -> Signed:
    from securesystemslib.dsse import Envelope

    where = f"line {number}"
    try:
        plain = parse(line)
        signatures = plain["signatures"]
        count, payload_type = len(signatures), plain["payloadType"]
        if count != 1:
            raise EnvelopeFault(f"{where} holds {count} signatures, not one")
        if payload_type != PAYLOAD_TYPE:
            raise EnvelopeFault(f"{where} does not hold an in-toto statement")
        if set(signatures[0]) != {"keyid", "sig"}:
            raise EnvelopeFault(f"{where} holds a signature with keys that DSSE does not have")
        envelope = Envelope.from_dict(plain)
        if canonical(envelope.to_dict()) != line:
            raise EnvelopeFault(f"{where} is not written as an envelope is: it was changed")
        statement = parse(envelope.payload)
        if not isinstance(statement, dict) or canonical(statement) != envelope.payload:
            raise EnvelopeFault(
                f"{where} holds a statement that two readers could read in two ways"
            )
    except EnvelopeFault:
        raise
    except Exception as error:  # noqa: BLE001  (what was forged may break a reader in any way)
        raise EnvelopeFault(f"{where} is not a DSSE envelope ({type(error).__name__})") from None
    return Signed(envelope, statement)


def _low_s(public: PublicKey, signature: str) -> bool:
    """Tell whether an ECDSA signature is the lower of its two forms; Ed25519 has one."""
    if public.key.keytype != "ecdsa":
        return True
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    try:
        _, s = decode_dss_signature(bytes.fromhex(signature))
    except ValueError:
        return False
    return bool(s <= _P256_ORDER // 2)
