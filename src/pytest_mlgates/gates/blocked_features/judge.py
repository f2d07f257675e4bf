"""Whether a blocked name is among the features, and whether a group can be told from them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mlgates.core.errors import Unfit
from pytest_mlgates.core.records import BrokenLimit, Headline, Outcome, Verdict
from pytest_mlgates.core.words import first, percent, plural
from pytest_mlgates.gates.blocked_features.details import Proxy, Seen
from pytest_mlgates.stats.bounded import entropy_lower, entropy_upper

__all__ = ["Limits", "auc_bounds", "headline", "judge"]

MAX_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What must hold; ``max_auc`` is None where no group is looked for."""

    blocked: tuple[str, ...]
    max_auc: float | None
    max_unknown: float
    alpha: float
    beta: float


def headline(seen: Seen, n: int, *, proxies: bool) -> Headline:
    """Return the number that the policy is about, as the details give it."""
    n = n if seen.applicants is None else seen.applicants
    named = sum(hit.how == "is" for hit in seen.hits)
    value, unit = (seen.highest, "AUC") if proxies else (named, "columns")
    return Headline(value=value, unit=unit, n=n)


def judge(seen: Seen, value: float, n: int, limits: Limits) -> Verdict:
    """FAIL where a name is blocked or a group is told, PASS where neither is so."""
    if seen.blocked != limits.blocked:
        raise Unfit("details.blocked: other names were looked for: look again")
    wanted = seen.highest if limits.max_auc is not None else sum(h.how == "is" for h in seen.hits)
    if abs(value - wanted) > 1e-9:
        raise Unfit(f"value is {value:g}, details come to {wanted:g}")
    if any(proxy.members + proxy.others > n for proxy in seen.proxies):
        raise Unfit(f"details.proxies: counts more than {n} applicants")
    if n == 0:
        return Verdict(Outcome.INCONCLUSIVE, "there was no row of features, so nothing is known")
    verdicts = [*_judge_names(seen, limits)]
    if limits.max_auc is not None:
        verdicts += _proxies(seen, n, limits, limits.max_auc)
    return Verdict.gravest(verdicts)


def _judge_names(seen: Seen, limits: Limits) -> Iterator[Verdict]:
    if not seen.columns:
        yield Verdict(Outcome.INCONCLUSIVE, "there is no feature, so there is nothing to judge")
        return
    if not limits.blocked:
        return
    found, near = (_by_name(seen, how) for how in ("is", "near"))
    if found:
        which = ", ".join(first(found, 2 * MAX_NAMED))
        also = f" of {plural(seen.columns, 'column')}"
        names = dict.fromkeys(hit.blocked for hit in seen.hits if hit.how == "is")
        yield Verdict(
            Outcome.FAIL,
            f"blocked among the features: {which}{also}",
            tuple(BrokenLimit("blocked", slice=name) for name in names),
        )
    elif near:
        which = ", ".join(first(near, 2 * MAX_NAMED))
        yield Verdict(
            Outcome.INCONCLUSIVE,
            f"may be a misspelling of a blocked name: {which}: rename the column, or name it in"
            " `allowed`",
        )
    elif not seen.named and limits.max_auc is None:
        yield Verdict(
            Outcome.INCONCLUSIVE,
            "the features have no names (vectors or texts), so no name can be blocked: set"
            " max_proxy_auc, or give a table",
        )
    else:
        yield Verdict(
            Outcome.PASS,
            f"none of {plural(seen.columns, 'column')} is called {' or '.join(limits.blocked)}",
        )


def _by_name(seen: Seen, how: str) -> list[str]:
    """Return a line for each blocked name: its first column, and how many more."""
    columns: dict[str, list[str]] = {}
    for hit in seen.hits:
        if hit.how == how:
            columns.setdefault(hit.blocked, []).append(hit.column)
    return [
        f"{names[0]!r}{f' and {len(names) - 1:,} more' if names[1:] else ''} ({blocked})"
        for blocked, names in columns.items()
    ]


def _proxies(seen: Seen, n: int, limits: Limits, most: float) -> list[Verdict]:
    if not seen.varying:
        return [
            Verdict(Outcome.INCONCLUSIVE, "the features never differ: they tell nothing at all")
        ]
    claims = max(1, sum(len(proxy.models) for proxy in seen.proxies))
    verdicts = [_proxy(proxy, limits, most, limits.alpha / claims) for proxy in seen.proxies]
    judged = {proxy.attribute for proxy in seen.proxies}
    if lacking := [name for name in seen.attributes if name not in judged]:
        which = ", ".join(lacking)
        few = f" ({', '.join(first(list(seen.too_few), MAX_NAMED))})" if seen.too_few else ""
        verdicts.append(
            Verdict(Outcome.INCONCLUSIVE, f"too few applicants of a second group of {which}{few}")
        )
    if seen.unknown > limits.max_unknown * n:
        verdicts.append(
            Verdict(
                Outcome.INCONCLUSIVE,
                f"the group of {seen.unknown:,} of {n:,} applicants is unknown (max_unknown"
                f" {percent(limits.max_unknown)})",
            )
        )
    if not seen.attributes:
        verdicts.append(Verdict(Outcome.INCONCLUSIVE, "no attribute was looked for"))
    worst = Verdict.gravest(verdicts, MAX_NAMED)
    if worst.outcome != Outcome.PASS:
        return [worst]
    best = max(range(len(seen.proxies)), key=lambda at: seen.proxies[at].best.auc)
    few = f"; too few to judge: {', '.join(first(list(seen.too_few), 5))}" if seen.too_few else ""
    head = f"of {plural(len(seen.proxies), 'group')} the one told best, "
    few += f"; unknown of {plural(seen.unknown, 'applicant')}" if seen.unknown else ""
    return [Verdict(Outcome.PASS, head + verdicts[best].reason + few)]


def auc_bounds(auc: float, blocks: int, below: float, above: float) -> tuple[float, float]:
    """Return bounds of an AUC over so many independent pairs.

    >>> [round(x, 3) for x in auc_bounds(0.5, 500, 0.01, 0.01)]
    [0.432, 0.568]
    """
    if not blocks:
        return 0.0, 1.0
    return entropy_lower(auc, blocks, below), entropy_upper(auc, blocks, above)


def _proxy(proxy: Proxy, limits: Limits, most: float, alpha: float) -> Verdict:
    best = proxy.best
    low, _ = auc_bounds(best.auc, proxy.blocks, alpha, limits.beta)
    _, high = auc_bounds(best.auc, proxy.blocks, limits.beta, limits.beta)
    n = proxy.members + proxy.others
    head = (
        f"{proxy.name} ({proxy.members:,} of {n:,}) is told with an AUC of {best.auc:.3f} by"
        f" {best.model}"
    )
    limit = f"(max_proxy_auc {most:g})"
    # where chance itself is not a half, applicants stand on both sides of a fold
    off = 4 * math.sqrt(1 / max(1, proxy.blocks) / 4)
    if abs(proxy.chance_mean - 0.5) > off:
        return Verdict(
            Outcome.INCONCLUSIVE,
            f"{head}, but chance alone reaches {proxy.chance_mean:.3f} in the mean: do rows of one"
            " applicant stand apart? give unit_of",
        )
    if low > most and best.auc > proxy.chance:
        broken = BrokenLimit("max_proxy_auc", best.auc, proxy.name)
        return Verdict(Outcome.FAIL, f"{head}: at least {low:.3f} {limit}", (broken,))
    if high <= most:
        return Verdict(Outcome.PASS, f"{head}: at most {high:.3f} {limit}")
    text = f"{head}: between {low:.3f} and {high:.3f} {limit}"
    gap = abs(best.auc - most)
    error = alpha if best.auc > most else limits.beta
    if gap < 0.005:
        return Verdict(Outcome.INCONCLUSIVE, f"{text}, so close that no sample would tell")
    blocks = -math.log(error) / (2 * gap * gap)  # Hoeffding: a little too many
    more = max(0.1, blocks / max(1, proxy.blocks) - 1) * n
    return Verdict(
        Outcome.INCONCLUSIVE, f"{text}, about {math.ceil(more):,} more applicants would tell"
    )
