"""Random sequences of operations and faults on the registry's stores: what broke, after how many.

``python benchmarks/registry_sequences.py [--sequences 10000] [--seed 1] [--store folder s3 ...]``
runs that many on a folder and on seaweedfs (which takes about an hour) and prints a line a store.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_mlgates.gates.artifact_immutability import ArtifactImmutability
from pytest_mlgates.gates.artifact_immutability.details import Seen
from reference_systems.model_registry import gated, seaweed
from reference_systems.model_registry.faulty_line import broken_line
from reference_systems.model_registry.s3_address import Address


@contextlib.contextmanager
def folder(scratch: Path) -> Iterator[object]:
    yield gated.InFolder(scratch / "store")


@contextlib.contextmanager
def s3(scratch: Path) -> Iterator[object]:
    with seaweed.running(scratch / "weed") as server:
        os.environ.update(server.environment)
        with broken_line(server.endpoint) as line:
            yield gated.OnS3(Address("sequences", "", server.endpoint), line)


@contextlib.contextmanager
def incident(scratch: Path) -> Iterator[object]:
    yield gated.Overwriting(scratch / "store")


@contextlib.contextmanager
def prefix(scratch: Path) -> Iterator[object]:
    yield gated.Prefixed(scratch / "store")


@contextlib.contextmanager
def unverified(scratch: Path) -> Iterator[object]:
    yield gated.Unverified(scratch / "store")


@contextlib.contextmanager
def forgetful(scratch: Path) -> Iterator[object]:  # noqa: ARG001
    yield gated.Forgetful()


STORES: dict[str, Callable[[Path], contextlib.AbstractContextManager[object]]] = {
    "folder": folder,
    "s3": s3,
    "incident": incident,
    "prefix": prefix,
    "unverified": unverified,
    "forgetful": forgetful,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sequences", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", nargs="+", choices=STORES, default=list(STORES))
    options = parser.parse_args()
    gate = ArtifactImmutability(sequences=options.sequences)
    for name in options.store:
        with tempfile.TemporaryDirectory() as scratch, STORES[name](Path(scratch)) as store:
            began = time.monotonic(), time.process_time()
            evidence = gate.run(store, seed=options.seed)
            wall, cpu = time.monotonic() - began[0], time.process_time() - began[1]
        assert evidence.measurement is not None, evidence.verdict
        seen = evidence.measurement.read(Seen)
        print(f"{name}: {evidence.outcome.upper()}: {evidence.verdict.reason}")
        for line in seen.findings:
            print(f"  {line}")
        at_fault = seen.clean + seen.idle + (seen.broken is not None)
        print(
            f"  sequences {at_fault:,}, calls {seen.calls:,}, {wall:.0f} s, {cpu:.0f} CPU s",
            flush=True,
        )


if __name__ == "__main__":
    main()
