"""The master and its workers as one load: started, told what to offer, heard, and ended."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Any

from pytest_mlgates.core.errors import Unmeasurable
from pytest_mlgates.load.locust.orders import Order, Report
from pytest_mlgates.load.subjects import Locust

__all__ = ["Crew", "crew"]

_MODULE = "pytest_mlgates.load.locust"
_NEEDS = ("locust", "hdrh")
#: what a report may take after waiting for answers has ended, and a process to end
_SLACK_S, _END_S = 30.0, 5.0
_NAP_S = 0.02


class Crew:
    """A running master with all its workers."""

    def __init__(self, master: subprocess.Popen[bytes], said: IO[bytes], subject: Locust) -> None:
        self.master, self.said, self.subject = master, said, subject
        self.own: list[subprocess.Popen[bytes]] = []
        self._held = b""

    @property
    def pids(self) -> list[int]:
        """The workers that were started here."""
        return [worker.pid for worker in self.own]

    def offer(self, orders: Sequence[Order], tick: Callable[[], None]) -> list[Report]:
        """Let each worker carry out its order; return their reports, in the order of workers.

        ``tick`` is called meanwhile. Raises Unmeasurable where a worker is lost.
        """
        line = json.dumps([dataclasses.asdict(order) for order in orders]) + "\n"
        until = time.monotonic() + _SLACK_S + max(order.last_s for order in orders)
        self._write(line.encode())
        reports: list[Report] = []
        while len(reports) < len(orders):
            said = self._hear(until, tick, f"{len(reports)} of {len(orders)} workers reported")
            if "report" in said:
                found = Report.read(said["report"])
                if found.number == orders[0].number:
                    reports.append(found)
            elif "changed" in said:
                raise Unmeasurable(
                    f"{said['changed']} workers were there in the middle of a run for "
                    f"{len(orders)}: what was offered is not known"
                )
        return sorted(reports, key=lambda report: report.part)

    def gather(self) -> None:
        """Start the workers of this machine and wait until all are there."""
        subject, until = self.subject, time.monotonic() + self.subject.join_s
        port, joined = 0, 0
        while True:
            want = f"{joined} of {subject.workers} workers joined"
            if port:
                want += f"; on other machines run `python -m {_MODULE}.worker HOST {port}`"
            said = self._hear(until, lambda: None, want)
            if "port" in said:
                port = int(said["port"])
                for _ in range(subject.started_here):
                    self.own.append(_start(_worker(subject.bind, port), self.said))
            joined = said.get("joined", joined)
            if "ready" in said:
                return

    def end(self) -> None:
        """End the workers that were started here, and the master."""
        for process in (self.master, *self.own):
            with suppress(OSError):
                assert process.stdin is not None
                process.stdin.close()
        for process in (*self.own, self.master):
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _write(self, data: bytes) -> None:
        assert self.master.stdin is not None
        try:
            self.master.stdin.write(data)
            self.master.stdin.flush()
        except OSError:
            raise Unmeasurable(f"Locust's master ended: {self._last_words()}") from None

    def _hear(self, until: float, tick: Callable[[], None], want: str) -> dict[str, Any]:
        """Return what the master says next."""
        assert self.master.stdout is not None
        out = self.master.stdout.fileno()
        while b"\n" not in self._held:
            tick()
            for process in (self.master, *self.own):
                if process.poll() is not None:
                    raise Unmeasurable(
                        f"a process of Locust ended (status {process.returncode}), {want}: "
                        f"{self._last_words()}"
                    )
            if time.monotonic() > until:
                raise Unmeasurable(f"{want} in time")
            if select.select([out], [], [], _NAP_S)[0]:
                self._held += os.read(out, 1 << 20)
        line, _, self._held = self._held.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def _last_words(self) -> str:
        self.said.seek(0)
        lines = self.said.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "it said nothing")


@contextmanager
def crew(subject: Locust) -> Iterator[Crew]:
    """Give a crew that is ready; raises Unmeasurable where it does not come together."""
    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise Unmeasurable(
            f"load from several workers needs {' and '.join(missing)}: "
            'pip install "pytest-mlgates[locust]"'
        )
    with tempfile.TemporaryFile() as said:
        words = ["--workers", str(subject.workers), "--users", str(subject.http.connections)]
        found = Crew(_start(_master(subject, words), said), said, subject)
        try:
            found.gather()
            yield found
        finally:
            found.end()


def _master(subject: Locust, words: list[str]) -> list[str]:
    return [f"{_MODULE}.master", subject.bind, str(subject.port), *words]


def _worker(host: str, port: int) -> list[str]:
    return [f"{_MODULE}.worker", "127.0.0.1" if host == "*" else host, str(port), "--until-eof"]


def _start(words: list[str], said: IO[bytes]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(  # noqa: S603 - this interpreter, our own module
        [sys.executable, "-m", *words], stdin=pipe, stdout=pipe, stderr=said
    )
