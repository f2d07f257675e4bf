"""``mlgates sign`` and ``mlgates verify``."""

from __future__ import annotations

import json
from argparse import Namespace
from datetime import datetime, timedelta
from pathlib import Path

from pytest_mlgates.config.load import configs_in
from pytest_mlgates.core.errors import UsageError
from pytest_mlgates.core.files import put
from pytest_mlgates.core.instants import instant
from pytest_mlgates.core.manifest import digest_of_path, sha256_of
from pytest_mlgates.core.plain import FileFault
from pytest_mlgates.core.words import printable
from pytest_mlgates.report.read import read_report, report_of
from pytest_mlgates.session.journal import FOLDER
from pytest_mlgates.signing.attested import Attested, read_attested
from pytest_mlgates.signing.consistency import made_again
from pytest_mlgates.signing.coverage import ConfigsAtHand
from pytest_mlgates.signing.exchange import bundles, verification_summary
from pytest_mlgates.signing.keys import public_key, signing_key
from pytest_mlgates.signing.relevance import Asked
from pytest_mlgates.signing.seal import Seal
from pytest_mlgates.signing.store import CHAIN, Store
from pytest_mlgates.signing.timestamp import Stamp, stamp_on
from pytest_mlgates.signing.verify import Verification, verify, verify_store
from pytest_mlgates.writers import ATTESTATION

__all__ = ["answers", "print_digests", "sign_report", "verify_report", "write_bundles"]

MAX_DAYS = 1e6


def sign_report(args: Namespace) -> int:
    """Sign a report that follows from its evidence."""
    seal = Seal.open(args.key, args.store, args.folder)
    data = read_report(args.folder)
    if (args.folder / ATTESTATION).exists():
        raise UsageError(f"{args.folder / ATTESTATION}: already exists: remove it to sign anew")
    if (args.folder / FOLDER).exists():
        way = f"mlgates report {args.folder} recovers it"
        raise UsageError(f"{args.folder}: the run has not ended; {way}")
    report = report_of(args.folder, data)
    faults, _ = made_again(args.folder, data, report, Attested(fault=""))
    done, faults = (
        ("", [f"{args.folder}: not signed: {fault}" for fault in faults])
        if faults
        else seal.close(args.folder)
    )
    print("\n".join(faults) if faults else done)
    return 1 if faults else 0


def verify_report(args: Namespace) -> int:
    """Answer the questions about a report folder, or a store."""
    if (args.vsa is None) != (args.vsa_key is None):
        raise UsageError(
            "--vsa FILE: needs the key that signs it, --vsa-key KEY, and the other way"
        )
    verification = answers(args)
    good = verification.good and (verification.passed or not args.must_pass)
    if args.vsa is not None:
        _write_summary(args, passed=verification.good and verification.passed)
    if args.json:
        print(json.dumps(verification.to_dict(), indent=1))
    else:
        for line in verification.lines():
            print(printable(line))
    return 0 if good else 1


def _write_summary(args: Namespace, *, passed: bool) -> None:
    """Write what was verified for whoever deploys, signed by whoever verified."""
    if args.folder is None:
        raise UsageError("--vsa: tells of a report: name its folder")
    key = signing_key(args.vsa_key)
    report = report_of(args.folder, read_report(args.folder))
    at_hand = configs_in([args.config]) if args.config else []
    policy = [(path.name, sha256_of(path)) for path in at_hand]
    attested = read_attested(args.folder / ATTESTATION)
    text = verification_summary(
        report, attested, key, verifier=args.verifier, good=passed, policy=policy
    )
    put(args.vsa, text)


def write_bundles(args: Namespace) -> int:
    """Write each envelope of a report's attestation as a Sigstore bundle."""
    attestation = args.folder / ATTESTATION
    if fault := read_attested(attestation).fault:
        raise UsageError(f"{args.folder}: {fault}")
    args.to.mkdir(parents=True, exist_ok=True)
    for name, data in bundles(attestation.read_bytes()).items():
        put(args.to / name, data)
        print(printable(str(args.to / name)))
    return 0


def answers(args: Namespace) -> Verification:
    """Return the answers to what ``mlgates verify`` was asked."""
    if args.folder is None and args.store is None:
        raise UsageError("mlgates verify: name a report folder, or a store with --store")
    if args.folder is not None and not args.key:
        raise UsageError("mlgates verify: whose signature counts? name a public key with --key")
    if args.max_age is not None and not 0 < args.max_age < MAX_DAYS:
        raise UsageError(f"--max-age {args.max_age:g}: takes more than 0 days")
    keys = [public_key(path) for path in args.key]
    store = None if args.store is None else _print_store(args.store)
    if args.folder is None:
        if args.timestamp or args.tsa:
            raise UsageError("--timestamp: is on a report's attestation: name its folder")
        assert store is not None  # one of the two was named
        return Verification((verify_store(store, keys),))
    if not args.folder.is_dir():
        raise UsageError(f"{args.folder}: there is no such folder")
    return verify(
        args.folder,
        keys,
        configs=ConfigsAtHand(args.config) if args.config else None,
        profile=args.profile,
        max_age=None if args.max_age is None else timedelta(days=args.max_age),
        now=_instant(args.now),
        store=store,
        asked=_asked(args),
        stamp=_stamp(args),
    )


def _stamp(args: Namespace) -> Stamp | None:
    """Return the time-stamp that was named, read and held against the attestation."""
    if (args.timestamp is None) != (not args.tsa):
        raise UsageError(
            "--timestamp FILE: needs the authority's certificates, --tsa PEM, and back"
        )
    if args.timestamp is None:
        return None
    return stamp_on(args.folder / ATTESTATION, args.timestamp, args.tsa)


def _asked(args: Namespace) -> Asked:
    """Return what the report has to be about."""
    try:
        return Asked(
            commit=args.commit.lower(),
            clean=args.clean,
            subjects=tuple(digest.lower() for digest in args.subject),
            artifacts=tuple((str(path), _digests(path)) for path in args.artifact),
            first_run=args.first_run,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def _digests(path: Path) -> tuple[str, ...]:
    """Return the digests that an artifact may be known by: of a file its own as well."""
    try:
        own = () if path.is_dir() else (f"sha256:{sha256_of(path)}",)
        return (*own, digest_of_path(path))
    except FileFault as fault:
        raise UsageError(f"--artifact {path}: {fault}") from None


def print_digests(args: Namespace) -> int:
    """Print the digest of files and folders, as OpenSSF model signing and evidence have it."""
    for path in args.paths:
        try:
            print(f"{digest_of_path(path)}  {printable(str(path))}")
        except FileFault as fault:
            raise UsageError(f"{path}: {fault}") from None
    return 0


def _print_store(folder: Path) -> Store:
    if not (folder / CHAIN).is_file():
        raise UsageError(f"{folder}: is not a store: there is no {CHAIN}")
    return Store(folder)


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else instant(text)
    except ValueError as error:
        raise UsageError(f"--now {text}: {error}") from None
