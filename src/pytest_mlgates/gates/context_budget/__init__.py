"""Whether contexts fit a model, with all that they must hold."""

from pytest_mlgates.gates.context_budget.gate import ContextBudget

__all__ = ["ContextBudget"]
