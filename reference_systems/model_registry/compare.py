"""Print incident, half a fix and fix side by side: ``python -m reference_systems.model_registry.compare``.

Everything is done here, on files of a scratch folder, by seed; no figure is written down.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from reference_systems.model_registry import inputs
from reference_systems.model_registry.digests import digest_of_blocks
from reference_systems.model_registry.errors import RegistryError
from reference_systems.model_registry.incident import NamedFiles
from reference_systems.model_registry.prefix import PrefixFiles
from reference_systems.model_registry.registry import Registry
from reference_systems.model_registry.serving import Served

__all__ = ["BUILDS", "main", "rows"]

BUILDS = ("incident", "prefix", "fixed")
_NAME = "model_v1.pkl"
_REQUESTS = 10_000
#: two texts whose SHA-256 begin with the same twelve digits
_ALIKE = (b"artifact 30833785", b"artifact 33245150")


class _Store:
    """One look for all three builds: store under a name, read, and where the bytes lie."""

    def __init__(self, build: str, root: Path) -> None:
        self.build = build
        if build == "incident":
            named = NamedFiles(root)
            self.put: Callable[[bytes], str] = lambda data: self._named(named, data)
            self.read: Callable[[str], bytes] = named.read
            self.path: Callable[[str], Path] = named.path_of
        elif build == "prefix":
            files = PrefixFiles(root)
            self.put = lambda data: files.put(io.BytesIO(data))
            self.read, self.path = files.read, files.path
        else:
            registry = Registry.open(str(root), grace=timedelta(days=7))
            store = registry.store
            self.put = lambda data: registry.put(io.BytesIO(data), "model").stored.digest
            self.read = store.read
            self.path = lambda digest: root / store.key(digest)

    @staticmethod
    def _named(files: NamedFiles, data: bytes) -> str:
        files.put(io.BytesIO(data), _NAME)
        return _NAME


def rows(seed: int) -> Iterator[dict[str, Any]]:
    """Yield one row a question, with the answer of each build."""
    for question, ask in _QUESTIONS.items():
        row: dict[str, Any] = {"question": question}
        for build in BUILDS:
            with tempfile.TemporaryDirectory() as folder:
                row[build] = ask(_Store(build, Path(folder)), seed)
        yield row


def _differ(store: _Store, seed: int) -> str:
    """Two services of one model, one started before the new version was stored, one after."""
    reference = store.put(inputs.model(1, seed))
    before = _serve(store.read(reference))
    store.put(inputs.model(2, seed))
    after = _serve(store.read(reference))
    requests = inputs.rows(_REQUESTS, seed)
    scores = [service.predict(requests)[:, 0] for service in (before, after)]
    decisions = int(np.sum((scores[0] >= 0.5) != (scores[1] >= 0.5)))
    return f"{decisions:,} of {_REQUESTS:,}"


def _serve(data: bytes) -> Served:
    import safetensors.numpy

    return Served(digest_of_blocks([data]), safetensors.numpy.load(data))


def _kept(store: _Store, seed: int) -> str:
    """Whether the first version can still be had."""
    first = inputs.model(1, seed)
    reference = store.put(first)
    store.put(inputs.model(2, seed))
    return "yes" if store.read(reference) == first else "no: overwritten"


def _alike(store: _Store, seed: int) -> str:  # noqa: ARG001
    references = [store.put(text) for text in _ALIKE]
    return "both" if [store.read(r) for r in references] == list(_ALIKE) else "the second, twice"


def _changed(store: _Store, change: Callable[[bytes], bytes], seed: int) -> str:
    data = inputs.model(1, seed)
    reference = store.put(data)
    path = store.path(reference)
    path.chmod(0o644)
    path.write_bytes(change(data))
    try:
        return "served" if store.read(reference) != data else "the right bytes"
    except RegistryError:
        return "refused"


def _flipped(store: _Store, seed: int) -> str:
    return _changed(store, lambda data: data[:-1] + bytes([data[-1] ^ 1]), seed)


def _cut(store: _Store, seed: int) -> str:
    return _changed(store, lambda data: data[: len(data) // 2], seed)


def _again(store: _Store, seed: int) -> str:
    """Half a file lies there, as after a put that was killed; the put is done again."""
    data = inputs.model(1, seed)
    path = store.path(store.put(data))
    path.chmod(0o644)
    path.write_bytes(data[: len(data) // 2])
    return "the right bytes" if store.read(store.put(data)) == data else "half a file"


_QUESTIONS: dict[str, Callable[[_Store, int], str]] = {
    "decisions on which two services of one model differ": _differ,
    "the first version can still be had": _kept,
    "of two files whose digests begin alike": _alike,
    "one bit flipped on the disk": _flipped,
    "half a file on the disk": _cut,
    "half a file, then the same put again": _again,
}


def main(arguments: list[str] | None = None) -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(prog="compare", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}\n\n| | {' | '.join(BUILDS)} |\n|---|{'---|' * len(BUILDS)}")  # noqa: T201
    for row in rows(options.seed):
        print(f"| {row['question']} | {' | '.join(str(row[b]) for b in BUILDS)} |")  # noqa: T201


if __name__ == "__main__":
    main()
