"""MLflow shows what the registry decided; what it says by itself counts for nothing."""

from __future__ import annotations

import pytest

pytest.importorskip("mlflow", reason="the extra mlflow")
pytest.importorskip("alembic", reason="the extra mlflow")

from reference_systems.model_registry import mlflow_front
from reference_systems.model_registry.errors import Refused
from reference_systems.model_registry.registry import Registry
from tests.reference_systems.model_registry.test_promotion import _append

pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's own


def test_as_a_second_front(tmp_path):
    registry = Registry.open(str(tmp_path / "registry"))
    _append(registry, "fraud", 1)
    front = mlflow_front.client(f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert mlflow_front.publish(registry, "fraud", front) == 1
    assert mlflow_front.publish(registry, "fraud", front) == 0
    entry = _append(registry, "fraud", 2)
    assert mlflow_front.publish(registry, "fraud", front) == 1
    assert mlflow_front.resolve(registry, "fraud", front).digest == entry.digest
    version = front.get_model_version_by_alias("fraud", mlflow_front.ALIAS)
    assert version.source == f"urn:sha256:{entry.digest}"
    assert version.tags["sequence"] == "2"
    # someone moves the alias to a path of their own
    made = front.create_model_version("fraud", "urn:sha256:" + 64 * "f")
    front.set_registered_model_alias("fraud", mlflow_front.ALIAS, made.version)
    with pytest.raises(Refused, match="which the registry never promoted as fraud"):
        mlflow_front.resolve(registry, "fraud", front)
    with pytest.raises(Refused, match="fraud@nothing"):
        mlflow_front.resolve(registry, "fraud", front, "nothing")
