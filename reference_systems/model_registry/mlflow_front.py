"""MLflow's model registry as a second front: it shows what the registry decided, and decides nothing.

A promotion appears as a model version whose source is the digest itself (``urn:sha256:...``), not a
path that something else may lie under tomorrow; an alias points at the latest. What MLflow answers
is held against the registry's history before anything is loaded. Needs the extra ``mlflow``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reference_systems.model_registry.errors import Refused, Unreachable

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from reference_systems.model_registry.pointers import Entry
    from reference_systems.model_registry.registry import Registry

__all__ = ["ALIAS", "client", "publish", "resolve"]

ALIAS = "current"
_SOURCE = "urn:sha256:"


def client(uri: str) -> MlflowClient:
    """Return a client of the MLflow at ``uri`` (``sqlite:///FILE`` or a server), without telemetry.

    MLflow would look a host of its makers up on import: it is told not to before.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    try:
        from mlflow import MlflowClient
    except ImportError as error:
        raise Unreachable(
            f'MLflow needs the extra mlflow: pip install "pytest-mlgates[mlflow]" ({error.name})'
        ) from None
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def publish(registry: Registry, name: str, front: MlflowClient) -> int:
    """Show every promotion of a name that MLflow lacks; return how many were added."""
    from mlflow.exceptions import MlflowException

    entries = registry.log(name)
    try:
        front.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise Unreachable(f"MLflow: {name}: {_line(error)}") from None
    shown = {
        int(version.tags["sequence"]): version.version
        for version in front.search_model_versions(f"name='{name}'")
        if version.source.startswith(_SOURCE) and "sequence" in version.tags
    }
    added = 0
    for entry in entries:
        if entry.sequence not in shown:
            made = front.create_model_version(
                name, _SOURCE + entry.digest, tags=_tags(entry), description=f"by {entry.report}"
            )
            shown[entry.sequence] = made.version
            added += 1
    front.set_registered_model_alias(name, ALIAS, shown[entries[-1].sequence])
    return added


def resolve(registry: Registry, name: str, front: MlflowClient, alias: str = ALIAS) -> Entry:
    """Return the promotion that an alias of MLflow stands for.

    Raises :class:`Refused` where MLflow names an artifact that the registry never promoted under
    this name, whoever wrote it there.
    """
    from mlflow.exceptions import MlflowException

    try:
        version = front.get_model_version_by_alias(name, alias)
    except MlflowException as error:
        raise Refused(f"MLflow: {name}@{alias}: {_line(error)}") from None
    digest = version.source.removeprefix(_SOURCE)
    for entry in reversed(registry.log(name)):
        if version.source == _SOURCE + entry.digest:
            return entry
    raise Refused(
        f"MLflow: {name}@{alias} is {digest[:80]}, which the registry never promoted as {name}"
    )


def _tags(entry: Entry) -> dict[str, str]:
    return {
        "sha256": entry.digest,
        "manifest": entry.manifest,
        "report": entry.report,
        "signer": entry.signer,
        "promoted": entry.when,
        "sequence": str(entry.sequence),
    }


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
