"""Which drugs of a chart a published list warns of together; each drug cited, the list named."""

from __future__ import annotations

from collections.abc import Collection

from reference_systems.medco_rag.draft import Draft, newest, refusal
from reference_systems.medco_rag.drugs import ingredients_in
from reference_systems.medco_rag.interactions import Pair, pairs_of
from reference_systems.medco_rag.model import Answer
from reference_systems.medco_rag.question import Ask

__all__ = ["interacting"]

#: pairs that need not interrupt are told after those that must, this many of them
_MOST = 10


def interacting(ask: Ask, draft: Draft, allowed: Collection[str]) -> Answer:
    """Answer whether drugs of the chart interact, those asked about where any is named.

    That two drugs interact is said by the list, not by the chart; that both stand there is cited.
    """
    named = ingredients_in(ask.text)
    pairs = [
        pair
        for pair in pairs_of(draft.chart, allowed)
        if not named or named <= {pair.drug_a, pair.drug_b}
    ]
    if not pairs:
        of_what = " and ".join(sorted(named)) or "its drugs"
        return refusal(f"no list of interactions that is in use here names a pair of {of_what}")
    urgent = [pair for pair in pairs if pair.level == "high_priority"]
    for pair in [*urgent, *[pair for pair in pairs if pair not in urgent][:_MOST]]:
        draft.say(_told(draft, pair))
    left = len(pairs) - max(len(urgent), min(len(pairs), len(urgent) + _MOST))
    if left > 0:
        draft.say(f"{left} more pairs need not interrupt.")
    return draft.answer()


def _told(draft: Draft, pair: Pair) -> str:
    first, second = (draft.fact(newest(facts)[0]) for facts in (pair.facts_a, pair.facts_b))
    how = "must alert" if pair.level == "high_priority" else pair.level.replace("_", "-")
    when = "taken together" if pair.together == "yes" else "may overlap"
    return f"{pair.drug_a} with {pair.drug_b} ({how}, {when}; {pair.source}): {first}; {second}."
