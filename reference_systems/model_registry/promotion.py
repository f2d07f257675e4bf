"""Whether a signed report lets an artifact be promoted, and if not, why.

The report is verified as ``mlgates verify`` does, offline. Then the *signed* rows of its evidence
must speak of this very artifact: what counts is the subject digest under the signature, not the
outcome of a run that may have been about something else.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reference_systems.model_registry.digests import short
from reference_systems.model_registry.errors import Refused

if TYPE_CHECKING:
    from pytest_mlgates.signing.keys import PublicKey

__all__ = ["Approval", "Rules", "approve", "public_keys"]

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_MOST_TOLD = 3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a promotion asks of a report besides being signed, complete and passed.

    ``max_age``: how long ago its run may have ended. ``gates``: names of gates that must each have
    passed on the artifact; without any, one gate is enough. ``configs``: the gate configs that the
    report is held against; without them its own list counts. ``profile``: the one it must have used.
    """

    max_age: timedelta = timedelta(days=30)
    gates: tuple[str, ...] = ()
    configs: Path | None = None
    profile: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A report that lets an artifact be promoted: its attestation, who signed it, which gates."""

    attestation: bytes
    signer: str
    gates: tuple[str, ...]


def public_keys(paths: Sequence[Path]) -> list[PublicKey]:
    """Read the public keys whose signatures count."""
    from pytest_mlgates.signing.keys import KeyFault, public_key

    try:
        return [public_key(path) for path in paths]
    except KeyFault as error:
        raise Refused(str(error)) from None


def approve(
    digest: str,
    report: Path,
    keys: Sequence[PublicKey],
    rules: Rules,
    now: datetime | None = None,
) -> Approval:
    """Return the approval of a report folder for the artifact, or raise :class:`Refused`."""
    from pytest_mlgates.core.plain import FileFault, read_plain
    from pytest_mlgates.signing.attested import read_attested
    from pytest_mlgates.writers import ATTESTATION

    if not keys:
        raise Refused("whose signature counts? name a public key with --key")
    if not report.is_dir():
        raise Refused(f"{report}: there is no such report folder")
    before = read_attested(report / ATTESTATION)
    _verified(report, keys, rules, now)
    try:
        attestation = read_plain(report / ATTESTATION, 512 << 20)
    except FileFault as fault:
        raise Refused(f"{report / ATTESTATION}: {fault}") from None
    after = read_attested(report / ATTESTATION)
    if not before.sha256 or before.sha256 != after.sha256:
        raise Refused(f"{report}: changed while it was read")
    rows = list(after.predicate["evidence"])
    gates = _about(digest, rows, rules.gates, report)
    assert after.sealing is not None  # verified above
    return Approval(attestation=attestation, signer=after.sealing.keyid, gates=gates)


def _verified(report: Path, keys: Sequence[PublicKey], rules: Rules, now: datetime | None) -> None:
    """Raise :class:`Refused` unless every question is answered with yes and the run passed."""
    from pytest_mlgates.config.config import ConfigError
    from pytest_mlgates.signing.coverage import ConfigsAtHand
    from pytest_mlgates.signing.verify import verify

    try:
        configs = ConfigsAtHand(rules.configs) if rules.configs else None
        found = verify(
            report,
            keys,
            configs=configs,
            profile=rules.profile,
            max_age=rules.max_age,
            now=now,
        )
    except (ConfigError, OSError) as error:
        raise Refused(f"{report}: {error}") from None
    for answer in found.answers:
        if not answer.yes:
            raise Refused(f"{report}: {answer.question}: {answer.reasons[0]}")
    if not found.passed or found.outcome != "pass":
        told = "was let through all the same" if found.passed else "was not let through"
        raise Refused(f"{report}: the run was {found.outcome.upper()} and {told}: no PASS")


def _about(
    digest: str, rows: Sequence[Mapping[str, Any]], wanted: Sequence[str], report: Path
) -> tuple[str, ...]:
    """Return the gates that passed on the artifact; raise where that is not enough."""
    mine = [row for row in rows if row["subject_digest"] in (digest, f"sha256:{digest}")]
    if any(row["role"] != "gate" for row in mine):
        raise Refused(f"{report}: {short(digest)}... is the known-bad subject of that run")
    if not mine:
        others = sorted({other for row in rows if (other := _subject(row)) is not None})
        told = ", ".join(f"{short(other)}..." for other in others[:_MOST_TOLD]) or "no artifact"
        more = f" and {len(others) - _MOST_TOLD} more" if len(others) > _MOST_TOLD else ""
        raise Refused(f"{report}: is about {told}{more}, not about {short(digest)}...")
    for row in mine:
        if row["outcome"] != "pass":
            what = f"{row['system']}/{row['entry']}"
            raise Refused(
                f"{report}: {what} is {str(row['outcome']).upper()} on {short(digest)}..."
            )
    passed = {str(row["gate"]) for row in mine}
    if lacking := sorted(set(wanted) - passed):
        raise Refused(
            f"{report}: holds no PASS of {', '.join(lacking)} on {short(digest)}... "
            f"(it has {', '.join(sorted(passed))})"
        )
    return tuple(sorted({f"{row['system']}/{row['entry']}" for row in mine}))


def _subject(row: Mapping[str, Any]) -> str | None:
    """Return the SHA-256 that a row of evidence names as its subject's."""
    found = _DIGEST.fullmatch(str(row["subject_digest"] or ""))
    return found[1] if found else None
