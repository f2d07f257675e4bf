"""The bank's features, onboarded once for all gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from reference_systems.bank_feature_store.builds import Store

CUSTOMERS = 1_000


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Store:
    """Onboard the bank's definition on data of the run's seed."""
    pytest.importorskip("feast", reason="the extra systems-bank")
    from reference_systems.bank_feature_store.builds import Store

    seed = int(pytestconfig.getoption("mlgates_seed"))
    return Store(tmp_path_factory.mktemp("bank"), CUSTOMERS, seed)
