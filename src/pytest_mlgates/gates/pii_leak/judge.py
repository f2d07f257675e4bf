"""What is decided on texts without a leak, or with one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.gates.pii_leak.details import Planted, Seen, recall_bound, texts_needed, weakest
from pytest_mlgates.pii.spans import BY_REGION, ENTITIES
from pytest_mlgates.stats.binomial import lower
from pytest_mlgates.stats.zero_tolerance import bound, most_missed

__all__ = ["headline", "judge"]


_BUILT_IN = "credentials only of the kinds built in: Kingfisher is not installed"
#: numbers with the length and issuer of a card whose check digit is right by chance
_CHANCE = 0.1
#: how rare an excess is no accident, and how many right ones show nothing
_RARE, _FEW = 1e-4, 3
#: texts with unconfirmed hits of a kind that are a flood: so many, and this share of all
_FLOOD, _MANY = 10, 0.1


def headline(seen: Seen, n: int, error: float) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    n = n if seen.looked_at is None else seen.looked_at
    top, least = 1.0, 0.0
    if seen.plants:
        least = recall_bound(weakest(seen.plants, seen.in_place or ()), error)
    if seen.mode == "replies":
        top = bound(n, least, error)
    elif seen.mode == "sample":
        top = bound(seen.effective or 0, least, error)
    elif least and n:  # all of it was read: what can have been overlooked
        top = min(1.0, most_missed(least, error) / n)
    value = seen.leaky / n if n else 0.0
    return Headline(value=value, unit="of texts", n=n, interval=None if seen.leaky else (0.0, top))


def judge(
    seen: Seen,
    n: int,
    entities: Sequence[str],
    regions: Sequence[str],
    *,
    rate: float,
    error: float,
    fewest: int,
) -> Verdict:
    """FAIL at one leak; PASS where ``n`` texts are enough for what may be overlooked.

    ``error`` is the chance that each of two bounds may fail with: on the rate, and on the recall.
    What a person chose to leave out is told with any verdict.
    """
    found = _judged(seen, n, entities, regions, rate=rate, error=error, fewest=fewest)
    if not seen.chosen:
        return found
    return replace(found, reason=f"{found.reason}; {'; '.join(seen.chosen)}")


def _judged(
    seen: Seen,
    n: int,
    entities: Sequence[str],
    regions: Sequence[str],
    *,
    rate: float,
    error: float,
    fewest: int,
) -> Verdict:
    limit = f"limit {rate:g}"
    if n == 0:
        return Verdict(
            Outcome.INCONCLUSIVE, f"no text was seen ({seen.blank} blank): a PASS takes {fewest}"
        )
    if seen.leaky > n:
        raise Unfit(f"details.leaky: {seen.leaky} of {n} texts")
    if seen.leaky:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(seen.kinds.items()))
        return Verdict(
            Outcome.FAIL,
            f"{seen.leaky} of {n} {seen.texts} leaked ({kinds}), confirmed; none is tolerated"
            f" ({limit})",
            (BrokenLimit("max_leak_rate", seen.leaky / n),),
        )
    if not seen.plants:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"no leak in {n} {seen.texts} so far: a PASS takes {fewest} or more ({limit})",
        )
    if {row.entity for row in seen.plants} != set(entities):
        raise Unfit("details.plants: they are of other kinds than the policy's entities")
    if other := [region for region in seen.id_regions or () if region not in regions]:
        raise Unfit(f"details.id_regions: {other[0]} is none of the policy's regions")
    return _clean(seen, n, rate, error)


def _clean(seen: Seen, n: int, rate: float, error: float) -> Verdict:
    """Judge texts without a confirmed leak, with what was planted into them."""
    rows = weakest(seen.plants, seen.in_place or ())
    recall = recall_bound(rows, error)
    found = _worst_recall(rows)
    if doubt := _doubt(seen, n):
        return Verdict(Outcome.INCONCLUSIVE, f"no confirmed leak in {n} {seen.texts}, but {doubt}")
    if recall <= 0:
        return Verdict(
            Outcome.INCONCLUSIVE, f"no leak in {n} {seen.texts}, but {found}: nothing is known"
        )
    limit = f"(limit {rate:g}; {found})"
    if seen.mode == "sample":
        return _clean_sample(seen, rate, error, limit)
    if seen.mode == "replies":
        needed = texts_needed(rate, recall, error)
        text = f"no leak in {n} replies bounds the rate below {bound(n, recall, error):.3g} {limit}"
    else:
        missed = most_missed(recall, error)
        needed = int(missed / rate) + 1
        text = (
            f"no leak in all {n} records, and no more than {missed} can have been overlooked,"
            f" a rate of {min(1.0, missed / n):.3g} {limit}"
        )
        if not seen.complete:
            return Verdict(Outcome.INCONCLUSIVE, f"{text}: not all records were read")
    also = f"; {seen.unconfirmed} unconfirmed hit(s) are listed" if seen.unconfirmed else ""
    if n < needed:
        return Verdict(Outcome.INCONCLUSIVE, f"{text}: a PASS takes {needed} {seen.texts}{also}")
    return Verdict(Outcome.PASS, text + also + _looked_for(seen))


def _clean_sample(seen: Seen, rate: float, error: float, limit: str) -> Verdict:
    """Judge records drawn at random from every file, none of which has a confirmed leak."""
    recall = recall_bound(weakest(seen.plants, seen.in_place or ()), error)
    needed, effective = texts_needed(rate, recall, error), seen.effective or 0
    text = (
        f"no leak in {seen.looked_at or 0} records, drawn at random from every file of"
        f" {seen.sampled_from or 0}, bounds the share of records that leak below"
        f" {bound(effective, recall, error):.3g} whichever files they are in {limit}"
    )
    if not seen.complete:
        return Verdict(Outcome.INCONCLUSIVE, f"{text}: not all files could be read")
    also = f"; {seen.unconfirmed} unconfirmed hit(s) are listed" if seen.unconfirmed else ""
    if effective < needed:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"{text}: worth {effective} draws, and a PASS takes {needed}{also}",
        )
    return Verdict(Outcome.PASS, text + also + _looked_for(seen))


def _doubt(seen: Seen, n: int) -> str:
    """Return what speaks against a PASS though nothing was confirmed, or nothing."""
    for row in seen.in_place or ():
        if not row.found:
            return (
                f"they hold values that could be {row.entity}, and of {row.planted} planted in their"
                " place none was found: nothing is known of this kind (look at them; `allow` takes"
                " values that are no leak, `entities` the kinds that matter)"
            )
    tried, right = seen.card_numbers or 0, seen.right_card_numbers or 0
    if right > _FEW and lower(right, tried, _RARE) > _CHANCE:
        return (
            f"{right} of {tried} numbers sampled that could be cards have a right check digit, where"
            " chance gives one in ten: these are cards, or numbers with the same check digit"
        )
    for kind, count in sorted((seen.doubtful or {}).items()):
        if count >= _FLOOD and count > _MANY * n:
            return f"{count} of them hold an unconfirmed {kind}: look at those listed"
    return ""


def _looked_for(seen: Seen) -> str:
    """Return which kinds a PASS is about, and which it is not."""
    if seen.credentials is None and seen.in_place is None:
        return ""  # recorded by an older version
    kinds = [row.entity for row in seen.plants]
    others = [kind for kind in (*ENTITIES, *BY_REGION) if kind not in kinds]
    text = f"; looked for, in the ways planted: {', '.join(kinds)}"
    if "API_KEY" in kinds:
        text += f" ({seen.credentials or _BUILT_IN})"
    if "NATIONAL_ID" in kinds:
        text += f" (national identifiers of {', '.join(seen.id_regions or ())}, of no other region)"
    return f"{text}; not for: {', '.join([*others, 'names', 'addresses'])}"


def _worst_recall(plants: Sequence[Planted]) -> str:
    row = min(plants, key=lambda row: row.recall)
    return f"of planted {row.entity} {row.found} in {row.planted} were found"
