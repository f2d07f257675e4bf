"""``mlgates sign`` and ``mlgates verify``; every mistake in their use is a ConfigError."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_mlgates.config.config import ConfigError
from pytest_mlgates.report.read import read_report, report_of
from pytest_mlgates.session.journal import FOLDER
from pytest_mlgates.signing.attested import Attested
from pytest_mlgates.signing.consistency import made_again
from pytest_mlgates.signing.coverage import ConfigsAtHand
from pytest_mlgates.signing.keys import KeyFault, public_key
from pytest_mlgates.signing.seal import Seal, SealFault
from pytest_mlgates.signing.store import CHAIN, Store, StoreFault
from pytest_mlgates.signing.verify import Verification, verify, verify_store
from pytest_mlgates.writers import ATTESTATION

__all__ = ["check", "sign"]

_MOST_DAYS = 1e6


def sign(folder: Path, key: Path, store: Path | None) -> tuple[str, list[str]]:
    """Sign a report that follows from its evidence; return what was done, or why it was not."""
    try:
        seal = Seal.open(key, store, folder)
        data = read_report(folder)
    except (KeyFault, SealFault, StoreFault, ValueError) as error:
        raise ConfigError(str(error)) from None
    if (folder / ATTESTATION).exists():
        raise ConfigError(f"{folder / ATTESTATION}: is there already: remove it to sign anew")
    if (folder / FOLDER).exists():
        raise ConfigError(f"{folder}: the run has not ended; mlgates report {folder} recovers it")
    report = report_of(folder, data)
    faults, _ = made_again(folder, data, report, Attested(fault=""))
    if faults:
        return "", [f"{folder}: not signed: {fault}" for fault in faults]
    return seal.close(folder)


def check(args: Namespace) -> Verification:
    """Answer the questions of ``mlgates verify``."""
    if args.folder is None and args.store is None:
        raise ConfigError("mlgates verify: name a report folder, or a store with --store")
    if args.folder is not None and not args.key:
        raise ConfigError("mlgates verify: whose signature counts? name a public key with --key")
    if args.max_age is not None and not 0 < args.max_age < _MOST_DAYS:
        raise ConfigError(f"--max-age {args.max_age:g}: takes more than 0 days")
    try:
        keys = [public_key(path) for path in args.key]
    except KeyFault as error:
        raise ConfigError(str(error)) from None
    store = None
    if args.store is not None:
        if not (args.store / CHAIN).is_file():
            raise ConfigError(f"{args.store}: is no store: there is no {CHAIN}")
        store = Store(args.store)
    if args.folder is None:
        assert store is not None  # one of the two was named
        return Verification((verify_store(store, keys),))
    if not args.folder.is_dir():
        raise ConfigError(f"{args.folder}: there is no such folder")
    return verify(
        args.folder,
        keys,
        configs=ConfigsAtHand(args.config) if args.config else None,
        profile=args.profile,
        max_age=None if args.max_age is None else timedelta(days=args.max_age),
        now=_instant(args.now),
        store=store,
    )


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ConfigError(f"--now {text}: expected an instant such as 2026-12-31T12:00Z") from None
