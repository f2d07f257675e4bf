"""Play both builds over the real link: what goes up, second by second, and what still waits."""

from __future__ import annotations

import hashlib
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reference_systems.factory_edge_qc.cloud import Received, received
from reference_systems.factory_edge_qc.edge import Allowance, Station
from reference_systems.factory_edge_qc.feed import CAMERAS, Shot, frame_of, jpeg, shot
from reference_systems.factory_edge_qc.inspector import Finding, Inspector
from reference_systems.factory_edge_qc.link import Chunk, Link, opened
from reference_systems.parts.depot import Depot, HttpUplink, serve
from reference_systems.parts.upload_queue import Budget, Lost, UploadQueue

__all__ = ["Day", "Seen", "edge_day", "flooded", "pictures_day", "plant"]

Gray = npt.NDArray[np.uint8]

_BUDGET = Budget(bytes_per_period=10**12, first_wait_s=0.02, longest_wait_s=0.1)


@dataclass(frozen=True, slots=True)
class Seen:
    """A board that was inspected, what was found, and the bytes its frame has as a JPEG."""

    shot: Shot
    finding: Finding
    jpeg_bytes: int


@dataclass(slots=True)
class Day:
    """What went over the link: records for ``bandwidth_budget``, and the backlog by second."""

    transfers: list[dict[str, object]] = field(default_factory=list)
    backlog_bytes: list[int] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    arrived: int = 0
    received: Received = field(default_factory=Received)
    inspections: int = 0

    def sent_bytes(self) -> int:
        """Return all bytes that went up."""
        return sum(int(str(row["sent_bytes"])) for row in self.transfers)


@contextmanager
def plant(mbps: float = 50.0) -> Iterator[tuple[Depot, Link]]:
    """Give a depot in a folder of its own, and the link to it."""
    with tempfile.TemporaryDirectory(prefix="plant-") as folder:
        depot = Depot(Path(folder, "cloud"))
        with serve(depot) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                with opened(server.server_address[1], mbps) as link:
                    yield depot, link
            finally:
                server.shutdown()
                thread.join(10)


def edge_day(
    inspector: Inspector,
    depot: Depot,
    link: Link,
    *,
    boards: int,
    seed: int,
    batch: int = 20,
    bad_share: float = 0.1,
) -> Day:
    """Inspect ``boards`` boards at each of twenty cameras, then let all queues empty at once."""
    one = Day()
    with tempfile.TemporaryDirectory(prefix="edge-") as folder:
        allowance = Allowance()
        stations = [
            Station(
                f"camera-{camera:02d}", inspector,
                UploadQueue(Path(folder, f"{camera}.db"), _BUDGET), allowance, batch=batch,
            )
            for camera in range(CAMERAS)
        ]  # fmt: skip
        for camera, station in enumerate(stations):
            one.seen += _inspected(station, camera, boards, seed, bad_share)
        began = time.monotonic() - link.began
        threads = [
            threading.Thread(target=_emptied, args=(station.queue.path, link.port(station.camera)))
            for station in stations
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        for station in stations:
            station.queue.close()
    one.inspections = len(one.seen)
    for camera in range(CAMERAS):
        raw = sum(s.jpeg_bytes for s in one.seen[camera * boards : (camera + 1) * boards])
        one.transfers.append(_raw(f"camera-{camera:02d}", raw, began))
    one.transfers += [_record(chunk) for chunk in list(link.chunks)]
    one.arrived = len(depot.clips())
    one.received = received(depot)
    return one


def _inspected(
    station: Station, camera: int, boards: int, seed: int, bad_share: float
) -> Iterator[Seen]:
    for number in range(boards):
        board = shot(camera, 2 * number, seed, bad_share)  # even ones: each a design of its own
        frame = frame_of(board.photo, np.random.default_rng((seed, camera, number, 50)))
        finding = station.inspect(board.name, frame, board.template, now=float(number))
        yield Seen(board, finding, len(jpeg(frame)))
    station.flush(float(boards))


def _emptied(path: Path, port: int) -> None:
    """Send all that waits in a queue (a connection of its own: SQLite's belong to their thread)."""
    queue = UploadQueue(path, _BUDGET)
    uplink = HttpUplink(f"http://127.0.0.1:{port}", timeout_s=60)
    until = time.monotonic() + 100
    while queue.waiting_bytes() and time.monotonic() < until:
        queue.upload(uplink, time.time())
        time.sleep(0.01)
    queue.close()


def pictures_day(depot: Depot, link: Link, *, seconds: float, seed: int) -> Day:
    """Let twenty cameras send a whole picture a second each for some seconds (the incident)."""
    one = Day()
    pool = _pool(seed)
    with flooded(link, pool) as waiting:
        for second in range(1, round(seconds) + 1):
            time.sleep(max(0.0, waiting.began + second - time.monotonic()))
            offered = waiting.offered_bytes()
            one.backlog_bytes.append(max(offered - link.sent_bytes(), 0))
        one.inspections, raw = waiting.count, waiting.offered()
    for camera, count in raw.items():
        one.transfers.append(_raw(camera, count, 0.0))
    one.transfers += [_record(chunk) for chunk in list(link.chunks)]
    one.arrived = len(depot.clips())
    return one


def _pool(seed: int, pictures: int = 4) -> list[bytes]:
    """Return a few pictures that cameras send over and over, told apart by their last bytes."""
    found = []
    for number in range(pictures):
        board = shot(number, 0, seed)
        found.append(jpeg(frame_of(board.photo, np.random.default_rng((seed, number, 60)))))
    return found


@dataclass(slots=True)
class _Flood:
    """Twenty cameras that offer a picture each second, and what they offered so far."""

    link: Link
    pool: Sequence[bytes]
    began: float = field(default_factory=time.monotonic)
    stopped: threading.Event = field(default_factory=threading.Event)
    count: int = 0
    waits: dict[str, list[bytes]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def offer(self, camera: int, number: int) -> None:
        name = f"camera-{camera:02d}"
        picture = self.pool[(camera + number) % len(self.pool)] + b"%d/%d" % (camera, number)
        with self.lock:
            self.waits.setdefault(name, []).append(picture)
            self.totals[name] = self.totals.get(name, 0) + len(picture)
            self.count += 1

    def offered(self) -> dict[str, int]:
        with self.lock:
            return dict(self.totals)

    def offered_bytes(self) -> int:
        return sum(self.offered().values())

    def clock(self) -> None:
        """Take a picture at each camera each second, spread over the second."""
        number = 0
        while not self.stopped.is_set():
            for camera in range(CAMERAS):
                due = self.began + number + camera / CAMERAS
                if self.stopped.wait(max(0.0, due - time.monotonic())):
                    return
                self.offer(camera, number)
            number += 1

    def send(self, camera: int, port: int) -> None:
        """Send what waits at a camera, the oldest first."""
        name = f"camera-{camera:02d}"
        uplink = HttpUplink(f"http://127.0.0.1:{port}", timeout_s=120)
        while not self.stopped.is_set():
            with self.lock:
                queue = self.waits.get(name)
                picture = queue.pop(0) if queue else None
            if picture is None:
                self.stopped.wait(0.01)
                continue
            try:
                uplink.put(hashlib.sha256(picture).hexdigest(), picture)
            except Lost:
                return  # the link closes


@contextmanager
def flooded(link: Link, pool: Sequence[bytes]) -> Iterator[_Flood]:
    """Keep twenty cameras sending whole pictures; at the end what still waits is dropped."""
    flood = _Flood(link, pool)
    ports = [link.port(f"camera-{camera:02d}") for camera in range(CAMERAS)]
    threads = [threading.Thread(target=flood.clock, daemon=True)]
    threads += [
        threading.Thread(target=flood.send, args=(camera, port), daemon=True)
        for camera, port in enumerate(ports)
    ]
    for thread in threads:
        thread.start()
    try:
        yield flood
    finally:
        flood.stopped.set()
        link.down = True  # what is under way ends now
        for thread in threads:
            thread.join(20)


def _raw(source: str, raw_bytes: int, at: float) -> dict[str, object]:
    return {"sent_bytes": 0, "raw_bytes": raw_bytes, "at": at, "source": source}


def _record(chunk: Chunk) -> dict[str, object]:
    return {
        "sent_bytes": chunk.sent_bytes, "raw_bytes": 0, "at": chunk.at, "source": chunk.source,
    }  # fmt: skip
