"""What is decided on the contexts that were built. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import percent, plural
from pytest_mlgates.gates.context_budget.details import KeptItems, Seen
from pytest_mlgates.gates.context_budget.keep import Keep

__all__ = ["headline", "judge"]


def headline(seen: Seen) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    return Headline(value=max(seen.tokens, default=0), unit="tokens", n=len(seen.tokens))


def judge(seen: Seen, value: float, n: int, max_tokens: int, keep: Sequence[Keep]) -> Verdict:
    """FAIL where a context is too long or lacks what it must hold; PASS where none does."""
    if len(seen.tokens) != n or max(seen.tokens, default=0) != value:
        raise Unfit("the number is not that of its details")
    if [row.what for row in seen.kept] != [one.what for one in keep]:
        raise Unfit("details.kept: other things were looked for than the policy keeps: ask again")
    faults = [
        (_too_long(seen, max_tokens), BrokenLimit("max_tokens", value)),
        (_empty(seen), BrokenLimit("keep")),
        *(
            (_least_kept(row, one.share), BrokenLimit("keep", slice=row.what))
            for row, one in zip(seen.kept, keep, strict=True)
        ),
    ]
    if told := [text for text, _ in faults if text]:
        if beyond := _beyond(seen, max_tokens, keep):
            return Verdict(Outcome.INCONCLUSIVE, beyond)
        return Verdict(Outcome.FAIL, "; ".join(told), tuple(b for text, b in faults if text))
    if not n:
        return Verdict(Outcome.INCONCLUSIVE, "no question was asked, so nothing is known")
    for row in seen.kept:
        if not sum(row.wanted):
            return Verdict(
                Outcome.INCONCLUSIVE,
                f"no question says what must be kept of {row.what!r}: an empty context would do",
            )
    held = ", ".join(f"{sum(row.found):,} of {sum(row.wanted):,} {row.what}" for row in seen.kept)
    return Verdict(
        Outcome.PASS,
        f"the longest of {plural(n, 'context')} has {value:,.0f} tokens, {max_tokens:,} are"
        f" allowed; they hold {held}",
    )


def _beyond(seen: Seen, max_tokens: int, keep: Sequence[Keep]) -> str:
    """Say which questions ask for more than the budget can hold, where no other has a fault.

    What must be kept in full has more tokens by itself than are allowed: that no context holds it
    is no fault of who builds contexts. A question that could be met and is not stays a FAIL.
    """
    needed = [
        max((row.alone[at] for row, one in zip(seen.kept, keep, strict=True) if one.share == 1 and row.alone), default=0)
        for at in range(len(seen.tokens))
    ]  # fmt: skip
    impossible = [at for at, tokens in enumerate(needed) if tokens > max_tokens]
    if not impossible or seen.empty:
        return ""
    for at, tokens in enumerate(seen.tokens):
        lacking = any(
            row.wanted[at] and row.found[at] / row.wanted[at] < one.share
            for row, one in zip(seen.kept, keep, strict=True)
        )
        if tokens > max_tokens or (lacking and at not in impossible):
            return ""
    most = max(impossible, key=needed.__getitem__)
    more = f" (and so for {len(impossible) - 1} more)" if len(impossible) > 1 else ""
    return (
        f"what must be kept of question {most + 1} has {needed[most]:,} tokens by itself and"
        f" {max_tokens:,} are allowed: no context can hold it{more}; allow more tokens, or keep less"
    )


def _too_long(seen: Seen, max_tokens: int) -> str:
    over = [tokens for tokens in seen.tokens if tokens > max_tokens]
    if not over:
        return ""
    most = max(over)
    where = seen.tokens.index(most) + 1
    return (
        f"{len(over)} of {plural(len(seen.tokens), 'context')} too long: that of question {where}"
        f" has {most:,} tokens, {max_tokens:,} are allowed"
    )


def _empty(seen: Seen) -> str:
    if not seen.empty:
        return ""
    return f"{seen.empty} of {plural(len(seen.tokens), 'context')} empty"


def _least_kept(row: KeptItems, share: float) -> str:
    """Name the question that keeps the smallest share."""
    kept = [
        (found / wanted, number, found, wanted)
        for number, (found, wanted) in enumerate(zip(row.found, row.wanted, strict=True), 1)
        if wanted
    ]
    short = [one for one in kept if one[0] < share]
    if not short:
        return ""
    part, number, found, wanted = min(short)
    asked = "all are" if share == 1 else f"{percent(share)} is"
    return (
        f"{len(short)} of {plural(len(kept), 'context')} without enough of {row.what!r}: that of"
        f" question {number} holds {found} of {wanted} ({percent(part)}), {asked} asked for"
    )
