"""What is decided on the contacts of a subject. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import first, plural
from pytest_mlgates.gates.egress.details import Seen

__all__ = ["headline", "judge"]

MAX_CONTACTS = 3


def headline(seen: Seen) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    return Headline(value=seen.off_list, unit="off the list", n=seen.calls)


def judge(seen: Seen, n: int, allow: Sequence[str]) -> Verdict:
    """FAIL where anything off the list was reached for; PASS where all could have been seen."""
    if seen.allow != tuple(allow):
        raise Unfit("details.allow: another list than the policy's was used: measure again")
    off = [contact for contact in seen.contacts if not contact.allowed]
    if off:
        return Verdict(
            Outcome.FAIL,
            f"{plural(len(off), 'address', 'addresses')} off the list in {plural(n, 'call')}:"
            f" {'; '.join(first(map(str, off), MAX_CONTACTS))}",
            tuple(BrokenLimit("allow", len(off), contact.target) for contact in off),
        )
    if n == 0:
        return Verdict(Outcome.INCONCLUSIVE, "the subject was not called, so nothing is known")
    clean = f"nothing off the list was reached for in {plural(n, 'call')}"
    if seen.before:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"{clean}, but connections that were open before are not seen"
            f" ({'; '.join(first(seen.before, MAX_CONTACTS))}): open them inside the call",
        )
    if seen.failed:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"{clean}, but {seen.failed} of them failed: what they would have done next is not"
            " known (a service that it may use goes on the list, as host:port)",
        )
    if not seen.confined:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"{clean} by Python; native code and subprocesses were not seen: {seen.why_not}",
        )
    return Verdict(Outcome.PASS, f"{clean}, by Python, native code or a subprocess")
