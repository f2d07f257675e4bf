"""Why a test that asked for its gates fails although it ran: markers unused, an incident missed."""

from __future__ import annotations

import pytest

from pytest_mlgates.core import Outcome
from pytest_mlgates.registry import names
from pytest_mlgates.session.runner import GateRunner

__all__ = ["RUNNERS", "why_not_caught", "why_unused"]

RUNNERS = pytest.StashKey[list[GateRunner]]()


def why_unused(item: pytest.Item) -> str:
    """Return which marker of a test that asked for its gates while it ran gated nothing."""
    asked = {runner.gate_name for runner in item.stash.get(RUNNERS, [])}
    idle = {m.name for m in item.own_markers if m.args or m.kwargs} & set(names()) - asked
    return "\n".join(f"carries the marker {name} and never asked for it" for name in sorted(idle))


def why_not_caught(item: pytest.Item) -> str:
    """Return why a known-bad test does not pass, or an empty string."""
    recorded = [piece for runner in item.stash.get(RUNNERS, []) for piece in runner.recorded]
    if not recorded:
        return "a known-bad test passes only if it asks a gate, and this one asked none"
    missed = [piece for piece in recorded if piece.outcome != Outcome.FAIL]
    return "\n".join(
        f"{piece.entry} did not catch the known-bad subject: {piece.outcome.upper()}: "
        f"{piece.verdict.reason}"
        for piece in missed
    )
