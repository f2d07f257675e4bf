"""The bill and the manifests are gated: the fix passes, the incident is caught by each entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reference_systems.cloud_bill import fixed, incident

if TYPE_CHECKING:
    from pytest_mlgates.gates.cost_budget import CostBudget
    from pytest_mlgates.gates.infra_guardrails import InfraGuardrails
    from reference_systems.cloud_bill.build import Build

pytestmark = pytest.mark.system("cloud_bill")


@pytest.fixture
def month(mlgates_seed: int) -> Build:
    """Return May under the manifests of today."""
    return fixed.build(mlgates_seed)


@pytest.fixture
def incident_month(mlgates_seed: int) -> Build:
    """Return May as it was billed."""
    return incident.build(mlgates_seed)


def test_the_month_stays_inside_its_budget(cost_budget: CostBudget, month: Build) -> None:
    """The month costs at most its budget, and next to nothing of it is paid for idling."""
    cost_budget(month.charges, month.inventory)


@pytest.mark.cost_budget("namespace-budget")
def test_every_namespace_stays_inside_its_own(cost_budget: CostBudget, month: Build) -> None:
    """No team of the cluster spends more than its part."""
    cost_budget(month.of_the_cluster, month.inventory)


@pytest.mark.infra_guardrails("kubernetes-guardrails")
def test_jobs_end_and_go(infra_guardrails: InfraGuardrails, month: Build) -> None:
    """Every job has a TTL, a deadline and an owner, and its volumes go with it."""
    infra_guardrails(month.kubernetes)


@pytest.mark.infra_guardrails("terraform-guardrails")
def test_gpus_share_a_zone(infra_guardrails: InfraGuardrails, month: Build) -> None:
    """The GPUs of a pool are in one zone, and jobs that Terraform starts end and go, too."""
    infra_guardrails(month.terraform)


@pytest.mark.known_bad
def test_the_weekend_is_caught_in_the_bill(cost_budget: CostBudget, incident_month: Build) -> None:
    """The weekend of $15,000 does not get past the budget."""
    cost_budget(incident_month.charges, incident_month.inventory)


@pytest.mark.known_bad
@pytest.mark.cost_budget("namespace-budget")
def test_the_namespaces_of_the_weekend_are_caught(
    cost_budget: CostBudget, incident_month: Build
) -> None:
    """Research and training do not get past their budgets."""
    cost_budget(incident_month.charges, incident_month.inventory)


@pytest.mark.known_bad
@pytest.mark.infra_guardrails("kubernetes-guardrails")
def test_the_jobs_of_the_weekend_are_caught(
    infra_guardrails: InfraGuardrails, incident_month: Build
) -> None:
    """Jobs without TTL and deadline do not get through."""
    infra_guardrails(incident_month.kubernetes)


@pytest.mark.known_bad
@pytest.mark.infra_guardrails("terraform-guardrails")
def test_the_pool_of_the_weekend_is_caught(
    infra_guardrails: InfraGuardrails, incident_month: Build
) -> None:
    """A GPU pool in three zones does not get through."""
    infra_guardrails(incident_month.terraform)
