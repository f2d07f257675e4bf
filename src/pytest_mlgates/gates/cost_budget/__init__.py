"""Whether a cloud bill stays inside its budget, and what of it was waste."""

from pytest_mlgates.gates.cost_budget.gate import CostBudget

__all__ = ["CostBudget"]
