"""What the record of a bill means for the limits of a ``CostBudget``: pure, and total."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pytest_mlgates.core import Outcome, Verdict
from pytest_mlgates.gates.cost_budget.money import said
from pytest_mlgates.gates.cost_budget.shown import counted
from pytest_mlgates.stats.forecast import SumForecast

__all__ = ["ends", "judge"]


def judge(gate: Any, details: Any) -> Iterator[Verdict]:
    """Yield what each limit comes to, and what keeps the bill from passing any.

    Raises ValueError, TypeError, LookupError, ArithmeticError or AttributeError where the record
    does not fit together.
    """
    yield from _bill(gate, details)
    yield from _budget(gate, details)
    yield from _waste(gate, details)


def ends(
    entry: Mapping[str, Any], entries: Sequence[Any], alpha: float, beta: float
) -> tuple[float, float]:
    """Return where a period that runs on surely ends above, and below.

    All ``entries`` that run on share alpha.
    """
    record = entry["forecast"]
    found = SumForecast.read(record)
    parts = {name: float(record[name]) for name in ("billed", "billed_ahead", "fees", "credits")}
    if parts["fees"] < 0 or parts["credits"] > 0:
        raise ValueError("no forecast")
    running = sum(not _flag(other["complete"]) for other in entries)
    floor = parts["billed_ahead"]
    low = parts["billed"] + max(found.low(alpha / max(running, 1)), floor, 0.0) + parts["credits"]
    high = parts["billed"] + max(found.high(beta), floor) + parts["fees"]
    return low, max(high, low)


def _bill(gate: Any, details: Any) -> Iterator[Verdict]:
    """Say what keeps a bill from passing, whatever it is held against."""
    for total in details["totals"]:
        when, billed = total["period"], _money(total["billed"])
        if billed <= 0:
            yield Verdict(
                Outcome.INCONCLUSIVE,
                f"{when} comes to {_said(gate, billed)} in all"
                f" (credits {_said(gate, _money(total['credits']))}): no budget is held by that",
            )
        if gaps := _whole(total["gaps"]):
            yield Verdict(
                Outcome.INCONCLUSIVE,
                f"{when} has no charge at all on {gaps} of its days: was a part left out?"
                " (where nothing ran, set complete_until)",
            )


def _budget(gate: Any, details: Any) -> Iterator[Verdict]:
    if gate.max_cost is None:
        return
    budget = Decimal(repr(gate.max_cost))
    limit = f"budget {_said(gate, budget)}"
    entries, over, within = details["entries"], [], []
    if not entries:
        raise ValueError("no entry")
    for entry in entries:
        billed, complete = _money(entry["billed"]), _flag(entry["complete"])
        named = f"{entry['group']} in {entry['period']}" if gate.by else str(entry["period"])
        if billed > budget:
            over.append((billed, named, complete))
        elif complete:
            within.append((billed, named))
        elif entry["forecast"] is None:
            yield Verdict(
                Outcome.INCONCLUSIVE,
                f"{named} has cost {_said(gate, billed)} so far ({limit}) and runs on:"
                f" {entry['lacks']}",
            )
        else:
            yield _outlook(gate, entry, details, named)
    if over:
        billed, named, complete = max(over)
        so_far = "" if complete else " so far"
        more = f" (and {len(over) - 1} more are over)" if len(over) > 1 else ""
        yield Verdict(Outcome.FAIL, f"{named} cost {_said(gate, billed)}{so_far} ({limit}){more}")
    elif within:
        billed, named = max(within)
        given_back = sum(_money(total["credits"]) for total in details["totals"])
        after = f", after credits of {_said(gate, -given_back)}" if given_back < 0 else ""
        yield Verdict(Outcome.PASS, f"{named} cost {_said(gate, billed)}{after} ({limit})")


def _outlook(gate: Any, entry: Any, details: Any, named: str) -> Verdict:
    """Judge where a period that runs on will end."""
    budget = Decimal(repr(gate.max_cost))
    low, high = ends(entry, details["entries"], gate.alpha, gate.beta)
    limit = f"budget {_said(gate, budget)}"
    head = f"{named} has cost {_said(gate, _money(entry['billed']))} and will surely end"
    if low > budget:
        return Verdict(Outcome.FAIL, f"{head} above {_said(gate, low)} ({limit})")
    if high <= budget:
        return Verdict(Outcome.PASS, f"{head} below {_said(gate, high)} ({limit})")
    return Verdict(
        Outcome.INCONCLUSIVE,
        f"{named} has cost {_said(gate, _money(entry['billed']))} and could end between"
        f" {_said(gate, low)} and {_said(gate, high)} ({limit})",
    )


def _waste(gate: Any, details: Any) -> Iterator[Verdict]:
    if gate.max_waste is None:
        return
    seen = details["waste"]
    cost, limit = _money(seen["cost"]), Decimal(repr(gate.max_waste))
    so_far = "" if _flag(seen["complete"]) else " so far"
    head = f"{_said(gate, cost)} of {seen['period']} were wasted{so_far}"
    head += f" (limit {_said(gate, limit)})"
    if cost > limit:
        yield Verdict(Outcome.FAIL, head)
        return
    lacks = list(_unknown_waste(gate, seen))
    if lacks:
        yield Verdict(Outcome.INCONCLUSIVE, f"at least {head}, but {'; '.join(lacks)}")
    else:
        yield Verdict(Outcome.PASS, head)


def _unknown_waste(gate: Any, seen: Any) -> Iterator[str]:
    """Say what could still be waste."""
    kinds = {"idle_hours": "pods", "unattached_days": "volumes"}
    wanted = [kind for rule, kind in kinds.items() if getattr(gate, rule) is not None]
    if not wanted:
        return
    if not _flag(seen["inventory"]):
        yield "there is no inventory to find what idled"
        return
    for kind in wanted:
        if not _whole(seen["kinds"].get(kind, 0)):
            yield f"the inventory has no {kind} (if there are none, set the rule's field to null)"
    if not _whole(seen["joined"]):
        yield "no resource of the inventory is in the charges"
        return
    if unpriced := _whole(seen["unpriced"]):
        yield f"no charge names {counted(unpriced, 'resource')} of no use, and that is not zero"
    if unjudged := _whole(seen["unjudged"]):
        yield f"{counted(unjudged, 'resource')} could not be judged"
    share = _share(seen["known_share"])
    if share < gate.min_known:
        yield (
            f"the inventory knows {share:.0%} of what compute and storage cost"
            f" (min_known {gate.min_known:.0%})"
        )


def _said(gate: Any, amount: Decimal | float) -> str:
    return said(amount, gate.currency)


def _money(value: Any) -> Decimal:
    """Return a recorded amount; ValueError or ArithmeticError otherwise."""
    if not isinstance(value, str):
        raise TypeError("money is text")
    amount = Decimal(value)
    if not amount.is_finite() or abs(amount.adjusted()) > 40:
        raise ValueError("no amount")
    return amount


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("no flag")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("no count")
    return value


def _share(value: Any) -> float:
    """Return a recorded share; where there was nothing to know, none was known."""
    if value is None:
        return 0.0
    if isinstance(value, (bool, str)) or not (0 <= value <= 1 and math.isfinite(value)):
        raise ValueError("no share")
    return float(value)
