"""The gates of the code assistant: the fix passes them, the incident and trivial builds do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reference_systems.codebuddy_graph.builds import empty, names_only
from reference_systems.codebuddy_graph.tokens import count_tokens

if TYPE_CHECKING:
    from pytest_mlgates.gates.context_budget import ContextBudget
    from pytest_mlgates.gates.egress import Egress
    from pytest_mlgates.gates.quality_floor import QualityFloor
    from reference_systems.codebuddy_graph.builds import Assistant
    from reference_systems.codebuddy_graph.inputs import Plan

#: enough for a PASS at the configured floor
CHAINS = 70

pytestmark = pytest.mark.system("codebuddy_graph")


def share_found(found: list[str], wanted: list[str]) -> float:
    """Give the harmonic mean of precision and recall of a list of names."""
    both = len(set(found) & set(wanted))
    return 2 * both / (len(set(found)) + len(set(wanted))) if both else 0.0


def reachable_of(plan: Plan) -> tuple[list[str], list[list[str]]]:
    """Give the methods with the longest chains, and all that each reaches."""
    chains = sorted(((plan.reach(name), name) for name in plan.methods), key=lambda c: -len(c[0]))
    return [name for _, name in chains[:CHAINS]], [reached for reached, _ in chains[:CHAINS]]


def test_chains_fit(
    context_budget: ContextBudget, assistant: Assistant, questions: list[dict[str, Any]]
) -> None:
    """A chain of 40,000 tokens and more is told in 4,000: the path in full, the names, the files."""
    context_budget(assistant.context, questions, count_tokens)


@pytest.mark.known_bad
def test_silence_is_caught(context_budget: ContextBudget, questions: list[dict[str, Any]]) -> None:
    """An empty context always fits, and holds nothing."""
    context_budget(empty, questions, count_tokens)


@pytest.mark.known_bad
def test_names_alone_are_caught(
    context_budget: ContextBudget, assistant: Assistant, questions: list[dict[str, Any]]
) -> None:
    """All names without any code hold no path."""
    context_budget(names_only(assistant), questions, count_tokens)


@pytest.mark.known_bad
def test_the_pasted_chain_is_caught(
    context_budget: ContextBudget, pasting_assistant: Assistant, questions: list[dict[str, Any]]
) -> None:
    """The chain pasted whole does not fit."""
    context_budget(pasting_assistant.context, questions, count_tokens)


def test_what_is_reached_is_named(
    quality_floor: QualityFloor, assistant: Assistant, plan: Plan
) -> None:
    """From what the model is given it can name what a method reaches, as the plan has it."""
    methods, reached = reachable_of(plan)

    def found(method: str) -> list[str]:
        return [name for name in assistant.reachable(method) if name in plan.methods]

    quality_floor(found, methods, reached, score=share_found)


@pytest.mark.known_bad
def test_no_answer_is_caught(quality_floor: QualityFloor, plan: Plan) -> None:
    """An assistant that names nothing is of no use."""
    methods, reached = reachable_of(plan)
    quality_floor(lambda _: [], methods, reached, score=share_found)


@pytest.mark.known_bad
def test_what_the_window_cuts_off_is_caught(
    quality_floor: QualityFloor, pasting_assistant: Assistant, plan: Plan
) -> None:
    """Of a chain pasted whole the model reads the beginning."""
    methods, reached = reachable_of(plan)
    quality_floor(pasting_assistant.reachable, methods, reached, score=share_found)


def test_code_stays_here(
    egress: Egress, assistant: Assistant, questions: list[dict[str, Any]]
) -> None:
    """Proprietary code does not leave: nothing is reached for while a context is built."""
    egress(assistant.context, [row["question"] for row in questions[:5]])


@pytest.mark.known_bad
def test_an_assistant_that_asks_outside_is_caught(
    egress: Egress, assistant: Assistant, questions: list[dict[str, Any]]
) -> None:
    """A build that sends the question to a service elsewhere does not get past."""
    import socket

    def asks(asked: dict[str, Any]) -> str:
        with socket.socket() as service:
            service.settimeout(1)
            service.connect_ex(("203.0.113.7", 443))
        return assistant.context(asked)

    egress(asks, [row["question"] for row in questions[:2]])
