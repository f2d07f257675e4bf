"""Questions about a report folder, answered offline; each question has its own answer.

*signature*: do the signatures fit the attestation's bytes? *trust*: is their key one that we
accept? *completeness*: is all there that was configured? *consistency*: is every file as it was
signed, and does every decision follow from its numbers? *freshness*: is it recent, and not from
the future? With a store, also: is it the run of the chain that it says it is? And, where asked, is
it about what somebody holds in hands: this commit, a clean tree, this artifact?
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_mlgates.core.canonical import Json
from pytest_mlgates.core.instants import CLOCK_SKEW, instant
from pytest_mlgates.core.words import first
from pytest_mlgates.report.model import Report
from pytest_mlgates.report.read import ReportError, read_report, report_of
from pytest_mlgates.signing.attested import Attested, read_attested
from pytest_mlgates.signing.claim import Claim, claim_of
from pytest_mlgates.signing.consistency import changed, made_again, strangers
from pytest_mlgates.signing.coverage import ConfigsAtHand, gaps
from pytest_mlgates.signing.folder import Folder, scan
from pytest_mlgates.signing.kept import KeptReport, earlier_runs, store_faults
from pytest_mlgates.signing.keys import PublicKey
from pytest_mlgates.signing.relevance import Asked, Earlier, relevance
from pytest_mlgates.signing.store import Store, StoreFault
from pytest_mlgates.signing.timestamp import Stamp
from pytest_mlgates.writers import ATTESTATION

__all__ = ["Answer", "Verification", "verify", "verify_store"]

MAX_LINES = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """An answer to one question: yes or no, and why."""

    question: str
    yes: bool
    reasons: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Verification:
    """All answers about a folder, and what the report in it says of its run.

    ``passed`` is whether that run let its systems through. A failed run that is told as it was is
    ``good`` all the same: it is evidence.
    """

    answers: tuple[Answer, ...]
    outcome: str = ""
    passed: bool = False
    claim: Claim | None = None

    @property
    def good(self) -> bool:
        """Whether every answer is yes."""
        return all(answer.yes for answer in self.answers)

    def lines(self) -> Iterator[str]:
        """Yield the answers for a person to read."""
        for answer in self.answers:
            head, *more = first(answer.reasons, MAX_LINES)
            yield f"{answer.question:13} {'yes' if answer.yes else 'NO':4} {head}"
            yield from (f"{'':18} {line}" for line in more)
        if self.claim is not None:
            yield from self.claim.lines()
        if self.outcome:
            yield f"the run itself: {self.outcome.upper()}, {'let through' if self.passed else 'not let through'}"

    def to_dict(self) -> dict[str, Json]:
        """Return the verification as a JSON object."""
        return {
            "good": self.good,
            "outcome": self.outcome,
            "passed": self.passed,
            "answers": {a.question: {"yes": a.yes, "reasons": a.reasons} for a in self.answers},
            "claim": self.claim.to_dict() if self.claim else None,
        }


def verify(
    folder: Path,
    keys: Sequence[PublicKey],
    *,
    configs: ConfigsAtHand | None = None,
    profile: str | None = None,
    max_age: timedelta | None = None,
    now: datetime | None = None,
    store: Store | None = None,
    asked: Asked | None = None,
    stamp: Stamp | None = None,
) -> Verification:
    """Answer the questions about a report folder; OSError where there is no such folder.

    ``asked`` is what the report has to be about. With a ``stamp`` the end of a key is held against
    the time that an authority told, without one against that of the signer's clock.
    """
    now = now or datetime.now(UTC)
    attested = read_attested(folder / ATTESTATION)
    contents = scan(folder, {name: stored.size for name, stored in attested.files.items()})
    read = _read(folder, contents, attested)
    report = read.report
    answers = [
        _answer("signature", [attested.fault], "both signatures fit the bytes"),
        _trust(attested, {key.key.keyid: key for key in keys}, stamp),
        _completeness(contents, attested, read, configs, profile),
        _consistency(folder, contents, attested, read),
        _freshness(attested, read, max_age, now),
    ]
    if stamp is not None:
        told = f"seen at {stamp.at.isoformat()} by an authority of --tsa" if stamp.at else ""
        answers.append(_answer("timestamp", stamp.faults(attested, now), told))
    if store is not None:
        answers.append(verify_store(store, keys, KeptReport(attested)))
    earlier = _earlier(store, read, attested)
    if report is None:
        known = asked != Asked() and asked is not None
        answers += [_answer("relevance", [read.fault], "")] if known else []
        return Verification(tuple(answers))
    claim = claim_of(report, attested, now, str(earlier or ""))
    for question, faults, reason in relevance(claim, asked or Asked(), earlier):
        answers.append(_answer(question, faults, reason))
    return Verification(tuple(answers), report.outcome, not report.problems, claim)


def _earlier(store: Store | None, read: _Read, attested: Attested) -> Earlier | None:
    """Return the runs before this one, where a store knows of them."""
    if store is None or read.report is None:
        return None
    chain = attested.sealing.chain if attested.sealing else None
    number = chain.get("sequence") if chain else None
    try:
        return earlier_runs(store, read.data, number if isinstance(number, int) else None)
    except StoreFault:
        return None  # the answer about the store tells why


def verify_store(
    store: Store, keys: Sequence[PublicKey], report: KeptReport | None = None
) -> Answer:
    """Answer whether a store holds all its runs as they were recorded, and ``report`` among them."""
    accepted = {key.key.keyid for key in keys} or None
    reason = "every run is signed and in its place" if keys else "links and digests hold (no --key)"
    return _answer("store", store_faults(store, accepted, report), reason)


@dataclasses.dataclass(frozen=True, slots=True)
class _Read:
    """The report of a folder, as JSON and as records; or why it can't be read."""

    fault: str = ""
    data: Mapping[str, object] = dataclasses.field(default_factory=dict)
    report: Report | None = None


def _read(folder: Path, contents: Folder, attested: Attested) -> _Read:
    """Read the report, where it is the one that was signed."""
    name = "report.json"
    if name not in attested.files:
        return _Read("no signed report.json is known")
    if contents.files.get(name) != attested.files[name]:
        return _Read("report.json is not the one that was signed")
    try:
        data = read_report(folder / name)
        return _Read("", data, report_of(folder / name, data))
    except ReportError as error:
        return _Read(str(error))


def _trust(attested: Attested, accepted: dict[str, PublicKey], stamp: Stamp | None) -> Answer:
    keyid = attested.sealing.keyid if attested.sealing else ""
    if attested.fault:
        return _answer("trust", ["there is no valid signature to trust"], "")
    signed = attested.sealing.signed if attested.sealing else ""
    if keyid in accepted and (
        why := accepted[keyid].why_invalid(signed, stamp.at if stamp else None)
    ):
        return _answer("trust", [why], "")
    if keyid not in accepted:
        return _answer(
            "trust", [f"the key {keyid[:16]} is not one of the {len(accepted)} accepted"], ""
        )
    return _answer("trust", [], f"signed by {accepted[keyid].source} ({keyid[:16]})")


def _completeness(
    contents: Folder,
    attested: Attested,
    read: _Read,
    configs: ConfigsAtHand | None,
    profile: str | None,
) -> Answer:
    faults = [*strangers(contents, attested, ATTESTATION), read.fault]
    if read.report is not None:
        faults += gaps(read.report)
        faults += configs.faults(read.report, profile) if configs else ()
    by = "the configs at hand" if configs else "the report's own list (no --config)"
    return _answer("completeness", faults, f"every gate left evidence, by {by}")


def _consistency(folder: Path, contents: Folder, attested: Attested, read: _Read) -> Answer:
    faults = list(changed(contents, attested))
    if read.report is None:
        faults.append(read.fault)
    notes: list[str] = []
    if read.report is not None and not faults and not contents.faults:
        faults, notes = made_again(folder, read.data, read.report, attested)
    count = len(read.report.evidence) if read.report else 0
    reason = f"{count} decisions replayed, every file as it was signed"
    return _answer("consistency", faults, "; ".join([reason, *notes]))


def _freshness(
    attested: Attested,
    read: _Read,
    max_age: timedelta | None,
    now: datetime,
) -> Answer:
    if read.report is None or attested.sealing is None:
        return _answer("freshness", [read.fault or "nothing says when it was signed"], "")
    facts = read.report.environment
    try:
        started, finished, signed = (
            instant(text) for text in (facts["started"], facts["finished"], attested.sealing.signed)
        )
        latest = max(finished, signed)
        ahead = latest - now > CLOCK_SKEW
        astray = not started <= finished or finished - signed > CLOCK_SKEW
        age = now - finished
    except (KeyError, ValueError):
        return _answer("freshness", ["it does not say when the run started and ended"], "")
    faults = []
    if astray:
        faults.append("its times are out of order: started, ended, signed")
    if ahead:
        faults.append(f"it ended in the future ({latest.isoformat()}): check the clocks")
    if max_age is not None and age > max_age:
        faults.append(f"the run ended {_days(age)} ago, {_days(max_age)} are allowed")
    limit = "no --max-age was given" if max_age is None else f"{_days(max_age)} are allowed"
    return _answer("freshness", faults, f"the run ended {_days(age)} ago, {limit}")


def _days(span: timedelta) -> str:
    return f"{span / timedelta(days=1):.1f} days"


def _answer(question: str, faults: Iterable[str], reason: str) -> Answer:
    real = tuple(dict.fromkeys(fault for fault in faults if fault))
    return Answer(question, not real, real or (reason,))
