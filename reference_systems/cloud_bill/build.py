"""One build of the month: its bill, its inventory, its manifests."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from reference_systems.cloud_bill import inputs, listings, month, spec
from reference_systems.cloud_bill.billing import charges_of
from reference_systems.cloud_bill.memory import MemoryCluster
from reference_systems.cloud_bill.shapes import SHAPES

__all__ = ["Build", "Charges", "make"]


class Charges(list[dict[str, str]]):
    """The lines of a bill, known by the digest of their content."""

    @property
    def mlgates_digest(self) -> str:
        """SHA-256 of the lines."""
        return hashlib.sha256(json.dumps(self, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Build:
    """What one build's manifests made of the month.

    ``inventory`` is a folder of the files that kubectl and Prometheus wrote, which goes with the
    build.
    """

    name: str
    cluster: MemoryCluster
    charges: Charges
    inventory: Path
    kubernetes: Path
    terraform: Path
    kept: TemporaryDirectory[str]

    @property
    def of_the_cluster(self) -> Charges:
        """The lines that the cluster for training made; the others have no namespace to answer for."""
        return Charges(charges_of(self.cluster))


@functools.lru_cache(maxsize=4)
def make(name: str, seed: int) -> Build:
    """Run the month under the manifests of ``incident`` or ``fixed``."""
    cluster = month.run(spec.read(name), seed)
    charges = Charges([*inputs.background(seed), *charges_of(cluster)])
    folder = spec.FOLDER / name
    kept = TemporaryDirectory(prefix="cloud-bill-")
    inventory = listings.write(cluster, SHAPES["aws"], Path(kept.name))
    return Build(
        name, cluster, charges, inventory, folder / "kubernetes", folder / "terraform", kept
    )
