"""A time-stamp over an attestation (RFC 3161), checked offline: when at the latest it was signed.

The authority signs a digest and its own clock's time. Whether its key was stolen since can't be told
offline, and its certificates have to be named, as keys have: nobody is trusted by default. Needs the
extra ``timestamp``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_mlgates.core.instants import CLOCK_SKEW, instant
from pytest_mlgates.core.plain import FileFault, read_plain
from pytest_mlgates.core.words import install
from pytest_mlgates.signing.attested import MAX_BYTES, Attested
from pytest_mlgates.signing.keys import KeyFault

__all__ = ["Stamp", "stamp_on"]

#: a token with its certificates has some kilobytes
MAX_TOKEN = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class Stamp:
    """When an authority saw the attestation, or why that can't be believed."""

    at: datetime | None = None
    fault: str = ""

    def faults(self, attested: Attested, now: datetime) -> list[str]:
        """Return why the time does not fit what the signer says, or nothing."""
        if self.at is None or attested.sealing is None:
            return [self.fault or "there is no attestation that it could be about"]
        try:
            signed = instant(attested.sealing.signed)
        except ValueError:
            return ["the attestation does not say when it was signed"]
        faults = []
        if signed - self.at > CLOCK_SKEW:
            faults.append(f"stamped at {self.at.isoformat()}, before it says it was signed")
        if self.at - now > CLOCK_SKEW:
            faults.append(f"stamped in the future ({self.at.isoformat()}): check the clocks")
        return faults


def stamp_on(attestation: Path, token: Path, authorities: Sequence[Path]) -> Stamp:
    """Return the stamp in a file (``openssl ts -reply``) where it is one over the attestation.

    ``authorities`` are PEM files with the certificates that are trusted to tell the time. Raises
    :class:`KeyFault` where one can't be read, or the extra is not there.
    """
    library = _library()
    trusted = [cert for path in authorities for cert in _certificates(path)]
    try:
        message = read_plain(attestation, MAX_BYTES)
        response = library.decode_timestamp_response(_in_order(read_plain(token, MAX_TOKEN)))
        builder = library.VerifierBuilder(roots=trusted)
        builder.build().verify_message(response, message)
        at: datetime = response.tst_info.gen_time
    except FileFault as fault:
        return Stamp(fault=f"{token}: {fault}")
    except library.VerificationError as wrong:
        return Stamp(
            fault=f"{token}: is no stamp of these authorities on this attestation: {wrong}"
        )
    except Exception as error:  # noqa: BLE001  (what was forged may break a reader in any way)
        kind = type(error).__name__
        return Stamp(fault=f"{token}: holds no time-stamp response (RFC 3161) ({kind})")
    return Stamp(at if at.tzinfo else at.replace(tzinfo=UTC))


def _in_order(response: bytes) -> bytes:
    """Return a response with its certificates in the order that DER asks for.

    Authorities (openssl's, for one) append them as they come, and a strict reader refuses that. No
    signature covers their order, and none of them is changed. What is no response comes back as it is.
    """
    try:
        _, token = _parts(response, *_parts(response, 0, len(response))[0][1:])[:2]
        content = _parts(response, *token[1:])[1]
        (signed,) = _parts(response, *content[1:])
        found = [part for part in _parts(response, *signed[1:]) if response[part[0]] == 0xA0]
        ((_, start, end),) = found
        inner = sorted(response[part[0] : part[2]] for part in _parts(response, start, end))
    except (ValueError, IndexError):
        return response
    return response[:start] + b"".join(inner) + response[end:]


def _parts(data: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """Return where each element of a DER value begins, where its content does, and its end."""
    found = []
    while start < end:
        size, content = data[start + 1], start + 2
        if size & 0x80:
            count = size & 0x7F
            size = int.from_bytes(data[content : content + count], "big")
            content += count
        if content + size > end:
            raise ValueError("an element is longer than what it is in")
        found.append((start, content, content + size))
        start = content + size
    return found


def _certificates(path: Path) -> list[Any]:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return list(load_pem_x509_certificates(read_plain(path, MAX_TOKEN)))
    except FileFault as fault:
        raise KeyFault(f"{path}: {fault}") from None
    except ValueError:
        raise KeyFault(f"{path}: holds no certificate in PEM") from None


def _library() -> Any:
    """Return the library, which is imported where a stamp is named, not before."""
    try:
        import rfc3161_client
    except ImportError:
        raise KeyFault(f"a time-stamp needs an extra: {install('timestamp')}") from None
    return rfc3161_client
