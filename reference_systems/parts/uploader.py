"""The process that empties a device's queue; it may be killed at any time.

``python -m reference_systems.parts.uploader QUEUE.db URL [--clips 40] [--seed 1]``
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

from reference_systems.parts.depot import HttpUplink
from reference_systems.parts.upload_queue import Budget, Lost, Uplink, UploadQueue

__all__ = ["Patchy", "example_clips", "main"]


class Patchy:
    """An uplink with dead zones: some calls get through only in part, or lose their answer."""

    def __init__(self, uplink: Uplink, rng: random.Random, share: float = 0.3) -> None:
        self.uplink, self.rng, self.share = uplink, rng, share

    def receipt(self, clip: str) -> str | None:
        """Ask, where there is a network."""
        if self.rng.random() < self.share:
            raise Lost
        return self.uplink.receipt(clip)

    def put(self, clip: str, payload: bytes) -> str:
        """Send; lose the network in the middle, or after all went out but before the receipt."""
        if self.rng.random() < self.share:
            raise Lost(sent_bytes=self.rng.randrange(len(payload)))
        receipt = self.uplink.put(clip, payload)
        if self.rng.random() < self.share:
            raise Lost(sent_bytes=len(payload))
        return receipt


def example_clips(n: int) -> list[bytes]:
    """Return ``n`` clips for trying a queue; the same each time."""
    rng = random.Random("clips")
    return [b"clip %d " % i + rng.randbytes(rng.randrange(500, 20_000)) for i in range(n)]


def main() -> None:
    """Queue some clips and send until none waits."""
    parser = argparse.ArgumentParser(prog="uploader", description=__doc__.partition("\n")[0])
    parser.add_argument("queue", type=Path)
    parser.add_argument("url")
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    budget = Budget(bytes_per_period=10**9, first_wait_s=0.005, longest_wait_s=0.02)
    queue = UploadQueue(options.queue, budget)
    uplink = Patchy(HttpUplink(options.url), random.Random(options.seed))
    for score, payload in enumerate(example_clips(options.clips)):
        queue.add(payload, score=float(score), now=time.time())
        queue.upload(uplink, time.time())
    while queue.waiting_bytes():
        queue.upload(uplink, time.time())
        time.sleep(0.005)
    queue.close()


if __name__ == "__main__":
    main()
