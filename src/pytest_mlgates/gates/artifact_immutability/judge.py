"""What is decided on how a store came through. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import percent, plural
from pytest_mlgates.gates.artifact_immutability.details import Seen
from pytest_mlgates.gates.artifact_immutability.protocol import OFFERS
from pytest_mlgates.stats.zero_tolerance import bound

__all__ = ["ERROR", "headline", "judge", "not_looked_for"]

#: the chance that more sequences than said would break the store
ERROR = 1e-3
#: a store that refuses more plain puts than one in so many is none
_REFUSES = 10


def headline(seen: Seen) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    n = seen.clean + (seen.broken is not None)
    return Headline(value=seen.clean, unit="sequences", n=n)


def judge(seen: Seen, n: int, wanted: int, required: Sequence[str]) -> Verdict:
    """FAIL where a promise was broken; PASS where enough sequences broke none.

    ``required`` are the kinds of fault that must have been done, and shown to bite.
    """
    if n != seen.clean + (seen.broken is not None):
        raise Unfit(f"details.clean: {seen.clean} sequences do not fit {n} observations")
    if seen.broken is not None:
        steps = "; ".join(seen.broken.operations)
        return Verdict(
            Outcome.FAIL,
            f"{seen.broken.how}, in sequence {seen.clean + seen.idle + 1} of at least {wanted:,}: "
            f"{steps}",
            (BrokenLimit("sequences"),),
        )
    if doubt := _doubt(seen, wanted, required):
        return Verdict(Outcome.INCONCLUSIVE, doubt)
    open_ = not_looked_for(seen)
    less = f"; not looked for: {', '.join(open_)}" if open_ else ""
    most = percent(bound(seen.clean, 1.0, ERROR))
    return Verdict(
        Outcome.PASS,
        f"nothing was overwritten, served unverified, or acknowledged and lost in {seen.clean:,} "
        f"sequences, limit {wanted:,}: fewer than {most} of such sequences break it (but for a "
        f"chance of {percent(ERROR)}){less}",
    )


def not_looked_for(seen: Seen) -> list[str]:
    """Return in words what no operation could look for."""
    missing = [words for name, words in OFFERS.items() if name not in seen.offered]
    idle = [kind for kind in ("overwrite", "again", "alike", "at once") if not seen.done.get(kind)]
    undone = [
        kind
        for kind, fault in seen.faults.items()
        if not fault.done and _method(kind).removesuffix("()") in seen.offered
    ]
    return [*missing, *idle, *undone]


def _doubt(seen: Seen, wanted: int, required: Sequence[str]) -> str:
    """Return why nothing is known yet, or an empty string."""
    told = f": {_refusal_kinds(seen)}" if seen.refusals else ""
    if seen.clean == 0:
        return f"the store acknowledged nothing that could then be read{told}"
    if seen.refused * _REFUSES > seen.plain_puts:
        return (
            f"the store refused {seen.refused:,} of {plural(seen.plain_puts, 'put')} of new bytes "
            f"under a new name, where one in {_REFUSES} may be: what refuses can't change{told}"
        )
    if "reopen" not in seen.offered:
        return (
            "the store has no reopen(), so what it gives back may come from its memory: offer one "
            "that opens the same storage anew"
        )
    for kind, fault in seen.faults.items():
        if fault.done and not fault.refused and fault.harmless:
            return (
                f"{kind} was done {plural(fault.done, 'time')} and never showed: what came back was "
                "a copy that it did not reach, so nothing is known of verification"
            )
    for kind in required:
        if kind not in seen.faults or not seen.faults[kind].refused:
            return f"{kind} is required, and no read was refused after it: offer {_method(kind)}"
    if seen.clean < wanted:
        return f"{seen.clean:,} sequences broke nothing, {wanted:,} are wanted"
    return ""


def _method(kind: str) -> str:
    return "cut_reads()" if kind == "cut read" else "damage()"


def _refusal_kinds(seen: Seen) -> str:
    worst = sorted(seen.refusals.items(), key=lambda item: (-item[1], item[0]))[:2]
    return ", ".join(f"{name} {plural(times, 'time')}" for name, times in worst)
