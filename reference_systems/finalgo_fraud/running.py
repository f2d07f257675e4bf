"""A scorer in a process of its own, for gates, benchmarks and tests."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Running", "served"]

_READY = re.compile(r"build on 127\.0\.0\.1:(\d+), store on 127\.0\.0\.1:(\d+)")


@dataclass
class Running:
    """Where a scorer is served and by which process; ``told`` is filled when it ended."""

    address: tuple[str, int]
    store: tuple[str, int]
    pid: int
    told: dict[str, float] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


@contextlib.contextmanager
def served(
    build: str,
    state: Path,
    *more: str,
    prefix: Sequence[str] = (),
    port: int = 0,
) -> Iterator[Running]:
    """Serve a build on a free port while the block runs; ``prefix`` is put before the command.

    A scorer that was killed meanwhile is not an error, and leaves ``told`` empty.
    """
    command = [*prefix, sys.executable, "-m", "reference_systems.finalgo_fraud", "serve"]
    command += ["--port", str(port), "--build", build, "--state", str(state), *more]
    process = subprocess.Popen(  # noqa: S603 (this interpreter)
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    words: list[str] = []
    try:
        for line in process.stderr or ():
            words.append(line.rstrip())
            if ready := _READY.search(line):
                break
        else:
            raise RuntimeError(f"the {build} build did not start: {' '.join(words)}")
        ports = [("127.0.0.1", int(number)) for number in ready.groups()]
        found = Running(ports[0], ports[1], process.pid, words=words)
        reader = threading.Thread(target=_read, args=(process.stderr, words), daemon=True)
        reader.start()
        yield found
        process.send_signal(signal.SIGTERM)
        out = process.stdout.read() if process.stdout else ""
        process.wait(20)
        if out.strip():
            found.told.update(json.loads(out))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def _read(pipe: object, words: list[str]) -> None:
    with contextlib.suppress(ValueError):  # closed under it
        words.extend(line.rstrip() for line in pipe)  # type: ignore[attr-defined]
